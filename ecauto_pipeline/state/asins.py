"""What is believed of each ASIN, as answers move it: read, and written back within the caller's transaction.

Not for: what an answer changes (domain/offers/learning.py), demand and cadence (state/demand.py) or catalogue text.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, select

from ecauto_pipeline.clock import from_ms, to_ms
from ecauto_pipeline.domain.model import Status
from ecauto_pipeline.domain.offers.learning import AsinRow
from ecauto_pipeline.state.schema import asins
from ecauto_pipeline.state.upsert import upsert

_NAMES = tuple(field.name for field in fields(AsinRow))
_TIMES = frozenset(name for name in _NAMES if name.endswith("_at")) | {"filtered_since"}
_FLAGS = frozenset({"in_stock", "is_prime", "is_fba"})
_READ = select(*(asins.c[name] for name in _NAMES)).where(asins.c.asin.in_(bindparam("wanted", expanding=True)))
_CHUNK = 500


def read(connection: Connection, wanted: Sequence[str]) -> dict[str, AsinRow]:
    """The rows by ASIN; one nobody has heard of gets an empty row."""
    found = {asin: AsinRow(asin) for asin in wanted}
    for start in range(0, len(wanted), _CHUNK):
        for row in connection.execute(_READ, {"wanted": list(wanted[start : start + _CHUNK])}):
            found[row.asin] = _from_columns(row._mapping)
    return found


def write(connection: Connection, rows: Iterable[AsinRow]) -> None:
    """Keep these rows; the columns that belong to others stay as they are."""
    upsert(connection, asins, [_to_columns(row) for row in rows])


def _from_columns(row: Any) -> AsinRow:
    values: dict[str, Any] = {}
    for name in _NAMES:
        value = row[name]
        if value is not None and name in _TIMES:
            value = from_ms(value)
        elif value is not None and name in _FLAGS:
            value = bool(value)
        values[name] = value
    values["status"] = Status(values["status"]) if values["status"] else None
    return AsinRow(**values)


def _to_columns(row: AsinRow) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name in _NAMES:
        value = getattr(row, name)
        if isinstance(value, datetime):
            value = to_ms(value)
        elif isinstance(value, bool):
            value = int(value)
        elif isinstance(value, Status):
            value = str(value)
        values[name] = value
    return values
