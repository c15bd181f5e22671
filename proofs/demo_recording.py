"""Records `make demo` in a real terminal and draws it as docs/images/demo.svg, a picture that moves.

Run again when what the demo says has changed: python -m proofs.demo_recording. The picture asks no address for
anything; who wants nothing that moves sees its end. Not for: what a terminal does (terminal_screen.py).
"""

from __future__ import annotations

import os
import pty
import struct
import subprocess
import sys
import tempfile
import termios
import time
from collections.abc import Iterator, Sequence
from fcntl import ioctl
from html import escape
from itertools import pairwise
from pathlib import Path

from ecauto_pipeline.atomic_file import replace_file
from ecauto_pipeline.emulator import process
from ecauto_pipeline_tests.pages import ROOT
from proofs.terminal_screen import Run, Screen

PICTURE = ROOT / "docs" / "images" / "demo.svg"
COLUMNS, ROWS = 96, 50
FRAMES = 28
"""At most so many, evenly over the time shown."""
LONGEST_PAUSE_S = 0.4
"""What nothing moves in is shown no longer than this."""
SHOWN_S, HELD_S = 14.0, 6.0
"""How long the run takes in the picture, and how long its end stands."""
CELL, LINE, EDGE = 8.4, 19.0, 18.0
INK, PAPER = "#d7dae0", "#1e222a"
FONTS = "ui-monospace,'Cascadia Mono',Menlo,Consolas,'BIZ UDGothic','MS Gothic','Noto Sans Mono CJK JP',monospace"
Picture = tuple[tuple[Run, ...], ...]


def recorded(command: Sequence[str], folder: Path) -> Iterator[tuple[float, str]]:
    """(seconds since the start, what was written) of a program on a terminal of COLUMNS x ROWS, to its end."""
    ours, theirs = pty.openpty()
    ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    hidden = ("COLUMNS", "LINES", "NO_COLOR", "ECAUTO_CONFIG", "ECAUTO_DATA_DIR", "DAGSTER_HOME", "MAKEFLAGS")
    environment = {name: value for name, value in os.environ.items() if name not in hidden}
    environment |= {"TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8", "PYTHONPATH": str(ROOT)}
    began = time.monotonic()
    program = subprocess.Popen(
        command, cwd=folder, stdin=theirs, stdout=theirs, stderr=theirs, env=environment, close_fds=True
    )
    os.close(theirs)
    left = b""
    while True:
        try:
            piece = os.read(ours, 65_536)
        except OSError:  # the other side has closed
            break
        if not piece:
            break
        text = (left + piece).decode("utf-8", "ignore")
        whole = text.encode("utf-8")
        left = (left + piece)[len(whole) :] if (left + piece).startswith(whole) else b""
        yield time.monotonic() - began, text
    os.close(ours)
    if program.wait() not in (0, 1, 3):
        sys.exit(f"{' '.join(command)} ended with {program.returncode}")


def frames(pieces: Iterator[tuple[float, str]]) -> list[tuple[float, Picture]]:
    """(seconds without the pauses, what the terminal showed then), FRAMES of them at most, the end among them."""
    screen, found = Screen(COLUMNS), list[tuple[float, Picture]]()
    screen.write("\x1b[1m$ make demo\x1b[0m\r\n")
    found.append((0.0, screen.lines()))
    for at, text in pieces:
        screen.write(text)
        if screen.lines() != found[-1][1]:
            found.append((at, screen.lines()))
    shown = [(0.0, found[0][1])]
    for (before, _), (at, lines) in pairwise(found):
        shown.append((shown[-1][0] + min(at - before, LONGEST_PAUSE_S), lines))
    step = shown[-1][0] / FRAMES
    kept = [now for now, later in pairwise(shown) if int(now[0] / step) != int(later[0] / step)]
    return [*kept, shown[-1]]


def svg(shown: Sequence[tuple[float, Picture]]) -> str:
    """The frames one after the other, each line that several of them share written once."""
    names: dict[tuple[Run, ...], str] = {}
    groups, rules = [], []
    total, pace = SHOWN_S + HELD_S, SHOWN_S / (shown[-1][0] or 1.0)
    height = EDGE * 2 + LINE * max(len(lines) for _, lines in shown)
    for number, (at, lines) in enumerate(shown):
        uses = [
            f'<use href="#{names.setdefault(line, f"l{len(names)}")}" y="{EDGE + LINE * (row + 1):g}"/>'
            for row, line in enumerate(lines)
            if line
        ]
        last = number + 1 == len(shown)
        start, end = (100 * moment * pace / total for moment in (at, at if last else shown[number + 1][0]))
        hides = "" if last else f"{end:.2f}%{{visibility:hidden}}"
        opens = "" if number == 0 else "0%{visibility:hidden}"
        rules.append(f"@keyframes f{number}{{{opens}{start:.2f}%{{visibility:visible}}{hides}}}")
        rules.append(f".f{number}{{animation:f{number} {total:g}s step-end infinite}}")
        groups.append(f'<g class="f{number}"{"" if last else " visibility=" + chr(34) + "hidden" + chr(34)}>')
        groups += [*uses, "</g>"]
    width = EDGE * 2 + CELL * COLUMNS
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" font-size="14" fill="{INK}">',
            "<title>make demo</title>",
            f"<style>text{{font-family:{FONTS};white-space:pre}}{''.join(rules)}",
            "@media (prefers-reduced-motion:reduce){g{animation:none!important}}</style>",
            "<defs>",
            *(f'<g id="{name}">{"".join(map(_text, line))}</g>' for line, name in names.items()),
            "</defs>",
            f'<rect width="100%" height="100%" rx="10" fill="{PAPER}"/>',
            *groups,
            "</svg>",
            "",
        ]
    )


def _text(run: Run) -> str:
    style = f' fill="{run.style.colour}"' if run.style.colour else ""
    style += ' font-weight="bold"' if run.style.bold else ""
    style += ' opacity="0.6"' if run.style.dim else ""
    place = f'x="{EDGE + CELL * run.column:g}" textLength="{CELL * run.cells:g}" lengthAdjust="spacingAndGlyphs"'
    return f"<text {place}{style}>{escape(run.text)}</text>"


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for file in ("Makefile", "dagster.yaml", "workspace.yaml", "ecauto.toml"):
            (folder / file).write_bytes((ROOT / file).read_bytes())
        (folder / ".venv").symlink_to(sys.prefix)
        try:  # what is installed is not installed again
            shown = frames(recorded(["make", "-s", "-o", ".venv/installed", "demo"], folder))
        finally:
            process.stop(folder / "data" / "emulator")
    replace_file(PICTURE, svg(shown))
    print(f"{PICTURE.relative_to(ROOT)}: {len(shown)} frames, {PICTURE.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
