"""How long a shop had goods on show at a loss, by the emulator's lists: what the proof of a week counts.

A loss begins with the answer of Amazon that showed the cost (an answer that holds the offers; a sweep shows none that
the owner's rule can judge), or with what made such a price public; it ends with the edit that mends or hides it. What
is left of a price is reckoned anew (expectation.py), not by the product. Not for: laws (test_week.py).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from ecauto_pipeline_tests.scenarios.expectation import Key, profit_jpy

Span = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class Seen:
    """One thing that happened to a listing: what Amazon showed of its cost, or what became of price or visibility.

    `cost_jpy` counts where `of_cost`: None = nothing there to buy, and so nothing to lose.
    """

    at: datetime
    of_cost: bool = False
    cost_jpy: int | None = None
    price_jpy: int | None = None
    visible: bool | None = None


@dataclass(frozen=True, slots=True)
class Loss:
    """One listing on show at a loss, from the moment at which that was known; the worst of it in yen."""

    key: Key
    began: datetime
    ended: datetime
    worst_jpy: int

    def lasted(self, but_for: Span) -> timedelta:
        """How long, but for a span in which the shop took no edits."""
        first, last = max(self.began, but_for[0]), min(self.ended, but_for[1])
        return self.ended - self.began - max(timedelta(0), last - first)


def losses(key: Key, price_jpy: int, visible: bool, happened: Iterable[Seen], end: datetime) -> list[Loss]:
    """The losses of one listing up to `end`. `price_jpy`, `visible`: as the shop showed it before all that happened."""
    found: list[Loss] = []
    cost, began, worst = None, None, 0
    for seen in sorted(happened, key=lambda one: (one.at, not one.of_cost)):
        cost = seen.cost_jpy if seen.of_cost else cost
        price_jpy = price_jpy if seen.price_jpy is None else seen.price_jpy
        visible = visible if seen.visible is None else seen.visible
        left = profit_jpy(price_jpy, cost) if visible and cost is not None else 0
        if left < 0:
            began, worst = began or seen.at, min(worst, left)
        elif began is not None:
            found.append(Loss(key, began, seen.at, worst))
            began, worst = None, 0
    return [*found, Loss(key, began, end, worst)] if began is not None else found
