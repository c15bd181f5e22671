"""What the owner says of single items: a line of the file of rules, as a value.

Not for: reading that file, or what a price is worked out from beside it (terms.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class ItemRule:
    """One rule. None (and "") = it says nothing about that; money is whole yen.

    `exclude`: `price` | `visibility` | `all`: what is left alone. `by_hand`: `overwrite` | `hold` | `keep`, of a price
    that a person set. `until`: from then on it holds no more. `line`: where it stands in its file, from 1.
    """

    exclude: str = ""
    fixed_price_jpy: int | None = None
    min_price_jpy: int | None = None
    max_price_jpy: int | None = None
    markup_ratio: float | None = None
    extra_cost_jpy: int | None = None
    never_sell: bool = False
    by_hand: str = ""
    until: datetime | None = None
    note: str = ""
    line: int = 0
