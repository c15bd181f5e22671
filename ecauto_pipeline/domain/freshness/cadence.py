"""Check periods for `spend = "budget"`: spare calls go where a stale figure costs most.

The period of an ASIN is K/sqrt(w), w = what a day unlooked at may cost (expected orders a day, times how often it
changes), between `shortest` and its longest period, with K solved so that all periods together spend exactly the
measured budget.
Not for: how often it changes (change_rates.py), what is due (ages.py) or which call asks (planning.py).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

MEMORY_DAYS = 30.0
"""Time constant of the decayed counts: a steady rate r shows as 30 r."""

FLOOR_S = 86_400.0
"""Nothing goes unchecked for longer than a day, as long as the budget can do that at all."""

STARVED_STRETCH = 1.25
"""When not even the floor fits: the longest period, in units of the even share, so that weights keep a fifth to say."""

OUT_WEIGHT = 0.2
"""A sale lost because the shop shows nothing counts a fifth of an order for goods that are gone."""

SPENT_WITHIN = 0.001
_HALVINGS = 60
_FORGOTTEN = 1e-6  # a count that has faded so far is none


def decayed(count: Floats, age_s: Floats) -> Floats:
    """Counts as of `age_s` ago, seen from now."""
    return count * np.exp(-np.maximum(0.0, age_s) / (MEMORY_DAYS * 86_400))


LEAST_WEIGHT = 1e-12
"""Orders a day below which nobody can tell the difference; keeps a vanishing mean from becoming no weight at all."""


def weights(orders: Floats, views: Floats, out: npt.NDArray[np.bool_]) -> Floats:
    """Expected orders a day of each ASIN, > 0, from its decayed counts of orders and views.

    With views: (orders + c (views + 1)) / 60, c = the shop's orders a view. Without: the shop's mean is the prior, so
    that a new article gets what an average one gets. No sales at all: everything weighs the same.
    """
    if orders.size == 0:
        return np.zeros(0)
    all_orders, all_views = float(orders.sum()), float(views.sum())
    if all_orders <= _FORGOTTEN and all_views <= _FORGOTTEN:
        expected = np.ones(orders.size)
    elif all_views <= _FORGOTTEN:
        mean = all_orders / MEMORY_DAYS / orders.size
        expected = (orders + 0.3) / (MEMORY_DAYS + 0.3 / mean)
    else:
        per_view = max(all_orders, 0.3) / all_views
        expected = (orders + per_view * (views + 1.0)) / (2 * MEMORY_DAYS)
    return np.maximum(np.where(out, OUT_WEIGHT * expected, expected), LEAST_WEIGHT)


@dataclass(frozen=True, slots=True)
class Cadence:
    """Periods in seconds, and what they cost.

    `spent` = sum 1/tau in ASINs a second; it equals the budget within 1% unless every ASIN is already at `shortest`
    (then less is spent). `demand` = what the longest periods asked for need; `short_by` = by how many times that
    exceeds the budget, 0.0 when it fits. `floor_s` = the longest period granted to anything.
    """

    tau_s: Floats
    k: float
    spent_per_s: float
    demand_per_s: float
    short_by: float
    floor_s: float


def solve(weight: Floats, longest_s: Floats, budget_per_s: float, shortest_s: float = 60.0) -> Cadence:
    """Periods for a budget of ASINs a second.

    The longest period of each (its tier's maximum) holds while the budget allows all of them; else everything may
    stretch to 24 h, by weight; else, last, beyond it, all within `STARVED_STRETCH` of the even share: nobody starves.
    Raises ValueError for a budget that is not positive.
    """
    if budget_per_s <= 0:
        raise ValueError("a budget is positive")
    if weight.size == 0:
        return Cadence(np.zeros(0), 0.0, 0.0, 0.0, 0.0, 0.0)
    longest = np.maximum(longest_s, shortest_s)
    demand = float((1 / longest).sum())
    short_by = max(0.0, demand / budget_per_s - 1)
    if demand > budget_per_s:
        even_share_s = weight.size / budget_per_s
        floor_s = FLOOR_S if even_share_s <= FLOOR_S else STARVED_STRETCH * even_share_s
        longest = np.full(weight.size, max(floor_s, shortest_s))
    root = np.sqrt(weight)
    low, high = shortest_s * float(root.min()), float((longest * root).max())
    often, seldom = 1 / shortest_s, 1 / longest  # looks a second: they are what is summed, again and again
    k, spent = low, _spent(low, root, often, seldom)
    if spent > budget_per_s:
        for _ in range(_HALVINGS):
            k = float(np.sqrt(low * high))
            spent = _spent(k, root, often, seldom)
            if abs(spent / budget_per_s - 1) <= SPENT_WITHIN:
                break
            low, high = (k, high) if spent > budget_per_s else (low, k)
    tau = np.minimum(np.maximum(k / root, shortest_s), longest)
    return Cadence(tau, k, spent, demand, short_by, float(longest.max()))


def _spent(k: float, root: Floats, often: float, seldom: Floats) -> float:
    """ASINs a second that periods k/root cost, between the shortest and each one's longest."""
    return float(np.minimum(np.maximum(root / k, seldom), often).sum())
