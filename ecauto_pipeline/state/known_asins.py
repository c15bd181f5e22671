"""What is known of ASINs, as decisions need it: the facts that count, and the demand that says how old they may get.

One row per ASIN ever asked about. Not for: writing answers down or choosing what to ask next (both live elsewhere).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Any

from sqlalchemy import Connection, bindparam, func, select

from ecauto_pipeline.domain.model import AsinFacts, Status
from ecauto_pipeline.domain.offers.second_opinion import HELD_AFTER
from ecauto_pipeline.state.exporting import in_portions
from ecauto_pipeline.state.revisions import ASIN_FACTS, CONTRADICTION_FACTS
from ecauto_pipeline.state.schema import asins

PART_ROWS = 10_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_COLUMNS = tuple(asins.c[name] for name in ASIN_FACTS)
_OF_THEM = select(*_COLUMNS).where(asins.c.asin.in_(bindparam("names", expanding=True)))
_STATUSES: dict[str | None, Status | None] = {None: None, **{str(status): status for status in Status}}


@dataclass(frozen=True, slots=True)
class KnownAsin:
    """The facts of one ASIN and when it was last sold and viewed (None = never heard of)."""

    facts: AsinFacts
    last_sold_at: datetime | None
    last_viewed_at: datetime | None


def known_of(connection: Connection, names: Iterable[str]) -> dict[str, KnownAsin]:
    """These of them, by ASIN; those never asked about are left out.

    By name however many there are: all of 270,000 read at once cost 7.5 us each, 40,000 of them by name 9.
    """
    found: dict[str, KnownAsin] = {}
    for few in in_portions(sorted(set(names))):
        rows = connection.execute(_OF_THEM, {"names": list(few)})
        found |= {known.facts.asin: known for known in _read(rows)}
    doubted = any(known.facts.doubt for known in found.values())
    return found | _contradicted(connection, found) if doubted else found


def known_asin(connection: Connection, asin: str) -> KnownAsin | None:
    """One of them, None where it was never asked about."""
    known = next(_read(connection.execute(select(*_COLUMNS).where(asins.c.asin == asin))), None)
    if known is None or not known.facts.doubt:
        return known
    return _contradicted(connection, {asin: known}, asin).get(asin, known)


def _contradicted(connection: Connection, found: dict[str, KnownAsin], asin: str = "") -> dict[str, KnownAsin]:
    """The few that a person has to look at: a question of their own, because rows are paid for by the column."""
    query = select(asins.c.asin, *(asins.c[name] for name in CONTRADICTION_FACTS))
    query = query.where(asins.c.contradictions >= HELD_AFTER)
    query = query.where(asins.c.asin == asin) if asin else query
    told = {row.asin: row for row in connection.execute(query) if row.asin in found}
    return {
        name: replace(
            found[name],
            facts=replace(
                found[name].facts,
                contradictions=row.contradictions,
                doubt_price_jpy=row.doubt_price_jpy,
                contradiction=row.contradiction,
            ),
        )
        for name, row in told.items()
    }


def any_asin(connection: Connection) -> str:
    """The ASIN that was answered last, where none was one that was asked about. "" = none ever was."""
    newest = select(asins.c.asin).order_by(func.coalesce(asins.c.detail_at, 0).desc(), asins.c.asin)
    return connection.execute(newest.limit(1)).scalar() or ""


def _read(rows: Any) -> Iterator[KnownAsin]:
    times: dict[int | None, datetime | None] = {None: None}  # one batch of answers shares its stamp

    def time_of(milliseconds: int) -> datetime:
        found = times[milliseconds] = EPOCH + timedelta(milliseconds=milliseconds)
        return found

    for row in chain.from_iterable(rows.partitions(PART_ROWS)):
        asin, status, price, in_stock, price_at, stock_at, since, count, doubt, snapshot, sold, viewed = row
        yield KnownAsin(
            AsinFacts(
                asin=asin,
                status=_STATUSES[status],
                price_jpy=price,
                in_stock=None if in_stock is None else in_stock == 1,
                price_at=times[price_at] if price_at in times else time_of(price_at),
                stock_at=times[stock_at] if stock_at in times else time_of(stock_at),
                filtered_since=times[since] if since in times else time_of(since),
                filtered_count=count,
                doubt=doubt,
                snapshot_id=snapshot,
            ),
            times[sold] if sold in times else time_of(sold),
            times[viewed] if viewed in times else time_of(viewed),
        )
