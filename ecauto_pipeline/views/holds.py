"""Held rows as the owner judges them: what was shown and is wanted, what Amazon asks, what is left of a sale, why.

One row a hold; a page of fifty of them is found, sorted and counted by the database. Not for: what a click would do
(hold_effects.py) or does (sync/people/holds.py), or lines in a terminal (held_rows.py).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Connection

from ecauto_pipeline.amazon.goods_page import goods_page
from ecauto_pipeline.domain.model import AccountKey, Kind, ListingKey, Status
from ecauto_pipeline.domain.offers.learning import AsinRow
from ecauto_pipeline.domain.selling.fees import profit_jpy
from ecauto_pipeline.domain.selling.pricing import breaks_floor
from ecauto_pipeline.domain.selling.terms import SellingTerms
from ecauto_pipeline.state import asins, held
from ecauto_pipeline.state.held import HeldGroup, HeldListing, HeldQuestion, HeldSort, HeldState, WordBefore
from ecauto_pipeline.state.item_rules import RulesAsTheyStand
from ecauto_pipeline.sync.context import Tools
from ecauto_pipeline.sync.people.goods import known_titles, titles_of
from ecauto_pipeline.sync.people.holds import Hold, hold_of, show_hold
from ecauto_pipeline.sync.selling_terms import TermsOfShops
from ecauto_pipeline.wiring.accounts import known_accounts

PAGE_ROWS = 50
SORTS: tuple[HeldSort, ...] = ("age", "change", "profit", "asin", "shop")


@dataclass(frozen=True, slots=True)
class Asked:
    """Which rows somebody looks for. `shop`: as people call it; `text`: part of a title, or the beginning of an ASIN,
    an item id or a diff_id; "" = any. `page` from 1. `state`: approved = with a yes, and nothing sent for it yet."""

    shop: str = ""
    kind: str = ""
    reason: str = ""
    text: str = ""
    sort: HeldSort = "age"
    descending: bool = False
    page: int = 1
    state: HeldState = "open"


@dataclass(frozen=True, slots=True)
class Source:
    """What one of Amazon's sources said. `role`: believed | doubted | second. `offers`: (price, shipping) in yen, each
    unknown as None; `at` None: the moment is not kept any more."""

    role: Literal["believed", "doubted", "second"]
    operation: str
    status: str
    cost_jpy: int | None
    offers: tuple[tuple[int | None, int | None], ...]
    at: datetime | None


@dataclass(frozen=True, slots=True)
class HeldRow:
    """A hold and what one has to know to decide it. Whatever is unknown is None.

    `price_jpy`: what the shop shows; `cost_then_jpy`: Amazon's price when that price was made; `cost_now_jpy`,
    `status`, `cost_age`: as known now. `profit_*`: what a sale leaves, at the price shown and at the one wanted.
    `cause`: why the change was to be made, where a mass of changes is what was held. `before`: what a person said of an
    earlier hold of this listing; `said`: of this one. `same_asin`: so many rows of this ASIN wait.
    `below_floor`: the price shown is below what the item may be sold at: fixed, it is taken off sale.
    `arrived`: the shop shows what was wanted; `sent`: an edit for it has left.
    """

    hold: Hold
    title: str | None
    shop: str
    price_jpy: int | None
    cost_then_jpy: int | None
    cost_now_jpy: int | None
    cost_age: timedelta | None
    status: str
    profit_shown_jpy: int | None
    profit_wanted_jpy: int | None
    on_sale: bool | None
    cause: str
    sources: tuple[Source, ...]
    before: WordBefore | None
    said: WordBefore | None
    same_asin: int
    below_floor: bool
    arrived: bool
    sent: bool

    @property
    def amazon(self) -> str:
        """The goods' page at Amazon."""
        return goods_page(self.hold.asin)

    @property
    def keepable(self) -> bool:
        """Whether there is a price shown that a rule could fix."""
        return self.hold.kind is Kind.PRICE and bool(self.hold.shown)

    @property
    def revocable(self) -> bool:
        """Whether there is a yes that can be taken back."""
        return self.hold.state == "approved" and not self.sent and not self.arrived


@dataclass(frozen=True, slots=True)
class HeldPage:
    """One page. `total`: rows that match, `waiting`: rows of the state asked for at all; `groups`: what there is to
    narrow by, and what people call their `shops`. `approved`: rows with a yes for which nothing was sent yet."""

    rows: tuple[HeldRow, ...]
    total: int
    waiting: int
    page: int
    pages: int
    groups: tuple[HeldGroup, ...]
    shops: Mapping[AccountKey, str]
    approved: int


def held_page(tools: Tools, asked: Asked, most: int = PAGE_ROWS) -> HeldPage:
    """The rows of one page; a page behind the last one is the last one. Raises SettingsError for an unknown shop."""
    with tools.state.read() as connection:
        question = _question(tools, connection, asked)
        total = held.count_held(connection, question)
        groups = tuple(held.held_groups(connection, asked.state))
        approved = held.count_held(connection, HeldQuestion(state="approved"))
        pages = max(1, -(-total // most))
        page = min(max(1, asked.page), pages)
        found = held.held_rows(connection, question, (page - 1) * most, most)
        rows = _rows(tools, connection, [hold_of(row, tools.clock.now()) for row in found])
    shops = {one.account: tools.name_of(one.account) for one in groups}
    return HeldPage(rows, total, sum(one.count for one in groups), page, pages, groups, shops, approved)


def matching_ids(tools: Tools, asked: Asked) -> list[str]:
    """The diff_ids of every row that matches, on whichever page."""
    with tools.state.read() as connection:
        return held.held_ids(connection, _question(tools, connection, asked))


def held_row(tools: Tools, prefix: str) -> HeldRow:
    """The one hold whose diff_id begins so, whatever became of it. Raises NotOnRecord."""
    hold = show_hold(tools, prefix)
    with tools.state.read() as connection:
        return _rows(tools, connection, [hold])[0]


def _question(tools: Tools, connection: Connection, asked: Asked) -> HeldQuestion:
    account = None
    if asked.shop:  # one that was switched off meanwhile may have rows that wait
        waiting = {tools.name_of(one.account): one.account for one in held.held_groups(connection, asked.state)}
        account = waiting.get(asked.shop) or known_accounts(tools.settings, (asked.shop,))[0]
    text, titled = " ".join(asked.text.split()), frozenset[str]()
    if text:
        titles = titles_of(tools, held.held_asins(connection, asked.state))
        titled = frozenset(asin for asin, title in titles.items() if text.casefold() in title.casefold())
    kind = Kind(asked.kind) if asked.kind in tuple(Kind) else None
    return HeldQuestion(account, kind, asked.reason, text, titled, asked.sort, asked.descending, asked.state)


def _rows(tools: Tools, connection: Connection, holds: Sequence[Hold]) -> tuple[HeldRow, ...]:
    now = tools.clock.now()
    keys = [one.key for one in holds]
    listings = held.held_listings(connection, keys)
    known = asins.read(connection, sorted({one.asin for one in holds}))
    before = held.words_before(connection, keys)
    same = held.held_of_asins(connection, (one.asin for one in holds))
    agreed = [one for one in holds if one.state == "approved"]
    passed = held.pushes_of_yes(connection, (one.diff_id for one in agreed), (one.key for one in agreed))
    titles = known_titles(tools, (one.asin for one in holds))
    profit = _Profits(tools, connection, now)
    found = []
    for hold in holds:
        facts, listing = known[hold.asin], listings.get(hold.key)
        sources = _sources(hold.evidence, facts)
        cost, stamp = facts.price_jpy, facts.price_at or facts.stock_at
        certain = hold.kind is Kind.PRICE and not sources  # where they contradict, nobody knows what it costs
        price = listing.price_jpy if listing else hold.shown if hold.kind is Kind.PRICE else None
        shows = {Kind.PRICE: price, Kind.VISIBILITY: listing.visible if listing else None}.get(hold.kind)
        last, said = before.get((hold.key, hold.kind)), held.word_in(hold.evidence, hold.wanted)
        found.append(
            HeldRow(
                hold=hold,
                title=titles[hold.asin],
                shop=tools.name_of(hold.key.account),
                price_jpy=price,
                cost_then_jpy=listing.priced_cost_jpy if listing else None,
                cost_now_jpy=cost,
                cost_age=None if stamp is None else now - stamp,
                status=str(facts.status or ""),
                profit_shown_jpy=profit.of(listing, hold.key, price, facts),
                profit_wanted_jpy=profit.of(listing, hold.key, hold.wanted, facts) if certain else None,
                on_sale=listing.on_sale if listing else None,
                cause=str(hold.evidence.get("reason") or ""),
                sources=sources,
                before=None if last == said else last,
                said=said,
                same_asin=same.get(hold.asin, 0),
                arrived=hold.wanted is not None and shows == hold.wanted,
                sent=any(one.state == "sent" for one in passed.get(hold.diff_id, ())),
                below_floor=breaks_floor(price, facts.price_jpy, profit.terms(listing, hold.key)),
            )
        )
    return tuple(found)


class _Profits:
    """What is left of a sale, under the terms of each shop and the rule of each item."""

    def __init__(self, tools: Tools, connection: Connection, now: datetime) -> None:
        self._terms, self._rules = TermsOfShops(tools.settings), RulesAsTheyStand(connection, now)

    def terms(self, listing: HeldListing | None, key: ListingKey) -> SellingTerms:
        return self._terms.of(key.account, self._rules.of(listing.rules) if listing else None)

    def of(self, listing: HeldListing | None, key: ListingKey, price: int | None, facts: AsinRow) -> int | None:
        """None while price or cost is unknown, or doubted."""
        cost = facts.price_jpy
        if price is None or facts.status is not Status.SUCCESS or facts.doubt == "jump" or not cost or cost < 0:
            return None
        terms = self.terms(listing, key)
        return profit_jpy(price, cost, terms.fees, terms.extra_cost_jpy)


def _sources(evidence: Mapping[str, Any], facts: AsinRow) -> tuple[Source, ...]:
    """Both answers where two sources contradict each other; a moment only where it is that of this very answer."""
    if not all(isinstance(evidence.get(name), dict) for name in ("believed", "doubted", "second")):
        return ()
    try:
        kept = json.loads(facts.contradiction or "{}")
    except ValueError:
        kept = {}
    believed, doubted, second = (evidence[name] for name in ("believed", "doubted", "second"))
    same = isinstance(kept, dict) and kept.get("second") == second
    believed_at = facts.price_at or facts.stock_at if believed.get("snapshot_id") == facts.snapshot_id else None
    doubted_at = facts.doubt_at if doubted.get("snapshot_id") == facts.doubt_snapshot_id else None
    return (
        _source("believed", believed, believed_at),
        _source("doubted", doubted, doubted_at),
        _source("second", second, facts.contradicted_at if same else None),
    )


def _source(role: Literal["believed", "doubted", "second"], said: Mapping[str, Any], at: datetime | None) -> Source:
    offers: Iterable[Mapping[str, Any]] = said.get("offers") or ()
    pairs = tuple((one.get("listing_price_jpy"), one.get("shipping_jpy")) for one in offers)
    return Source(
        role, str(said.get("operation") or ""), str(said.get("status") or ""), said.get("cost_jpy"), pairs, at
    )
