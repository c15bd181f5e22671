"""The floor below which nothing may be shown."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecauto_pipeline.domain.selling.fees import Fees, profit_jpy
from ecauto_pipeline.domain.selling.item_rules import ItemRule
from ecauto_pipeline.domain.selling.pricing import breaks_floor, floor_jpy, outside, selling_price
from ecauto_pipeline.domain.selling.ratios import exact
from ecauto_pipeline.domain.selling.terms import SellingTerms
from ecauto_pipeline.settings import Guards, Pricing
from ecauto_pipeline_tests.domain.selling.listings_and_facts import a_rule, any_guards, any_pricing
from ecauto_pipeline_tests.domain.selling.test_fees import STANDARD, any_fees, least_profits

HOUSE = SellingTerms(Pricing(), Guards(), STANDARD)
rules = st.none() | st.builds(
    a_rule,
    min_price_jpy=st.none() | st.integers(1, 5000),
    max_price_jpy=st.none() | st.integers(1, 9000),
    fixed_price_jpy=st.none() | st.integers(1, 9000),
    markup_ratio=st.none() | st.sampled_from([0.9, 1.0, 1.1, 1.5, 3.0]),
    extra_cost_jpy=st.none() | st.integers(0, 500),
)


@pytest.mark.parametrize(
    ("cost", "terms", "floor"),
    [
        (1000, HOUSE, 1115),  # 1.05 x 1,000 = 1,050; break-even 1,115
        (1000, replace(HOUSE, guards=Guards(min_markup_ratio=1.2)), 1200),
        (1001, replace(HOUSE, guards=Guards(min_markup_ratio=1.2)), 1202),  # 1,201.2 rounded up
        (1000, replace(HOUSE, pricing=Pricing(extra_cost_jpy=300)), 1436),  # 92 + 44 of fees: 1,436 - 136 - 1,300 = 0
        (1000, replace(HOUSE, rule=ItemRule(min_price_jpy=1500)), 1500),
        (1000, replace(HOUSE, rule=ItemRule(min_price_jpy=1100)), 1115),
        (1000, replace(HOUSE, rule=ItemRule(extra_cost_jpy=300)), 1436),
        (1000, replace(HOUSE, pricing=Pricing(extra_cost_jpy=300), rule=ItemRule(extra_cost_jpy=0)), 1115),
        (1000, SellingTerms(Pricing(), Guards()), 1050),
    ],
)
def test_the_floor_is_the_highest_of_three(cost: int, terms: SellingTerms, floor: int) -> None:
    """min_markup_ratio x cost, break-even plus the least profit, the item's own; the item's extra cost goes before the
    house's."""
    assert floor == floor_jpy(cost, terms)
    assert not breaks_floor(floor, cost, terms)
    assert breaks_floor(floor - 1, cost, terms)


def test_a_price_that_leaves_too_little_is_blocked_for_that_reason() -> None:
    """1,000 yen goods at 1.08 pass the margin floor and lose 33 yen to fees: blocked, and the reason is min_profit."""
    thin = selling_price(1000, replace(HOUSE, markup_ratio=1.08))
    assert (1080, "min_profit") == (thin.price_jpy, thin.blocked)
    greedy = selling_price(1984, replace(HOUSE, pricing=Pricing(min_profit_jpy=386)))
    assert (2580, "min_profit") == (greedy.price_jpy, greedy.blocked)
    assert "" == selling_price(1984, replace(HOUSE, pricing=Pricing(min_profit_jpy=385))).blocked
    assert "min_profit" == selling_price(1984, replace(HOUSE, pricing=Pricing(min_profit_ratio=0.15))).blocked
    assert "min_markup" == selling_price(1000, replace(HOUSE, markup_ratio=1.04)).blocked
    fixed_below = ItemRule(fixed_price_jpy=1300, min_price_jpy=1310)
    assert "item_floor" == selling_price(1000, replace(HOUSE, rule=fixed_below)).blocked


def test_cheap_goods_are_blocked_rather_than_sold_at_a_loss() -> None:
    """The 40 yen of an order eat what 1.3 leaves of goods under 204 yen; the house's least price stands far above."""
    open_below = replace(HOUSE, guards=Guards(min_price_jpy=1))
    assert ["min_profit", ""] == [selling_price(cost, open_below).blocked for cost in (203, 204)]
    assert "min_price" == selling_price(150, HOUSE).blocked


@given(
    st.integers(1, 20_000) | st.none() | st.integers(-10, 10**9),
    *(any_pricing, any_guards, any_fees, least_profits, rules),
    st.none() | st.sampled_from(["simple", "tiered"]),
    st.none() | st.floats(0.9, 2.1) | st.floats(),
    st.sampled_from([0, 300]),
)
def test_no_input_makes_a_price_leave_that_leaves_too_little(
    cost: int | None,
    pricing: Pricing,
    guards: Guards,
    fees: Fees,
    least: tuple[int, float],
    rule: ItemRule | None,
    strategy: str | None,
    ratio: float | None,
    extra: int,
) -> None:
    """Whatever the strategy, the shop's ratio, the item's rule, the fees: what is not blocked leaves the least profit,
    in yen and as a share, and is at or above the floor."""
    figures = {"min_profit_jpy": least[0], "min_profit_ratio": least[1], "extra_cost_jpy": extra}
    priced = pricing.model_copy(update=figures)
    terms = SellingTerms(priced, guards, fees, strategy, ratio, rule)
    found = selling_price(cost, terms)
    if found.blocked:
        return
    assert cost is not None
    assert found.price_jpy is not None
    left = profit_jpy(found.price_jpy, cost, terms.fees, terms.extra_cost_jpy)
    assert least[0] <= left
    assert exact(least[1]) * found.price_jpy <= left
    assert floor_jpy(cost, terms) <= found.price_jpy
    assert "" == outside(found.price_jpy, cost, terms)


@given(st.integers(1, 6000), st.integers(1, 9000), any_guards, any_fees, least_profits, rules)
def test_the_quick_look_says_what_the_floor_says(
    cost: int, shown: int, guards: Guards, fees: Fees, least: tuple[int, float], rule: ItemRule | None
) -> None:
    """A price breaks the floor exactly where it is below it; three yen around it, too."""
    pricing = Pricing(min_profit_jpy=least[0], min_profit_ratio=least[1])
    terms = SellingTerms(pricing, guards, fees, rule=rule)
    floor = floor_jpy(cost, terms)
    for price in (shown, *range(floor - 3, floor + 4)):
        assert (price < floor) == breaks_floor(price, cost, terms)
