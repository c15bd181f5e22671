"""What one day of Japan brought: the sums of its order rows, wherever they were added up.

Not for: adding them up (state/sold.py, history/summaries.py).
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import NamedTuple

DAY_MS, JST_AHEAD_MS = 86_400_000, 32_400_000
_FIRST = date(1970, 1, 1)


class DaySales(NamedTuple):
    """`day`: days after 1970-01-01; `rows`, `pieces`; yen; `profit_jpy`: of those rows alone of which it is known,
    `losses` of them below zero; `unknown`: rows of which nobody knows it."""

    day: int
    rows: int
    pieces: int
    sales_jpy: int
    profit_jpy: int
    losses: int
    unknown: int

    @property
    def date(self) -> date:
        return _FIRST + timedelta(days=self.day)
