"""Commands of `ecauto` that the desk starts: a sync, a rollback, a what-if. Each is a process of its own.

So the desk stays small, and a click does exactly what the command does, Dagster's record included. What a command
said is kept in a folder and read from there. Not for: words of a person (approve, stop, rules), which the pages give
through the same functions as the commands, in place.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

KEPT = 20
"""Outputs of so many commands are kept."""
_ENTRY = "from ecauto_pipeline.cli import main; main()"


@dataclass(frozen=True, slots=True)
class Command:
    """One command that was started here. `code` None = it runs."""

    name: str
    words: tuple[str, ...]
    started_at: datetime
    output: Path
    process: subprocess.Popen[bytes]

    @property
    def code(self) -> int | None:
        return self.process.poll()

    def document(self) -> Any:
        """What it printed with --json; None while it runs, or where it printed none."""
        try:
            return json.loads(self.output.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None

    def last_line(self) -> str:
        """The last thing it said as an error, "" = nothing."""
        try:
            lines = self.output.with_suffix(".err").read_text(encoding="utf-8", errors="replace").strip().splitlines()
        except OSError:
            return ""
        return lines[-1] if lines else ""

    def interrupt(self) -> None:
        """End it as Ctrl-C would: what is in flight is finished and noted."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT if os.name == "posix" else signal.SIGTERM)


class Commands:
    """Those of one desk, newest first. Safe to share between threads."""

    def __init__(self, folder: Path, program: Sequence[str] = (sys.executable, "-c", _ENTRY)) -> None:
        """`program`: what is started, with a command's words behind it."""
        self._folder, self._program, self._lock = folder, program, threading.Lock()
        self._started: list[Command] = []

    def start(self, *words: str) -> Command:
        """Start `ecauto WORDS`; it goes on when the desk ends."""
        self._folder.mkdir(parents=True, exist_ok=True)
        output = self._folder / f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{uuid.uuid4().hex[:8]}.out"
        with output.open("wb") as said, output.with_suffix(".err").open("wb") as complained:
            process = subprocess.Popen(
                [*self._program, *words],
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=complained,
                env={**os.environ, "PYTHONUTF8": "1", "NO_COLOR": "1"},
                start_new_session=os.name == "posix",  # a Ctrl-C for the desk is none for what it started
            )
        command = Command(output.stem, words, datetime.now(UTC), output, process)
        with self._lock:
            self._started.insert(0, command)
            del self._started[KEPT:]
        self._forget_old()
        return command

    def running(self, first_word: str = "") -> list[Command]:
        """Those under way, of one name or all."""
        with self._lock:
            return [one for one in self._started if one.code is None and first_word in ("", one.words[0])]

    def recent(self, first_word: str = "") -> list[Command]:
        """The last ones, under way or ended, newest first, of one name or all."""
        with self._lock:
            return [one for one in self._started if first_word in ("", one.words[0])]

    def named(self, name: str) -> Command | None:
        with self._lock:
            return next((one for one in self._started if one.name == name), None)

    def _forget_old(self) -> None:
        outputs: Sequence[Path] = sorted(self._folder.glob("*.out"))
        for old in outputs[:-KEPT]:
            for path in (old, old.with_suffix(".err")):
                path.unlink(missing_ok=True)
