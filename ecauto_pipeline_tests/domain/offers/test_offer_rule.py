"""The owner's offer rule."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecauto_pipeline.domain.model import Status
from ecauto_pipeline.domain.offers.offer_rule import AMAZON_JP, REASONS, Offer, choose, cost_jpy, why_not
from ecauto_pipeline.settings import Offers

RULE = Offers()
GOOD = Offer("A1", "new", 1984, 0, 24, "NOW", False, False, False)
any_offers = st.lists(
    st.builds(
        Offer,
        seller_id=st.sampled_from(["A1", "A2", "A3"]),
        condition=st.sampled_from(["new", "New", "NEW", "used", ""]),
        listing_price_jpy=st.none() | st.integers(-5, 3000),
        shipping_jpy=st.none() | st.integers(-5, 500),
        max_hours=st.none() | st.integers(-1, 100),
        availability=st.sampled_from(["NOW", "now", "FUTURE_WITH_DATE", "FUTURE_WITHOUT_DATE", ""]),
        is_prime=st.none() | st.booleans(),
        is_fba=st.none() | st.booleans(),
        is_buybox=st.booleans(),
        rating_percent=st.none() | st.integers(0, 100),
        rating_count=st.none() | st.integers(0, 30),
    ),
    max_size=6,
)
any_rules = st.builds(
    Offers,
    sellers_never=st.sampled_from([(), ("A1",)]),
    sellers_only=st.sampled_from([(), ("A2", "A3")]),
    min_rating_percent=st.none() | st.integers(0, 100),
    min_rating_count=st.none() | st.integers(0, 30),
    prime_only=st.booleans(),
    fba_only=st.booleans(),
    min_offers=st.integers(1, 3),
    unknown=st.sampled_from(["refuse", "accept"]),
)
RATED = {"rating_percent": 95, "rating_count": 200}


def test_no_offer_is_out_of_stock() -> None:
    """Amazon answered with no offers: that is a fact, and another one than offers that don't fit."""
    choice = choose([], RULE)
    assert (Status.OUT_OF_STOCK, "no_offers", None) == (choice.status, choice.reason, choice.price_jpy)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"condition": "used"}, "not_new"),
        ({"condition": ""}, "not_new"),
        ({"listing_price_jpy": None}, "bad_price"),
        ({"listing_price_jpy": 0}, "bad_price"),
        ({"listing_price_jpy": -1984}, "bad_price"),
        ({"listing_price_jpy": 1984.5}, "bad_price"),
        ({"listing_price_jpy": True}, "bad_price"),
        ({"shipping_jpy": -300}, "bad_price"),
        ({"shipping_jpy": 1}, "shipping_not_free"),
        ({"availability": "FUTURE_WITH_DATE", "max_hours": 0}, "future_date"),
        ({"availability": "FUTURE_WITHOUT_DATE", "max_hours": None}, "future_date"),
        ({"max_hours": None}, "no_ship_time"),
        ({"max_hours": -1}, "no_ship_time"),
        ({"max_hours": 73}, "ships_late"),
        ({"max_hours": 999}, "ships_late"),
    ],
)
def test_an_unfit_offer_is_named_for_what_is_wrong(changes: dict[str, Any], why: str) -> None:
    """Offers exist, none fits: filtered_out, with the reason. A bad price makes an offer unusable, never a price."""
    offer = replace(GOOD, **changes)
    choice = choose([offer], RULE)
    assert (Status.FILTERED_OUT, why, None, None) == (choice.status, choice.reason, choice.offer, choice.price_jpy)
    assert ((offer, why),) == choice.rejected


@pytest.mark.parametrize(
    "changes",
    [{}, {"condition": "New"}, {"shipping_jpy": None}, {"max_hours": 72}, {"max_hours": 0}, {"availability": ""}],
)
def test_what_fits_is_bought(changes: dict[str, Any]) -> None:
    """Any case of new, missing shipping (counts as free), up to and including 72 hours."""
    choice = choose([replace(GOOD, **changes)], RULE)
    assert (Status.SUCCESS, "", 1984) == (choice.status, choice.reason, choice.price_jpy)


def test_paid_shipping_is_part_of_the_cost_where_it_is_allowed() -> None:
    """With free_shipping_only switched off the price is ListingPrice + shipping, points ignored."""
    choice = choose([replace(GOOD, shipping_jpy=410)], Offers(free_shipping_only=False))
    assert (Status.SUCCESS, 2394) == (choice.status, choice.price_jpy)


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        ({"availability": "NOW", "max_hours": 72}, {"availability": "", "max_hours": 0, "is_prime": True}),
        ({"max_hours": 0}, {"max_hours": 24}),
        ({"is_prime": True, "max_hours": 72}, {"is_fba": True, "max_hours": 24}),
        ({"is_fba": True, "max_hours": 24}, {"max_hours": 0}),
        ({"is_prime": True, "listing_price_jpy": 2500}, {"listing_price_jpy": 1000}),
    ],
)
def test_the_score_prefers(better: dict[str, Any], worse: dict[str, Any]) -> None:
    """NOW +1000, an hour less +1, Prime +100, FBA +50; the price decides only between equals."""
    first, second = replace(GOOD, **better), replace(GOOD, seller_id="A0", **worse)
    assert first == choose([second, first], RULE).offer


def test_ties_go_to_the_cheapest_then_to_the_seller_id() -> None:
    """The price must not depend on who is named first: the old batch path took the first one seen."""
    dear, cheap = replace(GOOD, seller_id="A1", listing_price_jpy=2000), replace(GOOD, seller_id="A9")
    same = replace(GOOD, seller_id="A2")
    assert cheap == choose([dear, cheap], RULE).offer
    assert same == choose([cheap, same], RULE).offer


def test_the_commonest_reason_speaks_for_all() -> None:
    """Of several reasons the commonest is said; of equally common ones the one that is asked first."""
    late, paid, used = (
        replace(GOOD, max_hours=100),
        replace(GOOD, shipping_jpy=500),
        replace(GOOD, condition="used"),
    )
    assert "ships_late" == choose([paid, late, late, used], RULE).reason
    assert "not_new" == choose([late, paid, used], RULE).reason


@pytest.mark.parametrize(
    ("rule", "offer", "why"),
    [
        (Offers(sellers_never=("a1",)), {}, "seller_never"),
        (Offers(sellers_never=("A9",)), {}, ""),
        (Offers(sellers_never=("A9",)), {"seller_id": ""}, "seller_unknown"),
        (Offers(sellers_only=(" A1 ",)), {}, ""),
        (Offers(sellers_only=("A9",)), {}, "seller_not_listed"),
        (Offers(amazon_only=True), {}, "not_amazon"),
        (Offers(amazon_only=True), {"seller_id": AMAZON_JP}, ""),
        (Offers(prime_only=True), {"is_prime": True}, ""),
        (Offers(prime_only=True), {"is_prime": False}, "not_prime"),
        (Offers(prime_only=True), {"is_prime": None}, "prime_unknown"),
        (Offers(fba_only=True), {"is_fba": False}, "not_fba"),
        (Offers(fba_only=True), {"is_fba": None}, "fba_unknown"),
        (Offers(min_rating_percent=95), RATED, ""),
        (Offers(min_rating_percent=96), RATED, "rating_low"),
        (Offers(min_rating_percent=96), {}, "rating_unknown"),
        (Offers(min_rating_percent=0), {"rating_percent": 0, "rating_count": 0}, "rating_unknown"),
        (Offers(min_rating_count=200), RATED, ""),
        (Offers(min_rating_count=201), RATED, "few_ratings"),
        (Offers(min_rating_count=1), {"rating_percent": 90}, "rating_unknown"),
        (Offers(min_rating_count=1, min_rating_percent=90), {"seller_id": AMAZON_JP}, ""),
        (Offers(min_rating_count=1), {"seller_id": AMAZON_JP, "rating_count": 0}, ""),
    ],
)
def test_the_owner_says_from_whom_he_buys(rule: Offers, offer: dict[str, Any], why: str) -> None:
    """Seller ids in any case; Amazon itself shows no rating and needs none; what is not said is no permission."""
    assert why == why_not(replace(GOOD, **{"is_prime": True, "is_fba": True, **offer}), rule)


@given(any_offers, any_rules)
def test_a_fact_that_is_not_said_widens_nothing_unless_accepted(offers: list[Offer], rule: Offers) -> None:
    """Accepting the unknown takes what refusing takes, and what was refused for want of a fact; nothing else."""
    refuse, accept = (rule.model_copy(update={"unknown": word}) for word in ("refuse", "accept"))
    for offer in offers:
        why = why_not(offer, refuse)
        assert why_not(offer, accept) == why or why.endswith("_unknown")
        assert not why_not(offer, accept).endswith("_unknown")


def test_too_few_fitting_offers_are_none() -> None:
    """The last piece of the last seller is gone before the order is: thin supply counts as filtered out."""
    two = [replace(GOOD, seller_id=name) for name in ("A1", "A2")]
    late = replace(GOOD, max_hours=99)
    choice = choose([*two, late, late], Offers(min_offers=3))
    assert (Status.FILTERED_OUT, "thin", None) == (choice.status, choice.reason, choice.price_jpy)
    assert ["thin", "thin", "ships_late", "ships_late"] == [why for _, why in choice.rejected]
    assert Status.SUCCESS is choose(two, Offers(min_offers=2)).status
    assert Status.OUT_OF_STOCK is choose([], Offers(min_offers=3)).status


@given(any_offers, any_rules, st.randoms(use_true_random=False))
def test_choose_is_total_and_blind_to_order(offers: list[Offer], rule: Offers, chance: random.Random) -> None:
    """Any offers give one choice, the same in any order; what is chosen fits, and what does not is listed."""
    shuffled = list(offers)
    chance.shuffle(shuffled)
    choice = choose(offers, rule)
    assert choice == choose(shuffled, rule)
    assert {why for _, why in choice.rejected} <= set(REASONS)
    if choice.offer is None:
        assert choice.price_jpy is None
        assert len(offers) == len(choice.rejected)
    else:
        assert "" == why_not(choice.offer, rule)
        assert cost_jpy(choice.offer) == choice.price_jpy
        assert choice.price_jpy is not None
        assert choice.price_jpy > 0
