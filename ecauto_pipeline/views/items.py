"""The list of items: every listing, searched, filtered, sorted and counted, of which one page is shown in full.

All listings are looked through once, narrow; only the rows that are shown are read whole. What a listing earns is
worked out by the function that the line uses. Not for: one item's own story (explain/), how it looks (desk/, cli/), or
the file of it (items_csv.py).
"""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from ecauto_pipeline.clock import from_ms
from ecauto_pipeline.domain.model import AccountKey, ListingKey
from ecauto_pipeline.domain.selling.diff_builder import known_cost_jpy
from ecauto_pipeline.domain.selling.fees import profit_jpy
from ecauto_pipeline.domain.selling.item_rules import ItemRule
from ecauto_pipeline.domain.selling.pricing import selling_price
from ecauto_pipeline.domain.spreadsheets import folded
from ecauto_pipeline.state.decided_listings import held_listings, lately_blocked
from ecauto_pipeline.state.item_rows import SeenListing, each_listing, edited_since
from ecauto_pipeline.state.item_rules import RulesAsTheyStand, lines_of
from ecauto_pipeline.sync.context import Tools
from ecauto_pipeline.sync.selling_terms import TermsOfShops
from ecauto_pipeline.sync.stale_asins.plan import policy_of
from ecauto_pipeline.views.columns import UNKNOWN, Numbers, Texts, in_order
from ecauto_pipeline.views.item_filters import BITS, STATES, Standing, bits_of, masks_of, state_of
from ecauto_pipeline.views.item_titles import places_by_title, titles_of, words_in_titles, words_of
from ecauto_pipeline.wiring.accounts import shop_accounts

SORTS = ("title", "shop", "price", "cost", "profit", "age", "state", "changed")
"""What the list is sorted by; what is unknown comes last, either way."""
DEFAULT_SORT = "-changed"
_STOPPED_WITHIN = timedelta(days=2)
_PORTION, _MOST_PROFITS = 500, 10_000
_STATES = tuple(STATES)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for. `text`: words that all have to stand in the title, ASIN, item id, code or shop. `filters`: as
    in item_filters; `sort`: one of SORTS, "-" before it = the largest, the newest first. `accounts`: () = all."""

    text: str = ""
    filters: tuple[str, ...] = ()
    sort: str = DEFAULT_SORT
    accounts: tuple[AccountKey, ...] = ()


@dataclass(frozen=True, slots=True)
class Item:
    """One listing as it is shown. Yen, None = unknown; `profit_jpy`: what is left of a sale at the price shown.

    `confirmed_at`: when Amazon last answered about its goods; `changed_at`: when it was last changed in the shop, by
    whomever. `rule_lines`: the lines of the owner's rules that select it.
    """

    key: ListingKey
    asin: str
    code: str
    title: str | None
    shop: str
    price_jpy: int | None
    cost_jpy: int | None
    profit_jpy: int | None
    confirmed_at: datetime | None
    changed_at: datetime | None
    standing: Standing
    rule_lines: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """`total`: listings that pass; `of`: listings there are; `counts`: by filter, of those that the text finds."""

    items: tuple[Item, ...]
    total: int
    of: int
    counts: Mapping[str, int]
    now: datetime


def find_items(tools: Tools, wanted: Wanted, first: int = 0, most: int = 50) -> Found:
    """The rows from `first` on, at most so many, and how many there are."""
    with tools.state.read() as connection:
        judge = _Judge(tools, connection)
        passing = _look_through(judge, wanted)
        items = judge.whole(passing.part(first, first + most))
    return Found(tuple(items), len(passing.order), passing.of_all, passing.counts, judge.now)


def every_item(tools: Tools, wanted: Wanted) -> tuple[int, Iterator[Item]]:
    """How many pass, and each of them, read portion by portion as it is asked for; what went meanwhile is left out."""
    with tools.state.read() as connection:
        first = _Judge(tools, connection)
        passing = _look_through(first, wanted)

    def each() -> Iterator[Item]:
        for start in range(0, len(passing.order), _PORTION):
            with tools.state.read() as connection:
                items = _Judge(tools, connection, after=first).whole(passing.part(start, start + _PORTION))
            yield from items

    return len(passing.order), each()


@dataclass(frozen=True, slots=True)
class _Passing:
    """The listings that pass: their item ids, by account and item, where each of the accounts begins, and the `order`
    in which they are wanted.

    `of_all`: how many listings there are; `counts`: how many of those that the text finds pass each filter.
    """

    items: Texts
    accounts: Sequence[tuple[int, AccountKey]]
    order: Numbers
    of_all: int
    counts: dict[str, int]

    def part(self, start: int, end: int) -> list[tuple[AccountKey, str]]:
        return [(self.account_at(place), self.items[place]) for place in self.order[start:end].tolist()]

    def account_at(self, place: int) -> AccountKey:
        return next(account for first, account in reversed(self.accounts) if first <= place)


class _Judge:
    """How listings stand, as of one moment. `after`: the one that all were asked of, whose knowledge is used again."""

    def __init__(self, tools: Tools, connection: Connection, after: _Judge | None = None) -> None:
        self.tools, self.connection = tools, connection
        self.now: datetime = after.now if after else tools.clock.now()
        shops = shop_accounts(tools.settings)
        self.accounts = sorted(key for key, shop in shops.items() if shop.active)
        self.names = {key: tools.name_of(key) for key in self.accounts}
        self._terms = TermsOfShops(tools.settings)
        self._rules = RulesAsTheyStand(connection, self.now, whole=after is None)
        self._unless_said = self._rules.of("")
        self._held: set[ListingKey] = after._held if after else held_listings(connection, self.accounts)
        since = self.now - _STOPPED_WITHIN
        self._stopped: set[ListingKey] = after._stopped if after else lately_blocked(connection, self.accounts, since)
        self._edited: dict[ListingKey, int] = after._edited if after else edited_since(connection, self.accounts)
        self._profits: dict[AccountKey, dict[tuple[int, int], int]] = {key: {} for key in self.accounts}

    def rows(self, account: AccountKey, item_ids: Sequence[str] | None = None) -> Iterator[SeenListing]:
        settings = self.tools.settings
        policy, factor = policy_of(self.tools), settings.alerts.unconfirmed_factor
        return each_listing(self.connection, account, self.now, policy, factor, item_ids)

    def judged(self, account: AccountKey, row: SeenListing) -> tuple[int | None, int | None, Standing]:
        """Cost, profit, and how it stands."""
        item, _, _, price, visible, stock, present, delist, hidden_by, lines, _, status, doubt, asked, *_ = row
        rule, profit = self._rules.of(lines) if lines else self._unless_said, None
        cost = None if asked is None else known_cost_jpy(status, doubt or "", asked)
        if cost is not None and price is not None:
            profit = self._profit(account, price, cost, rule)
        key = (account.platform, account.account_id, item)  # as ListingKey compares
        held, stopped = key in self._held, key in self._stopped
        if stopped:  # by the limits of then; those of now have to stop it still
            stopped = selling_price(cost, self._terms.of(account, rule)).blocked != ""
        state = state_of(present, visible, stock, delist)
        loss, unconfirmed, ruled = profit is not None and profit < 0, row[-1] == 1, lines != "" and rule is not None
        return cost, profit, Standing(state, hidden_by, row[-2], loss, held, stopped, unconfirmed, ruled)

    def changed_at(self, account: AccountKey, row: SeenListing) -> int | None:
        """When it was last changed in the shop, by whomever; milliseconds."""
        ours = self._edited.get(ListingKey(account.platform, account.account_id, row.item_id)) if self._edited else None
        return max(ours, row.changed_at or 0) if ours is not None else row.changed_at

    def _profit(self, account: AccountKey, price: int, cost: int, rule: ItemRule | None) -> int:
        """Worked out once for a price and cost: there are fewer of these than listings."""
        if rule is not None and rule.extra_cost_jpy is not None:  # no other word of a rule touches what is left
            terms = self._terms.of(account, rule)
            return profit_jpy(price, cost, terms.fees, terms.extra_cost_jpy)
        known = self._profits[account]
        found = known.get((price, cost))
        if found is None:
            terms = self._terms.of(account)
            found = profit_jpy(price, cost, terms.fees, terms.extra_cost_jpy)
            if len(known) < _MOST_PROFITS:
                known[price, cost] = found
        return found

    def whole(self, keys: Sequence[tuple[AccountKey, str]]) -> list[Item]:
        """These listings as they are shown, in this order."""
        seen: dict[tuple[AccountKey, str], SeenListing] = {}
        for account in {account for account, _ in keys}:
            rows = self.rows(account, [item for of, item in keys if of == account])
            seen |= {(account, row.item_id): row for row in rows}
        titles = titles_of(self.tools.register, self.connection, {row.asin for row in seen.values() if row.asin})
        return [self._item(key[0], seen[key], titles) for key in keys if key in seen]

    def _item(self, account: AccountKey, row: SeenListing, titles: Mapping[str, str | None]) -> Item:
        cost, profit, standing = self.judged(account, row)
        changed_at = self.changed_at(account, row)
        return Item(
            key=ListingKey(account.platform, account.account_id, row.item_id),
            asin=row.asin or "",
            code=row.identifier,
            title=titles.get(row.asin or "", ""),
            shop=self.names[account],
            price_jpy=row.shown_price_jpy,
            cost_jpy=cost,
            profit_jpy=profit,
            confirmed_at=None if row.confirmed_at is None else from_ms(row.confirmed_at),
            changed_at=None if changed_at is None else from_ms(changed_at),
            standing=standing,
            rule_lines=lines_of(row.rule_lines),
        )


def _look_through(judge: _Judge, wanted: Wanted) -> _Passing:
    words, masks = words_of(wanted.text), masks_of(wanted.filters)
    in_titles = words_in_titles(judge.tools.register, judge.connection, words) if words else {}
    all_words, sort = (1 << len(words)) - 1, wanted.sort.removeprefix("-")
    key_of, everything, seen = _KEYS.get(sort), 0, defaultdict[int, int](int)
    items, asins, keys = Texts(), Texts(), array("q")
    begins: list[tuple[int, AccountKey]] = []
    names = sorted({judge.names[account] for account in judge.accounts})
    for account in judge.accounts:
        shop_words = _words_in(words, f"{account.account_id} {judge.names[account]}")
        chosen = not wanted.accounts or account in wanted.accounts
        begins.append((len(items), account))
        shop = names.index(judge.names[account])
        for row in judge.rows(account):
            everything += 1
            if not chosen:
                continue
            if words:
                found = shop_words | in_titles.get(row.asin or "", 0)
                if found != all_words:
                    found |= _words_in(words, f"{row.item_id} {row.asin} {row.identifier}")
                if found != all_words:
                    continue
            cost, profit, standing = judge.judged(account, row)
            bits = bits_of(standing)
            seen[bits] += 1
            if not masks or all(bits & mask for mask in masks):
                items.append(row.item_id)
                if sort == "title":
                    asins.append(row.asin or "")
                key = (
                    shop if sort == "shop"
                    else key_of(row, cost, profit, standing) if key_of is not None
                    else judge.changed_at(account, row)
                )  # fmt: skip
                keys.append(UNKNOWN if key is None else key)
    counts = {name: sum(many for bits, many in seen.items() if bits & bit) for name, bit in BITS.items()}
    by = places_by_title(judge.tools.register, judge.connection, asins) if sort == "title" else keys
    order = in_order(by, largest_first=wanted.sort != sort)
    return _Passing(items, begins, order, everything, counts)


def _words_in(words: Sequence[str], text: str) -> int:
    name = folded(text)
    return sum(1 << place for place, word in enumerate(words) if word in name)


_Key = Callable[[SeenListing, int | None, int | None, Standing], int | None]
_KEYS: Mapping[str, _Key] = {
    "title": lambda row, cost, profit, standing: None,
    "price": lambda row, cost, profit, standing: row.shown_price_jpy,
    "cost": lambda row, cost, profit, standing: cost,
    "profit": lambda row, cost, profit, standing: profit,
    "age": lambda row, cost, profit, standing: None if row.confirmed_at is None else -row.confirmed_at,
    "state": lambda row, cost, profit, standing: _STATES.index(standing.state),
}
"""What a listing itself knows of each sort but "changed" and "shop"; titles are looked up afterwards."""
