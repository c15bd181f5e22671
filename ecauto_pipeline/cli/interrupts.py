"""Ctrl-C outside of a run: one line, and gone, from the first import to the last word.

Whatever is being imported, read or shown may be left where it is: what must survive is committed before anything is
built on it. A run itself ends in order (dagster_run.py), and servers in their own (dev.py, emulator.py).
Imports next to nothing, so that it is there before everything else. Not for: what a run leaves behind.
"""

from __future__ import annotations

import atexit
import os
import re
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

INTERRUPTED = 130
"""The exit code of a command that was broken off: 128 and the number of the signal, as shells have it."""

SAID = "中断しました。保存済みの回答はそのまま使い、次の実行が続きから始めます。"
SAID_IN_ENGLISH = "Interrupted. Answers that were kept stay in use; the next run goes on from there."
_SHOW_CURSOR = "\x1b[?25h"


@contextmanager
def one_line_and_gone() -> Iterator[None]:
    """While the block runs, and again while the interpreter ends, Ctrl-C leaves at once."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, _leave)
    atexit.register(signal.signal, signal.SIGINT, _leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


class Terminated(BaseException):
    """SIGTERM: a service manager, or a person with `kill`, wants us and our servers to end."""


@contextmanager
def raised() -> Iterator[None]:
    """While the block runs, Ctrl-C is a KeyboardInterrupt: for who has something to end in order."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def glance_at_the_language() -> str:
    """ "ja" or "en" by a look at the text of ecauto.toml: for who has no time to read it, or can't."""
    named = os.environ.get("ECAUTO_CONFIG")
    here = Path.cwd()
    for file in [Path(named).expanduser()] if named else [folder / "ecauto.toml" for folder in (here, *here.parents)]:
        if file.is_file():
            text = file.read_text(encoding="utf-8", errors="replace")
            return "en" if re.search(r'(?m)^\s*language\s*=\s*"en"', text) else "ja"
    return "ja"


def _leave(_number: int, _frame: object) -> None:
    with suppress(Exception):  # in the midst of a write, or where there is no terminal
        sys.stdout.flush()
    with suppress(Exception):
        cursor = _SHOW_CURSOR if sys.stderr.isatty() else ""
        said = SAID_IN_ENGLISH if glance_at_the_language() == "en" else SAID
        os.write(2, f"{cursor}{said}\n".encode(sys.stderr.encoding or "utf-8", "replace"))
    os._exit(INTERRUPTED)
