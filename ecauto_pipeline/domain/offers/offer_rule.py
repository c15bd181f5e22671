"""The owner's offer rule: which of Amazon's offers the shop would buy, and what that costs.

One function for every operation, so that the price never depends on the path by which the offers came.
Not for: reading the offers out of an answer (amazon/) or the selling price (domain/selling/pricing.py).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeGuard

from ecauto_pipeline.domain.model import Status
from ecauto_pipeline.domain.selling.money import MOST_JPY
from ecauto_pipeline.settings import Offers as OfferRule

# Why an offer doesn't fit, in the order in which it is asked; of equally common reasons the earlier one is named.
REASONS = (
    "unreadable_offer",
    *("not_new", "business_offer", "quantity_price", "bad_price"),
    *("shipping_not_free", "future_date", "no_ship_time", "ships_late"),
)


@dataclass(frozen=True, slots=True)
class Offer:
    """One offer of one ASIN.

    `listing_price_jpy` None = missing, or an amount (price or shipping) that isn't whole yen; such an offer is
    unusable. `shipping_jpy` None = not said, which counts as free. `max_hours`: hours until it ships, at most;
    they mean nothing while `availability` is a FUTURE_ one. `not_unit`: why its price is none that a consumer pays for
    one piece (`business_offer`, `quantity_price`), "" where it is one. `unreadable`: something the rule goes by
    may stand in it in a form that nobody knows, so that nothing said of it here is sure.
    """

    seller_id: str
    condition: str
    listing_price_jpy: int | None
    shipping_jpy: int | None
    max_hours: int | None
    availability: str
    is_prime: bool
    is_fba: bool
    is_buybox: bool
    not_unit: str = ""
    unreadable: bool = False


@dataclass(frozen=True, slots=True)
class Choice:
    """What the rule says of one ASIN's offers. `offer` and `price_jpy` only with SUCCESS; price > 0.

    `rejected`: the offers that don't fit, each with its reason, in an order that doesn't depend on the input's.
    """

    status: Status
    reason: str
    offer: Offer | None = None
    price_jpy: int | None = None
    rejected: tuple[tuple[Offer, str], ...] = ()


def choose(offers: Iterable[Offer], rule: OfferRule) -> Choice:
    """The offer to buy from: SUCCESS, OUT_OF_STOCK ("no_offers") or FILTERED_OUT (the commonest reason).

    Score: NOW +1000, + (max_ship_hours - hours), Prime +100, FBA +50; ties: the cheapest, then the seller id.
    Total, and independent of the order of `offers`.
    """
    everything = sorted(offers, key=_identity)
    if not everything:
        return Choice(Status.OUT_OF_STOCK, "no_offers")
    verdicts = [(offer, why_not(offer, rule)) for offer in everything]
    rejected = tuple((offer, why) for offer, why in verdicts if why)
    fitting = [offer for offer, why in verdicts if not why]
    if not fitting:
        counts = Counter(why for _, why in rejected)
        commonest = min(counts, key=lambda why: (-counts[why], REASONS.index(why)))
        return Choice(Status.FILTERED_OUT, commonest, rejected=rejected)
    best = min(fitting, key=lambda offer: (-score(offer, rule), cost_jpy(offer) or 0, _identity(offer)))
    return Choice(Status.SUCCESS, "", best, cost_jpy(best), rejected)


def why_not(offer: Offer, rule: OfferRule) -> str:
    """Why the offer doesn't fit the rule, one of REASONS; "" where it does."""
    if offer.unreadable:
        return "unreadable_offer"
    if offer.condition.strip().lower() != "new":
        return "not_new"
    if offer.not_unit:
        return offer.not_unit
    if cost_jpy(offer) is None:
        return "bad_price"
    if rule.free_shipping_only and offer.shipping_jpy:
        return "shipping_not_free"
    if offer.availability.strip().upper().startswith("FUTURE"):
        return "future_date"
    if offer.max_hours is None or offer.max_hours < 0:
        return "no_ship_time"
    if offer.max_hours > rule.max_ship_hours:
        return "ships_late"
    return ""


def cost_jpy(offer: Offer) -> int | None:
    """What the shop would pay: ListingPrice + shipping, points ignored. None where that isn't a price."""
    price = offer.listing_price_jpy
    shipping = 0 if offer.shipping_jpy is None else offer.shipping_jpy
    if not _whole(price, 1) or not _whole(shipping, 0):
        return None
    return price + shipping


def score(offer: Offer, rule: OfferRule) -> int:
    """The owner's preference among offers that fit: higher is better. Source: the rule, one line a term."""
    points = rule.max_ship_hours - (offer.max_hours or 0)
    points += 1000 if offer.availability.strip().upper() == "NOW" else 0
    points += 100 if offer.is_prime else 0
    points += 50 if offer.is_fba else 0
    return points


def _whole(value: object, least: int) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= MOST_JPY


def _identity(offer: Offer) -> tuple[object, ...]:
    """Orders any offers, seller id first; absent numbers last."""
    return (
        offer.seller_id,
        *(_last_if_none(n) for n in (offer.listing_price_jpy, offer.shipping_jpy, offer.max_hours)),
        offer.condition,
        offer.availability,
        offer.is_prime,
        offer.is_fba,
        offer.is_buybox,
        offer.not_unit,
        offer.unreadable,
    )


def _last_if_none(value: int | None) -> tuple[bool, int]:
    return (value is None, 0 if value is None else value)
