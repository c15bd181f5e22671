"""Listings as the shops show them: written by reading, read by every rule.

Each side has its own columns; neither write touches the other's. Not for: the register's side (joined_listings.py),
what our own edits change (shown.py) or who hid what (domain/selling/hidden_by.py).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Any, Literal, NamedTuple

from sqlalchemy import Connection, Result, and_, delete, func, or_, select, text, update

from ecauto_pipeline.clock import to_ms
from ecauto_pipeline.domain.model import AccountKey, ListingFacts, ListingKey, Outcome, PriceMoves
from ecauto_pipeline.state.item_rules import RulesAsTheyStand
from ecauto_pipeline.state.of_accounts import FEW, ItemsOf, by_shop, of_account, of_accounts, of_shops
from ecauto_pipeline.state.owner_files import BLOCKLIST, is_unknown
from ecauto_pipeline.state.revisions import LISTING_FACTS
from ecauto_pipeline.state.schema import listings
from ecauto_pipeline.state.schema_decisions import diffs, journal
from ecauto_pipeline.state.upsert import upsert

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CHUNK = 500
_PART_ROWS = 10_000
SHOP_COLUMNS = (
    *("identifier", "shown_price_jpy", "shown_visible", "shown_stock", "has_variations", "item_modified_at"),
    *(
        "price_by_hand",
        "regular_price_jpy",
        "read_at",
        "present",
        "gone_at",
        "first_seen_at",
        "hidden_by",
        "hidden_reason",
        "hidden_at",
    ),
)

_FACTS = by_shop(
    select(*(listings.c[name] for name in LISTING_FACTS)).where(listings.c.listed == 1).order_by(listings.c.item_id),
    listings,
)


@dataclass(frozen=True, slots=True)
class OwnEdit:
    """One edit of ours, done (`sure`) or of unknown outcome: what it set, the last time it may have happened."""

    item_id: str
    kind: str
    after: int | None
    at_ms: int
    sure: bool


def load_shop_side(
    connection: Connection, platform: str, account_id: str, item_ids: Sequence[str]
) -> dict[str, dict[str, Any]]:
    """The shop's columns of these items, by item_id; items never seen are left out."""
    columns = [listings.c.item_id, *(listings.c[name] for name in SHOP_COLUMNS)]
    found: dict[str, dict[str, Any]] = {}
    for part in _chunks(item_ids):
        query = select(*columns).where(*of_account(listings, platform, account_id), listings.c.item_id.in_(part))
        found |= {row["item_id"]: dict(row) for row in connection.execute(query).mappings()}
    return found


def save_shop_side(connection: Connection, platform: str, account_id: str, rows: Iterable[dict[str, Any]]) -> None:
    """Keep these items (item_id and every one of SHOP_COLUMNS); `first_seen_at` of a known item stands."""
    key = {"platform": platform, "account_id": account_id}
    upsert(connection, listings, [{**key, **row} for row in rows], keep=("first_seen_at",))


def own_edits(
    connection: Connection, platform: str, account_id: str, item_ids: Sequence[str], since_ms: int
) -> list[OwnEdit]:
    """Our edits of these items since then, oldest first; what surely failed is left out."""
    at = func.coalesce(journal.c.completed_at, journal.c.intent_at)
    mine = (journal.c.platform == platform, journal.c.account_id == account_id)
    happened = or_(journal.c.outcome.is_(None), journal.c.outcome.in_((Outcome.DONE, Outcome.UNKNOWN)))
    found: list[OwnEdit] = []
    for part in _chunks(item_ids):
        query = select(
            *(journal.c.item_id, journal.c.kind, journal.c.after, at),
            func.coalesce(journal.c.outcome, "") == Outcome.DONE,
        ).where(*mine, journal.c.item_id.in_(part), happened, at >= since_ms)
        found += [OwnEdit(*row) for row in connection.execute(query)]
    return sorted(found, key=lambda edit: edit.at_ms)


def present_items(connection: Connection, platform: str, account_id: str) -> set[str]:
    """Items that the shop had when it was last read."""
    query = select(listings.c.item_id).where(*of_account(listings, platform, account_id), listings.c.present == 1)
    return set(connection.execute(query).scalars())


def mark_absent(connection: Connection, platform: str, account_id: str, item_ids: Iterable[str], now: datetime) -> None:
    """A whole reading proved that these are not in the shop any more; what was found gone before, went then."""
    went = func.coalesce(listings.c.gone_at, to_ms(now))
    for part in _chunks(sorted(item_ids)):
        of_them = (*of_account(listings, platform, account_id), listings.c.item_id.in_(part))
        connection.execute(update(listings).where(*of_them).values(present=0, listed=0, gone_at=went))


def listing_facts(
    connection: Connection,
    accounts: Collection[AccountKey],
    now: datetime,
    moves: Mapping[ListingKey, PriceMoves] | None = None,
    items: ItemsOf | None = None,
) -> Iterator[ListingFacts]:
    """The listings that take part, of these accounts, by account and item, with what the owner's rules say of them now;
    `items`: of the accounts named there, these alone. `moves`: what is known of their price edits (price_moves.py)."""
    free = None if is_unknown(connection, BLOCKLIST) else False
    accounts = sorted(accounts)
    rules = RulesAsTheyStand(connection, now, whole=_are_many(accounts, items))
    for account in accounts:  # one query each: the primary key gives its rows in order
        for found in _FACTS.ask(connection, account, items):
            yield from _facts_of(account, found, free, rules, moves or {})


def _are_many(accounts: Iterable[AccountKey], items: ItemsOf | None) -> bool:
    return items is None or any(one not in items for one in accounts) or sum(map(len, items.values())) > FEW


def _facts_of(
    account: AccountKey,
    found: Result[*tuple[Any, ...]],
    free: bool | None,
    rules: RulesAsTheyStand,
    moves: Mapping[ListingKey, PriceMoves],
) -> Iterator[ListingFacts]:
    """`free`: what it means not to be marked as being on the blocklist."""
    times: dict[int | None, datetime | None] = {None: None}  # a page of a reading shares its stamp
    for row in chain.from_iterable(found.partitions(_PART_ROWS)):
        item, asin, price, visible, stock, variations, hidden, *rest = row
        register, blocked, uneditable, read_at, first, hand, lines = rest
        for stamp in (read_at, first):
            if stamp not in times:
                times[stamp] = _EPOCH + timedelta(milliseconds=stamp)
        key = ListingKey(account.platform, account.account_id, item)
        yield ListingFacts(
            key=key,
            asin=asin,
            shown_price_jpy=price,
            shown_visible=_flag(visible),
            shown_stock=stock,
            has_variations=variations == 1,
            hidden_by=hidden,
            register_visible=_flag(register),
            blocked_by_list=True if blocked == 1 else free,
            uneditable=uneditable,
            read_at=times[read_at],
            first_seen_at=times[first],
            price_by_hand=hand == 1,
            rule=rules.of(lines),
            moves=moves.get(key),
        )


class ShopCounts(NamedTuple):
    """Listings of a shop: that take part, that are in the shop, whose ASIN is on the blocklist."""

    listed: int = 0
    present: int = 0
    blocked: int = 0


def count_shops(connection: Connection, accounts: Iterable[AccountKey]) -> dict[AccountKey, ShopCounts]:
    """By account; one without any is there with 0."""
    accounts = list(accounts)
    rows = connection.execute(_counts(accounts))
    found = {AccountKey(row[0], row[1]): ShopCounts(*map(int, row[2:])) for row in rows}
    return {account: found.get(account, ShopCounts()) for account in accounts}


_OF_SHOP = (listings.c.platform, listings.c.account_id)
_counts = of_shops(
    select(*_OF_SHOP, *(func.sum(listings.c[name]) for name in ShopCounts._fields)).group_by(*_OF_SHOP), listings
)


def count_public(connection: Connection, account: AccountKey) -> int:
    """Listings of one account that take part and are on show."""
    mine = of_account(listings, account.platform, account.account_id)
    query = select(func.count()).select_from(listings).where(*mine, listings.c.listed == 1)
    return int(connection.execute(query.where(listings.c.shown_visible == 1)).scalar_one())


def count_by_hand(connection: Connection, accounts: Iterable[AccountKey]) -> int:
    """Listings of these accounts that take part and whose price a person set."""
    return int(connection.execute(_by_hand(accounts)).scalar_one())


_by_hand = of_shops(
    select(func.count()).select_from(listings).where(listings.c.listed + 0 == 1, text("price_by_hand = 1")),
    listings,
    found_else=True,
)


def count_by(
    connection: Connection, column: Literal["orphan", "hidden_by"], accounts: Iterable[AccountKey], *, listed: bool
) -> dict[str, int]:
    """Listings by the values of a text column, "" left out; `listed`: those that take part alone."""
    chosen = listings.c[column]
    query = select(chosen, func.count()).where(
        of_accounts(listings, accounts, found_else=True), text(f"{column} != ''")
    )
    if listed:
        query = query.where(listings.c.listed + 0 == 1)
    return {value: count for value, count in connection.execute(query.group_by(chosen).order_by(chosen))}


def orphan_examples(connection: Connection, accounts: Iterable[AccountKey], most: int) -> list[ListingKey]:
    """Some orphans, for people."""
    key = (listings.c.platform, listings.c.account_id, listings.c.item_id)
    query = select(*key).where(of_accounts(listings, accounts, found_else=True), text("orphan != ''"))
    return [ListingKey(*row) for row in connection.execute(query.order_by(listings.c.orphan, *key).limit(most))]


def asins_of_items(connection: Connection, platform: str, account_id: str, item_ids: Iterable[str]) -> dict[str, str]:
    """The ASIN of items whose ASIN is known."""
    found: dict[str, str] = {}
    for part in _chunks(sorted(set(item_ids))):
        query = select(listings.c.item_id, listings.c.asin).where(
            *of_account(listings, platform, account_id), listings.c.item_id.in_(part), listings.c.asin.is_not(None)
        )
        found |= {item: asin for item, asin in connection.execute(query)}
    return found


def milliseconds(moment: datetime | None) -> int | None:
    return None if moment is None else to_ms(moment)


def forget(connection: Connection, before: datetime) -> None:
    """Drop items that neither their shop nor the register has had since before, and what still waits about them."""
    gone = (
        listings.c.present == 0,
        listings.c.register_id.is_(None),
        func.coalesce(listings.c.read_at, 0) < to_ms(before),
    )
    of_it = and_(*(listings.c[name] == diffs.c[name] for name in ("platform", "account_id", "item_id")))
    about_it = select(listings.c.item_id).where(of_it, *gone).exists()
    connection.execute(delete(diffs).where(diffs.c.exported == 1, diffs.c.decided_at < to_ms(before), about_it))
    connection.execute(delete(listings).where(*gone))


def _chunks(values: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(values), _CHUNK):
        yield values[start : start + _CHUNK]


def _flag(value: int | None) -> bool | None:
    return None if value is None else value == 1
