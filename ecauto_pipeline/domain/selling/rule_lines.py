"""One line of the owner's file of rules written anew, with every other byte of the file as it was.

The file keeps its encoding, its mark and its line ends; a heading is added where a cell needs a column that is not
there. Not for: judging what comes of it (rules_file.py) or putting it in place (sync/people/rule_edits.py).
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

from ecauto_pipeline.clock import jst
from ecauto_pipeline.domain.selling.item_rules import RuleLine
from ecauto_pipeline.domain.selling.rule_cells import CellError
from ecauto_pipeline.domain.selling.rules_file import COLUMNS, DECIDE, JAPANESE, columns_under

EMPTY = codecs.BOM_UTF8 + (",".join(COLUMNS) + "\r\n").encode()
"""A file of rules without a rule, as Excel opens it."""
_STAMP = re.compile(r"\s*\[\d{4}-\d\d-\d\d \d\d:\d\d [^\]]*\]$")


@dataclass(frozen=True, slots=True)
class EditedFile:
    """The file with one line written anew, or without it; lines count from 1.

    `line`: where the line stands now, 0 = it is gone; `alone`: headings and line as text, "" = it is gone. `moved`:
    (line, by): what stood behind that line of the former file stands so many lines higher now, the hindmost first.
    `came`, `went`: texts of the physical lines below the headings that came and went.
    """

    content: bytes
    line: int = 0
    alone: str = ""
    moved: tuple[tuple[int, int], ...] = ()
    came: tuple[str, ...] = ()
    went: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Row:
    """A line with its cells: pieces `first` to `after` (exclusive) of the file's physical lines."""

    first: int
    after: int
    cells: list[str]


def with_line(content: bytes, line: int, cells: Mapping[str, str]) -> EditedFile:
    """The file with these cells in `line` (from 1; 0 = a new one at the end); other cells of the line stay.

    `content` is a file without a mistake. Raises CellError where its encoding has no letter for what is to be written.
    """
    mark, pieces, codec = _pieces(content)
    rows = _rows(pieces, codec)
    head = next(rows)
    columns = columns_under(head.cells)
    row = next((one for one in rows if one.first + 1 == line), None) if line else None
    added = [name for name, text in cells.items() if text and name not in columns]
    kept = [cell for cell, _ in zip(row.cells, columns, strict=False)] if row else []
    width = len(columns) + len(added)
    kept += [""] * (width - len(kept))
    columns += added
    for name, text in cells.items():
        if name in columns:
            kept[columns.index(name)] = " ".join(text.splitlines()).strip()
    end = _end_of(pieces[head.first])
    written = _written(kept, codec, end)
    moved: list[tuple[int, int]] = []
    new, went = written.splitlines(keepends=True), list[bytes]()
    if row is not None:
        went, place = pieces[row.first : row.after], row.first
        pieces[row.first : row.after] = new
        moved.append((row.after, len(went) - len(new)))
    else:
        if not pieces[-1].endswith((b"\n", b"\r")):
            pieces[-1] += end
        place = len(pieces)
        pieces += new
    headings = pieces[head.first : head.after]
    if added:
        japanese = [name for name in map(str.strip, head.cells) if name in JAPANESE.values()]
        words = [JAPANESE[name] or name if japanese else name for name in added]
        headings = _written([*head.cells, *words], codec, end).splitlines(keepends=True)
        pieces[head.first : head.after] = headings
        moved.append((head.after, head.after - head.first - len(headings)))
        place -= moved[-1][1]
    return EditedFile(
        mark + b"".join(pieces),
        place + 1,
        b"".join([*headings, *new]).decode(codec),
        tuple((after, by) for after, by in moved if by),
        _texts(new, codec),
        _texts(went, codec),
    )


def without_line(content: bytes, line: int) -> EditedFile:
    """The file without this line (from 1)."""
    mark, pieces, codec = _pieces(content)
    row = next(one for one in _rows(pieces, codec) if one.first + 1 == line)
    went = pieces[row.first : row.after]
    del pieces[row.first : row.after]
    return EditedFile(mark + b"".join(pieces), moved=((row.after, len(went)),), went=_texts(went, codec))


def has_column(content: bytes, column: str) -> bool:
    """Whether a file without a mistake has this column."""
    _, pieces, codec = _pieces(content)
    return column in columns_under(next(_rows(pieces, codec)).cells)


def cells_of(one: RuleLine | None) -> dict[str, str]:
    """What a line decides and until when, as one writes it, by column; without empty cells and the note."""
    if one is None:
        return {}
    said = {name: getattr(one.rule, name) for name in DECIDE}
    found = {name: _as_written(value) for name, value in said.items() if value is not None and value != ""}
    if one.rule.until is not None:
        found["until"] = f"{jst(one.rule.until - timedelta(days=1)):%Y-%m-%d}"
    return found


def stamped(note: str, stamp: str) -> str:
    """The note with who said so and when behind it, in the place of who said so before."""
    return f"{_STAMP.sub('', note)} [{stamp.replace(']', ')')}]".strip()


def bare_note(note: str) -> str:
    """The note without who said so and when."""
    return _STAMP.sub("", note)


def _as_written(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _pieces(content: bytes) -> tuple[bytes, list[bytes], str]:
    """Mark, physical lines with their ends, encoding. Neither encoding has a line end within a letter."""
    mark = codecs.BOM_UTF8 if content.startswith(codecs.BOM_UTF8) else b""
    body = content[len(mark) :]
    try:
        body.decode("utf-8")
        codec = "utf-8"
    except UnicodeDecodeError:
        codec = "cp932"
    return mark, body.splitlines(keepends=True), codec


def _rows(pieces: list[bytes], codec: str) -> Iterator[_Row]:
    """Every line that is not blank, the headings first."""
    reader = csv.reader((piece.decode(codec) for piece in pieces), strict=True)
    while True:
        first = reader.line_num
        try:
            cells = next(reader)
        except StopIteration:
            return
        if any(map(str.strip, cells)):
            yield _Row(first, reader.line_num, cells)


def _texts(pieces: list[bytes], codec: str) -> tuple[str, ...]:
    return tuple(piece.decode(codec).rstrip("\r\n") for piece in pieces)


def _end_of(piece: bytes) -> bytes:
    return piece[len(piece.rstrip(b"\r\n")) :] or b"\r\n"


def _written(cells: list[str], codec: str, end: bytes) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerow(cells)  # what it ends with it puts into quotation marks
    try:
        return text.getvalue().removesuffix("\r\n").encode(codec) + end
    except UnicodeEncodeError as error:
        letter = error.object[error.start]
        raise CellError(
            f"このファイルの文字コード（Shift_JIS）では書けない文字があります: {letter}",
            f"the file's encoding (Shift_JIS) has no letter for {letter}",
        ) from None
