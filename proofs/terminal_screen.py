"""What a terminal shows after the bytes that a program wrote to it: cells with their colour, line by line.

As much of a terminal as rich needs: colours, carriage returns, the cursor moved up and lines erased. Not for: running
the program or drawing the picture (demo_recording.py).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from rich.cells import cell_len

_PIECE = re.compile(r"\x1b\[([0-9;?]*)([A-Za-z])|\x1b\][^\x07]*\x07|(.)", re.DOTALL)


PALETTE = ("#3b4252", "#e06c75", "#98c379", "#e5c07b", "#61afef", "#c678dd", "#56b6c2", "#c8ccd4")
"""The terminal's eight colours, the bright ones as the others."""


@dataclass(frozen=True, slots=True)
class Style:
    """`colour`: "#rrggbb", "" = the terminal's own."""

    colour: str = ""
    bold: bool = False
    dim: bool = False


@dataclass(frozen=True, slots=True)
class Run:
    """A word, or a part of one: letters of one style, all of them one cell wide or all two; `column`: of the first."""

    column: int
    cells: int
    text: str
    style: Style


class Screen:
    """So many columns; as many lines as were written."""

    def __init__(self, columns: int) -> None:
        self._columns = columns
        self._lines: list[dict[int, tuple[str, Style]]] = [{}]
        self._row = self._column = 0
        self._style = Style()

    def write(self, text: str) -> None:
        for piece in _PIECE.finditer(text):
            if piece[3] is not None:
                self._put(piece[3])
            elif piece[2] is not None:
                self._control(piece[2], [int(number) for number in re.findall(r"\d+", piece[1])])

    def lines(self) -> tuple[tuple[Run, ...], ...]:
        """Each line as runs, from its first letter to its last."""
        return tuple(tuple(_runs(line)) for line in self._lines)

    def _put(self, letter: str) -> None:
        if letter == "\n":
            self._row += 1
            if self._row == len(self._lines):
                self._lines.append({})
        elif letter == "\r":
            self._column = 0
        elif letter == " ":
            self._lines[self._row].pop(self._column, None)
            self._column += 1
        elif letter > " ":
            width = cell_len(letter)
            if self._column + width > self._columns:
                self._put("\n")
                self._column = 0
            self._lines[self._row][self._column] = letter, self._style
            self._column += width

    def _control(self, kind: str, numbers: list[int]) -> None:
        if kind == "A":
            self._row = max(0, self._row - (numbers or [1])[0])
        elif kind == "K":
            whole = numbers == [2]
            line = self._lines[self._row]
            self._lines[self._row] = {} if whole else {at: one for at, one in line.items() if at < self._column}
        elif kind == "m":
            if colour := _extended(numbers):
                self._style = replace(self._style, colour=colour)
                return
            for number in numbers or [0]:
                self._style = _restyled(self._style, number)


def _extended(numbers: list[int]) -> str:
    """The colour of "38;2;r;g;b", or of a grey "38;5;n"; "" of anything else."""
    if numbers[:2] == [38, 2] and len(numbers) == 5:
        return "#{:02x}{:02x}{:02x}".format(*numbers[2:])
    if numbers[:2] == [38, 5] and len(numbers) == 3 and numbers[2] >= 232:
        return "#" + f"{8 + 10 * (numbers[2] - 232):02x}" * 3
    return ""


def _restyled(style: Style, number: int) -> Style:
    if number == 0:
        return Style()
    if number in (1, 2):
        return replace(style, bold=style.bold or number == 1, dim=style.dim or number == 2)
    if number in (22, 39):
        return replace(style, bold=False, dim=False) if number == 22 else replace(style, colour="")
    if 30 <= number <= 37 or 90 <= number <= 97:
        return replace(style, colour=PALETTE[number % 10])
    return style


def _runs(line: dict[int, tuple[str, Style]]) -> list[Run]:
    found: list[Run] = []
    for column, (letter, style) in sorted(line.items()):
        last, width = found[-1] if found else None, cell_len(letter)
        joins = last is not None and last.column + last.cells == column and last.style == style
        if last is not None and joins and last.cells == width * len(last.text):
            found[-1] = replace(last, cells=last.cells + width, text=last.text + letter)
        else:
            found.append(Run(column, width, letter, style))
    return found
