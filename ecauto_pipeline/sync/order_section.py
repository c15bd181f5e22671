"""What the watch for orders reports of itself: its section of the run's record.

Not for: the other steps' sections (sections.py) or watching (orders/watch.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class OrdersReport:
    """`orders`: found by this run; `rows`: item rows of them, by `by_account`; `asked`: ASINs that Amazon was asked
    about, `by_status` what it said; `waiting`: rows whose turn comes in the next run, for there was no slot.

    `gone`, `at_a_loss`: rows whose goods can't be bought now, or for more than the sale brings. `not_read`: shops whose
    orders could not be read, with the reason.
    """

    orders: int = 0
    rows: int = 0
    by_account: Mapping[str, int] = field(default_factory=dict)
    asked: int = 0
    by_status: Mapping[str, int] = field(default_factory=dict)
    gone: int = 0
    at_a_loss: int = 0
    waiting: int = 0
    not_read: Mapping[str, str] = field(default_factory=dict)
