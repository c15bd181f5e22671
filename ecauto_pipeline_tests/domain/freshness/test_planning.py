"""The planner over days, for any shop: within the budget nobody is late, beyond it nobody starves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ecauto_pipeline.clock import to_ms
from ecauto_pipeline.domain.freshness.ages import ROW, SECOND_LOOK, Policy, Rows, evaluate_freshness
from ecauto_pipeline.domain.freshness.planning import CallRates, Channel, Choice, choose_budget, choose_due
from ecauto_pipeline.settings import Offers, Tiers, Ttl
from ecauto_pipeline_tests.examples import examples

POLICY = Policy.of(Ttl(), Tiers(), Offers())
START = datetime(2026, 11, 1, 0, 0, tzinfo=UTC)
SLICE_S = 600.0
HOUR_MS = 3_600_000


def _shop(seed: int, count: int, sold: float, viewed: float) -> Rows:
    """`count` ASINs of any ages within their maximum, a share of them sold and another viewed for days to come; some
    change often, most hardly ever."""
    luck = np.random.default_rng(seed)
    rows = np.zeros(count, ROW)
    rows["asin"] = [f"B{n:09d}" for n in range(count)]
    kind = luck.random(count)
    later = to_ms(START + timedelta(days=20))
    rows["sold_at"] = np.where(kind < sold, later, 0)
    rows["viewed_at"] = np.where((kind >= sold) & (kind < sold + viewed), later, 0)
    longest = np.where(kind < sold, 1, np.where(kind < sold + viewed, 6, 24)) * HOUR_MS
    for name in ("stock_at", "price_at", "detail_at", "probe_at"):
        rows[name] = to_ms(START) - (luck.random(count) * longest * 0.9).astype(np.int64)
    rows["fetched"], rows["probed"] = 1, 1
    rows["orders"] = np.where(kind < sold, 1 + luck.random(count) * 20, 0)
    rows["views"] = np.where(kind < sold + viewed, luck.random(count) * 50, 0)  # who is viewed is of no low tier
    rows["demand_at"] = to_ms(START)
    rows["watched_days"] = luck.random(count) * 30
    rows["changes"] = np.floor(luck.lognormal(0, 1.5, count))
    return rows


def _answer(rows: Rows, choice: Choice, means: CallRates, now_ms: int) -> np.ndarray:
    """What a slice can ask is answered now, nothing has changed; returns who was."""
    detail = choice.detail[: int(means.detail.asins_per_s * SLICE_S)]
    sweep = choice.sweep[: int(means.sweep.asins_per_s * SLICE_S)]
    for name in ("stock_at", "price_at", "detail_at", "probe_at"):
        rows[name][detail] = now_ms
    for name in ("stock_at", "probe_at"):
        rows[name][sweep] = now_ms
    return np.concatenate((detail, sweep))


def _play(rows: Rows, means: CallRates, spend: str, hours: int, slices_an_hour: int) -> tuple[np.ndarray, np.ndarray]:
    """Greatest age of the stock that each ASIN ever had, in hours, and how often it was asked."""
    oldest, asked = np.zeros(rows.size), np.zeros(rows.size, np.int64)
    for number in range(hours * slices_an_hour):
        now = START + timedelta(hours=number / slices_an_hour)
        now_ms = to_ms(now)
        oldest = np.maximum(oldest, (now_ms - rows["stock_at"]) / HOUR_MS)
        judged = evaluate_freshness(rows, now, POLICY)
        assert not (judged.reason == SECOND_LOOK).any()
        if spend == "due":
            choice = choose_due(rows, judged, now_ms, SLICE_S, means)
        else:
            choice = choose_budget(rows, judged, now_ms, SLICE_S, means, POLICY)
        asked[_answer(rows, choice, means, now_ms)] += 1
    return oldest, asked


@pytest.mark.parametrize("spend", ["due", "budget"])
@settings(max_examples=examples(4), deadline=None)
@given(
    seed=st.integers(0, 2**20),
    count=st.integers(60, 400),
    sold=st.floats(0.0, 0.3),
    viewed=st.floats(0.0, 0.6),
)
def test_within_the_budget_nobody_gets_older_than_its_tier_allows(
    spend: str, seed: int, count: int, sold: float, viewed: float
) -> None:
    """With calls for everybody each hour: after 30 hours no stock was ever older than 1, 6 or 24 h and one slice."""
    rows = _shop(seed, count, sold, viewed)
    means = CallRates(Channel(count / SLICE_S * 1.1, 20, 20), Channel(count / SLICE_S * 2, 20, 20))
    judged = evaluate_freshness(rows, START, POLICY)
    oldest, _ = _play(rows, means, spend, 30, 6)
    allowed = judged.max_age_ms / HOUR_MS + 1 / 6
    assert (oldest <= allowed).all(), (oldest - allowed).max()


@pytest.mark.parametrize("spend", ["due", "budget"])
@settings(max_examples=examples(4), deadline=None)
@example(seed=2, count=100, sold=0.9375)
@given(seed=st.integers(0, 2**20), count=st.integers(100, 300), sold=st.floats(0.0, 1.0))
def test_with_any_budget_nobody_starves(spend: str, seed: int, count: int, sold: float) -> None:
    """A third of the calls that the tiers need: everybody's turn comes within twice its stretched period."""
    rows = _shop(seed, count, sold, 0.0)
    high = rows["sold_at"] > 0
    an_hour = max(1.0, (high.sum() + (~high).sum() / 24) / 3)
    rate = np.ceil(an_hour) / SLICE_S
    means = CallRates(Channel(rate, 20, 20), Channel(rate, 20, 20), blind="for this test")
    _, asked = _play(rows, means, spend, 3 * 24 * 2, 1)
    assert asked.min() >= 1
    if high.any() and not high.all():
        assert asked[high].mean() >= asked[~high].mean()


def test_a_full_look_comes_no_later_than_the_check_in_whose_place_it_is() -> None:
    """Who is to be looked at in full is asked by no sweep of that slice: so those that the slice has time for go in the
    order of their next checks, best sellers where they would be swept. What is listed besides, in case there is time
    for more, would not have been swept in this slice either."""
    rows = _shop(5, 2000, 0.05, 0.5)
    now_ms, in_time = to_ms(START), int(0.2 * SLICE_S)
    means = CallRates(Channel(0.2), Channel(1.0))
    judged = evaluate_freshness(rows, START, POLICY)
    choice = choose_budget(rows, judged, now_ms, SLICE_S, means, POLICY)
    assert choice.tau_s is not None
    assert choice.full_tau_s is not None
    check_at, full_at = judged.checked_at + choice.tau_s * 1000, rows["detail_at"] + choice.full_tau_s * 1000
    first, spare = choice.detail[:in_time], choice.detail[in_time:]
    assert np.all(np.diff(check_at[first]) >= 0)
    assert full_at[first].max() <= full_at[spare].min()
    assert spare.size > 0
    assert np.all(check_at[spare] > now_ms + SLICE_S * 1000)
    assert not set(choice.sweep.tolist()) & set(choice.detail.tolist())
