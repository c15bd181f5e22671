"""The product file that a cart exports, as items: which columns, which encoding, what a damaged row is worth.

What makes the file as a whole unsure (another encoding, a missing column, an open quote at its end, a row without id)
makes it unread: nothing is concluded from it. A damaged row is an item of which no figure is known.
Not for: finding the file (shop.py) or what we write for the cart (update_file.py).
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from ecauto_pipeline.clock import JST
from ecauto_pipeline.errors import Transport
from ecauto_pipeline.settings import CsvShops
from ecauto_pipeline.shops.protocol import Item

_NUMBER = re.compile(r"[0-9]{1,9}")


def parse(data: bytes, table: CsvShops, shown_at: datetime) -> dict[str, Item]:
    """The items of a product file, by id, in its order. Raises Transport with a word of what is wrong with the file."""
    lines = rows_of(decode(data, table.encoding))
    columns = _Columns.of(next(lines, []), table)
    items: dict[str, Item] = {}
    for row, last in _with_last_flag(lines):
        if len(row) < columns.width and last:
            raise Transport("damaged_file", "the last row ends in its middle")
        item = columns.item(row, table, shown_at)
        items[item.item_id] = item if item.item_id not in items else _unknown(item)
    if not items:
        raise Transport("no_rows", "no product in the file")
    return items


def decode(data: bytes, encoding: str) -> str:
    """The text of a file; a byte order mark says more than `encoding`. Raises Transport `wrong_encoding`."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise Transport("wrong_encoding", "UTF-16, not " + encoding)
    utf_8 = encoding.startswith("utf-8") or data.startswith(codecs.BOM_UTF8)
    try:
        return data.decode("utf-8-sig" if utf_8 else encoding)
    except UnicodeDecodeError as error:
        raise Transport("wrong_encoding", f"byte {error.start} is not {error.encoding}") from None


def header_places(header: list[str], wanted: dict[str, str]) -> dict[str, int]:
    """Where the named columns stand; those without a name ("") are left out. Raises Transport `missing_column`."""
    names = [name.strip() for name in header]
    for name in wanted.values():
        if name and names.count(name) != 1:
            raise Transport("missing_column", f"{names.count(name)} columns are called {name!r}")
    return {what: names.index(name) for what, name in wanted.items() if name}


def number(cell: str | None) -> int | None:
    """A whole number of yen or pieces; None for whatever is none."""
    text = (cell or "").strip()
    return int(text) if _NUMBER.fullmatch(text) else None


def rows_of(text: str) -> Iterator[list[str]]:
    """The rows of a CSV, blank lines left out. Raises Transport `damaged_file`."""
    if "\0" in text:
        raise Transport("damaged_file", "zero bytes in the file")
    try:
        for row in csv.reader(io.StringIO(text, newline=""), strict=True):
            if any(cell.strip() for cell in row):
                yield row
    except csv.Error as error:
        raise Transport("damaged_file", str(error)) from None


def _with_last_flag(rows: Iterator[list[str]]) -> Iterator[tuple[list[str], bool]]:
    held: list[str] | None = None
    for row in rows:
        if held is not None:
            yield held, False
        held = row
    if held is not None:
        yield held, True


@dataclass(frozen=True, slots=True)
class _Columns:
    """Where each thing stands in a row, and how many cells a row has."""

    places: dict[str, int]
    width: int

    @classmethod
    def of(cls, header: list[str], table: CsvShops) -> _Columns:
        return cls(header_places(header, table.columns.model_dump()), len(header))

    def item(self, row: list[str], table: CsvShops, shown_at: datetime) -> Item:
        whole = len(row) == self.width
        item_id = row[self.places["item_id"]].strip() if whole or self.places["item_id"] == 0 else ""
        if not item_id:
            raise Transport("row_without_id" if whole else "damaged_file", f"a row of {len(row)} cells")
        bare = Item(item_id, "", "", None, None, None, False, None, shown_at)
        if not whole:
            return bare
        cells = {what: row[place] for what, place in self.places.items()}
        shows = {table.visible_value: True, table.hidden_value: False}
        return replace(
            bare,
            identifier=cells.get("sku", "").strip(),
            title=cells.get("title", "").strip(),
            price_jpy=number(cells.get("price")),
            stock=number(cells.get("stock")),
            visible=shows.get(cells.get("visible", "").strip()),
            modified_at=_moment(cells.get("modified", "")),
        )


def _unknown(item: Item) -> Item:
    """An id that stands in two rows: variations, or a mistake. What either says is not believed."""
    return Item(item.item_id, item.identifier, item.title, None, None, None, True, None, item.shown_at)


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text.strip().replace("/", "-"))
    except ValueError:
        return None
    return (moment if moment.tzinfo is not None else moment.replace(tzinfo=JST)).astimezone(UTC)
