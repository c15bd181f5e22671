"""What is killed to see that killing works (test_matrices.py): in a module of its own, since the process that is killed
imports where it stands, and would else import all of pytest.

Not for: what a matrix kills.
"""

from __future__ import annotations

import threading
from pathlib import Path

from ecauto_pipeline.atomic_file import replace_file
from ecauto_pipeline_tests.matrices.killing import Within


def begins_not(within: Within) -> None:
    """It breaks before it comes to what it may be killed in."""
    raise ValueError("no such thing")


def hangs(within: Within) -> None:
    """It never ends."""
    with within():
        threading.Event().wait()


def writes(path: Path, within: Within) -> None:
    """The file `path`, anew."""
    with within():
        replace_file(path, "new")
