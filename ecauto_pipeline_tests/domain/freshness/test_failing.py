"""Who never answers waits, and starves nobody: waits by the number of failures, a tenth of a slice for all together."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecauto_pipeline.clock import to_ms
from ecauto_pipeline.domain.freshness.ages import ERROR, ROW, Policy, Rows, evaluate_freshness
from ecauto_pipeline.domain.freshness.failing import DAILY_MS, DAY_MS, SPREAD, backoff_ms, is_unanswerable, waits
from ecauto_pipeline.domain.freshness.planning import CallRates, Channel, Choice, choose_budget, choose_due
from ecauto_pipeline.settings import Offers, Tiers, Ttl

POLICY = Policy.of(Ttl(), Tiers(), Offers())
NOW = datetime(2026, 11, 1, 3, tzinfo=UTC)
RATES = CallRates(Channel(2.0), Channel(10.0))
SLICE_S = 600.0
MINUTE_MS = 60_000


def _shop(count: int, failing: int, *, failures: int = 3, failed_ago: timedelta = timedelta(days=2)) -> Rows:
    """`count` listings due for a day, the last `failing` of them without an answer; the higher its number, the better
    one sells."""
    rows = np.zeros(count, ROW)
    rows["asin"] = [f"B{n:09d}" for n in range(count)]
    for name in ("stock_at", "price_at", "detail_at"):
        rows[name] = to_ms(NOW) - DAY_MS
    rows["fetched"] = 1
    rows["orders"], rows["demand_at"] = np.arange(count), to_ms(NOW)
    rows["failures"][count - failing :] = failures
    rows["failed_at"][count - failing :] = to_ms(NOW - failed_ago)
    rows["error_at"] = rows["failed_at"]
    return rows


def _choose(rows: Rows, spend: str) -> Choice:
    judged, now_ms = evaluate_freshness(rows, NOW, POLICY), to_ms(NOW)
    if spend == "budget":
        return choose_budget(rows, judged, now_ms, SLICE_S, RATES, POLICY)
    return choose_due(rows, judged, now_ms, SLICE_S, RATES)


def test_each_failure_doubles_the_wait_up_to_a_day() -> None:
    """20, 40, 80 minutes, ... and never more than a day."""
    found = backoff_ms(np.arange(1, 12, dtype=np.int8)) // MINUTE_MS
    assert [20, 40, 80, 160, 320, 640, 1280, 1440, 1440, 1440, 1440] == found.tolist()


@given(
    failures=st.integers(1, 100), unanswerable=st.booleans(), longest_h=st.integers(1, 24), asin=st.integers(0, 10**9)
)
def test_who_failed_is_asked_again_within_its_wait_and_not_long_before(
    failures: int, unanswerable: bool, longest_h: int, asin: int
) -> None:
    """Not in the first four fifths of the wait, surely after it; a day at most, whatever hangs on it."""
    row = np.zeros(1, ROW)
    row["asin"], row["failures"], row["failed_at"] = f"B{asin:09d}", failures, to_ms(NOW)
    row["unanswerable"] = unanswerable
    longest_ms = np.array([longest_h * 3_600_000])
    wait_ms = DAILY_MS if unanswerable else min(int(backoff_ms(row["failures"])[0]), int(longest_ms[0]))
    assert waits(row, to_ms(NOW) + round(wait_ms * (1 - SPREAD)) - 1, longest_ms)[0]
    assert not waits(row, to_ms(NOW) + wait_ms, longest_ms)[0]
    assert not waits(row, to_ms(NOW) - 1, longest_ms)[0]  # the clock was set back


@pytest.mark.parametrize("spend", ["due", "budget"])
def test_the_failing_take_a_tenth_of_the_details_and_the_best_sellers_go_first(spend: str) -> None:
    """Half of 4,000 never answer, and their waits are over: a tenth of what the slice can ask is theirs."""
    rows = _shop(4000, failing=2000)
    detail = _choose(rows, spend).detail
    room = RATES.detail.slice_size(SLICE_S)
    asked = [int(row) for row in detail if rows["failures"][row]]
    assert room == len(detail)
    assert room // 10 == len(asked)
    assert set(asked) == set(range(4000 - room // 10, 4000))


@pytest.mark.parametrize("spend", ["due", "budget"])
def test_who_waits_is_asked_by_nothing(spend: str) -> None:
    """Neither details nor sweeps, however long it has been due; and nobody is left over for it."""
    rows = _shop(300, failing=100, failures=8, failed_ago=timedelta(hours=2))
    rows["probed"] = 1
    choice = _choose(rows, spend)
    assert not set(range(200, 300)) & {*choice.detail.tolist(), *choice.sweep.tolist()}
    assert 0 == choice.left_over


def test_who_never_answers_has_no_part_in_the_periods_of_the_others() -> None:
    """Half of a shop never answers: the others are checked as often as if it were not there, and their tiers fit. In
    the budget of periods the silent took half, and a shop that fits well into its rates stretched its best sellers."""
    count, rates = 3000, CallRates(Channel(0.2), Channel(1.0))
    found = []
    for failing in (0, count):
        rows = _shop(count + failing, failing=failing)
        rows["orders"], rows["sold_at"] = 0, to_ms(NOW)
        choice = choose_budget(rows, evaluate_freshness(rows, NOW, POLICY), to_ms(NOW), SLICE_S, rates, POLICY)
        assert choice.tau_s is not None
        assert choice.full_tau_s is not None
        found.append((choice.short_by, choice.tau_s[:count].tolist(), choice.full_tau_s[:count].tolist()))
    alone, with_them = found
    assert 0.0 == with_them[0]
    assert alone == with_them


def test_a_public_listing_is_looked_after_at_its_tier_s_pace() -> None:
    """Six hours after the sixth failure (10 h 40 min): asked where it is on show and viewed (6 h), else not yet."""
    rows = _shop(4, failing=4, failures=6, failed_ago=timedelta(hours=6))
    rows["viewed_at"] = to_ms(NOW) - 1
    rows["public"] = (1, 1, 0, 0)
    rows["unanswerable"] = (0, 1, 0, 1)
    judged = evaluate_freshness(rows, NOW, POLICY)
    assert [False, True, True, True] == judged.waits.tolist()
    assert {ERROR} == set(judged.reason.tolist())


def test_a_failure_of_the_call_puts_nobody_off() -> None:
    """The last question had no answer and it was not this ASIN's fault: it comes first, as ever."""
    rows = _shop(300, failing=0)
    rows["error_at"][:5] = to_ms(NOW) - 1
    judged = evaluate_freshness(rows, NOW, POLICY)
    assert not judged.waits.any()
    assert set(range(5)) == set(_choose(rows, "due").detail[:5].tolist())


def test_three_days_of_one_reason_or_a_merger_are_a_persons() -> None:
    """A person is told after three days of the same reason, and at once where no question will change it."""
    since = NOW - timedelta(days=3)
    assert is_unanswerable(9, "too_soon", since, NOW)
    assert not is_unanswerable(9, "too_soon", since + timedelta(seconds=1), NOW)
    assert not is_unanswerable(0, "too_soon", since, NOW)
    assert is_unanswerable(1, "merged", NOW, NOW)


@pytest.mark.parametrize("spend", ["due", "budget"])
def test_days_with_many_who_never_answer_are_nearly_as_days_without(spend: str) -> None:
    """2% of a shop never answer, for days: they take 3% of the details at most, each is tried daily, nobody else waits.

    A shop in its steady state at two thirds of its budget, played for two days in slices of ten minutes.
    """
    count, never = 2000, 40
    rates = CallRates(Channel(count / 86_400 * 1.5), Channel(count / 86_400))
    rows = _shop(count, failing=never, failures=20, failed_ago=timedelta(hours=12))
    spread = np.linspace(0, DAY_MS * 0.95, count).astype(np.int64)
    for name in ("stock_at", "price_at", "detail_at"):
        rows[name] = to_ms(NOW) - spread
    rows["orders"], rows["unanswerable"], rows["public"] = 0, rows["failures"] > 0, 1
    tries, details, oldest = np.zeros(count, np.int64), 0, 0
    for number in range(2 * 144):
        now = NOW + timedelta(minutes=10 * number)
        judged, now_ms = evaluate_freshness(rows, now, POLICY), to_ms(now)
        arguments = (rows, judged, now_ms, SLICE_S, rates)
        choice = choose_budget(*arguments, POLICY) if spend == "budget" else choose_due(*arguments)
        asked = choice.detail[: round(rates.detail.asins_per_s * SLICE_S)]
        details += asked.size
        np.add.at(tries, asked, 1)
        failed = asked[rows["failures"][asked] > 0]
        rows["failed_at"][failed] = rows["error_at"][failed] = now_ms
        good = asked[rows["failures"][asked] == 0]
        for name in ("stock_at", "price_at", "detail_at"):
            rows[name][good] = now_ms
        oldest = max(oldest, int((now_ms - rows["stock_at"][rows["failures"] == 0]).max()))
    failing = tries[rows["failures"] > 0]
    assert failing.min() >= 2
    assert failing.sum() <= 0.03 * details
    assert oldest <= DAY_MS + 3_600_000
