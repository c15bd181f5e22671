"""What is left of a sale: the platform's fees, the profit after them, the price from which on nothing is lost.

Whole yen, rounded against us: nobody knows how a platform rounds, so each fee is counted up. Fees are on what the
customer pays; here that is the price alone, shipping that a shop charges besides is not known to us.
Not for: which fees a shop pays (shops/<platform>/fees.py), or which profit the owner wants at least (floor.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

from ecauto_pipeline.domain.selling.ratios import exact, rounded_up

Rounding = Literal["up", "nearest", "down"]


@dataclass(frozen=True, slots=True)
class Fees:
    """The fees of one sale: shares of what the customer pays, and whole yen an order; the shares together below 1."""

    payment_ratio: float = 0.0
    payment_fixed_jpy: int = 0
    service_ratio: float = 0.0
    rounding: Rounding = "up"

    @property
    def shares(self) -> tuple[float, ...]:
        """The shares that are taken at all; each is rounded by itself."""
        return tuple(ratio for ratio in (self.payment_ratio, self.service_ratio) if ratio)


NO_FEES: Final = Fees()


def payment_fee_jpy(price_jpy: int, fees: Fees) -> int:
    """What the means of payment costs at this price."""
    return _share(price_jpy, fees.payment_ratio, fees.rounding) + fees.payment_fixed_jpy


def service_fee_jpy(price_jpy: int, fees: Fees) -> int:
    """What the platform takes for its service at this price."""
    return _share(price_jpy, fees.service_ratio, fees.rounding)


def profit_jpy(price_jpy: int, cost_jpy: int, fees: Fees, extra_cost_jpy: int = 0) -> int:
    """What is left of one sale before tax: price - payment - service - cost - extra cost, in yen; negative = a loss."""
    kept = payment_fee_jpy(price_jpy, fees) + service_fee_jpy(price_jpy, fees)
    return price_jpy - kept - cost_jpy - extra_cost_jpy


def break_even_jpy(
    cost_jpy: int, fees: Fees, extra_cost_jpy: int = 0, *, min_profit_jpy: int = 0, min_profit_ratio: float = 0.0
) -> int:
    """The least price from which on no price leaves less than both least profits (yen; a share of the price).

    "From which on", because a yen more can cost two of fees: 166 yen may break even where 167 does not.
    """
    spent = cost_jpy + extra_cost_jpy + fees.payment_fixed_jpy
    least = _enough_from(spent + min_profit_jpy, fees.shares, fees.rounding, 0.0)
    if min_profit_ratio:
        least = max(least, _enough_from(spent, fees.shares, fees.rounding, min_profit_ratio))
    return least


@lru_cache(maxsize=256)
def left_of_a_yen(shares: tuple[float, ...]) -> tuple[int, int]:
    """What is left of a yen after these shares, as numerator and denominator. Raises ValueError where nothing is."""
    left = 1 - sum(exact(ratio) for ratio in shares)
    if left <= 0:
        raise ValueError("the shares of fees and profit leave nothing of the price")
    return left.numerator, left.denominator


def _enough_from(needed_jpy: int, shares: tuple[float, ...], rounding: Rounding, least_share: float) -> int:
    """The least price from which on every price leaves `needed_jpy` after the shares, and `least_share` rounded up.

    Above (needed + a yen a share) / left there is always enough; looked at downwards from there.
    """
    taken = (*shares, least_share) if least_share else shares
    numerator, denominator = left_of_a_yen(taken)
    price = max(0, -(-(needed_jpy + len(taken)) * denominator // numerator))
    while price > 0 and _enough(price - 1, needed_jpy, shares, rounding, least_share):
        price -= 1
    return price


def _enough(price: int, needed_jpy: int, shares: tuple[float, ...], rounding: Rounding, least_share: float) -> bool:
    kept = sum(_share(price, ratio, rounding) for ratio in shares)
    return price - kept - rounded_up(price, least_share) >= needed_jpy


def _share(price_jpy: int, ratio: float, rounding: Rounding) -> int:
    share = exact(ratio)
    taken, whole = price_jpy * share.numerator, share.denominator
    if rounding == "up":
        return -(-taken // whole)
    return taken // whole if rounding == "down" else (2 * taken + whole) // (2 * whole)
