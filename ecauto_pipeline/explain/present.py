"""What state.db knows about one ASIN or item now, history's newest pages still to be written included.

Not for: the past (history), or judging anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, or_, select

from ecauto_pipeline.clock import from_ms
from ecauto_pipeline.explain.model import Answered, Decided, Figure, ListingStory, Sent
from ecauto_pipeline.state.database import Database
from ecauto_pipeline.state.schema import asins, diffs, journal, listings, observations, shop_accounts


@dataclass(frozen=True, slots=True)
class Present:
    """The present of one ASIN; all empty where nothing is known."""

    asin: str = ""
    listings: tuple[ListingStory, ...] = ()
    answers: tuple[Answered, ...] = ()
    decisions: tuple[Decided, ...] = ()
    updates: tuple[Sent, ...] = ()
    freshness: tuple[tuple[str, datetime | None], ...] = ()
    notes: tuple[str, ...] = ()


NOTHING = Present()
STAMPS = ("stock_at", "price_at", "basic_at", "category_at", "last_sold_at", "last_viewed_at", "error_at")


def read(state: Database, key: str, now: datetime) -> Present:
    """One consistent look at everything about `key`, an item id or an ASIN."""
    with state.read() as connection:
        rows = connection.execute(select(listings).where(or_(listings.c.item_id == key, listings.c.asin == key))).all()
        asin = next((row.asin for row in rows if row.item_id == key and row.asin), "") or next(
            (row.asin for row in rows if row.asin), ""
        )
        row = connection.execute(select(asins).where(asins.c.asin == (asin or key))).first()
        asin = asin or (row.asin if row else "")
        blocked = {
            (one.platform, one.account_id): one.breaker
            for one in connection.execute(select(shop_accounts).where(shop_accounts.c.breaker != ""))
        }
        return Present(
            asin,
            tuple(_story(one, blocked.get((one.platform, one.account_id), "")) for one in rows),
            _answers(connection, asin),
            _decisions(connection, key),
            _updates(connection, key),
            tuple((name, _time(getattr(row, name))) for name in STAMPS) if row else (),
            _notes(row) if row else (),
        )


def asin_of(state: Database, item_id: str) -> str:
    """The ASIN that an item belongs to, "" where no shop of ours has such an item."""
    with state.read() as connection:
        found = connection.execute(select(listings.c.asin).where(listings.c.item_id == item_id)).scalars()
        return next((asin for asin in found if asin), "")


def _story(row, breaker: str) -> ListingStory:  # type: ignore[no-untyped-def]
    notes = [
        f"{name}:{value}"
        for name, value in (
            ("breaker", breaker),
            ("uneditable", row.uneditable),
            ("orphan", row.orphan),
            ("delist", row.delist),
            ("hidden_reason", row.hidden_reason),
        )
        if value
    ]
    if not row.listed:
        notes.append("not_listed")
    at = _time(row.read_at)
    return ListingStory(
        row.platform,
        row.account_id,
        row.item_id,
        Figure(row.shown_price_jpy, at, "read" if at else ""),
        Figure(row.shown_visible, at, "read" if at else ""),
        Figure(row.shown_stock, at, "read" if at else ""),
        hidden_by=row.hidden_by,
        notes=tuple(notes),
    )


def _notes(row) -> tuple[str, ...]:  # type: ignore[no-untyped-def]
    pairs = (
        ("doubt", row.doubt),
        ("wants_detail", row.wants_detail),
        ("filtered_count", row.filtered_count),
        ("error_count", row.error_count),
        ("error_reason", row.error_reason if row.error_count else ""),
    )
    return tuple(f"{name}:{value}" for name, value in pairs if value)


def _answers(connection: Connection, asin: str) -> tuple[Answered, ...]:
    rows = connection.execute(select(observations).where(observations.c.asin == asin))
    return tuple(
        Answered(
            row.snapshot_id,
            row.run_id,
            from_ms(row.observed_at),
            row.operation,
            row.status,
            row.reason,
            row.price_jpy,
            None if row.in_stock is None else bool(row.in_stock),
            row.offer_count,
            row.http_status,
            row.request_id,
            row.offers_json,
        )
        for row in rows
    )


def _decisions(connection: Connection, key: str) -> tuple[Decided, ...]:
    rows = connection.execute(select(diffs).where(or_(diffs.c.item_id == key, diffs.c.asin == key)))
    return tuple(
        Decided(
            row.diff_id,
            row.run_id,
            from_ms(row.decided_at),
            row.platform,
            row.account_id,
            row.item_id,
            row.kind,
            row.shown,
            row.wanted,
            row.decision,
            row.reason,
            row.snapshot_id,
            row.cost_jpy,
            row.evidence,
            row.state,
        )
        for row in rows
    )


def _updates(connection: Connection, key: str) -> tuple[Sent, ...]:
    rows = connection.execute(select(journal).where(or_(journal.c.item_id == key, journal.c.asin == key)))
    return tuple(
        Sent(
            row.update_id,
            row.diff_id,
            row.run_id,
            from_ms(row.attempted_at or row.intent_at),
            _time(row.completed_at),
            row.platform,
            row.account_id,
            row.item_id,
            row.kind,
            row.before,
            row.after,
            row.outcome or "",
            row.error,
            row.attempts,
            row.rollback_of,
        )
        for row in rows
    )


def _time(milliseconds: int | None) -> datetime | None:
    return None if milliseconds is None else from_ms(milliseconds)
