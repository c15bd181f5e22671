"""Ratios as they were written, and integers worked out from them without a binary fraction in between.

Not for: which ratio applies (pricing.py, fees.py).
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache


@lru_cache(maxsize=256)
def exact(ratio: float) -> Fraction:
    """The ratio as it was written: 1.3 is 13/10, not the nearest binary fraction."""
    return Fraction(str(ratio))


def rounded_up(amount: int, ratio: float) -> int:
    """`amount` x `ratio`, rounded up to a whole number."""
    share = exact(ratio)
    return -(-amount * share.numerator // share.denominator)
