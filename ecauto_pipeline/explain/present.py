"""What state.db knows about one ASIN or item now, history's newest pages still to be written included.

Not for: the past (history), or judging anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime

from ecauto_pipeline.clock import jst
from ecauto_pipeline.domain.model import ListingKey
from ecauto_pipeline.domain.selling.item_rules import ItemRule
from ecauto_pipeline.explain.model import Answered, Decided, Figure, ListingStory, Sent
from ecauto_pipeline.state import decisions, journal, observations
from ecauto_pipeline.state.asins import AsinStory, story_of
from ecauto_pipeline.state.database import Database
from ecauto_pipeline.state.item_rules import RulesAsTheyStand, rules_of
from ecauto_pipeline.state.listing_lookup import KnownListing, asin_of_item, listings_about
from ecauto_pipeline.state.shop_accounts import ShopAccount, open_breakers
from ecauto_pipeline.state.stops import Stop, stop_of


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


def read(state: Database, key: str, now: datetime) -> Present:
    """One consistent look at everything about `key`, an item id or an ASIN."""
    with state.read() as connection:
        found = listings_about(connection, key)
        asin = next((one.asin for one in found if one.key.item_id == key and one.asin), "") or next(
            (one.asin for one in found if one.asin), ""
        )
        known = story_of(connection, asin or key)
        asin = asin or (known.asin if known else "")
        breakers = open_breakers(connection)
        return Present(
            asin,
            tuple(_story(one, breakers, stop_of(connection, one.key.account)) for one in found),
            tuple(_answered(one) for one in observations.of_asin(connection, asin)),
            tuple(_decided(one) for one in decisions.about(connection, key)),
            tuple(_sent(one) for one in journal.about(connection, key)),
            tuple(known.stamps.items()) if known else (),
            _notes(known) if known else (),
        )


def _answered(one: observations.Observation) -> Answered:
    return Answered(**{field.name: getattr(one, field.name) for field in fields(Answered)})


def asin_of(state: Database, item_id: str) -> str:
    """The ASIN that an item belongs to, "" where no shop of ours has such an item."""
    with state.read() as connection:
        return asin_of_item(connection, item_id)


def rules_about(state: Database, key: str, asin: str, now: datetime) -> dict[ListingKey, ItemRule]:
    """What the owner's rules say now of the listings of an item id or ASIN; without those they say nothing of."""
    with state.read() as connection:
        said = RulesAsTheyStand(connection, now)
        found = {one.key: said.of(one.text) for name in {key, asin} - {""} for one in rules_of(connection, name)}
    return {place: rule for place, rule in found.items() if rule is not None and not rule.unknown}


def gone_by(state: Database, key: str, at: datetime) -> dict[tuple[str, str, str], datetime]:
    """Listings of `key` (item id or ASIN) that were gone from their shop by `at`, and since when."""
    with state.read() as connection:
        found = listings_about(connection, key)
    return {
        (one.key.platform, one.key.account_id, one.key.item_id): one.gone_at
        for one in found
        if one.gone_at is not None and one.gone_at <= at
    }


def _story(row: KnownListing, breakers: Mapping[tuple[str, str], ShopAccount], stop: Stop | None) -> ListingStory:
    shop = breakers.get((row.key.platform, row.key.account_id))
    notes = [
        f"{name}:{value}"
        for name, value in (
            ("stopped", f"{jst(stop.since):%Y-%m-%d %H:%M}, {stop.who}" if stop else ""),
            ("breaker", shop.breaker if shop else ""),
            ("uneditable", row.uneditable),
            ("orphan", row.orphan),
            ("delist", row.delist),
            ("hidden_reason", row.hidden_reason),
        )
        if value
    ]
    if not row.listed:
        notes.append("not_listed")
    at = row.read_at
    return ListingStory(
        row.key.platform,
        row.key.account_id,
        row.key.item_id,
        Figure(row.shown_price_jpy, at, "read" if at else ""),
        Figure(row.shown_visible, at, "read" if at else ""),
        Figure(row.shown_stock, at, "read" if at else ""),
        hidden_by=row.hidden_by,
        notes=tuple(notes),
        gone=row.gone,
        gone_since=row.gone_at,
    )


def _notes(row: AsinStory) -> tuple[str, ...]:
    pairs = (
        ("doubt", row.doubt),
        ("wants_detail", row.wants_detail),
        ("filtered_count", row.filtered_count),
        ("error_count", row.error_count),
        ("error_reason", row.error_reason if row.error_count else ""),
    )
    return tuple(f"{name}:{value}" for name, value in pairs if value)


def _decided(row: decisions.Decided) -> Decided:
    diff = row.diff
    return Decided(
        row.diff_id,
        row.run_id,
        row.decided_at,
        diff.key.platform,
        diff.key.account_id,
        diff.key.item_id,
        diff.kind.value,
        diff.shown,
        diff.wanted,
        diff.decision.value,
        diff.reason,
        diff.snapshot_id,
        diff.cost_jpy,
        diff.evidence,
        row.state,
        diff.profit_jpy,
    )


def _sent(row: journal.Update) -> Sent:
    return Sent(
        row.update_id,
        row.diff_id,
        row.run_id,
        row.attempted_at or row.intent_at,
        row.completed_at,
        row.key.platform,
        row.key.account_id,
        row.key.item_id,
        row.kind.value,
        row.before,
        row.after,
        row.outcome.value if row.outcome else "",
        row.error,
        row.attempts,
        row.rollback_of,
    )
