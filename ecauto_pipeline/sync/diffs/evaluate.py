"""What the rules say of listings as they stand in state.db: the facts gathered, the rule asked, nothing written.

The whole of a run's listings at once (`load_input`, `evaluate`); some again just before they are sent: judge_again.py.
Not for: people's word on holds, or storing (decide.py); the rules themselves (domain/).
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection

from ecauto_pipeline.domain.freshness.ages import stock_max_age, tier_of
from ecauto_pipeline.domain.model import AccountKey, AsinFacts, Diff, Kind, ListingFacts, ListingKey, Tier
from ecauto_pipeline.domain.selling.corrections import FailedPrice
from ecauto_pipeline.domain.selling.diffs import price_diff, stock_diff
from ecauto_pipeline.domain.selling.holds_until import TimeLimits, holds_until
from ecauto_pipeline.domain.selling.pricing import breaks_floor
from ecauto_pipeline.domain.selling.selection import best_sellers
from ecauto_pipeline.domain.selling.visibility import visibility_diff
from ecauto_pipeline.settings import Settings
from ecauto_pipeline.shops.protocol import Abilities
from ecauto_pipeline.state import journal
from ecauto_pipeline.state.corrections import failed_prices
from ecauto_pipeline.state.decisions import Decided, Target
from ecauto_pipeline.state.item_rules import next_end
from ecauto_pipeline.state.judged import JudgingStep
from ecauto_pipeline.state.known_asins import KnownAsin, known_of
from ecauto_pipeline.state.of_accounts import ItemsOf
from ecauto_pipeline.state.price_moves import edit_times, price_moves
from ecauto_pipeline.state.shop_accounts import ShopAccount, load_accounts
from ecauto_pipeline.state.shop_listings import count_public, listing_facts
from ecauto_pipeline.sync.context import Context, IncludePrice, Run
from ecauto_pipeline.sync.diffs.changed import Chosen, choose
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

    `chosen`: why these listings, where they are not all; `edit_times`: when they were edited lately; `rules_end`: when
    the next of the owner's rules is over. `whole_shop` asks for all of a shop's listings where a guard needs them.

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
    chosen: Chosen | None = None
    edit_times: Mapping[ListingKey, Sequence[datetime]] = field(default_factory=dict)
    rules_end: datetime | None = None
    whole_shop: Callable[[AccountKey], Iterable[ListingFacts]] = lambda _account: ()

    def shop(self, account: AccountKey) -> Iterator[ListingFacts]:
        """All listings of a shop that take part, also where a part of them is judged."""
        if self.chosen is not None and account not in self.chosen.whole:
            yield from self.whole_shop(account)
            return
        yield from (listing for key, listing in self.listings.items() if key.account == account)


class Rules:
    """The rules under one set of settings."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._terms = TermsOfShops(settings)
        self._ages = {tier: stock_max_age(tier, settings.tiers, settings.ttl) for tier in Tier}
        self._limits = TimeLimits.of(settings)

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

    def holds_until(self, listing: ListingFacts, known: KnownAsin | None, inputs: EvaluationInput) -> datetime | None:
        """How long the verdicts about this listing hold where nothing is written; None = for good."""
        others: list[datetime] = []
        for at in inputs.edit_times.get(listing.key, ()):
            others += self._limits.of_edit(at)
        if listing.rule is not None and inputs.rules_end is not None:
            others.append(inputs.rules_end)
        facts, sold, viewed = (known.facts, known.last_sold_at, known.last_viewed_at) if known else (None, None, None)
        now = inputs.now
        return holds_until(listing, facts, sold, viewed, now, self.max_age(known, now), self._limits, others)

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


def load_input(
    context: Context,
    connection: Connection,
    now: datetime,
    step: JudgingStep | None = None,
    touched: Collection[Target] = (),
) -> EvaluationInput:
    """Gather what this run judges: the listings that take part, of its accounts, best sellers first if limited.

    `step`: what of them that step has to look at again alone; `touched` in any case: about these something stands.
    """
    fixed, closed = fixed_kinds(context), closed_accounts(context, connection, now)
    chosen = choose(context, connection, step, now, fixed, closed, touched) if step is not None else None
    return gather(context, connection, now, fixed, closed, chosen)


def fixed_kinds(context: Context) -> dict[AccountKey, frozenset[Kind]]:
    """What each of the run's shops never lets us change."""
    return {account: EDITS - context.shops[account].abilities.edits for account in context.accounts}


def gather(
    context: Context,
    connection: Connection,
    now: datetime,
    fixed: Mapping[AccountKey, frozenset[Kind]],
    closed: Mapping[AccountKey, str],
    chosen: Chosen | None = None,
) -> EvaluationInput:
    """The same for the accounts of `fixed`, where no shop can be asked what it lets us change, or be written to."""
    accounts = tuple(fixed)
    items = None if chosen is None else chosen.items
    since = now - context.settings.guards.move_window

    def of(some: Sequence[AccountKey], items: ItemsOf | None) -> Iterator[ListingFacts]:
        moves = price_moves(connection, some, since, SAID_SO, items=items)
        return listing_facts(connection, some, now, moves=moves, items=items)

    listings = {fact.key: fact for fact in of(accounts, items)}
    known = known_of(connection, (fact.asin for fact in listings.values()))
    for key, failed in failed_prices(connection, accounts, now, items=items).items():
        if key in listings:
            listings[key] = with_failed_price(listings[key], failed)
    shown_public = _ShownPublic(connection)
    for account in accounts if chosen is None else chosen.whole:
        shown_public[account] = 0
    for fact in listings.values():
        if fact.key.account in shown_public:
            shown_public[fact.key.account] += fact.shown_visible is True
    if context.run.max_items is not None:
        sold = ((key, known[fact.asin].last_sold_at if fact.asin in known else None) for key, fact in listings.items())
        best = best_sellers(sold, context.run.max_items)
        listings = {key: fact for key, fact in listings.items() if key in best}
    mine = None if context.lane.whole else accounts
    lately = journal.hidden_since(connection, now - context.settings.guards.hide_window, SAID_SO, mine)
    found = EvaluationInput(now, listings, known, shown_public, lately, closed, fixed)
    if chosen is None:
        return found
    back = TimeLimits.of(context.settings).journal
    return replace(
        found,
        chosen=chosen,
        edit_times=edit_times(connection, accounts, now - back, items),
        rules_end=next_end(connection, now),
        whole_shop=lambda account: of((account,), None),
    )


class _ShownPublic(dict[AccountKey, int]):
    """How many listings of a shop are on show: of one that is not judged as a whole, counted when it is asked for."""

    def __init__(self, connection: Connection) -> None:
        super().__init__()
        self._connection = connection

    def __missing__(self, account: AccountKey) -> int:
        count = self[account] = count_public(self._connection, account)
        return count


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
