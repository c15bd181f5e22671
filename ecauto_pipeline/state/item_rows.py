"""Every listing of a shop with what is known of its goods, narrow: for whoever searches, filters and sorts them all.

Not for: what a column means for a person (views/items.py), or the facts that decisions rest on (shop_listings.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple, cast

from sqlalchemy import Connection, Select, case, func, select

from ecauto_pipeline.clock import to_ms
from ecauto_pipeline.domain.freshness.ages import Policy
from ecauto_pipeline.domain.model import AccountKey, ListingKey, Outcome
from ecauto_pipeline.state.exporting import in_portions
from ecauto_pipeline.state.schema import asins, listings
from ecauto_pipeline.state.schema_decisions import journal
from ecauto_pipeline.state.shop_accounts import load_accounts
from ecauto_pipeline.state.unconfirmed import is_unconfirmed
from ecauto_pipeline.state.unwatched import unwatched_reason

_PART_ROWS = 500
_LONGEST_EDIT_MS = 86_400_000


class SeenListing(NamedTuple):
    """One listing as last read, and its ASIN's facts; None = never read, never answered. Times in milliseconds.

    `present`: the shop has it (0/1). `rule_lines`: as they are kept beside a listing (item_rules.py). `unwatched`: the
    reason, "" = it is watched. `unconfirmed`: on show, and not confirmed for too long (0/1).
    """

    item_id: str
    asin: str | None
    identifier: str
    shown_price_jpy: int | None
    shown_visible: int | None
    shown_stock: int | None
    present: int
    delist: str
    hidden_by: str
    rule_lines: str
    changed_at: int | None
    status: str | None
    doubt: str | None
    cost_jpy: int | None
    confirmed_at: int | None
    unwatched: str
    unconfirmed: int


def each_listing(
    connection: Connection,
    account: AccountKey,
    now: datetime,
    policy: Policy,
    factor: float,
    item_ids: Sequence[str] | None = None,
) -> Iterator[SeenListing]:
    """Those of one shop, by item, also what takes no part; `item_ids`: those alone, in no order.

    `policy` and `factor` tell what counts as unconfirmed (unconfirmed.py).
    """
    query = _query(now, policy, factor)
    query = query.where(listings.c.platform == account.platform, listings.c.account_id == account.account_id)
    if item_ids is None:
        yield from _rows(connection, query.order_by(listings.c.item_id))
        return
    for part in in_portions(list(item_ids)):
        yield from _rows(connection, query.where(listings.c.item_id.in_(part)))


def edited_since(connection: Connection, accounts: Iterable[AccountKey]) -> dict[ListingKey, int]:
    """When we last changed each listing (milliseconds), where the shop has not been read since: what was read tells it
    otherwise (`changed_at`)."""
    seen = load_accounts(connection)
    found: dict[ListingKey, int] = {}
    for account in accounts:
        known = seen.get(account)
        if known is None or known.read_at is None:
            continue
        read_at = to_ms(known.read_at)
        mine = (journal.c.platform == account.platform, journal.c.account_id == account.account_id)
        done = (journal.c.outcome == Outcome.DONE, journal.c.completed_at >= read_at)
        query = select(journal.c.item_id, func.max(journal.c.completed_at)).group_by(journal.c.item_id)
        begun = journal.c.intent_at >= read_at - _LONGEST_EDIT_MS  # what an index finds
        for item, at in connection.execute(query.where(begun, *mine, *done)):
            found[ListingKey(account.platform, account.account_id, item)] = at
    return found


def _rows(connection: Connection, query: Select[Any]) -> Iterator[SeenListing]:
    """As the driver has them: a hundred thousand rows are paid for by the column."""
    cursor = cast(Any, connection.execute(query).cursor)
    while rows := cursor.fetchmany(_PART_ROWS):
        yield from map(SeenListing._make, rows)


def _query(now: datetime, policy: Policy, factor: float) -> Select[Any]:
    """The columns of SeenListing, in its order."""
    names = ("item_id", "asin", "identifier", "shown_price_jpy", "shown_visible", "shown_stock", "present", "delist")
    told = ("hidden_by", "item_rules", "item_modified_at")
    return select(
        *(listings.c[name] for name in (*names, *told)),
        *(asins.c[name] for name in ("status", "doubt", "price_jpy")),
        case((asins.c.status.is_not(None), asins.c.stock_at)),
        unwatched_reason(now, joined=True),
        func.coalesce(case((is_unconfirmed(now, policy, factor), 1)), 0),
    ).select_from(listings.outerjoin(asins, asins.c.asin == listings.c.asin))
