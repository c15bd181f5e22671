"""What all of Dagster's programs load, for the process that they begin as copies of (dagster_child.py).

Nothing of it starts a thread, which a copy would be without. Not for: importing from.
"""

import gc

import dagster._cli
import dagster._daemon.cli  # noqa: F401

gc.collect()
gc.freeze()  # a collection would write to memory that the copies share
