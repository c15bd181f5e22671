"""What the changes seen say of the changes to come."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ecauto_pipeline.domain.freshness.change_rates import MEMORY_DAYS, followed, relative_rates

_COUNTS = st.lists(st.tuples(st.floats(0, 1e4), st.floats(0, MEMORY_DAYS)), max_size=40)


@given(_COUNTS)
@example([(1.0, 2.2250738585e-313)])
def test_every_rate_is_positive_and_one_more_change_never_makes_it_less(counts: list[tuple[float, float]]) -> None:
    """With whatever was counted: a number that a period can be made from; of two followed alike, who changed more
    counts for more."""
    changes, days = (np.array([row[place] for row in counts], np.float64) for place in (0, 1))
    rates = relative_rates(changes, days)
    assert np.all(np.isfinite(rates) & (rates > 0))
    alike = relative_rates(changes, np.full(changes.size, 10.0))
    assert np.all(np.diff(alike[np.argsort(changes)]) >= 0)


def test_nothing_known_is_the_average() -> None:
    """A shop of which nothing was counted yet: all alike. One that is new among many: as the average, whatever these
    are like."""
    assert [1.0] * 3 == relative_rates(np.zeros(3), np.zeros(3)).tolist()
    changes, days = np.full(100, 6.0), np.full(100, 30.0)
    changes[0] = days[0] = 0.0
    assert 1.0 == relative_rates(changes, days)[0]
    assert pytest.approx(1.0) == relative_rates(changes, days)[1]


def test_a_quiet_month_counts_for_more_than_a_quiet_day() -> None:
    """What was followed for a day without a change is still nearly an average one; after a month it is far below."""
    changes, days = np.full(100, 6.0), np.full(100, 30.0)
    changes[:2], days[:2] = 0.0, (1.0, 30.0)
    day, month = relative_rates(changes, days)[:2]
    assert 0.8 < day < 1.0
    assert 0.1 < month < 0.2


@given(
    looks=st.lists(st.floats(0.001, 5.0), min_size=1, max_size=30),
    changes=st.floats(0, 100),
    days=st.floats(0, MEMORY_DAYS),
)
def test_counts_fade_alike_however_often_is_looked(looks: list[float], changes: float, days: float) -> None:
    """Many short steps come to what one long step does, and never to more days than are remembered."""
    now = (changes, days)
    for passed in looks:
        now = followed(*now, passed)
    assert pytest.approx(followed(changes, days, sum(looks))) == now
    assert 0 <= now[1] <= MEMORY_DAYS + 1e-9
