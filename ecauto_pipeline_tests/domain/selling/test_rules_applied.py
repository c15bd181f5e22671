"""Laws of a listing that a rule of the owner's is about: what is wanted of it, and what no rule permits."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecauto_pipeline.domain.model import Decision, Diff
from ecauto_pipeline.domain.selling.diffs import price_diff, stock_diff
from ecauto_pipeline.domain.selling.fees import Fees
from ecauto_pipeline.domain.selling.guards import hold_mass_hides
from ecauto_pipeline.domain.selling.item_rules import NOBODY_KNOWS, ItemRule
from ecauto_pipeline.domain.selling.price_steps import price_steps
from ecauto_pipeline.domain.selling.pricing import breaks_floor, floor_jpy, selling_price
from ecauto_pipeline.domain.selling.terms import SellingTerms
from ecauto_pipeline.domain.selling.visibility import visibility_diff
from ecauto_pipeline.settings import Guards
from ecauto_pipeline_tests.domain.selling.listings_and_facts import (
    GUARDS,
    HOUR,
    NOW,
    OFFERS,
    PRICING,
    TTL,
    a_listing,
    a_rule,
    absent,
    some_facts,
)

FEES = Fees(payment_ratio=0.036, payment_fixed_jpy=40, service_ratio=0.03)


def terms(**rule: Any) -> SellingTerms:
    """BASE's standard plan, the house's 1.3, and a rule of line 7."""
    return SellingTerms(PRICING, GUARDS, FEES, rule=ItemRule(line=7, **rule))


def priced(cost_jpy: int, **rule: Any) -> tuple[int | None, str]:
    """What is wanted of goods that cost this, and what it breaks."""
    price = selling_price(cost_jpy, terms(**rule))
    return price.price_jpy, price.blocked


def judged(rule: ItemRule | None, listing: Any = None, facts: Any = None) -> tuple[Diff, Diff, Diff]:
    """(price, visibility, stock) of a run that includes everything."""
    listing = replace(listing or a_listing(), rule=rule)
    facts, under = facts or some_facts(), SellingTerms(PRICING, GUARDS, FEES, rule=rule)
    price = price_diff(listing, facts, NOW, under, TTL)
    seen = visibility_diff(listing, facts, price, NOW, HOUR, OFFERS, under)
    return price, seen, stock_diff(listing, facts, seen, NOW, HOUR, under, price)


@pytest.mark.parametrize(
    ("rule", "wanted"),
    [
        ({}, 2580),
        ({"markup_ratio": 1.5}, 2980),
        ({"fixed_price_jpy": 2777}, 2777),
        ({"min_price_jpy": 2999}, 2999),
        ({"min_price_jpy": 2000}, 2580),
        ({"max_price_jpy": 2499}, 2499),
        ({"max_price_jpy": 3000}, 2580),
        ({"markup_ratio": 1.5, "max_price_jpy": 2800}, 2800),
        ({"extra_cost_jpy": 300}, 2580),
    ],
)
def test_a_rule_says_what_is_wanted(rule: dict[str, Any], wanted: int) -> None:
    """Goods for 1,984 yen: a fixed price and limits to the yen, a ratio rounded as the house does."""
    assert (wanted, "") == priced(1984, **rule)


@pytest.mark.parametrize(
    ("rule", "blocked"),
    [
        ({"fixed_price_jpy": 2165}, "min_profit"),  # 2,165 - 78 - 40 - 65 - 1,984 = -2
        ({"fixed_price_jpy": 2000}, "min_markup"),
        ({"fixed_price_jpy": 4000}, "max_markup"),
        ({"fixed_price_jpy": 499}, "min_price"),
        ({"fixed_price_jpy": 2500, "min_price_jpy": 2600}, "item_floor"),
        ({"fixed_price_jpy": 2500, "max_price_jpy": 2400}, "item_ceiling"),
        ({"max_price_jpy": 2100}, "min_profit"),
        ({"min_price_jpy": 3000, "max_price_jpy": 2900}, "item_floor"),
        ({"min_price_jpy": 5000}, "max_markup"),
        ({"extra_cost_jpy": 500}, "min_profit"),
    ],
)
def test_no_rule_passes_a_limit(rule: dict[str, Any], blocked: str) -> None:
    """The house's limits, what BASE keeps, and the item's own floor hold for a price that the owner fixed himself."""
    assert blocked == priced(1984, **rule)[1]


rules = st.builds(
    a_rule,
    fixed_price_jpy=st.none() | st.integers(1, 20_000),
    min_price_jpy=st.none() | st.integers(1, 20_000),
    max_price_jpy=st.none() | st.integers(1, 20_000),
    markup_ratio=st.none() | st.floats(0.1, 5),
    extra_cost_jpy=st.none() | st.integers(0, 2_000),
)


@given(st.integers(1, 20_000), rules)
def test_whatever_the_rules_say_no_price_below_the_floor_leaves(cost_jpy: int, rule: ItemRule) -> None:
    """Nor one above the item's ceiling."""
    under = SellingTerms(PRICING, Guards(min_price_jpy=1), FEES, rule=rule)
    price = selling_price(cost_jpy, under)
    if not price.blocked and price.price_jpy is not None:
        assert price.price_jpy >= floor_jpy(cost_jpy, under)
        assert not breaks_floor(price.price_jpy, cost_jpy, under)
        assert price.price_jpy <= (rule.max_price_jpy or price.price_jpy)


@given(st.integers(1, 20_000), rules)
def test_an_empty_cell_never_lowers_the_floor(cost_jpy: int, rule: ItemRule) -> None:
    """A floor without any rule is the least there is, but for an extra cost that the owner writes as less."""
    bare = SellingTerms(PRICING, GUARDS, FEES)
    assert floor_jpy(cost_jpy, SellingTerms(PRICING, GUARDS, FEES, rule=rule)) >= floor_jpy(cost_jpy, bare)


def test_a_fixed_price_is_sent_to_the_yen() -> None:
    """Less than min_diff_jpy away, too; what moves by more than half waits for a person all the same."""
    price, _, _ = judged(ItemRule(fixed_price_jpy=2577, line=7))
    assert (Decision.PUSH, 2577) == (price.decision, price.wanted)
    price, _, _ = judged(ItemRule(fixed_price_jpy=3900, line=7), a_listing(shown_price_jpy=39_000))
    assert (Decision.HELD, "move") == (price.decision, price.reason)


def test_a_price_above_the_ceiling_goes_down_to_it() -> None:
    """By a yen, if need be."""
    price, _, _ = judged(ItemRule(max_price_jpy=2579, line=7))
    assert (Decision.PUSH, 2579) == (price.decision, price.wanted)


def test_a_fixed_price_that_has_become_a_loss_is_not_sold() -> None:
    """Blocked, and hidden by us until the cost falls."""
    listing, rule = a_listing(shown_price_jpy=2000), ItemRule(fixed_price_jpy=2000, line=7)
    price, seen, _ = judged(rule, listing)
    assert (Decision.BLOCKED, "price_min_markup") == (price.decision, price.reason)
    assert (Decision.PUSH, 0, "price_blocked") == (seen.decision, seen.wanted, seen.reason)


def test_a_price_left_alone_is_not_changed() -> None:
    """Whatever it should be; where it is as it should be, there is nothing to say."""
    rule = ItemRule(exclude="price", line=7)
    price, seen, _ = judged(rule, a_listing(shown_price_jpy=4000))
    assert (Decision.SKIPPED, "rule_excluded") == (price.decision, price.reason)
    assert Decision.UNCHANGED is seen.decision
    assert Decision.UNCHANGED is judged(rule)[0].decision


def test_a_price_left_alone_that_is_a_loss_is_hidden() -> None:
    """To leave the price alone is no leave to sell at a loss; to leave everything alone is."""
    listing = a_listing(shown_price_jpy=2000)
    _, seen, _ = judged(ItemRule(exclude="price", line=7), listing)
    assert (Decision.PUSH, 0, "price_excluded") == (seen.decision, seen.wanted, seen.reason)
    price, seen, _ = judged(ItemRule(exclude="all", line=7), listing)
    assert [(Decision.SKIPPED, "rule_excluded")] * 2 == [(one.decision, one.reason) for one in (price, seen)]


def test_a_visibility_left_alone_is_not_changed() -> None:
    """Out of stock, sold out, or back: it is the owner's; its price is still ours."""
    rule = ItemRule(exclude="visibility", line=7)
    _, seen, _ = judged(rule, facts=absent())
    assert (Decision.SKIPPED, "rule_excluded", 0) == (seen.decision, seen.reason, seen.wanted)
    hidden = a_listing(shown_visible=False, hidden_by="ours", shown_price_jpy=4000)
    price, seen, _ = judged(rule, hidden)
    assert (Decision.PUSH, Decision.SKIPPED, "rule_excluded") == (price.decision, seen.decision, seen.reason)
    _, seen, stock = judged(rule, a_listing(shown_stock=0))
    assert (Decision.UNCHANGED, Decision.SKIPPED, "rule_excluded") == (seen.decision, stock.decision, stock.reason)


def test_the_blocklist_is_above_every_rule() -> None:
    """What must never be public is hidden though its visibility is left alone."""
    _, seen, _ = judged(ItemRule(exclude="all", line=7), a_listing(blocked_by_list=True))
    assert (Decision.PUSH, 0, "blocklist") == (seen.decision, seen.wanted, seen.reason)


def test_what_is_never_to_be_sold_is_hidden_and_stays_so() -> None:
    """As on the blocklist: at once, whatever Amazon says, without a count of hides that could hold it back."""
    rule = ItemRule(never_sell=True, line=7)
    for facts in (some_facts(), absent(), some_facts(stock_at=None)):
        _, seen, stock = judged(rule, facts=facts)
        assert (Decision.PUSH, 0, "rule_never_sell") == (seen.decision, seen.wanted, seen.reason)
        assert Decision.PUSH is not stock.decision
    _, seen, _ = judged(rule, a_listing(shown_visible=False, hidden_by="ours"))
    assert (Decision.UNCHANGED, 0) == (seen.decision, seen.wanted)
    many = [replace(judged(rule)[1], asin=f"B{n:09d}") for n in range(100)]
    assert {Decision.PUSH} == {one.decision for one in hold_mass_hides(many, 100, GUARDS)}


def test_a_lifted_ban_brings_the_listing_back() -> None:
    """We hid it, so it is ours to show."""
    hidden = a_listing(shown_visible=False, hidden_by="ours")
    _, seen, _ = judged(ItemRule(never_sell=False, line=7), hidden)
    assert (Decision.PUSH, 1) == (seen.decision, seen.wanted)


def test_while_nobody_knows_the_rules_nothing_is_permitted() -> None:
    """No price is changed and nothing is shown again; what must be hidden is."""
    price, _, _ = judged(NOBODY_KNOWS, a_listing(shown_price_jpy=4000))
    assert (Decision.SKIPPED, "rules_unknown") == (price.decision, price.reason)
    _, seen, _ = judged(NOBODY_KNOWS, a_listing(shown_visible=False, hidden_by="ours"))
    assert (Decision.SKIPPED, "rules_unknown") == (seen.decision, seen.reason)
    _, seen, _ = judged(NOBODY_KNOWS, facts=absent())
    assert (Decision.PUSH, 0) == (seen.decision, seen.wanted)


def test_a_decision_names_the_lines_that_had_a_say() -> None:
    """Beside whatever else it rests on."""
    rule = ItemRule(fixed_price_jpy=2700, min_price_jpy=2000, line=7, lines=(("price", 7), ("min_price_jpy", 3)))
    price, _, _ = judged(rule)
    assert {"rules": {"price": 7, "min_price_jpy": 3}} == json.loads(price.evidence)
    price, _, _ = judged(rule, a_listing(shown_price_jpy=27_000))
    assert {"rules", "shown", "cost_jpy"} <= json.loads(price.evidence).keys()
    _, seen, _ = judged(ItemRule(never_sell=True, line=9))
    assert {"rules": {"on_sale": 9}} == json.loads(seen.evidence)
    assert "" == judged(None, a_listing(shown_price_jpy=4000))[0].evidence


def test_the_steps_of_a_price_name_the_rule_and_its_line() -> None:
    """A fixed price has its fees and limits too."""
    steps = dict(price_steps(1984, terms(fixed_price_jpy=2700)))
    assert ("fixed", "price: 7") == (steps["strategy"], steps["rule_lines"])
    assert {"profit_jpy", "floor_min_profit_jpy", "limits_jpy"} <= steps.keys()
    steps = dict(price_steps(1984, terms(max_price_jpy=2499)))
    assert ("2580", "2499", "max_price_jpy: 7") == tuple(
        steps[name] for name in ("rounded_to_10_jpy", "own_limit_jpy", "rule_lines")
    )
