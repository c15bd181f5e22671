"""What is believed of each ASIN, as answers move it: read, and written back within the caller's transaction.

Not for: what an answer changes (domain/offers/learning.py), demand and cadence (state/demand.py) or catalogue text.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from functools import lru_cache
from operator import attrgetter
from typing import Any

from sqlalchemy import Connection, Select, bindparam, delete, func, select, text, update

from ecauto_pipeline.clock import from_ms, to_ms
from ecauto_pipeline.domain.model import AccountKey, Status
from ecauto_pipeline.domain.offers.learning import AsinRow
from ecauto_pipeline.state.few_rows import NOT_TOLD, words_for
from ecauto_pipeline.state.of_accounts import of_accounts
from ecauto_pipeline.state.one_of import one_of
from ecauto_pipeline.state.schema import asins, listings
from ecauto_pipeline.state.upsert import upsert

_NAMES = tuple(field.name for field in fields(AsinRow))
_TIMES = frozenset(name for name in _NAMES if name.endswith("_at")) | {
    "filtered_since",
    "failing_since",
    "contradicted_since",
}
_FLAGS = frozenset({"in_stock", "is_prime", "is_fba"})
_TIMES_AT, _FLAGS_AT = (tuple(map(_NAMES.index, sorted(names))) for names in (_TIMES, _FLAGS))
_STATUS_AT = _NAMES.index("status")
_ALL = attrgetter(*_NAMES)
_CHUNK = 500
_STORY_STAMPS = ("stock_at", "price_at", "basic_at", "category_at", "last_sold_at", "last_viewed_at", "error_at")


def read(connection: Connection, wanted: Sequence[str]) -> dict[str, AsinRow]:
    """The rows by ASIN; one nobody has heard of gets an empty row."""
    found = {asin: AsinRow(asin) for asin in wanted}
    for start in range(0, len(wanted), _CHUNK):
        some = {"wanted": list(wanted[start : start + _CHUNK])}
        for row in connection.execute(_of_asins(connection.dialect.name), some):
            found[row[0]] = _from_columns(row)
    return found


@dataclass(frozen=True, slots=True)
class AsinStory:
    """What explains one ASIN. `stamps`: when each field was last confirmed, sold, viewed or failed; None = never."""

    asin: str
    stamps: Mapping[str, datetime | None]
    doubt: str
    wants_detail: str
    filtered_count: int
    error_count: int
    error_reason: str


@dataclass(frozen=True, slots=True)
class Confirmed:
    """An answered ASIN as the owner's register is told of it; `confirmed_at`: the newer of its price and stock."""

    asin: str
    price_jpy: int | None
    in_stock: bool | None
    confirmed_at: datetime


def story_of(connection: Connection, asin: str) -> AsinStory | None:
    """The story of one ASIN, None where it was never heard of."""
    row = connection.execute(select(asins).where(asins.c.asin == asin)).first()
    if row is None:
        return None
    stamps = {name: from_ms(at) if (at := row._mapping[name]) is not None else None for name in _STORY_STAMPS}
    return AsinStory(
        asin=row.asin,
        stamps=stamps,
        doubt=row.doubt,
        wants_detail=row.wants_detail,
        filtered_count=row.filtered_count,
        error_count=row.error_count,
        error_reason=row.error_reason,
    )


def not_told(connection: Connection, after: str = "", most: int = 5_000) -> list[Confirmed]:
    """ASINs whose price or stock was confirmed since the register was told of them last, by ASIN: so many of those
    after this one."""
    query = select(asins.c.asin, asins.c.price_jpy, asins.c.in_stock, asins.c.price_at, asins.c.stock_at)
    query = query.where(asins.c.asin > after).order_by(asins.c.asin).limit(most)
    rows = connection.execute(query.where(words_for(connection.dialect.name, NOT_TOLD)))
    return [
        Confirmed(
            asin=row.asin,
            price_jpy=row.price_jpy,
            in_stock=None if row.in_stock is None else row.in_stock == 1,
            confirmed_at=from_ms(max(row.price_at or 0, row.stock_at or 0)),
        )
        for row in rows
    ]


def note_told(connection: Connection, told: Iterable[Confirmed]) -> None:
    """The register was told of these; what was confirmed meanwhile is news still."""
    rows = [{"name": one.asin, "at": to_ms(one.confirmed_at)} for one in told]
    if rows:
        rows.sort(key=lambda row: str(row["name"]))
        connection.execute(update(asins).where(asins.c.asin == bindparam("name")).values(told_at=bindparam("at")), rows)


def known_good(connection: Connection) -> str | None:
    """The ASIN that was last answered with a price, None where none ever was."""
    query = select(asins.c.asin).where(asins.c.status == Status.SUCCESS, asins.c.failures == 0)
    return connection.execute(query.order_by(asins.c.stock_at.desc(), asins.c.asin).limit(1)).scalar()


def count_doubts(connection: Connection, accounts: Sequence[AccountKey] = ()) -> int:
    """ASINs that a second look is still owed, of what these accounts list; () = of all."""
    query = select(func.count()).where(text("asins.doubt != ''")).select_from(asins)
    theirs = select(listings.c.asin).where(of_accounts(listings, accounts))
    return int(connection.execute(query.where(asins.c.asin.in_(theirs)) if accounts else query).scalar_one())


def stock_stamps(connection: Connection) -> dict[str, datetime]:
    """When the stock of each ASIN was last confirmed; those never answered are left out."""
    rows = connection.execute(select(asins.c.asin, asins.c.stock_at).where(asins.c.stock_at.is_not(None)))
    return {row.asin: from_ms(row.stock_at) for row in rows}


def write(connection: Connection, rows: Iterable[AsinRow]) -> None:
    """Keep these rows; the columns that belong to others stay as they are."""
    upsert(connection, asins, [_to_columns(row) for row in rows])


def forget(connection: Connection, before: datetime) -> None:
    """Drop ASINs that no listing has and of which nothing was heard since before."""
    heard = [func.coalesce(asins.c[name], 0) < to_ms(before) for name in (*_STORY_STAMPS, "detail_at", "probe_at")]
    listed = select(listings.c.asin).where(listings.c.asin == asins.c.asin)
    connection.execute(delete(asins).where(~listed.exists(), *heard))


@lru_cache(maxsize=2)
def _of_asins(dialect: str) -> Select[Any]:
    return select(*(asins.c[name] for name in _NAMES)).where(one_of(dialect, asins.c.asin, "wanted"))


def _from_columns(row: Iterable[Any]) -> AsinRow:
    """A row of `_NAMES`, by place: twenty of them are read twice a call, and by name they cost three times as much."""
    values = list(row)
    for place in _TIMES_AT:
        if values[place] is not None:
            values[place] = from_ms(values[place])
    for place in _FLAGS_AT:
        if values[place] is not None:
            values[place] = bool(values[place])
    values[_STATUS_AT] = Status(values[_STATUS_AT]) if values[_STATUS_AT] else None
    return AsinRow(*values)


def _to_columns(row: AsinRow) -> dict[str, Any]:
    values = list(_ALL(row))
    for place in _TIMES_AT:
        if values[place] is not None:
            values[place] = to_ms(values[place])
    for place in _FLAGS_AT:
        if values[place] is not None:
            values[place] = int(values[place])
    values[_STATUS_AT] = None if row.status is None else str(row.status)
    return dict(zip(_NAMES, values, strict=True))
