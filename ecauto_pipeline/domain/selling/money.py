"""Amounts from outside as whole yen, or not at all.

For every parser of an answer: an amount that isn't whole yen in JPY is unknown (None), never a rounded guess.
Not for: the selling price (pricing.py).
Source: SP-API MoneyType: CurrencyCode text, Amount a JSON number (2980, 2980.0), both optional.
"""

from __future__ import annotations

import re
from decimal import Decimal

MOST_JPY = 1_000_000_000  # more is rubbish, and a sum of two still fits a 32-bit column
_NUMBER = re.compile(r"-?[0-9]{1,20}(\.[0-9]{1,20})?")


def yen(amount: object, currency: object, *, least: int = 1) -> int | None:
    """The amount in yen; None unless it is JPY, integral, >= `least` (1 for prices, 0 for shipping) and sane.

    Takes whatever a JSON document may hold: bool, NaN, Infinity, text that is no plain number, absence -> None.
    """
    if currency != "JPY" or isinstance(amount, bool) or not isinstance(amount, int | float | Decimal | str):
        return None
    if isinstance(amount, str) and not _NUMBER.fullmatch(amount):
        return None
    if isinstance(amount, int):
        return amount if least <= amount <= MOST_JPY else None
    number = Decimal(str(amount))
    if not number.is_finite() or not least <= number <= MOST_JPY or number != int(number):
        return None
    return int(number)
