"""What a platform keeps of a sale, as a value.

Not for: which fees a shop pays (settings/shops.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Fees:
    """The fees of one sale: shares of what the customer pays, and whole yen an order."""

    payment_ratio: float = 0.0
    payment_fixed_jpy: int = 0
    service_ratio: float = 0.0


NO_FEES: Final = Fees()
