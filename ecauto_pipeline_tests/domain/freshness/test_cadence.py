"""Periods of spend = "budget": the sum, the bounds, the order, and what gives way first."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecauto_pipeline.domain.freshness.cadence import FLOOR_S, solve, weights

HOUR, DAY = 3600.0, 86_400.0


def _zipf(count: int, seed: int = 1) -> np.ndarray:
    ranks = np.random.default_rng(seed).permutation(count)
    return 0.8 / (1 + ranks / max(1.0, count / 1000)) ** 1.2


def _tiers(weight: np.ndarray) -> np.ndarray:
    place = np.argsort(np.argsort(-weight)) / max(1, weight.size)
    return np.select([place < 0.013, place < 0.5], [HOUR, 6 * HOUR], DAY)


@given(
    count=st.integers(50, 3000),
    share=st.floats(1.05, 40.0),
    seed=st.integers(0, 50),
)
def test_the_budget_is_spent_within_one_percent(count: int, share: float, seed: int) -> None:
    """sum 1/tau = R within 1% wherever R lies between what the longest and the shortest periods cost."""
    weight = _zipf(count, seed)
    longest = _tiers(weight)
    budget = min(share * float((1 / longest).sum()), 0.9 * count / 60)
    solved = solve(weight, longest, budget)
    assert pytest.approx(budget, rel=0.01) == solved.spent_per_s
    assert 0.0 == solved.short_by


@given(
    count=st.integers(1, 500),
    budget=st.floats(1e-4, 100.0),
    seed=st.integers(0, 50),
    sigma=st.floats(0.0, 4.0),
)
def test_every_period_is_bounded_and_best_sellers_come_no_later(
    count: int, budget: float, seed: int, sigma: float
) -> None:
    """Never shorter than the shortest; never longer than the tier allows where all fit; else than the floor, else
    than a fixed multiple of the even share: with any budget nobody starves. The budget is never overspent by > 1%."""
    weight = np.exp(np.random.default_rng(seed).normal(-5, sigma, count))
    longest = _tiers(weight)
    solved = solve(weight, longest, budget)
    assert solved.tau_s.min() >= 60.0
    assert solved.spent_per_s <= budget * 1.01 or np.all(solved.tau_s <= 60.0 + 1e-9)
    if solved.short_by == 0:
        assert np.all(solved.tau_s <= longest + 1e-6)
    else:
        assert solved.tau_s.max() <= max(FLOOR_S, 1.25 * count / budget) + 1e-6
    same_tier = longest == longest[0]
    tau, sells = solved.tau_s[same_tier], weight[same_tier]
    assert np.all(np.diff(tau[np.argsort(sells)]) <= 1e-6)


def test_the_day_is_the_last_to_go() -> None:
    """More than the tiers allow: by how much is said, weights decide, and nobody waits for more than a day."""
    weight = _zipf(100_000)
    solved = solve(weight, np.full(weight.size, HOUR), 10.0)
    assert pytest.approx(100_000 / 3600 / 10 - 1) == solved.short_by
    assert solved.tau_s.max() <= DAY
    assert solved.tau_s[np.argmax(weight)] < 0.1 * DAY


def test_not_even_a_day_for_all() -> None:
    """Less than a check a day for each: everybody still gets one within 1.25 even shares, best sellers sooner."""
    weight = _zipf(300_000)
    solved = solve(weight, np.full(weight.size, DAY), 2.0)
    assert solved.tau_s.max() <= 1.25 * 150_000 + 1
    assert solved.tau_s.min() < 0.1 * DAY


def test_more_budget_than_work_stops_at_the_shortest() -> None:
    """Three goods and a whole budget: each as often as makes sense, and no oftener."""
    assert [60.0] * 3 == solve(np.ones(3), np.full(3, HOUR), 10.0).tau_s.tolist()


def test_odd_shops() -> None:
    """Empty, one article, a budget of nothing."""
    assert 0 == solve(np.zeros(0), np.zeros(0), 1.0).tau_s.size
    assert [60.0] == solve(np.ones(1), np.full(1, DAY), 1.0).tau_s.tolist()
    with pytest.raises(ValueError, match="positive"):
        solve(np.ones(1), np.ones(1), 0.0)


@given(
    counts=st.lists(st.tuples(st.floats(0, 1e4), st.floats(0, 1e6), st.booleans()), min_size=1, max_size=60),
)
def test_weights_are_positive_and_rise_with_demand(counts: list[tuple[float, float, bool]]) -> None:
    """No sales, no views, all sold today: always a positive number; more orders never weigh less."""
    orders, views, out = (np.array(column) for column in zip(*counts, strict=True))
    weight = weights(orders.astype(float), views.astype(float), out.astype(bool))
    assert np.all(np.isfinite(weight))
    assert np.all(weight > 0)
    shown = weights(orders.astype(float), np.zeros(orders.size), np.zeros(orders.size, bool))
    assert np.all(np.diff(shown[np.argsort(orders)]) >= -1e-12)


def test_no_demand_known_weighs_everything_alike() -> None:
    """A cold start is a round robin: safe, never idle."""
    assert 1 == len(set(weights(np.zeros(9), np.zeros(9), np.zeros(9, bool)).tolist()))
