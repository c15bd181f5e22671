"""The file of changes that a cart imports: its name, its rows, and what it says when it is read again.

One row an item with a change, its id first; of price, visibility and stock only the columns in which something
changes. An empty cell leaves that figure of that item as it is.
Not for: when it is written, and where (shop.py).
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping
from datetime import UTC, datetime

from ecauto_pipeline.clock import JST, jst
from ecauto_pipeline.domain.model import Kind
from ecauto_pipeline.errors import Transport
from ecauto_pipeline.settings import CsvShops, Settings
from ecauto_pipeline.shops.csv.products import decode, header_places, number, rows_of

COLUMN = {Kind.PRICE: "price", Kind.VISIBILITY: "visible", Kind.STOCK: "stock"}
Changes = Mapping[str, Mapping[Kind, int]]
"""By item id: what changes, in yen, 0/1 and pieces."""


def edits_of(settings: Settings) -> frozenset[Kind]:
    """The kinds that ecauto.toml names a column for."""
    names = settings.csv.columns.model_dump()
    return frozenset(kind for kind, column in COLUMN.items() if names[column])


def name_of(account_id: str, moment: datetime, run_id: str) -> str:
    """`<account>_<Japanese time>_<run>.csv`: sorted by name they are sorted by time."""
    local = jst(moment)
    run = re.sub(r"[^A-Za-z0-9-]", "-", run_id) or "run"
    return f"{account_id}_{local:%Y%m%d-%H%M%S}{local.microsecond // 1000:03d}_{run}.csv"


def written_at(name: str, account_id: str) -> datetime | None:
    """When a file of this name was written for this account; None where it is none of ours."""
    found = re.fullmatch(re.escape(account_id) + r"_(\d{8}-\d{6})(\d{3})_[A-Za-z0-9-]+\.csv", name)
    if found is None:
        return None
    try:
        moment = datetime.strptime(found[1], "%Y%m%d-%H%M%S").replace(tzinfo=JST, microsecond=int(found[2]) * 1000)
    except ValueError:
        return None
    return moment.astimezone(UTC)


def to_bytes(changes: Changes, table: CsvShops) -> bytes:
    """The file, in the encoding of ecauto.toml."""
    kinds = [kind for kind in COLUMN if any(kind in change for change in changes.values())]
    names = table.columns.model_dump()
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow([names["item_id"], *(names[COLUMN[kind]] for kind in kinds)])
    for item_id, change in changes.items():
        writer.writerow([item_id, *(_cell(kind, change.get(kind), table) for kind in kinds)])
    return text.getvalue().encode(table.encoding)


def from_bytes(data: bytes, table: CsvShops) -> dict[str, dict[Kind, int]]:
    """What a file of ours says. Raises Transport `damaged_update` where it can't be understood."""
    try:
        rows = list(rows_of(decode(data, table.encoding)))
        header = [name.strip() for name in rows[0]] if rows else []
        named = {what: name for what, name in table.columns.model_dump().items() if name in header}
        places = header_places(header, {"item_id": table.columns.item_id, **named})
    except Transport as error:
        raise Transport("damaged_update", str(error)) from None
    changes: dict[str, dict[Kind, int]] = {}
    for row in rows[1:]:
        if len(row) != len(header):
            raise Transport("damaged_update", f"a row of {len(row)} cells")
        found = {kind: _value(kind, row[places[what]], table) for kind, what in COLUMN.items() if what in places}
        changes[row[places["item_id"]].strip()] = {kind: value for kind, value in found.items() if value is not None}
    return changes


def _cell(kind: Kind, value: int | None, table: CsvShops) -> str:
    if value is None:
        return ""
    if kind is Kind.VISIBILITY:
        return table.visible_value if value else table.hidden_value
    return str(value)


def _value(kind: Kind, cell: str, table: CsvShops) -> int | None:
    if kind is Kind.VISIBILITY:
        return {table.visible_value: 1, table.hidden_value: 0}.get(cell.strip())
    return number(cell)
