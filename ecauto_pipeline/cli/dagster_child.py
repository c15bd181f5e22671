"""A program of Dagster's as a child of `ecauto dev`, which ends when that is gone, however it came about.

A killed parent can end nothing: its servers would go on without the one who looks after them, and hold its ports. Loads
Dagster and nothing else of ours, for these processes stay for weeks. Not for: which programs (dev_dagster.py).
"""

from __future__ import annotations

import runpy
import sys
import threading
from collections.abc import Callable

from ecauto_pipeline.wiring.parent import EVERY_S, wait_until_gone

ENTRY = "from ecauto_pipeline.cli.dagster_child import main; main()"


def command(parent_pid: int, *words: str) -> list[str]:
    """The command line of `python -m WORDS ...`, the first of which is a module of Dagster's, as a child of that
    process."""
    return [sys.executable, "-c", ENTRY, str(parent_pid), *words]


def main() -> None:
    """The module that is named after the parent's process id, with the words after it."""
    parent_pid, module, *words = sys.argv[1:]
    from dagster_shared.ipc import send_interrupt

    threading.Thread(target=end_with, args=(int(parent_pid), send_interrupt), daemon=True).start()
    sys.argv = [module, *words]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def end_with(parent_pid: int, interrupt: Callable[[], None], every_s: float = EVERY_S) -> None:
    """As by Ctrl-C once the parent has gone, so that runs under way end in order and nothing stays below us."""
    wait_until_gone(parent_pid, every_s)
    interrupt()
