"""The pace of one operation of one account."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecauto_pipeline import limiter
from ecauto_pipeline.limiter import RateLimit


@dataclass
class _Enforcer:
    """The other side's bucket, written without ours: refuses what comes too fast, a refusal consumes nothing."""

    rate_per_s: float
    burst: float
    tokens: float
    at_s: float
    refused: int = 0

    def call(self, now_s: float) -> bool:
        self.tokens = min(self.burst, self.tokens + (now_s - self.at_s) * self.rate_per_s)
        self.at_s = now_s
        if self.tokens < 1 - 1e-9:
            self.refused += 1
            return False
        self.tokens -= 1
        return True


@given(
    rate=st.floats(0.05, 50),
    burst=st.integers(1, 5),
    pauses=st.lists(st.floats(0, 3), min_size=1, max_size=60),
)
def test_slots_never_exceed_the_rate_whatever_the_pauses(rate: float, burst: int, pauses: list[float]) -> None:
    """The bucket never gives more than rate x t + burst, by the other side's own count."""
    enforcer = _Enforcer(rate, burst, burst, 0.0)
    bucket, now = limiter.full(RateLimit(rate, burst), 0.0), 0.0
    for pause in pauses:
        now += pause / rate
        bucket, wait = limiter.reserve(bucket, now)
        now += wait
        assert enforcer.call(now)
    assert 0 == enforcer.refused


@given(arrivals=st.lists(st.floats(0, 100), min_size=1, max_size=60), burst=st.integers(1, 4))
def test_slots_reserved_by_many_at_once_keep_the_rate(arrivals: list[float], burst: int) -> None:
    """Callers that reserve at any times, without waiting for each other, never break the rate together."""
    bucket, slots = limiter.full(RateLimit(0.5, burst), 0.0), []
    for now in sorted(arrivals):
        bucket, wait = limiter.reserve(bucket, now)
        slots.append(now + wait)
    enforcer = _Enforcer(0.5, burst, burst, 0.0)
    assert sorted(slots) == slots, "first come, first served"
    assert all([enforcer.call(slot) for slot in slots])


def test_a_busy_caller_uses_nearly_every_call_that_the_rate_allows() -> None:
    """Back to back, at least 97% of the allowed calls are made at the documented rates."""
    for rate in (0.1, 0.5, 2.0):
        bucket, now = limiter.full(RateLimit(rate, 1), 0.0), 0.0
        for _ in range(300):
            bucket, wait = limiter.reserve(bucket, now)
            now += wait
        assert 300 / (now * rate + 1) >= 0.97


def test_the_next_slot_after_a_late_call_is_a_whole_interval_away_and_the_others_ask_again() -> None:
    """A call that left late moves the slots behind it."""
    bucket, _ = limiter.reserve(limiter.full(RateLimit(1, 1), 0.0), 0.0)
    bucket, wait = limiter.reserve(bucket, 0.0)
    late = limiter.delayed(bucket, wait + 0.5, 0.5)
    assert bucket.generation + 1 == late.generation
    assert pytest.approx(late.interval_s) == limiter.wait_s(late, wait + 0.5)


@given(reserved=st.integers(0, 5), part=st.floats(0, 0.99), by=st.floats(0, 5))
def test_a_delay_moves_the_next_slot_by_as_much_whoever_had_reserved(reserved: int, part: float, by: float) -> None:
    """The reservations are void, the beat is kept."""
    bucket, _ = limiter.reserve(limiter.full(RateLimit(1, 1), 0.0), 0.0)
    for _ in range(reserved):
        bucket, _ = limiter.reserve(bucket, 0.0)
    now = part * bucket.interval_s
    moved = limiter.delayed(bucket, now, by)
    assert pytest.approx(bucket.interval_s - now + by, abs=1e-6) == limiter.wait_s(moved, now)


def test_only_a_little_of_a_slow_answer_is_taken_for_a_slow_way() -> None:
    """An answer that took seconds to make does not hold up the next call; within the slack nothing moves."""
    slow = limiter.full(RateLimit(0.1, 1), 0.0)
    assert 0.0 == limiter.arrival_delay_s(slow, 0.0, 3.7, 0.5)
    fast = limiter.full(RateLimit(10, 1), 0.0)
    assert 0.0 == limiter.arrival_delay_s(fast, 0.0, 0.0205, 0.02)
    assert 0.02 < limiter.arrival_delay_s(fast, 0.0, 0.05, 0.02) <= 0.03
    assert 0.3 < limiter.arrival_delay_s(slow, 0.4, 0.5, 0.5)


def test_a_rate_that_an_answer_advertises_is_taken_at_once() -> None:
    """What a 200 says is the pace, up or down; nonsense is ignored."""
    bucket = limiter.full(RateLimit(0.1, 1), 0.0)
    assert 0.5 == limiter.answered(bucket, 0.5, 0.0).rate_per_s
    assert 0.05 == limiter.answered(bucket, 0.05, 0.0).rate_per_s
    assert 0.1 == limiter.answered(bucket, None, 0.0).rate_per_s
    assert 0.1 == limiter.answered(bucket, float("nan"), 0.0).rate_per_s


def test_one_refusal_costs_a_pause_and_no_more() -> None:
    """An accident on the way does not slow the calls behind it."""
    bucket = limiter.answered(limiter.full(RateLimit(1, 1), 0.0), 1.0, 0.0)
    bucket = limiter.refused(bucket, bucket.generation, 1.0)
    assert pytest.approx(2 * bucket.interval_s) == limiter.wait_s(bucket, 1.0)
    assert 1.0 == bucket.rate_per_s


def test_a_second_refusal_halves_the_pace_and_answers_bring_it_back_step_by_step() -> None:
    """Without a word about a new rate the pace creeps back to the advertised one."""
    bucket = limiter.answered(limiter.full(RateLimit(1, 1), 0.0), 1.0, 0.0)
    for _ in range(2):
        bucket = limiter.refused(bucket, bucket.generation, 1.0)
    assert 0.5 == bucket.rate_per_s
    rates = []
    for second in range(10):
        bucket = limiter.answered(bucket, 1.0, 2.0 + second)
        rates.append(bucket.rate_per_s)
    assert sorted(rates) == rates
    assert 1.0 == rates[-1]


def test_a_refusal_of_a_call_from_before_the_last_cut_does_not_cut_again() -> None:
    """Several calls in flight that are refused together cost one halving."""
    bucket = limiter.answered(limiter.full(RateLimit(1, 1), 0.0), 1.0, 0.0)
    old = bucket.generation
    bucket = limiter.refused(bucket, old, 1.0)
    again = limiter.refused(bucket, old, 1.1)
    assert (bucket.rate_per_s, bucket.refusals) == (again.rate_per_s, again.refusals)


def test_endless_refusals_leave_a_pace() -> None:
    """However often it is refused, it never stops for good."""
    bucket = limiter.answered(limiter.full(RateLimit(1, 1), 0.0), 1.0, 0.0)
    for second in range(200):
        bucket = limiter.refused(bucket, bucket.generation, float(second))
    assert 1 / 64 == bucket.rate_per_s
    assert limiter.wait_s(bucket, 200.0) < 150


@pytest.mark.parametrize("factor", [0.5, 0.25, 2.0])
def test_a_rate_changed_in_mid_run_costs_at_most_two_refusals(factor: float) -> None:
    """Changed without a word: at most two calls are refused, and 90% of the new rate is used."""
    enforcer = _Enforcer(1.0, 1, 1, 0.0)
    bucket, now, made, changed_at = limiter.full(RateLimit(1.0, 1), 0.0), 0.0, 0, 0.0
    for call in range(220):
        if call == 20:
            enforcer.call(now)
            enforcer = replace(enforcer, rate_per_s=factor, refused=0)
            changed_at, made = now, 0
        bucket, wait = limiter.reserve(bucket, now)
        now += wait
        if enforcer.call(now):
            made += 1
            bucket = limiter.answered(bucket, enforcer.rate_per_s, now)
        else:
            bucket = limiter.refused(bucket, bucket.generation, now)
    assert enforcer.refused <= 2
    assert made / ((now - changed_at) * factor) >= 0.9


def test_time_that_runs_backwards_gives_nothing() -> None:
    """A clock set back neither adds calls nor blocks them for ever."""
    bucket, _ = limiter.reserve(limiter.full(RateLimit(1, 1), 1000.0), 1000.0)
    assert pytest.approx(bucket.interval_s) == limiter.wait_s(bucket, 10.0)


@given(
    events=st.lists(st.sampled_from(["reserve", "200", "200x", "429", "late"]), max_size=80),
    steps=st.lists(st.floats(-5, 50), max_size=80),
)
def test_whatever_happens_the_bucket_stays_sane(events: list[str], steps: list[float]) -> None:
    """Rates stay within bounds, waits stay finite, tokens never exceed the burst."""
    bucket, now = limiter.full(RateLimit(0.5, 1), 0.0), 0.0
    for event, step in zip(events, steps, strict=False):
        now += step
        if event == "reserve":
            bucket, wait = limiter.reserve(bucket, now)
            assert 0 <= wait < 1e5
        elif event == "429":
            bucket = limiter.refused(bucket, bucket.generation, now)
        elif event == "late":
            bucket = limiter.delayed(bucket, now, abs(step))
        else:
            bucket = limiter.answered(bucket, 0.25 if event == "200x" else 0.5, now)
        assert 0.25 / 64 <= bucket.rate_per_s <= 0.5
        assert bucket.tokens <= bucket.burst
