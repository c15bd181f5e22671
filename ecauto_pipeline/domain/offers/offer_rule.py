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
    *("seller_unknown", "seller_never", "seller_not_listed", "not_amazon", "not_prime", "prime_unknown"),
    *("not_fba", "fba_unknown", "few_ratings", "rating_low", "rating_unknown", "thin"),
)

AMAZON_JP = "AN1VRQENFRJN5"
"""Amazon.co.jp as a seller. Source: its shop's address, as many public pages give it (2026-11)."""


@dataclass(frozen=True, slots=True)
class Offer:
    """One offer of one ASIN.

    `listing_price_jpy` None = missing, or an amount (price or shipping) that isn't whole yen; such an offer is
    unusable. `shipping_jpy` None = not said, which counts as free. `max_hours`: hours until it ships, at most;
    they mean nothing while `availability` is a FUTURE_ one. `is_prime`, `is_fba`, `rating_percent` (of positive
    feedback), `rating_count`: None = the source did not say; a seller without any feedback has no percentage.
    `not_unit`: why its price is none that a consumer pays for one piece (`business_offer`, `quantity_price`), "" where
    it is one. `unreadable`: something the rule goes by may stand in it in a form that nobody knows, so that nothing
    said of it here is sure.
    """

    seller_id: str
    condition: str
    listing_price_jpy: int | None
    shipping_jpy: int | None
    max_hours: int | None
    availability: str
    is_prime: bool | None
    is_fba: bool | None
    is_buybox: bool
    not_unit: str = ""
    unreadable: bool = False
    rating_percent: int | None = None
    rating_count: int | None = None


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

    Fewer than min_offers that fit are none: FILTERED_OUT "thin", each of them rejected as that.
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
    if len(fitting) < rule.min_offers:
        thin = tuple((offer, "thin") for offer in fitting)
        return Choice(Status.FILTERED_OUT, "thin", rejected=(*thin, *rejected))
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
    return why_unwanted(
        *(offer.seller_id, offer.is_prime, offer.is_fba, rule),
        rating_percent=offer.rating_percent,
        rating_count=offer.rating_count,
    )


def why_unwanted(
    seller_id: str,
    is_prime: bool | None,
    is_fba: bool | None,
    rule: OfferRule,
    *,
    rating_percent: int | None = None,
    rating_count: int | None = None,
) -> str:
    """Why the owner does not buy from such a seller, one of REASONS; "" where he does.

    The same for every operation, whatever it can say: None, or no seller id, is unknown, and counts as the setting
    `unknown` says. Amazon itself is never asked for a rating that it does not show.
    """
    name, amazon = _seller(seller_id), _seller(seller_id) == AMAZON_JP
    named = bool(rule.sellers_never or rule.sellers_only or rule.amazon_only)
    if named and not name:
        return _unless_accepted("seller_unknown", rule)
    if name in map(_seller, rule.sellers_never):
        return "seller_never"
    if rule.sellers_only and name not in map(_seller, rule.sellers_only):
        return "seller_not_listed"
    if rule.amazon_only and not amazon:
        return "not_amazon"
    wanted = ((rule.prime_only, is_prime, "prime"), (rule.fba_only, is_fba, "fba"))
    for asked, fact, what in wanted:
        if asked and fact is False:
            return f"not_{what}"
        if asked and fact is None and (why := _unless_accepted(f"{what}_unknown", rule)):
            return why
    return _why_of_rating(rating_percent, rating_count, amazon, rule)


def _why_of_rating(percent: int | None, count: int | None, amazon: bool, rule: OfferRule) -> str:
    least, few = rule.min_rating_percent, rule.min_rating_count
    percent = None if count == 0 else percent  # of no feedback there is no share
    if few is not None and count is not None and count < few and not (amazon and count == 0):
        return "few_ratings"
    if least is not None and percent is not None and percent < least:
        return "rating_low"
    unsaid = (least is not None and percent is None) or (few is not None and count is None)
    return _unless_accepted("rating_unknown", rule) if unsaid and not amazon else ""


def _unless_accepted(why: str, rule: OfferRule) -> str:
    return "" if rule.unknown == "accept" else why


def _seller(seller_id: str) -> str:
    return seller_id.strip().upper()


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
        *(_last_if_none(flag) for flag in (offer.is_prime, offer.is_fba)),
        offer.is_buybox,
        offer.not_unit,
        offer.unreadable,
        *(_last_if_none(n) for n in (offer.rating_percent, offer.rating_count)),
    )


def _last_if_none(value: int | None) -> tuple[bool, int]:
    return (value is None, 0 if value is None else value)
