"""Whether a listing should be on show: what Amazon has, what the owner forbids, what would sell at a loss.

Three-valued: unknown facts give no verdict. Only what we (or the owner's old scripts) hid is shown again.
Not for: price and stock (diffs.py), or the share of an account that may vanish at once (guards.py).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from ecauto_pipeline.domain.model import AsinFacts, Decision, Diff, Kind, ListingFacts, Status
from ecauto_pipeline.domain.offers.second_opinion import DISAGREE, HELD_AFTER
from ecauto_pipeline.domain.selling.corrections import FAILED_CORRECTIONS, PRICE_BLOCKED, PRICE_HELD
from ecauto_pipeline.domain.selling.diff_builder import DiffBuilder
from ecauto_pipeline.domain.selling.diffs import (
    EXCLUDED,
    NEVER_SELL,
    RULES_UNKNOWN,
    IncludePrice,
    fetched,
    outdated,
    sells_at_jpy,
    sells_below_floor,
)
from ecauto_pipeline.domain.selling.pricing import breaks_floor
from ecauto_pipeline.domain.selling.terms import SellingTerms
from ecauto_pipeline.settings import Offers as OfferRule

SHOWN_AGAIN = frozenset({"ours", "owner_scripts"})


def visibility_diff(
    listing: ListingFacts,
    facts: AsinFacts | None,
    price_verdict: Diff | None,
    now: datetime,
    stock_max_age: timedelta,
    offers: OfferRule,
    terms: SellingTerms,
    include_price: IncludePrice = "all",
) -> Diff:
    """The verdict about one listing's visibility (0 hidden, 1 public).

    `price_verdict`: what `price_diff` says of this listing under "all" or "floor" (both give the same here), asked
    even in a run that includes no prices; `include_price` says whether its push takes place in this run.
    UNCHANGED; PUSH to 0 `blocklist` | `out_of_stock` | `not_found` | `filtered_out` | `price_blocked` | `price_held` |
    `unconfirmed` (only with guards.hide_unconfirmed_after) | `price_failed` | `in_sale` | `rule_never_sell` |
    `price_excluded`;
    PUSH to 1 `in_stock`; HELD to 0 `sources_disagree` (evidence: JSON);
    SKIPPED `not_read` | `uneditable` | `never_fetched` | `second_look` | `filtered_waits` | `stale_stock` |
    `hidden_by_<who>` | `blocklist_unknown` | `price_below_floor` | `rule_excluded` | `rules_unknown`.
    """
    verdict = _judged(listing, facts, price_verdict, now, stock_max_age, offers, terms, include_price)
    left_alone = terms.rule is not None and terms.rule.leaves_visibility and verdict.reason != "blocklist"
    if left_alone and verdict.decision in (Decision.PUSH, Decision.HELD):
        return replace(verdict, decision=Decision.SKIPPED, reason=EXCLUDED)
    return verdict


def _judged(
    listing: ListingFacts,
    facts: AsinFacts | None,
    price_verdict: Diff | None,
    now: datetime,
    stock_max_age: timedelta,
    offers: OfferRule,
    terms: SellingTerms,
    include_price: IncludePrice,
) -> Diff:
    """As `visibility_diff`, whether a rule leaves the listing alone or not."""
    public, after, rule = listing.shown_visible, terms.guards.hide_unconfirmed_after, terms.rule
    shown = None if public is None else int(public)
    price_jpy = sells_at_jpy(listing, price_verdict, include_price)
    builder = DiffBuilder(listing, facts, Kind.VISIBILITY, shown, terms, price_jpy)
    if public is None:
        return builder.skipped("not_read")
    if listing.blocked_by_list:
        return _hide(builder, listing, "blocklist")
    if rule is not None and rule.never_sell:
        return _hide(builder, listing, NEVER_SELL)
    if public and after and unconfirmed(listing, facts, now, after):
        return _hide(builder, listing, "unconfirmed")
    if facts is None or not fetched(facts) or facts.stock_at is None:
        return builder.skipped("never_fetched")
    if facts.status is not Status.SUCCESS:
        return _absent(builder, listing, facts, now, stock_max_age, offers)
    if facts.in_stock is not True or facts.price_jpy is None or facts.price_jpy <= 0:
        return builder.skipped("never_fetched")
    loss = _loss(listing, facts, price_verdict, terms)
    if loss:
        return _hide(builder, listing, loss)
    if public and facts.doubt == "zero":
        if facts.contradictions >= HELD_AFTER and not listing.uneditable:
            return builder.gives(Decision.HELD, DISAGREE, 0, facts.contradiction)
        return builder.skipped("second_look")
    if public:
        return builder.unchanged(1)

    if listing.hidden_by not in SHOWN_AGAIN:
        return builder.skipped(f"hidden_by_{listing.hidden_by or 'unknown'}", 1)
    if listing.blocked_by_list is None:
        return builder.skipped("blocklist_unknown", 1)
    if rule is not None and rule.unknown:
        return builder.skipped(RULES_UNKNOWN, 1)
    if facts.doubt:
        return builder.skipped("second_look")
    if outdated(facts.stock_at, now, stock_max_age):
        return builder.skipped("stale_stock")
    if listing.shown_price_jpy is None:
        return builder.skipped("not_read", 1)
    if sells_below_floor(listing, facts, price_verdict, terms, include_price):
        return builder.skipped("price_below_floor", 1)
    if listing.uneditable:
        return builder.skipped("uneditable", 1)
    return builder.gives(Decision.PUSH, "in_stock", 1)


def unconfirmed(listing: ListingFacts, facts: AsinFacts | None, now: datetime, after: timedelta) -> bool:
    """Whether Amazon's last answer that counts is older than `after`; where there never was one, our first sight of the
    listing counts. Unknown is no."""
    last = facts.stock_at if facts is not None and fetched(facts) else None
    last = last or listing.first_seen_at
    return last is not None and now - last > after


def filtered_for_good(facts: AsinFacts, offers: OfferRule) -> bool:
    """Whether "no offer fits" was said twice, `confirm_after` apart, the last time being the last stock answer."""
    if facts.filtered_since is None or facts.stock_at is None or facts.filtered_count < 2:
        return False
    return facts.stock_at - facts.filtered_since >= offers.confirm_after


def _absent(
    builder: DiffBuilder,
    listing: ListingFacts,
    facts: AsinFacts,
    now: datetime,
    stock_max_age: timedelta,
    offers: OfferRule,
) -> Diff:
    """Amazon answered, and there is nothing to buy: out of stock, unknown there, or nothing that fits the rule."""
    filtered = facts.status is Status.FILTERED_OUT
    if filtered and offers.filtered_out == "keep":
        return builder.unchanged(int(bool(listing.shown_visible)))
    if not listing.shown_visible:
        return builder.unchanged(0)
    if facts.doubt == "zero":
        return builder.skipped("second_look")
    if filtered and not filtered_for_good(facts, offers):
        return builder.skipped("filtered_waits")
    if outdated(facts.stock_at, now, stock_max_age):
        return builder.skipped("stale_stock")
    return _hide(builder, listing, str(facts.status))


def _hide(builder: DiffBuilder, listing: ListingFacts, reason: str) -> Diff:
    if not listing.shown_visible:
        return builder.unchanged(0)
    if listing.uneditable:
        return builder.skipped("uneditable", 0)
    return builder.gives(Decision.PUSH, reason, 0)


def _loss(listing: ListingFacts, facts: AsinFacts, price_verdict: Diff | None, terms: SellingTerms) -> str:
    """Why the price keeps the listing off the shelf: below the floor, and its correction blocked, held, failed or
    excluded."""
    if price_verdict is None or not breaks_floor(listing.shown_price_jpy, facts.price_jpy, terms):
        return ""
    if price_verdict.decision is Decision.SKIPPED and price_verdict.reason in FAILED_CORRECTIONS:
        return price_verdict.reason
    if price_verdict.reason in (EXCLUDED, RULES_UNKNOWN):
        return "price_excluded"
    return {Decision.BLOCKED: PRICE_BLOCKED, Decision.HELD: PRICE_HELD}.get(price_verdict.decision, "")
