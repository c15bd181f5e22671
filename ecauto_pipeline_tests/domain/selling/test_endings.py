"""Prices that end as the owner likes them to."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecauto_pipeline.domain.selling.endings import ends_in
from ecauto_pipeline.domain.selling.fees import Fees
from ecauto_pipeline.domain.selling.item_rules import ItemRule
from ecauto_pipeline.domain.selling.price_steps import price_steps
from ecauto_pipeline.domain.selling.pricing import breaks_floor, outside, selling_price
from ecauto_pipeline.domain.selling.terms import SellingTerms
from ecauto_pipeline.settings import Guards, Pricing
from ecauto_pipeline_tests.domain.selling.listings_and_facts import any_guards, any_pricing
from ecauto_pipeline_tests.domain.selling.test_fees import STANDARD, any_fees, least_profits

any_endings = st.lists(st.sampled_from([0, 5, 80, 99, 980, 990, 4980]), min_size=1, max_size=3, unique=True).map(tuple)


def priced(cost: int, *endings: int, **guards: float) -> tuple[int | None, str]:
    limits = Guards().model_copy(update=guards)
    found = selling_price(cost, SellingTerms(Pricing(endings=endings), limits, STANDARD))
    return found.price_jpy, found.blocked


@pytest.mark.parametrize(
    ("cost", "endings", "price"),
    [
        (1984, (80, 980), 2580),  # 2,580 ends in 80
        (1500, (80, 980), 1980),  # 1,950: 1,980 is 30 away, 1,880 70
        (1100, (980,), 1980),  # 1,430: 1,980 is 550 away, 980 (450) is below what the goods cost
        (2000, (80,), 2580),  # 2,600
        (2023, (80,), 2680),  # 2,630: 2,580 and 2,680 are as near; the higher one
        (1508, (99,), 1999),  # 1,960: 1,999 is 39 away, 1,899 61
        (769, (0,), 1000),  # 999.7 is cut to 999, rounded to 1,000, which ends in 0
        (2000, (), 2600),
    ],
)
def test_a_price_moves_to_the_nearest_ending(cost: int, endings: tuple[int, ...], price: int) -> None:
    """After rounding; of two equally near the higher one, and never one that is below the floor."""
    assert (price, "") == priced(cost, *endings)


def test_an_ending_lies_within_every_limit() -> None:
    """The house's least price is 500: 520 goes up to 580, not down to 480; a price blocked before it has an ending is
    not rescued by one; where no ending is within the limits the one above is blocked."""
    assert (580, "") == priced(400, 80)
    assert (130, "min_price") == priced(100, 80)
    assert (1980, "max_markup") == priced(1100, 980, max_markup_ratio=1.5)


def test_the_ending_is_a_step_of_the_working_out() -> None:
    """A person sees the price before and after."""
    steps = dict(price_steps(1500, SellingTerms(Pricing(endings=(80, 980)), Guards(), STANDARD)))
    assert ("1950", "1980 (80, 980)") == (steps["rounded_to_10_jpy"], steps["ending_jpy"])
    assert "ending_jpy" not in dict(price_steps(1500, SellingTerms(Pricing(), Guards(), STANDARD)))


@given(st.integers(1, 20_000), any_pricing, any_guards, any_fees, least_profits, any_endings)
def test_what_leaves_has_an_ending_and_none_nearer_would_do(
    cost: int, pricing: Pricing, guards: Guards, fees: Fees, least: tuple[int, float], endings: tuple[int, ...]
) -> None:
    """Whatever leaves ends in one of the endings, is not below the floor, and no price with an ending that breaks no
    limit is nearer to what was wanted without, nor as near and higher."""
    figures = {"min_profit_jpy": least[0], "min_profit_ratio": least[1]}
    plain = SellingTerms(pricing.model_copy(update=figures), guards, fees)
    terms = replace(plain, pricing=plain.pricing.model_copy(update={"endings": endings}))
    wanted, found = selling_price(cost, plain), selling_price(cost, terms)
    if wanted.blocked:
        assert (wanted.price_jpy, wanted.blocked) == (found.price_jpy, found.blocked)
        return
    assert wanted.price_jpy is not None
    assert found.price_jpy is not None
    assert any(ends_in(found.price_jpy, ending) for ending in endings)
    at = wanted.price_jpy
    apart = abs(found.price_jpy - at)
    near = range(max(1, at - apart), at + apart + 1)
    fitting = [one for one in near if any(ends_in(one, e) for e in endings) and not outside(one, cost, terms)]
    if found.blocked:
        assert [] == fitting
        return
    assert not breaks_floor(found.price_jpy, cost, terms)
    assert found.price_jpy == min(fitting, key=lambda one: (abs(one - at), -one))


def owned(cost: int, least: int | None, most: int | None, *endings: int) -> tuple[int | None, str]:
    rule = ItemRule(min_price_jpy=least, max_price_jpy=most, line=7)
    found = selling_price(cost, SellingTerms(Pricing(endings=endings), Guards(), STANDARD, rule=rule))
    return found.price_jpy, found.blocked


@pytest.mark.parametrize(
    ("least", "most", "price"),
    [
        (1500, None, 1980),  # 1,430 goes up to 1,500, and on to an ending: 980 is below the item's own floor
        (None, 1400, 1400),  # 980 is below what the goods cost: none fits
        (1990, None, 1990),  # 2,980 is more than the markup may be
        (1500, 1600, 1500),  # no ending in between
    ],
)
def test_the_ending_comes_after_the_items_own_limits(least: int | None, most: int | None, price: int) -> None:
    """A floor that the owner wrote for the item moves the price first, and the ending lies within it."""
    assert (price, "") == owned(1100, least, most, 980)


@given(st.integers(100, 3000), st.integers(1, 6000), st.integers(0, 1500), any_endings)
def test_an_item_with_limits_of_its_own_has_an_ending_within_them(
    cost: int, least: int, span: int, endings: tuple[int, ...]
) -> None:
    """Where a price with an ending lies between the item's floor and ceiling and breaks no limit, what leaves is one;
    where none does, what leaves still lies between them."""
    terms = SellingTerms(
        Pricing(endings=endings), Guards(), STANDARD, rule=ItemRule(min_price_jpy=least, max_price_jpy=least + span)
    )
    found = selling_price(cost, terms)
    if found.blocked:
        return
    assert found.price_jpy is not None
    assert least <= found.price_jpy <= least + span
    ended = [one for one in range(least, least + span + 1) if any(ends_in(one, ending) for ending in endings)]
    if any(not outside(one, cost, terms) for one in ended):
        assert any(ends_in(found.price_jpy, ending) for ending in endings)


def test_the_items_own_limit_is_told_before_the_ending() -> None:
    """A person reads the steps in the order in which they were taken."""
    rule = ItemRule(min_price_jpy=1500, line=7)
    steps = price_steps(1100, SellingTerms(Pricing(endings=(980,)), Guards(), STANDARD, rule=rule))
    told = [step for step in steps if step[0] in ("rounded_to_10_jpy", "own_limit_jpy", "ending_jpy")]
    assert [("rounded_to_10_jpy", "1430"), ("own_limit_jpy", "1500"), ("ending_jpy", "1980 (980)")] == told
