"""The verdict about a price, and about stock."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given

from ecauto_pipeline.domain.model import AsinFacts, Decision, Kind, ListingFacts, Status
from ecauto_pipeline.domain.selling.diffs import CLOCK_TOLERANCE, outdated, price_diff, stock_diff
from ecauto_pipeline.domain.selling.pricing import breaks_floor
from ecauto_pipeline.domain.selling.terms import SellingTerms
from ecauto_pipeline.domain.selling.visibility import visibility_diff
from ecauto_pipeline.settings import Guards, Pricing
from ecauto_pipeline_tests.domain.selling.listings_and_facts import (
    HOUR,
    NOW,
    OFFERS,
    TERMS,
    TTL,
    a_listing,
    absent,
    any_facts,
    any_guards,
    any_listing,
    any_pricing,
    price_of,
    some_facts,
    stock_of,
    told,
    visibility_of,
)
from ecauto_pipeline_tests.domain.selling.test_fees import STANDARD

UNCHANGED, PUSH, HELD = Decision.UNCHANGED, Decision.PUSH, Decision.HELD
BLOCKED, SKIPPED = Decision.BLOCKED, Decision.SKIPPED
OLD = NOW - timedelta(hours=24, seconds=1)


@pytest.mark.parametrize(
    ("shown", "verdict"),
    [
        (2580, (UNCHANGED, "", 2580)),
        (2481, (UNCHANGED, "", 2580)),
        (2480, (PUSH, "moved", 2580)),
        (2679, (UNCHANGED, "", 2580)),
        (2680, (PUSH, "moved", 2580)),
        (2050, (PUSH, "below_floor", 2580)),
    ],
)
def test_a_price_moves_by_a_hundred_yen_or_more(shown: int, verdict: tuple[Decision, str, int]) -> None:
    """The owner's rule, against what the shop shows."""
    assert verdict == told(price_of(a_listing(shown_price_jpy=shown), some_facts()))


def test_a_price_below_the_floor_moves_however_little() -> None:
    """525 yen shown for goods of 501 is under 1.05 x cost: corrected although 15 yen are fewer than 100."""
    pricing = Pricing(markup_ratio=1.08)
    assert (PUSH, "below_floor", 540) == told(
        price_of(a_listing(shown_price_jpy=525), some_facts(price_jpy=501), pricing=pricing)
    )


@pytest.mark.parametrize(("share", "decision"), [(0.0, UNCHANGED), (0.03, PUSH), (0.05, UNCHANGED)])
def test_a_share_counts_where_it_is_switched_on(share: float, decision: Decision) -> None:
    """60 yen of 1,240 are nothing by the yen rule and 4.8% by the share rule."""
    pricing = Pricing(min_diff_ratio=share)
    listing, facts = a_listing(shown_price_jpy=1240), some_facts(price_jpy=1000)
    assert decision is price_of(listing, facts, pricing=pricing).decision


def test_what_is_shown_already_is_never_pushed() -> None:
    """Not even where every difference counts."""
    assert UNCHANGED is price_of(a_listing(), some_facts(), pricing=Pricing(min_diff_jpy=0)).decision
    assert PUSH is price_of(a_listing(shown_price_jpy=2579), some_facts(), pricing=Pricing(min_diff_jpy=0)).decision


@pytest.mark.parametrize(
    "facts", [None, AsinFacts("B000000001"), some_facts(status=Status.API_ERROR), some_facts(snapshot_id="")]
)
def test_no_answer_is_no_price(facts: AsinFacts | None) -> None:
    """Never fetched, or nothing but errors: skipped, whatever figures lie about."""
    assert (SKIPPED, "never_fetched", None) == told(price_of(a_listing(), facts))


def test_a_price_without_a_stamp_was_never_fetched() -> None:
    """Figures without the time of their confirmation are not facts."""
    assert "never_fetched" == price_of(a_listing(shown_price_jpy=2000), some_facts(price_at=None)).reason


@pytest.mark.parametrize("price", [None, 0, -5])
def test_success_without_a_price_is_no_offer(price: int | None) -> None:
    """No dummy price and no arithmetic on a missing one."""
    assert (SKIPPED, "no_offer", None) == told(price_of(a_listing(), some_facts(price_jpy=price)))


@pytest.mark.parametrize("status", [Status.OUT_OF_STOCK, Status.FILTERED_OUT, Status.NOT_FOUND])
def test_without_an_offer_the_price_stays(status: Status) -> None:
    """Nothing to buy: the price is left alone; of a hidden listing that is as it should be."""
    assert (SKIPPED, "no_offer") == told(price_of(a_listing(), absent(status)))[:2]
    assert UNCHANGED is price_of(a_listing(shown_visible=False), absent(status)).decision


def test_an_old_price_is_never_pushed() -> None:
    """Past its maximum age a price changes nothing; where it would not anyway, nothing is wrong."""
    facts = some_facts(price_at=OLD)
    assert (SKIPPED, "stale_price", None) == told(price_of(a_listing(shown_price_jpy=2000), facts))
    assert (UNCHANGED, "", 2580) == told(price_of(a_listing(), facts))
    assert PUSH is price_of(a_listing(shown_price_jpy=2300), some_facts(price_at=NOW - TTL.price)).decision


def test_a_price_from_the_future_is_clock_trouble() -> None:
    """A stamp further ahead than clocks drift is as bad as an old one."""
    listing = a_listing(shown_price_jpy=2300)
    assert PUSH is price_of(listing, some_facts(price_at=NOW + CLOCK_TOLERANCE)).decision
    ahead = some_facts(price_at=NOW + CLOCK_TOLERANCE + timedelta(seconds=1))
    assert "stale_price" == price_of(listing, ahead).reason


def test_a_doubted_jump_waits_for_the_second_look() -> None:
    """While a jump is in doubt no price leaves; a doubted zero says nothing about the price."""
    listing = a_listing(shown_price_jpy=2300)
    assert (SKIPPED, "second_look") == told(price_of(listing, some_facts(doubt="jump")))[:2]
    assert PUSH is price_of(listing, some_facts(doubt="zero")).decision


def test_what_was_not_read_is_not_compared() -> None:
    """The shown price comes from the shop, not from what we think we sent."""
    assert (SKIPPED, "not_read") == told(price_of(a_listing(shown_price_jpy=None), some_facts()))[:2]


def test_an_item_the_shop_refuses_to_edit_is_left_alone() -> None:
    """Only where something would change is that worth a word."""
    assert "uneditable" == price_of(a_listing(shown_price_jpy=2300, uneditable="bad_stock"), some_facts()).reason
    assert UNCHANGED is price_of(a_listing(uneditable="bad_stock"), some_facts()).decision


@pytest.mark.parametrize(
    ("cost", "why", "wanted"), [(150_000, "price_max_price", 195_000), (100, "price_min_price", 130)]
)
def test_a_price_outside_the_limits_is_blocked(cost: int, why: str, wanted: int) -> None:
    """150,000 yen goods are not offered for 100,000: the price is blocked and its figure shown."""
    assert (BLOCKED, why, wanted) == told(price_of(a_listing(), some_facts(price_jpy=cost)))


def test_a_large_move_waits_for_a_person() -> None:
    """736 yen one day and 7,583 the next: held with the evidence. Exactly half is still a push."""
    diff = price_of(a_listing(shown_price_jpy=960), some_facts(price_jpy=7583))
    assert (HELD, "move", 9860) == told(diff)
    evidence = json.loads(diff.evidence)
    assert (960, 9860, 7583, "1.3", "snapshot-1") == tuple(
        evidence[name] for name in ("shown", "wanted", "cost_jpy", "ratio", "snapshot_id")
    )
    assert PUSH is price_of(a_listing(shown_price_jpy=1720), some_facts()).decision
    assert HELD is price_of(a_listing(shown_price_jpy=1718), some_facts()).decision
    assert HELD is price_of(a_listing(shown_price_jpy=5170), some_facts()).decision


def test_a_shown_price_of_nothing_is_mended() -> None:
    """0 yen shown has no share to move by; the checked price goes out."""
    assert (PUSH, "below_floor", 2580) == told(price_of(a_listing(shown_price_jpy=0), some_facts()))


@pytest.mark.parametrize(
    ("shown", "facts", "verdict"),
    [
        (2480, some_facts(), (UNCHANGED, "")),
        (9000, some_facts(), (UNCHANGED, "")),
        (2050, some_facts(), (PUSH, "below_floor")),
        (2050, some_facts(price_at=OLD), (SKIPPED, "stale_price")),
        (2480, some_facts(price_at=OLD), (UNCHANGED, "")),
        (960, some_facts(price_jpy=7583), (HELD, "move")),
        (90_000, some_facts(price_jpy=150_000), (BLOCKED, "price_max_price")),
        (160_000, some_facts(price_jpy=150_000), (UNCHANGED, "")),
        (2480, None, (SKIPPED, "never_fetched")),
    ],
)
def test_the_hourly_run_only_mends_losses(shown: int, facts: AsinFacts | None, verdict: tuple[Decision, str]) -> None:
    """include_price "floor": a shown price below the floor counts, all else waits for the price run."""
    assert verdict == told(price_of(a_listing(shown_price_jpy=shown), facts, "floor"))[:2]


def test_a_run_without_prices_does_not_ask() -> None:
    """Such a run has no price targets; asking for one is a mistake of the caller's."""
    with pytest.raises(ValueError, match="no price targets"):
        price_of(a_listing(), some_facts(), "never")


def test_a_shop_of_its_own_mind_is_judged_by_its_own_ratio() -> None:
    """The shop's ratio decides what it should show; the limits are the house's."""
    listing, facts = a_listing(), some_facts()
    dearer = price_diff(listing, facts, NOW, replace(TERMS, markup_ratio=1.5), TTL)
    assert (PUSH, "moved", 2980) == told(dearer)
    too_dear = price_diff(listing, facts, NOW, replace(TERMS, markup_ratio=3), TTL)
    assert (BLOCKED, "price_max_markup") == told(too_dear)[:2]


def test_a_diff_says_what_it_is_about() -> None:
    """Listing, ASIN, kind, what is shown, the snapshot and the cost behind it."""
    diff = price_of(a_listing(shown_price_jpy=2300), some_facts())
    assert ("1001", "B000000001", Kind.PRICE, 2300, "snapshot-1", 1984) == (
        diff.key.item_id,
        diff.asin,
        diff.kind,
        diff.shown,
        diff.snapshot_id,
        diff.cost_jpy,
    )


def test_a_diff_says_what_is_left_of_a_sale() -> None:
    """Of a price at the one wanted, of the rest at the one on show after the run; unknown where the cost is doubted."""
    terms = replace(TERMS, fees=STANDARD)
    dear = price_diff(a_listing(shown_price_jpy=2300), some_facts(), NOW, terms, TTL)
    assert (2580, 385) == (dear.wanted, dear.profit_jpy)
    loss = some_facts(price_jpy=80_000)  # 2,580 - 211 - 80,000
    blocked = price_diff(a_listing(), loss, NOW, terms, TTL)
    hidden = visibility_diff(a_listing(), loss, blocked, NOW, HOUR, OFFERS, terms)
    assert (BLOCKED, 104_000 - 3784 - 3120 - 80_000) == (blocked.decision, blocked.profit_jpy)
    assert ("price_blocked", -77_631) == (hidden.reason, hidden.profit_jpy)
    assert visibility_diff(a_listing(), absent(), None, NOW, HOUR, OFFERS, terms).profit_jpy is None
    cheap = a_listing(shown_price_jpy=1900, shown_visible=False, hidden_by="ours", shown_stock=0)
    mended = price_diff(cheap, some_facts(), NOW, terms, TTL)
    shown_again = visibility_diff(cheap, some_facts(), mended, NOW, HOUR, OFFERS, terms)
    restocked = stock_diff(cheap, some_facts(), shown_again, NOW, HOUR, terms, mended)
    assert (385, 385, 385) == (mended.profit_jpy, shown_again.profit_jpy, restocked.profit_jpy)
    doubted = replace(loss, doubt="jump", contradictions=3, doubt_price_jpy=1984)
    held = price_diff(a_listing(shown_price_jpy=2300), doubted, NOW, terms, TTL)
    assert (HELD, None) == (held.decision, held.profit_jpy)


@given(any_listing, any_facts, any_pricing, any_guards)
def test_no_facts_make_a_price_outside_the_limits_leave(
    listing: ListingFacts, facts: AsinFacts | None, pricing: Pricing, guards: Guards
) -> None:
    """Whatever the facts, a price that leaves is on the grid, within the limits, above the floor, fresh, undoubted."""
    for include in ("all", "floor"):
        diff = price_of(listing, facts, include, pricing=pricing, guards=guards)
        if diff.decision is not PUSH:
            continue
        assert facts is not None
        assert Status.SUCCESS is facts.status
        assert diff.wanted is not None
        assert 0 == diff.wanted % pricing.round_to_jpy
        assert guards.min_price_jpy <= diff.wanted <= guards.max_price_jpy
        assert not breaks_floor(diff.wanted, facts.price_jpy, SellingTerms(pricing, guards))
        assert not outdated(facts.price_at, NOW, TTL.price)
        assert "jump" != facts.doubt
        assert listing.shown_price_jpy != diff.wanted


@given(any_listing, any_facts, any_pricing, any_guards)
def test_nothing_to_do_after_doing_it(
    listing: ListingFacts, facts: AsinFacts | None, pricing: Pricing, guards: Guards
) -> None:
    """A listing that shows what was wanted is UNCHANGED, also under the narrow rule."""
    diff = price_of(listing, facts, pricing=pricing, guards=guards)
    if diff.decision is PUSH:
        done = replace(listing, shown_price_jpy=diff.wanted)
        for include in ("all", "floor"):
            assert UNCHANGED is price_of(done, facts, include, pricing=pricing, guards=guards).decision


@given(any_listing, any_facts, any_pricing, any_guards)
def test_below_the_floor_both_rules_say_the_same(
    listing: ListingFacts, facts: AsinFacts | None, pricing: Pricing, guards: Guards
) -> None:
    """The hourly run never pushes what the nightly one would not."""
    narrow = price_of(listing, facts, "floor", pricing=pricing, guards=guards)
    if narrow.decision is not UNCHANGED:
        assert narrow == price_of(listing, facts, "all", pricing=pricing, guards=guards)


SOLD = a_listing(shown_stock=0)


def test_sold_goods_are_restocked() -> None:
    """BASE takes the one piece away after a sale; Amazon has more: 0 becomes 1."""
    assert (PUSH, "restock", 1) == told(stock_of(SOLD, some_facts()))


@pytest.mark.parametrize(
    ("listing", "facts", "verdict"),
    [
        (a_listing(), some_facts(), (UNCHANGED, "")),
        (a_listing(shown_stock=5), None, (UNCHANGED, "")),
        (SOLD, None, (SKIPPED, "never_fetched")),
        (SOLD, some_facts(status=Status.API_ERROR), (SKIPPED, "never_fetched")),
        (SOLD, some_facts(stock_at=NOW - timedelta(minutes=61)), (SKIPPED, "stale_stock")),
        (SOLD, some_facts(doubt="zero"), (SKIPPED, "second_look")),
        (SOLD, some_facts(doubt="jump"), (SKIPPED, "second_look")),
        (SOLD, absent(), (UNCHANGED, "")),
        (SOLD, absent(Status.FILTERED_OUT), (UNCHANGED, "")),
        (replace(SOLD, has_variations=True), some_facts(), (SKIPPED, "variations")),
        (replace(SOLD, uneditable="bad_stock"), some_facts(), (SKIPPED, "uneditable")),
        (replace(SOLD, shown_visible=None), some_facts(), (SKIPPED, "not_read")),
        (replace(SOLD, shown_stock=None), some_facts(), (SKIPPED, "not_read")),
        (replace(SOLD, blocked_by_list=True), some_facts(), (UNCHANGED, "")),
        (replace(SOLD, blocked_by_list=True, uneditable="bad_stock"), some_facts(), (UNCHANGED, "")),
        (replace(SOLD, shown_visible=False, hidden_by="person"), some_facts(), (UNCHANGED, "")),
        (replace(SOLD, shown_visible=False, hidden_by="ours"), some_facts(), (PUSH, "restock")),
        (replace(SOLD, shown_visible=False, hidden_by="ours"), absent(), (UNCHANGED, "")),
        (replace(SOLD, shown_price_jpy=960), some_facts(price_jpy=7583), (UNCHANGED, "")),
    ],
)
def test_only_what_is_on_show_and_surely_in_stock_is_restocked(
    listing: ListingFacts, facts: AsinFacts | None, verdict: tuple[Decision, str]
) -> None:
    """No restock on old, doubted or missing facts, of hidden goods, or of items with variations."""
    assert verdict == told(stock_of(listing, facts))[:2]


def test_a_hide_that_waits_for_a_person_is_not_undone_by_a_restock() -> None:
    """Held among too many hides the listing is still on show; it gets no new stock."""
    loss = some_facts(price_jpy=7583)
    held = replace(visibility_of(SOLD, loss), decision=HELD, reason="mass_hide")
    assert UNCHANGED is stock_diff(SOLD, loss, held, NOW, HOUR, TERMS).decision


def test_no_restock_at_a_loss() -> None:
    """A sold-out listing below the floor comes back with its price, not before it."""
    cheap = replace(SOLD, shown_price_jpy=2050)
    assert (SKIPPED, "price_below_floor") == told(stock_of(cheap, some_facts(), "never"))[:2]
    assert PUSH is stock_of(cheap, some_facts(), "floor").decision


@given(any_listing, any_facts)
def test_a_restock_is_always_from_nothing_to_one(listing: ListingFacts, facts: AsinFacts | None) -> None:
    """A restock sets 1 where 0 is shown, on fresh and undoubted facts; afterwards there is nothing to do."""
    diff = stock_of(listing, facts)
    if diff.decision is not PUSH:
        return
    assert facts is not None
    assert (0, 1, True, "") == (diff.shown, diff.wanted, facts.in_stock, facts.doubt)
    assert UNCHANGED is stock_of(replace(listing, shown_stock=1), facts).decision
