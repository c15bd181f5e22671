"""The selling price."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecauto_pipeline.domain.selling.price_steps import price_steps
from ecauto_pipeline.domain.selling.pricing import breaks_floor, selling_price
from ecauto_pipeline.domain.selling.ratios import exact
from ecauto_pipeline.domain.selling.terms import SellingTerms
from ecauto_pipeline.settings import Guards, PriceTier, Pricing
from ecauto_pipeline_tests.domain.selling.listings_and_facts import any_guards, any_pricing

PRICING, GUARDS = Pricing(), Guards()
TERMS = SellingTerms(PRICING, GUARDS)


@pytest.mark.parametrize(("cost", "price"), [(1984, 2580), (3459, 4500), (1358, 1770), (384, 500)])
def test_golden_prices(cost: int, price: int) -> None:
    """The owner's figures: x 1.3, truncated to yen, rounded half up to 10 yen."""
    found = selling_price(cost, TERMS)
    assert (price, "", "1.3") == (found.price_jpy, found.blocked, found.ratio_text)


def test_half_a_step_rounds_up() -> None:
    """350 x 1.3 = 455 becomes 460, not 450."""
    assert 460 == selling_price(350, SellingTerms(PRICING, Guards(min_price_jpy=1))).price_jpy


def test_truncation_comes_before_rounding() -> None:
    """1,103 x 1.3 = 1433.9 is 1,433 yen, then 1,430; and 404 x 1.3 = 525.2 is 525, then 530."""
    assert (1430, 530) == tuple(selling_price(cost, TERMS).price_jpy for cost in (1103, 404))


@pytest.mark.parametrize(
    ("cost", "pricing", "guards", "price", "blocked"),
    [
        (100, PRICING, GUARDS, 130, "min_price"),
        (90_000, PRICING, GUARDS, 117_000, "max_price"),
        (100_000, PRICING, GUARDS, 130_000, "max_price"),
        (150_000, PRICING, GUARDS, 195_000, "max_price"),
        (1000, Pricing(markup_ratio=1.04), GUARDS, 1040, "min_markup"),
        (1000, Pricing(markup_ratio=2.01), GUARDS, 2010, "max_markup"),
        (660, Pricing(round_to_jpy=1000), GUARDS, 1000, ""),
        (1100, Pricing(round_to_jpy=1000), GUARDS, 1000, "min_markup"),
    ],
)
def test_outside_the_limits_is_blocked_not_clamped(
    cost: int, pricing: Pricing, guards: Guards, price: int, blocked: str
) -> None:
    """The old clamp sold 150,000 yen goods for 100,000. A price out of range keeps its figure and does not leave."""
    found = selling_price(cost, SellingTerms(pricing, guards))
    assert (price, blocked) == (found.price_jpy, found.blocked)


@pytest.mark.parametrize(
    ("cost", "price"), [(1000, 1400), (1001, 1300), (5000, 6500), (5001, 6250), (10_000, 12_500), (10_001, 12_000)]
)
def test_tiers_hold_up_to_and_including_their_bound(cost: int, price: int) -> None:
    """Tiered: up to 1,000 yen 1.4, up to 5,000 1.3, up to 10,000 1.25, the rest 1.2."""
    assert price == selling_price(cost, SellingTerms(Pricing(strategy="tiered"), GUARDS)).price_jpy


def test_a_cost_that_no_tier_covers_is_blocked() -> None:
    """Without a last open tier there is no ratio for dear goods, and none is invented."""
    pricing = Pricing(strategy="tiered", tiers=(PriceTier(max_price_jpy=5000, markup_ratio=1.3),))
    found = selling_price(5001, SellingTerms(pricing, GUARDS))
    assert (None, "no_tier") == (found.price_jpy, found.blocked)


@pytest.mark.parametrize("cost", [None, 0, -1, True])
def test_without_a_cost_there_is_no_price(cost: int | None) -> None:
    """No dummy price, ever."""
    found = selling_price(cost, TERMS)
    assert (None, "no_cost") == (found.price_jpy, found.blocked)


def test_a_shop_of_its_own_mind_passes_the_same_limits() -> None:
    """A shop's own ratio or strategy replaces the house's, never the limits."""
    assert 1500 == selling_price(1000, replace(TERMS, markup_ratio=1.5)).price_jpy
    assert 1400 == selling_price(1000, replace(TERMS, strategy="tiered")).price_jpy
    assert 1500 == selling_price(1000, SellingTerms(Pricing(strategy="tiered"), GUARDS, markup_ratio=1.5)).price_jpy
    assert 1400 == selling_price(1000, replace(TERMS, strategy="tiered", markup_ratio=1.5)).price_jpy
    assert "min_markup" == selling_price(1000, replace(TERMS, markup_ratio=1.0)).blocked
    assert "max_markup" == selling_price(1000, replace(TERMS, markup_ratio=3.0)).blocked
    assert "min_markup" == selling_price(1000, replace(TERMS, markup_ratio=float("nan"))).blocked


def test_steps_tell_how_the_price_came_about() -> None:
    """A person can follow every figure from the cost to the price."""
    steps = dict(price_steps(1984, TERMS))
    assert {"cost_jpy": "1984", "markup_ratio": "1.3", "truncated_jpy": "2579", "rounded_to_10_jpy": "2580"} == {
        label: steps[label] for label in ("cost_jpy", "markup_ratio", "truncated_jpy", "rounded_to_10_jpy")
    }
    assert "max_price" == dict(price_steps(150_000, TERMS))["blocked"]


def test_the_floor_is_exact() -> None:
    """1.05 x 2,000 is 2,100 and not a binary fraction more: 2,100 holds, 2,099 breaks."""
    assert not breaks_floor(2100, 2000, TERMS)
    assert breaks_floor(2099, 2000, TERMS)
    assert not breaks_floor(None, 2000, TERMS)
    assert not breaks_floor(2099, None, TERMS)


@given(
    st.integers(300, 20_000) | st.none() | st.integers(-10, 10**9),
    any_pricing,
    any_guards,
    st.none() | st.sampled_from(["simple", "tiered"]),
    st.none() | st.floats(1.0, 2.1) | st.floats(),
)
def test_no_input_makes_a_price_outside_the_limits_leave(
    cost: int | None, pricing: Pricing, guards: Guards, strategy: str | None, ratio: float | None
) -> None:
    """What isn't blocked is on the grid, within the limits in yen and in ratio, and above the floor; on every path."""
    terms = SellingTerms(pricing, guards, strategy=strategy, markup_ratio=ratio)
    found = selling_price(cost, terms)
    if found.blocked:
        return
    assert cost is not None
    assert found.price_jpy is not None
    assert 0 == found.price_jpy % pricing.round_to_jpy
    assert guards.min_price_jpy <= found.price_jpy <= guards.max_price_jpy
    assert Fraction(str(guards.min_markup_ratio)) <= Fraction(found.price_jpy, cost)
    assert Fraction(found.price_jpy, cost) <= Fraction(str(guards.max_markup_ratio))
    assert not breaks_floor(found.price_jpy, cost, terms)


@given(st.integers(1, 10**6), st.sampled_from([1, 10, 50, 100]))
def test_rounding_moves_a_price_by_half_a_step_at_most(cost: int, step: int) -> None:
    """The price is the nearest point of the grid to the truncated product."""
    found = selling_price(cost, SellingTerms(Pricing(round_to_jpy=step), GUARDS))
    product = cost * 13 // 10
    assert found.price_jpy is not None
    assert 2 * abs(found.price_jpy - product) <= step


def test_a_dearer_cost_never_gives_a_cheaper_price() -> None:
    """Under one ratio the price rises with the cost."""
    prices = [selling_price(cost, TERMS).price_jpy or 0 for cost in range(1, 5000)]
    assert sorted(prices) == prices


def test_a_ratio_is_what_was_written() -> None:
    """1.3 is thirteen tenths."""
    assert Fraction(13, 10) == exact(1.3)
