"""Catalogue text as last told, and which of it master.db has: catalogue.basic_at says when Amazon was last asked,
asins.basic_at of when the text is that master.db holds.

Not for: asking (sync/catalog_refresh.py) or master.db itself (register/).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, delete, func, or_, select, update

from ecauto_pipeline.clock import to_ms
from ecauto_pipeline.domain.model import AccountKey
from ecauto_pipeline.state.database import to_json
from ecauto_pipeline.state.exporting import in_portions
from ecauto_pipeline.state.of_accounts import of_accounts
from ecauto_pipeline.state.schema import asins, catalogue, listings
from ecauto_pipeline.state.upsert import add_rows, insert_for, upsert

TEXTS = ("title", "description", "brand", "category", "images")


@dataclass(frozen=True, slots=True)
class Text:
    """What is known of one ASIN; None and () where Amazon never said."""

    asin: str
    title: str | None
    description: str | None
    brand: str | None
    category: str | None
    images: tuple[str, ...]
    basic_at: int
    category_at: int | None


def count_taking_part(connection: Connection, accounts: Sequence[AccountKey] = ()) -> int:
    """Distinct ASINs of the listings that take part."""
    query = select(func.count(func.distinct(listings.c.asin))).where(_taking_part(accounts))
    return int(connection.execute(query).scalar_one())


def due(
    connection: Connection,
    basic_before_ms: int,
    category_before_ms: int,
    accounts: Sequence[AccountKey] = (),
    limit: int | None = None,
) -> list[str]:
    """ASINs whose basic text or category was last told before these times, or never; the oldest first."""
    told = func.coalesce(catalogue.c.basic_at, 0)
    old = or_(told < basic_before_ms, func.coalesce(catalogue.c.category_at, 0) < category_before_ms)
    taking_part = select(listings.c.asin).where(_taking_part(accounts)).distinct().subquery()
    query = select(taking_part.c.asin).outerjoin(catalogue, catalogue.c.asin == taking_part.c.asin).where(old)
    return list(connection.execute(query.order_by(told, taking_part.c.asin).limit(limit)).scalars())


def keep(connection: Connection, told: Sequence[Mapping[str, object]], now: datetime) -> None:
    """Keep what was told now; what was not said (None, blank, no pictures) stays as it is."""
    if not told:
        return
    statement = insert_for(connection, catalogue)
    said = {name: func.coalesce(statement.excluded[name], catalogue.c[name]) for name in TEXTS}
    stamps = {name: statement.excluded[name] for name in ("basic_at", "category_at")}
    at = to_ms(now)
    connection.execute(
        statement.on_conflict_do_update(index_elements=["asin"], set_={**said, **stamps}),
        [
            {"asin": row["asin"], **{name: _value(row.get(name)) for name in TEXTS}, "basic_at": at, "category_at": at}
            for row in told
        ],
    )


def seed(connection: Connection, told: Iterable[Mapping[str, Any]]) -> None:
    """Text from elsewhere, with its own stamps (`basic_at`, milliseconds or None); known ASINs are left alone."""
    rows = [
        {**{name: _value(row.get(name)) for name in TEXTS}, "asin": row["asin"], "basic_at": row.get("basic_at")}
        for row in told
    ]
    add_rows(connection, catalogue, rows, known_stay=True)


def texts_of(connection: Connection) -> dict[str, Text]:
    """Everything known, by ASIN."""
    return {row.asin: _text(row) for row in connection.execute(select(catalogue))}


def each_title(connection: Connection, *, in_order: bool = False) -> Iterator[tuple[str, str]]:
    """ASIN and title of everything that has one, as Amazon's catalogue told it; `in_order` of the titles' letters."""
    told = select(catalogue.c.asin, catalogue.c.title).where(catalogue.c.title.is_not(None))
    if in_order:
        letters = "BINARY" if connection.dialect.name == "sqlite" else "C"
        told = told.order_by(catalogue.c.title.collate(letters))
    for part in connection.execute(told).partitions(10_000):
        yield from (tuple(row) for row in part)


def titles_told(connection: Connection, wanted: Iterable[str]) -> dict[str, str]:
    """The titles of these ASINs, those without one left out."""
    found: dict[str, str] = {}
    for part in in_portions(sorted(set(wanted))):
        query = select(catalogue.c.asin, catalogue.c.title).where(catalogue.c.asin.in_(part))
        found |= {asin: title for asin, title in connection.execute(query) if title}
    return found


def first_image(connection: Connection, asin: str) -> str | None:
    """The address of its main picture, "" where none was told; None for an ASIN of which nothing was."""
    row = connection.execute(select(catalogue.c.images).where(catalogue.c.asin == asin)).first()
    if row is None:
        return None
    images = json.loads(row.images) if row.images else []
    return next((one for one in images if isinstance(one, str)), "")


def waiting(connection: Connection) -> list[Text]:
    """Told, and newer than what master.db holds."""
    return [_text(row) for row in connection.execute(select(catalogue).where(_waits()).order_by(catalogue.c.asin))]


def count_waiting(connection: Connection) -> int:
    return int(connection.execute(select(func.count()).select_from(catalogue).where(_waits())).scalar_one())


def mark_carried(connection: Connection, carried: Iterable[Text]) -> None:
    """master.db holds these now."""
    upsert(
        connection,
        asins,
        [{"asin": text.asin, "basic_at": text.basic_at, "category_at": text.category_at} for text in carried],
    )


def carry_again(connection: Connection, without: Mapping[str, Iterable[str]]) -> int:
    """master.db holds nothing in these texts (names of TEXTS) of these ASINs: what was carried there and is known here
    waits again. Returns how many ASINs that is."""
    found = 0
    held = asins.c.basic_at >= catalogue.c.basic_at
    for part in in_portions(sorted(without)):
        known = [catalogue.c[name].is_not(None).label(name) for name in TEXTS]
        query = select(catalogue.c.asin, *known).join(asins, asins.c.asin == catalogue.c.asin)
        rows = connection.execute(query.where(catalogue.c.asin.in_(part), held)).mappings()
        gone = [row["asin"] for row in rows if any(row[name] for name in without[row["asin"]])]
        if gone:
            connection.execute(update(asins).where(asins.c.asin.in_(gone)).values(basic_at=None))
        found += len(gone)
    return found


def forget(connection: Connection, before: datetime) -> None:
    """Drop texts of ASINs that are not known any more and were told before."""
    known = select(asins.c.asin).where(asins.c.asin == catalogue.c.asin)
    listed = select(listings.c.asin).where(listings.c.asin == catalogue.c.asin)
    old = func.coalesce(catalogue.c.basic_at, 0) < to_ms(before)
    connection.execute(delete(catalogue).where(old, ~known.exists(), ~listed.exists()))


def _taking_part(accounts: Sequence[AccountKey]) -> ColumnElement[bool]:
    taking_part = and_(listings.c.listed == 1, listings.c.asin.is_not(None), listings.c.asin != "")
    return and_(taking_part, of_accounts(listings, accounts)) if accounts else taking_part


def _waits() -> ColumnElement[bool]:
    held = select(asins.c.basic_at).where(asins.c.asin == catalogue.c.asin).scalar_subquery()
    return and_(catalogue.c.basic_at.is_not(None), func.coalesce(held, -1) < catalogue.c.basic_at)


def _value(value: object) -> str | None:
    if isinstance(value, (list, tuple)):
        return to_json(list(value)) if value else None
    return value if isinstance(value, str) and value.strip() else None


def _text(row: Row[Any]) -> Text:
    images = tuple(json.loads(row.images)) if row.images else ()
    words = (row.title, row.description, row.brand, row.category)
    return Text(row.asin, *words, images, row.basic_at, row.category_at)
