"""A command of ours in a terminal of a given width, as a person would see it. Not for: Windows, or laws (the tests)."""

from __future__ import annotations

import os
import pty
import re
import struct
import subprocess
import sys
import termios
from dataclasses import dataclass
from fcntl import ioctl
from pathlib import Path

_ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b\][^\x07]*\x07")


@dataclass(frozen=True, slots=True)
class Seen:
    """`lines`: everything ever drawn, without colours, a line each; `code`: how the program ended."""

    code: int
    lines: tuple[str, ...]


def typed(folder: Path, columns: int, *arguments: str) -> Seen:
    """`ecauto ARGUMENTS` in `folder` on a terminal so many cells wide, to its end."""
    return shown(folder, columns, "from ecauto_pipeline.cli import main; main()", *arguments)


def shown(folder: Path, columns: int, program: str, *arguments: str) -> Seen:
    """The same for the text of any program of Python."""
    ours, theirs = pty.openpty()
    ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    environment = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES", "NO_COLOR")}
    process = subprocess.Popen(
        [sys.executable, "-c", program, *arguments],
        cwd=folder,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=environment | {"TERM": "xterm-256color", "LANG": "C.UTF-8"},
    )
    os.close(theirs)
    drawn = bytearray()
    while True:
        try:
            piece = os.read(ours, 65_536)
        except OSError:  # the other side has closed
            break
        if not piece:
            break
        drawn += piece
    os.close(ours)
    text = _ESCAPE.sub("", drawn.decode("utf-8", "replace"))
    return Seen(process.wait(), tuple(line.rstrip() for line in re.split(r"[\r\n]+", text) if line.strip()))
