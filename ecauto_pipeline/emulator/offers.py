"""The offers that sellers make for one ASIN at one price level: a mixture in which the cheapest is often not usable.

For: the variety of real offer lists (Amazon's own stock, merchants, shipping fees, slow hands, pre-orders, offers
without a maximum time, used goods). Not for: choosing among them; which offer suits a shop is not the emulator's
business.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from ecauto_pipeline.emulator.chance import between, integer, mix, uniform

AMAZON_JP_SELLER = "AN1VRQENFRJN5"
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass(frozen=True, slots=True)
class Offer:
    """One seller's offer. Hours are until it ships; `max_hours` None means the field is absent."""

    seller_id: str
    price_jpy: Any
    shipping_jpy: Any = 0
    condition: str = "new"
    min_hours: int | None = 0
    max_hours: int | None = 0
    availability: str = "NOW"
    available_date: str | None = None
    fba: bool = False
    prime: bool = False
    points: int | None = None
    winner: bool = False
    ships_from: str = "JP"
    currency: str = "JPY"
    feedback_count: int = 100
    feedback_percent: int = 96

    def fields(self) -> dict[str, Any]:
        """As the control plane writes it."""
        return {name: getattr(self, name) for name in self.__slots__}

    @property
    def total_jpy(self) -> float:
        """Price and shipping; what a list is sorted by."""
        return float(self.price_jpy or 0) + float(self.shipping_jpy or 0)


def from_fields(fields: dict[str, Any]) -> Offer:
    """An offer as the control plane writes it. Raises ValueError on an unknown field."""
    known = set(Offer.__slots__)
    unknown = sorted(set(fields) - known)
    if unknown:
        raise ValueError(f"unknown offer fields {unknown}; known are {sorted(known)}")
    if "seller_id" not in fields or "price_jpy" not in fields:
        raise ValueError("an offer needs seller_id and price_jpy")
    return Offer(**fields)


def seller_id(key: int) -> str:
    """A seller's id in Amazon's form: A and thirteen characters."""
    text = ""
    for _ in range(13):
        key, digit = divmod(key, 36)
        text += _DIGITS[digit]
    return "A" + text


@lru_cache(maxsize=20_000)
def lead_offer(key: int, price_jpy: int) -> Offer:
    """The offer that carries the ASIN's price level: new, free of shipping, at once or within a day."""
    by_amazon = uniform(key, 1) < 0.7
    points = max(1, price_jpy // 100) if uniform(key, 2) < 0.5 else None
    if by_amazon:
        seller = AMAZON_JP_SELLER if uniform(key, 3) < 0.4 else seller_id(mix(key, 4))
        return Offer(seller, price_jpy, fba=True, prime=True, points=points, feedback_count=90_000)
    return Offer(seller_id(mix(key, 4)), price_jpy, min_hours=0, max_hours=24, points=points)


def side_offers(key: int, price_jpy: int, at_least: int, lead: Offer | None) -> list[Offer]:
    """Zero to seven offers beside the lead; without a lead only kinds with a fee, a wait or a doubt."""
    count = max(at_least, integer(8, key, 10))
    led, by_fba = lead is not None, lead is not None and lead.fba
    return [_side_offer(mix(key, 11, n), price_jpy, led, by_fba) for n in range(count)]


@lru_cache(maxsize=100_000)
def _side_offer(key: int, price_jpy: int, led: bool, by_fba: bool) -> Offer:
    seller = seller_id(mix(key, 1))
    kind = uniform(key, 2) if led else between(0.5, 0.9, key, 2)
    if kind < 0.25 and by_fba:
        price = price_jpy + 1 + int(price_jpy * between(0.02, 0.25, key, 3))
        return Offer(seller, price, fba=True, prime=True, feedback_count=integer(5000, key, 4))
    if kind < 0.5:
        hours = 48 if uniform(key, 5) < 0.6 else 72
        price = max(1, int(price_jpy * between(0.97, 1.2, key, 3)))
        return Offer(seller, price, min_hours=24, max_hours=hours, feedback_count=integer(900, key, 4))
    if kind < 0.65:
        fee = 300 + 50 * integer(11, key, 6)
        price = max(1, int(price_jpy * between(0.8, 0.95, key, 3)))
        return Offer(seller, price, shipping_jpy=fee, min_hours=24, max_hours=48)
    if kind < 0.77:
        hours = 96 + 24 * integer(11, key, 7)
        price = max(1, int(price_jpy * between(0.7, 0.95, key, 3)))
        abroad = uniform(key, 8) < 0.3
        return Offer(seller, price, min_hours=hours - 48, max_hours=hours, ships_from="CN" if abroad else "JP")
    if kind < 0.85:
        price = max(1, int(price_jpy * between(0.85, 1.0, key, 3)))
        dated = uniform(key, 9) < 0.5
        return Offer(
            seller,
            price,
            availability="FUTURE_WITH_DATE" if dated else "FUTURE_WITHOUT_DATE",
            available_date="2027-03-01T00:00:00Z" if dated else None,
            fba=True,
            prime=True,
        )
    if kind < 0.9:
        return Offer(seller, max(1, int(price_jpy * 0.9)), min_hours=None, max_hours=None)
    price = max(1, int(price_jpy * between(0.4, 0.8, key, 3)))
    return Offer(seller, price, condition="used", min_hours=24, max_hours=48)
