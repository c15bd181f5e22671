"""What limits can keep fresh, against figures that can be reckoned by hand."""

from __future__ import annotations

import math

import pytest

from ecauto_pipeline.amazon.registry import registered
from ecauto_pipeline.domain.freshness.capacity import Capacity, Shop
from ecauto_pipeline.domain.freshness.capacity import compute_capacity as reckon_with
from ecauto_pipeline.domain.model import Role


def compute_capacity(shop: Shop) -> Capacity:
    """Under the usage plans that Amazon documents."""
    return reckon_with(shop, registered().usage_plans)


@pytest.mark.parametrize(
    ("asins", "single_h", "batch_h", "sweep_h"),
    [(10_000, 5.56, 1.39, 0.28), (100_000, 55.6, 13.9, 2.78), (300_000, 166.7, 41.7, 8.33)],
)
def test_a_full_cycle_by_operation(asins: int, single_h: float, batch_h: float, sweep_h: float) -> None:
    """ASINs an hour: 1,800 single, 7,200 in batches, 36,000 by sweep, 144,000 from the catalogue."""
    cycle = {one.role: one for one in compute_capacity(Shop(0, 0, asins)).operations}
    assert pytest.approx((single_h, batch_h, sweep_h), rel=0.01) == tuple(
        cycle[name].full_cycle_h for name in (Role.CONFIRM, Role.DETAIL, Role.SWEEP)
    )
    assert pytest.approx([1800, 7200, 36_000, 144_000]) == [
        cycle[name].asins_per_hour for name in (Role.CONFIRM, Role.DETAIL, Role.SWEEP, Role.CATALOGUE)
    ]


@pytest.mark.parametrize(
    ("asins", "shops", "hours"),
    [(10_000, 1, 2.0), (100_000, 1, 20.0), (300_000, 1, 68.0), (10_000, 3, 1.39), (100_000, 3, 13.9)],
)
def test_the_first_fill_waits_for_the_slower_side(asins: int, shops: int, hours: float) -> None:
    """One shop takes 5,000 an hour and 100,000 a day, whatever Amazon could answer; several shops wait for Amazon."""
    assert pytest.approx(hours, rel=0.01) == compute_capacity(Shop(0, 0, asins, base_accounts=shops)).first_fill_h


def test_three_accounts_on_both_sides_fill_three_times_as_fast() -> None:
    """0.7, 6.7 and 22.7 hours: a third of each shop's hour window, or of 41.7 h of details."""
    hours = [
        compute_capacity(Shop(0, 0, n, sp_accounts=3, base_accounts=3)).first_fill_h for n in (10_000, 100_000, 300_000)
    ]
    assert pytest.approx([0.67, 6.67, 20.0], rel=0.02) == hours


def test_the_owners_hundred_thousand_fit_one_account() -> None:
    """1,000 hourly, 5,000 six-hourly, the rest daily: 5,750 checks of 7,200 an hour by details alone."""
    shop = Shop(1_000, 5_000, 94_000, sweep_sees=False)
    blind = compute_capacity(shop)
    assert pytest.approx(5_750 / 7_200, rel=0.01) == blind.detail_load
    assert (True, 1, 1.0) == (blind.fits, blind.accounts_needed, blind.stretch)
    seeing = compute_capacity(Shop(1_000, 5_000, 94_000))
    assert pytest.approx(100_000 / 24 / 7_200) == seeing.detail_load
    assert seeing.sweep_load < 0.05
    assert pytest.approx(5_750 / 1_800, rel=0.01) == seeing.single_call_accounts


def test_hourly_for_everything_is_told_what_it_costs() -> None:
    """2.4 million checks a day: 56 accounts with single calls, 14 in batches, 3 with sweeps."""
    everything = Shop(100_000, 0, 0, high_h=1.0)
    assert (14, 3) == (
        compute_capacity(Shop(100_000, 0, 0, sweep_sees=False)).accounts_needed,
        compute_capacity(everything).accounts_needed,
    )
    assert pytest.approx(55.6, rel=0.01) == compute_capacity(everything).single_call_accounts


def test_what_does_not_fit_says_by_how_much() -> None:
    """300,000, one account: a daily price needs 1.7 of them; ages stretch by that much, a second account cures it."""
    found = compute_capacity(Shop(3_900, 147_000, 149_100))
    assert (False, 2) == (found.fits, found.accounts_needed)
    assert pytest.approx(12_500 / 7_200, rel=0.01) == found.stretch
    assert pytest.approx(24 * found.stretch) == found.tiers[2].oldest_reachable_h
    assert not found.shops_ok
    assert compute_capacity(Shop(3_900, 147_000, 149_100, sp_accounts=2, base_accounts=2)).fits


def test_shares_add_up() -> None:
    """What the tiers take is what the operations carry."""
    found = compute_capacity(Shop(1_000, 5_000, 94_000))
    assert pytest.approx(found.detail_load + found.sweep_load) == sum(tier.budget_share for tier in found.tiers)


def test_an_empty_shop_and_an_impossible_one() -> None:
    """Nothing to do fits; no account is an error."""
    assert (True, 0.0, 1) == (
        compute_capacity(Shop(0, 0, 0)).fits,
        compute_capacity(Shop(0, 0, 0)).first_fill_h,
        compute_capacity(Shop(0, 0, 0)).accounts_needed,
    )
    with pytest.raises(ValueError, match="at least one"):
        compute_capacity(Shop(1, 1, 1, sp_accounts=0))


@pytest.mark.parametrize(
    ("without", "asked_by", "load"),
    [
        ((), Role.DETAIL, 100_000 / 24 / 7_200),
        ((Role.SWEEP,), Role.DETAIL, 5_750 / 7_200),
        ((Role.DETAIL,), Role.CONFIRM, 100_000 / 24 / 1_800),
        ((Role.CONFIRM,), Role.DETAIL, 100_000 / 24 / 7_200),
        ((Role.SWEEP, Role.DETAIL), Role.CONFIRM, 5_750 / 1_800),
        ((Role.SWEEP, Role.DETAIL, Role.CONFIRM), None, math.inf),
    ],
)
def test_what_is_left_is_reckoned_with(without: tuple[Role, ...], asked_by: Role | None, load: float) -> None:
    """A batch that is gone leaves the single operation's 1,800 an hour; with nothing of v0 nobody brings a price."""
    plans = [plan for plan in registered().usage_plans if plan.role not in without]
    found = reckon_with(Shop(1_000, 5_000, 94_000), plans)
    assert (asked_by, Role.SWEEP not in without) == (found.asked_by, found.shop.sweep_sees)
    assert pytest.approx(load, rel=0.01) == found.detail_load
    assert found.fits == (load <= 1)
    assert max(1, math.ceil(load)) == found.accounts_needed if math.isfinite(load) else not found.accounts_needed
    assert len(plans) == len(found.operations)
