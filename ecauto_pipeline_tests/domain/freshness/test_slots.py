"""Home hours: even, stable, never late, and reached without a jump."""

from __future__ import annotations

from datetime import date

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ecauto_pipeline.domain.freshness.slots import SLOTS, audited, due_at, slots

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
QUARTER_MS = 6 * HOUR_MS
ASINS = np.array([f"B{n:09d}" for n in range(24_000)])


def test_slots_are_even_and_leave_no_remainder() -> None:
    """24,000 ASINs: every hour within 10% of 1,000, all of them somewhere."""
    counts = np.bincount(slots(ASINS), minlength=SLOTS)
    assert 24_000 == counts.sum()
    assert counts.min() > 900
    assert counts.max() < 1100


def test_a_slot_is_the_same_whoever_asks() -> None:
    """It depends on the ASIN alone: not on company, order, width of the array, process or version."""
    assert slots(ASINS)[::-1].tolist() == slots(ASINS[::-1]).tolist()
    assert slots(ASINS.astype("U16")).tolist() == slots(ASINS).tolist()
    assert slots(ASINS[5:6])[0] == slots(ASINS)[5]
    assert [2, 22, 2] == slots(np.array(["B00KFRNZY6", "B000000001", "4873119030"])).tolist()


@given(
    checked=st.integers(1_700_000_000_000, 1_900_000_000_000),
    slot=st.integers(0, 23),
    max_age_h=st.sampled_from([12, 24, 48]),
)
def test_never_later_than_the_maximum_age_and_never_much_earlier(checked: int, slot: int, max_age_h: int) -> None:
    """Due within its maximum age, and no earlier than is given; by nothing when nothing is."""
    age = max_age_h * HOUR_MS
    for early in (0, HOUR_MS, age // 4, age // 2):
        at = int(due_at(np.array([checked]), np.array([slot]), age, early)[0])
        assert age - early <= at - checked <= age


@given(checked=st.integers(1_700_000_000_000, 1_900_000_000_000), slot=st.integers(0, 23))
def test_after_four_days_it_is_at_home_and_stays(checked: int, slot: int) -> None:
    """Checked when due, an ASIN falls into its own hour within four checks and is then checked once a day."""
    home = slot * HOUR_MS
    for _ in range(4):
        checked = int(due_at(np.array([checked]), np.array([slot]), DAY_MS, QUARTER_MS)[0])
    assert abs((checked + 9 * HOUR_MS - home + DAY_MS // 2) % DAY_MS - DAY_MS // 2) <= 5
    at = int(due_at(np.array([checked + 30_000]), np.array([slot]), DAY_MS, QUARTER_MS)[0])
    assert DAY_MS - 5 <= at - checked <= DAY_MS


def test_a_hasty_first_fill_is_spread_over_the_day() -> None:
    """All filled within an hour; days later no hour carries more than 1.3 times its share."""
    at = np.full(ASINS.size, 1_764_000_000_000) + np.arange(ASINS.size) * 100
    for _ in range(5):
        at = due_at(at, slots(ASINS), DAY_MS, QUARTER_MS)
    an_hour = np.bincount(at // HOUR_MS % 24, minlength=24)
    assert an_hour.max() <= 1.3 * ASINS.size / 24


def test_the_audit_picks_one_percent_and_others_tomorrow() -> None:
    """The same 1% whoever asks, and not the same goods every day."""
    today, tomorrow = audited(ASINS, date(2026, 11, 23)), audited(ASINS, date(2026, 11, 24))
    assert 180 <= today.sum() <= 300
    assert (today & tomorrow).sum() <= 15
    assert np.array_equal(today[7:], audited(ASINS[7:], date(2026, 11, 23)))
