"""The floor that a shop's terms set under a cost: the higher of two.

`min_markup` (cost x min_markup_ratio) and `min_profit` (break-even plus the least profit). Worked out in integers that
are prepared once a shop: it is asked three times a listing and run. Not for: the item's own floor (terms.py), the price
that is wanted (pricing.py), or what a fee is (fees.py).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ecauto_pipeline.domain.selling.fees import Fees, break_even_jpy, left_of_a_yen
from ecauto_pipeline.domain.selling.ratios import exact, rounded_up


@dataclass(frozen=True, slots=True)
class Floor:
    """The floor of one shop, or of one shop's items with an extra cost of their own.

    Raises ValueError where fees and least profit together leave nothing of a price.
    """

    min_markup_ratio: float
    fees: Fees
    extra_cost_jpy: int = 0
    min_profit_jpy: int = 0
    min_profit_ratio: float = 0.0
    _markup: tuple[int, int] = field(init=False, repr=False, compare=False)
    _profit: tuple[int, int, int, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        markup = exact(self.min_markup_ratio)
        object.__setattr__(self, "_markup", (markup.numerator, markup.denominator))
        shares = (*self.fees.shares, *((self.min_profit_ratio,) if self.min_profit_ratio else ()))
        numerator, denominator = left_of_a_yen(shares)
        spent = self.extra_cost_jpy + self.fees.payment_fixed_jpy + self.min_profit_jpy
        object.__setattr__(self, "_profit", (numerator, denominator, spent, len(shares)))

    def parts(self, cost_jpy: int) -> tuple[tuple[str, int], ...]:
        """(name, least price by it) of each of the two."""
        return (
            ("min_markup", rounded_up(cost_jpy, self.min_markup_ratio)),
            ("min_profit", self._least_for_profit(cost_jpy)),
        )

    def broken_by(self, price_jpy: int, cost_jpy: int) -> str:
        """Which of the two this price is below, the first by name; "" = it is not below the floor."""
        numerator, denominator = self._markup
        if price_jpy * denominator < cost_jpy * numerator:
            return "min_markup"
        if self._leaves_too_little(price_jpy, cost_jpy):
            return "min_profit"
        return ""

    def _leaves_too_little(self, price_jpy: int, cost_jpy: int) -> bool:
        """price < break-even plus least profit. Far above it that shows without working it out."""
        numerator, denominator, spent, shares = self._profit
        if price_jpy * numerator >= (cost_jpy + spent + shares) * denominator:
            return False
        return price_jpy < self._least_for_profit(cost_jpy)

    def _least_for_profit(self, cost_jpy: int) -> int:
        return break_even_jpy(
            *(cost_jpy, self.fees, self.extra_cost_jpy),
            min_profit_jpy=self.min_profit_jpy,
            min_profit_ratio=self.min_profit_ratio,
        )
