"""What should change about a listing's price and stock: one verdict a target, whatever the facts are.

Every function is total: a listing always gets exactly one Diff, UNCHANGED included, so that a run's account adds up.
Missing, old or doubted facts never become a push. Not for: visibility (visibility.py), judging a whole account at
once (guards.py), or sending anything.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Literal

from ecauto_pipeline.domain.model import AsinFacts, Decision, Diff, Kind, ListingFacts, Status
from ecauto_pipeline.domain.offers.second_opinion import DISAGREE, HELD_AFTER
from ecauto_pipeline.domain.selling.corrections import IN_SALE
from ecauto_pipeline.domain.selling.diff_builder import DiffBuilder
from ecauto_pipeline.domain.selling.item_rules import ItemRule
from ecauto_pipeline.domain.selling.moves import most_move, moves_evidence, too_far
from ecauto_pipeline.domain.selling.pricing import Price, breaks_floor, selling_price
from ecauto_pipeline.domain.selling.ratios import exact
from ecauto_pipeline.domain.selling.terms import SellingTerms
from ecauto_pipeline.settings import Guards, Ttl

CLOCK_TOLERANCE = timedelta(minutes=5)  # a stamp further ahead than this is clock trouble, hence not to be believed
BY_HAND = "by_hand"
"""A person set the price shown: left alone, or waiting for a word."""
IncludePrice = Literal["never", "floor", "all"]
NEVER_SELL, EXCLUDED, RULES_UNKNOWN = "rule_never_sell", "rule_excluded", "rules_unknown"
"""What the owner's rules make of a listing, as reasons."""


def outdated(stamp: datetime | None, now: datetime, max_age: timedelta) -> bool:
    """Whether a stamp is older than `max_age`, absent, or ahead of the clock by more than CLOCK_TOLERANCE."""
    return stamp is None or now - stamp > max_age or stamp - now > CLOCK_TOLERANCE


def fetched(facts: AsinFacts | None) -> bool:
    """Whether Amazon ever gave us an answer that counts; what a file says has no snapshot of ours behind it."""
    return facts is not None and facts.status is not None and facts.status.authoritative and bool(facts.snapshot_id)


def price_diff(
    listing: ListingFacts,
    facts: AsinFacts | None,
    now: datetime,
    terms: SellingTerms,
    ttl: Ttl,
    include_price: IncludePrice = "all",
) -> Diff:
    """The verdict about one listing's price.

    UNCHANGED; PUSH `moved` | `below_floor`; HELD `move` | `moves` | `sources_disagree` | `by_hand` (evidence: JSON);
    BLOCKED `price_<why>`; SKIPPED `never_fetched` | `not_read` | `no_offer` | `second_look` | `stale_price` |
    `uneditable` | `by_hand` | `rule_excluded` | `rules_unknown`, and where the shop lately did not take this very price
    `in_sale` | `price_failed` (this only while the price shown is below the floor: what sells at a profit is tried
    again by every run).
    With "floor" only a shown price below the floor counts.
    Raises ValueError for include_price "never": such a run has no price targets to ask about.
    """
    if include_price == "never":
        raise ValueError('a run that includes "never" has no price targets')
    builder = DiffBuilder(listing, facts, Kind.PRICE, listing.shown_price_jpy, terms)
    shown = listing.shown_price_jpy
    if facts is None or not fetched(facts):
        return builder.skipped("never_fetched")
    if facts.status is not Status.SUCCESS or facts.price_jpy is None or facts.price_jpy <= 0:
        return builder.unchanged(None) if listing.shown_visible is False else builder.skipped("no_offer")
    if facts.price_at is None:
        return builder.skipped("never_fetched")
    if shown is None:
        return builder.skipped("not_read")
    if facts.doubt == "jump":
        if facts.contradictions < HELD_AFTER or not facts.doubt_price_jpy or listing.uneditable:
            return builder.skipped("second_look")
        if terms.rule is not None and terms.rule.leaves_price:
            return builder.skipped(_left_alone(terms.rule))
        price = selling_price(facts.doubt_price_jpy, terms)
        if price.blocked:
            return builder.gives(Decision.BLOCKED, f"price_{price.blocked}", price.price_jpy, facts.contradiction)
        if price.price_jpy == shown:
            return builder.skipped("second_look")
        return builder.gives(Decision.HELD, DISAGREE, price.price_jpy, facts.contradiction)

    price = selling_price(facts.price_jpy, terms)
    below = breaks_floor(shown, facts.price_jpy, terms)
    wanted = price.price_jpy
    if include_price == "floor" and not below:
        return builder.unchanged(wanted)
    if not price.blocked and wanted is not None and not (below or _worth_a_push(shown, wanted, terms)):
        return builder.unchanged(wanted)
    if outdated(facts.price_at, now, ttl.price):
        return builder.skipped("stale_price")
    if terms.rule is not None and terms.rule.leaves_price:
        return builder.skipped(_left_alone(terms.rule), wanted)
    if price.blocked or wanted is None:
        return builder.gives(Decision.BLOCKED, f"price_{price.blocked}", wanted)
    if listing.uneditable:
        return builder.skipped("uneditable", wanted)
    if listing.failed_price_jpy == wanted and (below or listing.failed_price == IN_SALE):
        return builder.skipped(listing.failed_price, wanted)
    if listing.price_by_hand and (word := _word_on_hand_set(terms)) != "overwrite" and not (below and word == "keep"):
        if word == "keep":
            return builder.skipped(BY_HAND, wanted)
        return builder.gives(Decision.HELD, BY_HAND, wanted, _move_evidence(shown, price, facts, terms.guards))
    guards, moves = terms.guards, listing.moves
    if too_far(shown, wanted, guards):
        return builder.gives(Decision.HELD, "move", wanted, _move_evidence(shown, price, facts, guards))
    if moves is not None and too_far(moves.from_jpy, wanted, guards):
        return builder.gives(Decision.HELD, "moves", wanted, moves_evidence(moves, shown, wanted, guards))
    return builder.gives(Decision.PUSH, "below_floor" if below else "moved", wanted)


def _word_on_hand_set(terms: SellingTerms) -> str:
    """overwrite | hold | keep: the item's own rule, else the shop owner's setting."""
    return (terms.rule.by_hand if terms.rule is not None else "") or terms.pricing.by_hand


def stock_diff(
    listing: ListingFacts,
    facts: AsinFacts | None,
    visibility_verdict: Diff,
    now: datetime,
    stock_max_age: timedelta,
    terms: SellingTerms,
    price_verdict: Diff | None = None,
    include_price: IncludePrice = "all",
) -> Diff:
    """The verdict about one listing's stock: 0 becomes 1 where the shop sold its one piece and Amazon has more.

    Only for a listing that is public, or will be by this run's visibility push, without variations, with fresh and
    undoubted facts, and not at a price below the floor. PUSH `restock`; UNCHANGED; SKIPPED `not_read` |
    `never_fetched` | `second_look` | `stale_stock` | `variations` | `price_below_floor` | `uneditable` |
    `rule_excluded`.
    """
    price_jpy = sells_at_jpy(listing, price_verdict, include_price)
    builder = DiffBuilder(listing, facts, Kind.STOCK, listing.shown_stock, terms, price_jpy)
    if listing.shown_stock is not None and listing.shown_stock > 0:
        return builder.unchanged(listing.shown_stock)
    if listing.shown_visible is None:
        return builder.skipped("not_read")
    if not _public_after(listing, visibility_verdict):
        return builder.unchanged(listing.shown_stock)
    if listing.shown_stock is None:
        return builder.skipped("not_read")
    if facts is None or not fetched(facts):
        return builder.skipped("never_fetched")
    if facts.status is not Status.SUCCESS or facts.in_stock is not True:
        return builder.unchanged(listing.shown_stock)
    if facts.doubt:
        return builder.skipped("second_look")
    if outdated(facts.stock_at, now, stock_max_age):
        return builder.skipped("stale_stock")
    if listing.has_variations:
        return builder.skipped("variations", 1)
    if sells_below_floor(listing, facts, price_verdict, terms, include_price):
        return builder.skipped("price_below_floor", 1)
    if listing.uneditable:
        return builder.skipped("uneditable", 1)
    if terms.rule is not None and terms.rule.leaves_visibility:
        return builder.skipped(EXCLUDED, 1)
    return builder.gives(Decision.PUSH, "restock", 1)


def sells_below_floor(
    listing: ListingFacts,
    facts: AsinFacts,
    price_verdict: Diff | None,
    terms: SellingTerms,
    include_price: IncludePrice,
) -> bool:
    """Whether the listing, on sale after this run, would sell below the floor: it does now, and no push mends it."""
    if not breaks_floor(listing.shown_price_jpy, facts.price_jpy, terms):
        return False
    return not _corrected(price_verdict, include_price)


def sells_at_jpy(listing: ListingFacts, price_verdict: Diff | None, include_price: IncludePrice) -> int | None:
    """The price on show after this run: the one it pushes, else the one shown."""
    if price_verdict is not None and _corrected(price_verdict, include_price):
        return price_verdict.wanted
    return listing.shown_price_jpy


def _corrected(price_verdict: Diff | None, include_price: IncludePrice) -> bool:
    return price_verdict is not None and price_verdict.decision is Decision.PUSH and include_price != "never"


def _left_alone(rule: ItemRule) -> str:
    return RULES_UNKNOWN if rule.unknown else EXCLUDED


def _worth_a_push(shown: int, wanted: int, terms: SellingTerms) -> bool:
    """The owner's rule: far enough apart in yen or, where that is switched on, as a share of what is shown. A fixed
    price is the price, to the yen; one outside the item's own floor and ceiling goes back to them."""
    apart, pricing, rule = abs(wanted - shown), terms.pricing, terms.rule
    if apart == 0:
        return False
    if rule is not None and (rule.fixed_price_jpy is not None or shown > (rule.max_price_jpy or shown)):
        return True
    by_share = pricing.min_diff_ratio > 0 and apart >= exact(pricing.min_diff_ratio) * shown
    return apart >= pricing.min_diff_jpy or by_share


def _public_after(listing: ListingFacts, verdict: Diff) -> bool:
    """Whether the listing is on show once this run's visibility pushes are done. A hide that waits counts as done."""
    if listing.blocked_by_list or (listing.rule is not None and listing.rule.never_sell):
        return False
    if verdict.decision in (Decision.PUSH, Decision.HELD):
        return verdict.wanted == 1
    return listing.shown_visible is True


def _move_evidence(shown: int, price: Price, facts: AsinFacts, guards: Guards) -> str:
    document = {
        "shown": shown,
        "wanted": price.price_jpy,
        "cost_jpy": facts.price_jpy,
        "ratio": price.ratio_text,
        "max_move_ratio": str(most_move(shown, price.price_jpy or shown, guards)),
        "snapshot_id": facts.snapshot_id,
    }
    return json.dumps(document, ensure_ascii=False)
