"""Whether the process that started this one is still there: who is killed can end nothing any more.

Not for: what is done then.
"""

from __future__ import annotations

import time
from contextlib import suppress

import psutil

EVERY_S = 1.0


def wait_until_gone(pid: int, every_s: float = EVERY_S) -> None:
    """Returns within `every_s` seconds after the process has ended; at once where there is none."""
    with suppress(psutil.NoSuchProcess):
        parent = psutil.Process(pid)
        while parent.is_running() and parent.status() != psutil.STATUS_ZOMBIE:
            time.sleep(every_s)
