"""What the rules say of listings as they stand in state.db: the facts gathered, the rule asked, nothing written.

The whole of a run's listings at once (`load_input`, `evaluate`); some again just before they are sent: judge_again.py.
Not for: people's word on holds, or storing (decide.py); the rules themselves (domain/).
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from ecauto_pipeline.domain.freshness.ages import stock_max_age, tier_of
from ecauto_pipeline.domain.model import AccountKey, AsinFacts, Diff, Kind, ListingFacts, ListingKey, Tier
from ecauto_pipeline.domain.selling.corrections import FailedPrice
from ecauto_pipeline.domain.selling.diffs import price_diff, stock_diff
from ecauto_pipeline.domain.selling.pricing import breaks_floor
from ecauto_pipeline.domain.selling.selection import best_sellers
from ecauto_pipeline.domain.selling.visibility import visibility_diff
from ecauto_pipeline.settings import Settings
from ecauto_pipeline.shops.protocol import Abilities
from ecauto_pipeline.state import journal
from ecauto_pipeline.state.corrections import failed_prices
from ecauto_pipeline.state.decisions import Decided, Target
from ecauto_pipeline.state.known_asins import KnownAsin, known_asins
from ecauto_pipeline.state.price_moves import price_moves
from ecauto_pipeline.state.shop_accounts import ShopAccount, load_accounts
from ecauto_pipeline.state.shop_listings import listing_facts
from ecauto_pipeline.sync.context import Context, IncludePrice, Run
from ecauto_pipeline.sync.selling_terms import TermsOfShops

SAID_SO = ("approved", "blocklist", "rule_never_sell")
"""Hides that a person asked for, which are no sign that something is wrong."""
Said = Callable[[Diff], Diff]
EDITS = Abilities().edits


def _as_is(verdict: Diff) -> Diff:
    return verdict


@dataclass(frozen=True, slots=True)
class EvaluationInput:
    """What a run judges: its listings by key, what is known of their ASINs, how many are on show in each account.

    `hidden_lately`: how many in each account were hidden within the guards' hide_window without anybody having said
    so, and are hidden still. `closed`: accounts that can't be written to now, with the reason their rows are skipped
    for. `fixed`: what a shop never lets us change. `edited`: what this run has decided and sent while it asked.
    """

    now: datetime
    listings: Mapping[ListingKey, ListingFacts]
    known: Mapping[str, KnownAsin]
    shown_public: Mapping[AccountKey, int]
    hidden_lately: Mapping[AccountKey, int]
    closed: Mapping[AccountKey, str]
    fixed: Mapping[AccountKey, frozenset[Kind]] = field(default_factory=dict)
    edited: Mapping[Target, Sequence[Decided]] = field(default_factory=dict)


class Rules:
    """The rules under one set of settings."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._terms = TermsOfShops(settings)
        self._ages = {tier: stock_max_age(tier, settings.tiers, settings.ttl) for tier in Tier}

    @property
    def move_window(self) -> timedelta:
        """Over which the steps of a price are added up."""
        return self._settings.guards.move_window

    def max_age(self, known: KnownAsin | None, now: datetime) -> timedelta:
        """How old stock of this ASIN may be."""
        return self._ages[self.tier(known, now)]

    def tier(self, known: KnownAsin | None, now: datetime) -> Tier:
        """How well this ASIN sells; one that nobody ever asked about is of the lowest."""
        if known is None:
            return Tier.LOW
        return tier_of(known.last_sold_at, known.last_viewed_at, now, self._settings.tiers)

    def price(
        self, listing: ListingFacts, facts: AsinFacts | None, now: datetime, include: IncludePrice = "all"
    ) -> Diff:
        return price_diff(
            listing, facts, now, self._terms.of(listing.key.account, listing.rule), self._settings.ttl, include
        )

    def visibility_and_stock(
        self, listing: ListingFacts, known: KnownAsin | None, now: datetime, include: IncludePrice, said: Said = _as_is
    ) -> tuple[Diff, Diff]:
        """Both evaluated. The price matters to them only where the one shown is below the floor.

        `said`: what a person's word makes of the price verdict.
        """
        terms, offers = self._terms.of(listing.key.account, listing.rule), self._settings.offers
        facts = known.facts if known else None
        max_age = self.max_age(known, now)
        below = facts is not None and breaks_floor(listing.shown_price_jpy, facts.price_jpy, terms)
        price = said(self.price(listing, facts, now)) if below else None
        seen = visibility_diff(listing, facts, price, now, max_age, offers, terms, include)
        return seen, stock_diff(listing, facts, seen, now, max_age, terms, price, include)


@contextmanager
def collector_paused() -> Iterator[None]:
    """No garbage collection while a hundred thousand values without cycles are made: a quarter of the time."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def load_input(context: Context, connection: Connection, now: datetime) -> EvaluationInput:
    """Gather what this run judges: the listings that take part, of its accounts, best sellers first if limited."""
    fixed = {account: EDITS - context.shops[account].abilities.edits for account in context.accounts}
    return gather(context, connection, now, fixed, closed_accounts(context, connection, now))


def gather(
    context: Context,
    connection: Connection,
    now: datetime,
    fixed: Mapping[AccountKey, frozenset[Kind]],
    closed: Mapping[AccountKey, str],
) -> EvaluationInput:
    """The same for the accounts of `fixed`, where no shop can be asked what it lets us change, or be written to."""
    accounts = tuple(fixed)
    known = known_asins(connection, () if context.lane.whole else accounts)
    moves = price_moves(connection, accounts, now - context.settings.guards.move_window, SAID_SO)
    listings = {fact.key: fact for fact in listing_facts(connection, accounts, now, moves=moves)}
    for key, failed in failed_prices(connection, accounts, now).items():
        if key in listings:
            listings[key] = with_failed_price(listings[key], failed)
    shown_public = dict.fromkeys(accounts, 0)
    for fact in listings.values():
        shown_public[fact.key.account] += fact.shown_visible is True
    if context.run.max_items is not None:
        sold = ((key, known[fact.asin].last_sold_at if fact.asin in known else None) for key, fact in listings.items())
        chosen = best_sellers(sold, context.run.max_items)
        listings = {key: fact for key, fact in listings.items() if key in chosen}
    mine = None if context.lane.whole else accounts
    lately = journal.hidden_since(connection, now - context.settings.guards.hide_window, SAID_SO, mine)
    return EvaluationInput(now, listings, known, shown_public, lately, closed, fixed)


def closed_accounts(
    context: Context,
    connection: Connection,
    now: datetime,
    max_age: timedelta | None = None,
    accounts: Sequence[AccountKey] | None = None,
) -> dict[AccountKey, str]:
    """Accounts whose breaker is open, or whose items were not read lately, with the reason.

    Lately: not longer than `max_age` (default: the stock TTL) before the run began. `accounts`: default the run's.
    """
    seen = load_accounts(connection)
    found = {}
    for account in context.accounts if accounts is None else accounts:
        reason = _closed(seen.get(account), context.run, now, max_age or context.settings.ttl.stock)
        if reason:
            found[account] = reason
    return found


def evaluate(
    rules: Rules, inputs: EvaluationInput, kind: Kind, include: IncludePrice, said: Said = _as_is
) -> Iterator[Diff]:
    """One verdict a target. PRICE: one a listing; VISIBILITY: two (stock belongs to it), `said` as there."""
    for listing in inputs.listings.values():
        known = inputs.known.get(listing.asin)
        if kind is Kind.PRICE:
            yield rules.price(listing, known.facts if known else None, inputs.now, include)
        else:
            yield from rules.visibility_and_stock(listing, known, inputs.now, include, said)


def with_failed_price(listing: ListingFacts, failed: FailedPrice) -> ListingFacts:
    """The listing with the price that its shop did not take."""
    return replace(listing, failed_price_jpy=failed.wanted_jpy, failed_price=failed.reason)


def _closed(account: ShopAccount | None, run: Run, now: datetime, max_age: timedelta) -> str:
    if account is None or account.read_at is None or account.breaker == "not_read":
        return account.breaker if account is not None and account.waits_at(now) else "not_read"
    if account.needs_person:
        return "account_blocked"
    if account.waits_at(now):
        return account.breaker
    return "not_read" if account.read_at < run.started_at - max_age else ""
