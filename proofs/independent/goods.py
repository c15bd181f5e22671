"""What Amazon has of an article, and how it writes yen: now whole, now with a point. Not for: any answer's shape."""

from __future__ import annotations

from dataclasses import dataclass

MARKET = "A1VC38T7YXB528"


@dataclass(frozen=True)
class Good:
    """`price_jpy` None = gone, `hours` until it ships, `shipping_jpy`.

    `hidden_from_v0`: Product Pricing v0 says that there is none although there is, as sellers report of it.
    `v0_says_jpy`: it tells another price than the other family, None = the same.
    """

    price_jpy: int | None
    hours: int = 24
    shipping_jpy: int = 0
    hidden_from_v0: bool = False
    v0_says_jpy: int | None = None

    @property
    def v0_price_jpy(self) -> int | None:
        """What v0 knows of it."""
        return None if self.hidden_from_v0 else self.v0_says_jpy or self.price_jpy


def number(asin: str, amount: int) -> float | int:
    """The amount as JSON: some articles' yen have a point in them."""
    return float(amount) if sum(asin.encode()) % 3 else amount
