"""The verdict about visibility."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecauto_pipeline.domain.model import AsinFacts, Decision, Diff, ListingFacts, Status
from ecauto_pipeline.domain.selling.diffs import IncludePrice, outdated
from ecauto_pipeline.domain.selling.pricing import breaks_floor
from ecauto_pipeline.domain.selling.terms import SellingTerms
from ecauto_pipeline.domain.selling.visibility import SHOWN_AGAIN, visibility_diff
from ecauto_pipeline.settings import Guards, Offers, Pricing
from ecauto_pipeline_tests.domain.selling.listings_and_facts import (
    GUARDS,
    HOUR,
    NOW,
    OFFERS,
    TERMS,
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

UNCHANGED, PUSH, SKIPPED = Decision.UNCHANGED, Decision.PUSH, Decision.SKIPPED
PUBLIC = a_listing()
HIDDEN = a_listing(shown_visible=False, hidden_by="ours")
STALE = NOW - timedelta(minutes=61)
LOSS = some_facts(price_jpy=7583)  # 2,580 yen shown for goods of 7,583: the correction is a move of 282%, held


@pytest.mark.parametrize("status", [Status.OUT_OF_STOCK, Status.NOT_FOUND])
def test_what_amazon_lacks_leaves_the_shelf(status: Status) -> None:
    """The answer "no offer" hides the listing in the same run and leaves its price alone."""
    assert (PUSH, str(status), 0) == told(visibility_of(PUBLIC, absent(status)))
    assert "no_offer" == price_of(PUBLIC, absent(status)).reason
    assert (UNCHANGED, "", 0) == told(visibility_of(HIDDEN, absent(status)))


def test_what_amazon_has_again_comes_back() -> None:
    """In stock: public stays public, and what we hid is shown again."""
    assert (UNCHANGED, "", 1) == told(visibility_of(PUBLIC, some_facts()))
    assert (PUSH, "in_stock", 1) == told(visibility_of(HIDDEN, some_facts()))


@pytest.mark.parametrize(
    "facts",
    [
        None,
        AsinFacts("B000000001"),
        some_facts(status=Status.API_ERROR),
        absent(Status.API_ERROR),
        some_facts(stock_at=None),
        some_facts(in_stock=None),
        some_facts(price_jpy=None),
    ],
)
@pytest.mark.parametrize("listing", [PUBLIC, HIDDEN])
def test_no_answer_is_not_out_of_stock(facts: AsinFacts | None, listing: ListingFacts) -> None:
    """Unknown hides nothing and shows nothing; errors once hid live goods."""
    assert (SKIPPED, "never_fetched", None) == told(visibility_of(listing, facts))


@pytest.mark.parametrize(
    ("listing", "facts", "verdict"),
    [
        (PUBLIC, absent(stock_at=STALE), (SKIPPED, "stale_stock")),
        (HIDDEN, some_facts(stock_at=STALE), (SKIPPED, "stale_stock")),
        (PUBLIC, some_facts(stock_at=STALE), (UNCHANGED, "")),
        (HIDDEN, absent(stock_at=STALE), (UNCHANGED, "")),
        (PUBLIC, absent(stock_at=NOW + timedelta(hours=1)), (SKIPPED, "stale_stock")),
        (PUBLIC, absent(stock_at=NOW - HOUR), (PUSH, "out_of_stock")),
    ],
)
def test_old_facts_change_nothing(listing: ListingFacts, facts: AsinFacts, verdict: tuple[Decision, str]) -> None:
    """Older than the tier's maximum, or from the future: skipped where it matters, unchanged where it doesn't."""
    assert verdict == told(visibility_of(listing, facts))[:2]


def test_the_tier_sets_the_age() -> None:
    """The same facts are fresh enough for goods that nobody buys."""
    facts = absent(stock_at=NOW - 5 * HOUR)
    assert "stale_stock" == visibility_of(PUBLIC, facts).reason
    assert PUSH is visibility_of(PUBLIC, facts, max_age=6 * HOUR).decision


@pytest.mark.parametrize("who", ["person", "shop", "blocklist", ""])
def test_only_what_we_hid_is_shown_again(who: str) -> None:
    """Hidden by a person, the shop or a list of old: stays hidden although Amazon has it, and says so."""
    diff = visibility_of(replace(HIDDEN, hidden_by=who), some_facts())
    assert (SKIPPED, f"hidden_by_{who or 'unknown'}", 1) == told(diff)
    assert UNCHANGED is visibility_of(replace(HIDDEN, hidden_by=who), absent()).decision


def test_what_the_old_scripts_hid_is_ours_to_show() -> None:
    """They left no reason column; what master.db calls hidden too was them."""
    assert PUSH is visibility_of(replace(HIDDEN, hidden_by="owner_scripts"), some_facts()).decision


@pytest.mark.parametrize("facts", [None, some_facts(), absent(), some_facts(stock_at=STALE), some_facts(doubt="zero")])
def test_the_blocklist_wins(facts: AsinFacts | None) -> None:
    """A forbidden ASIN is never public, whatever Amazon says or doesn't."""
    assert (PUSH, "blocklist", 0) == told(visibility_of(replace(PUBLIC, blocked_by_list=True), facts))
    assert UNCHANGED is visibility_of(replace(HIDDEN, blocked_by_list=True), facts).decision


def filtered(count: int, minutes_apart: int) -> AsinFacts:
    last = NOW - timedelta(minutes=5)
    since = last - timedelta(minutes=minutes_apart)
    return absent(Status.FILTERED_OUT, filtered_count=count, filtered_since=since, stock_at=last)


@pytest.mark.parametrize(
    ("facts", "verdict"),
    [
        (filtered(1, 0), (SKIPPED, "filtered_waits")),
        (filtered(1, 120), (SKIPPED, "filtered_waits")),
        (filtered(2, 59), (SKIPPED, "filtered_waits")),
        (filtered(2, 60), (PUSH, "filtered_out")),
        (filtered(9, 600), (PUSH, "filtered_out")),
        (replace(filtered(2, 60), filtered_since=None), (SKIPPED, "filtered_waits")),
    ],
)
def test_filtered_out_must_be_said_twice(facts: AsinFacts, verdict: tuple[Decision, str]) -> None:
    """Two consecutive answers an hour apart hide the listing; one is an accident."""
    assert verdict == told(visibility_of(PUBLIC, facts))[:2]
    assert UNCHANGED is visibility_of(HIDDEN, facts).decision


@pytest.mark.parametrize("listing", [PUBLIC, HIDDEN])
def test_filtered_out_may_be_kept(listing: ListingFacts) -> None:
    """With filtered_out = "keep" the listing stays as it is."""
    assert UNCHANGED is visibility_of(listing, filtered(9, 600), offers=Offers(filtered_out="keep")).decision


def test_a_doubted_zero_waits_for_the_second_look() -> None:
    """While a zero is in doubt nothing is hidden and nothing is shown for it."""
    assert (SKIPPED, "second_look") == told(visibility_of(PUBLIC, some_facts(doubt="zero")))[:2]
    assert (SKIPPED, "second_look") == told(visibility_of(HIDDEN, some_facts(doubt="zero")))[:2]
    assert "second_look" == visibility_of(PUBLIC, absent(doubt="zero")).reason
    assert UNCHANGED is visibility_of(HIDDEN, absent(doubt="zero")).decision
    assert UNCHANGED is visibility_of(PUBLIC, some_facts(doubt="jump")).decision
    assert "second_look" == visibility_of(HIDDEN, some_facts(doubt="jump")).reason


def test_a_loss_that_waits_is_hidden_and_comes_back() -> None:
    """Correction held or blocked, shown price below the floor: hidden by us, and back once the price is right."""
    assert (PUSH, "price_held", 0) == told(visibility_of(PUBLIC, LOSS))
    dear = some_facts(price_jpy=150_000)
    assert (PUSH, "price_blocked", 0) == told(visibility_of(replace(PUBLIC, shown_price_jpy=100_000), dear))
    assert (UNCHANGED, "", 0) == told(visibility_of(HIDDEN, LOSS))
    assert (PUSH, "in_stock", 1) == told(visibility_of(HIDDEN, some_facts()))


@pytest.mark.parametrize("include", ["never", "floor", "all"])
def test_a_loss_is_hidden_in_every_run(include: IncludePrice) -> None:
    """The price rule is asked in full, also where the run includes no prices."""
    assert "price_held" == visibility_of(PUBLIC, LOSS, include).reason


def test_a_held_or_blocked_price_that_loses_nothing_hides_nothing() -> None:
    """Dear goods stay on sale at a price above the floor."""
    assert UNCHANGED is visibility_of(replace(PUBLIC, shown_price_jpy=9000), some_facts()).decision
    blocked = replace(PUBLIC, shown_price_jpy=160_000)
    assert UNCHANGED is visibility_of(blocked, some_facts(price_jpy=150_000)).decision


def test_nothing_comes_back_at_a_loss() -> None:
    """A shown price below the floor must be corrected in the same run, or the listing stays hidden."""
    cheap = replace(HIDDEN, shown_price_jpy=2050)
    assert (SKIPPED, "price_below_floor", 1) == told(visibility_of(cheap, some_facts(), "never"))
    assert PUSH is visibility_of(cheap, some_facts(), "floor").decision
    assert PUSH is visibility_of(cheap, some_facts(), "all").decision
    unasked = visibility_diff(cheap, some_facts(), None, NOW, HOUR, OFFERS, TERMS)
    assert "price_below_floor" == unasked.reason


@pytest.mark.parametrize(
    "facts",
    [
        None,
        some_facts(stock_at=NOW - timedelta(hours=73)),
        replace(absent(Status.OUT_OF_STOCK), stock_at=NOW - timedelta(hours=73)),
    ],
)
def test_what_nobody_confirms_is_hidden_where_the_owner_wants_it(facts: AsinFacts | None) -> None:
    """Older than `hide_unconfirmed_after`, or seen that long ago and never answered: hidden; switched off: left alone.

    Hidden already it stays so, and one hour earlier nothing happens.
    """
    listing = a_listing(first_seen_at=NOW - timedelta(hours=73))
    guards = Guards(hide_unconfirmed_after=timedelta(hours=72))
    later = Guards(hide_unconfirmed_after=timedelta(hours=74))
    assert (PUSH, "unconfirmed", 0) == told(visibility_of(listing, facts, guards=guards))
    for other in (GUARDS, later):
        assert "unconfirmed" != visibility_of(listing, facts, guards=other).reason
    hidden = replace(listing, shown_visible=False, hidden_by="ours")
    assert visibility_of(hidden, facts, guards=guards).decision is not PUSH


def test_what_was_never_seen_nor_answered_is_unknown() -> None:
    """No stamp at all proves no age: nothing is hidden for it."""
    guards = Guards(hide_unconfirmed_after=timedelta(hours=72))
    assert (SKIPPED, "never_fetched") == told(visibility_of(a_listing(), None, guards=guards))[:2]


def test_what_was_not_read_is_left_alone() -> None:
    """No verdict about a listing whose state nobody knows; none to public without its price."""
    assert (SKIPPED, "not_read") == told(visibility_of(replace(PUBLIC, shown_visible=None), absent()))[:2]
    assert (SKIPPED, "not_read") == told(visibility_of(replace(HIDDEN, shown_price_jpy=None), some_facts()))[:2]


def test_an_item_the_shop_refuses_to_edit_is_left_alone() -> None:
    """Said where something should change, and nowhere else."""
    assert "uneditable" == visibility_of(replace(PUBLIC, uneditable="bad_stock"), absent()).reason
    assert "uneditable" == visibility_of(replace(HIDDEN, uneditable="bad_stock"), some_facts()).reason
    assert UNCHANGED is visibility_of(replace(PUBLIC, uneditable="bad_stock"), some_facts()).decision


@given(any_listing, any_facts, any_pricing, any_guards, st.sampled_from(["never", "floor", "all"]))
def test_nothing_is_shown_without_right_and_reason(
    listing: ListingFacts, facts: AsinFacts | None, pricing: Pricing, guards: Guards, include: IncludePrice
) -> None:
    """An un-hide: hidden by us, not forbidden, in stock by fresh and undoubted facts, no loss left uncorrected."""
    diff = visibility_of(listing, facts, include, guards=guards, pricing=pricing)
    if diff.decision is not PUSH or diff.wanted != 1:
        return
    assert facts is not None
    assert listing.hidden_by in SHOWN_AGAIN
    assert not listing.blocked_by_list
    assert (Status.SUCCESS, True, "") == (facts.status, facts.in_stock, facts.doubt)
    assert not outdated(facts.stock_at, NOW, HOUR)
    if breaks_floor(listing.shown_price_jpy, facts.price_jpy, SellingTerms(pricing, guards)):
        assert "never" != include
        assert PUSH is price_of(listing, facts, "floor", pricing=pricing, guards=guards).decision


@given(any_listing, any_facts)
def test_nothing_is_hidden_without_an_answer(listing: ListingFacts, facts: AsinFacts | None) -> None:
    """A hide: forbidden, or Amazon answered that there is nothing to buy, or the price would be a loss."""
    diff = visibility_of(listing, facts)
    if diff.decision is not PUSH or diff.wanted != 0 or listing.blocked_by_list:
        return
    assert facts is not None
    assert facts.status is not None
    assert facts.status.authoritative
    if facts.status is Status.SUCCESS:
        assert breaks_floor(listing.shown_price_jpy, facts.price_jpy, TERMS)
    else:
        assert not outdated(facts.stock_at, NOW, HOUR)


@given(any_listing, any_facts, any_pricing, any_guards)
def test_a_plan_applied_is_an_empty_plan(
    listing: ListingFacts, facts: AsinFacts | None, pricing: Pricing, guards: Guards
) -> None:
    """Doing what price and visibility ask for leaves nothing for either to ask for."""

    def plan(shown: ListingFacts) -> tuple[Diff, Diff]:
        return price_of(shown, facts, pricing=pricing, guards=guards), visibility_of(
            shown, facts, guards=guards, pricing=pricing
        )

    price, visibility = plan(listing)
    done = listing
    if price.decision is PUSH:
        done = replace(done, shown_price_jpy=price.wanted)
    if visibility.decision is PUSH:
        done = replace(done, shown_visible=bool(visibility.wanted), hidden_by="" if visibility.wanted else "ours")
    again = plan(done)
    assert [] == [diff for diff in again if diff.decision is PUSH]
    if visibility.decision is PUSH:
        assert UNCHANGED is again[1].decision


@given(any_listing, any_facts)
def test_a_whole_run_applied_is_an_empty_run(listing: ListingFacts, facts: AsinFacts | None) -> None:
    """The same with stock: a second run right after the first has nothing to push."""
    done = listing
    price, visibility, stock = price_of(listing, facts), visibility_of(listing, facts), stock_of(listing, facts)
    if price.decision is PUSH:
        done = replace(done, shown_price_jpy=price.wanted)
    if visibility.decision is PUSH:
        done = replace(done, shown_visible=bool(visibility.wanted), hidden_by="" if visibility.wanted else "ours")
    if stock.decision is PUSH:
        done = replace(done, shown_stock=stock.wanted)
    second = (price_of(done, facts), visibility_of(done, facts), stock_of(done, facts))
    assert [] == [diff for diff in second if diff.decision is PUSH]
