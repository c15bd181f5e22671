"""How often each ASIN changes, from the changes that answers have shown, so that calls go where one is likely.

What counts is what a shop must follow or lose by: goods that go or come back, and a large move of the price. Counts
fade, and so do the days in which they were counted; an ASIN that was followed for few days, or showed few changes, is
taken for one like the shop's others, so that a new one gets what an average one gets and nobody's past holds for good.
Only the proportion between ASINs matters: what all overlook alike (two changes between two looks) costs little.
Not for: periods (cadence.py), or what an answer changes besides (domain/offers/learning.py).
"""

from __future__ import annotations

import math
from typing import TypeVar

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Amount = TypeVar("Amount", float, Floats)

MEMORY_DAYS = 30.0
"""Time constant of the counts, as of orders and views: what was seen a month ago says a third of what is seen now."""

LARGE_MOVE = 0.1
"""A price that moves by this share of itself is a change. Smaller steps are many and eat little of a margin."""

PRIOR_CHANGES = 1.0
"""The shop's mean says as much of each ASIN as one change seen."""


def is_large(before_jpy: int, now_jpy: int) -> bool:
    """Whether a move from one price to the other counts as a change."""
    return abs(now_jpy - before_jpy) >= LARGE_MOVE * before_jpy


def followed(changes: Amount, watched_days: Amount, days: Amount) -> tuple[Amount, Amount]:
    """The faded counts (changes, days in which they were counted) `days` later, through which the ASIN was followed."""
    left = math.e ** (-days / MEMORY_DAYS)
    return changes * left, watched_days * left + MEMORY_DAYS * (1 - left)


def relative_rates(changes: Floats, watched_days: Floats) -> Floats:
    """The expected rate of change of each ASIN, > 0, in units of the shop's mean; 1 where nothing is known.

    (a + x) / (a / mean + T): x changes in T days, a = `PRIOR_CHANGES`.
    """
    seen, days = float(changes.sum()), float(watched_days.sum())
    if seen <= 0 or days <= 0:
        return np.ones(changes.size)
    of_average: Floats = seen * (watched_days / days)  # what the mean would have shown; the mean may have no end
    expected: Floats = (PRIOR_CHANGES + changes) / (PRIOR_CHANGES + of_average)
    return expected
