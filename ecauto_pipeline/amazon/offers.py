"""The offers of one ASIN, as getItemOffers and its batch both give them: classified, and judged by the owner's rule.

Whatever JSON comes in, exactly one Answer comes out and nothing is raised; what cannot be understood is `api_error`
(unknown), never "out of stock". Not for: finding an ASIN's part in a body (each operation's file), the owner's rule
(domain/offers/offer_rule.py) or single fields (fields.py).
Source: productPricingV0.json of amzn/selling-partner-api-models at 34dc93f (2026-08); statuses beyond the model
(NoBuyableOffers, ActiveButTooSoonForProcessing) from its sandbox data and reports of its users.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from ecauto_pipeline.amazon.answers import failed
from ecauto_pipeline.amazon.fields import (
    cost_jpy,
    is_asin,
    lower_word,
    money_jpy,
    new_offers,
    not_unit,
    short_text,
    whole_number,
)
from ecauto_pipeline.amazon.offer_shapes import unreadable
from ecauto_pipeline.amazon.operation import Failure
from ecauto_pipeline.domain.model import Answer, Status
from ecauto_pipeline.domain.offers.knowledge import Fact
from ecauto_pipeline.domain.offers.offer_rule import Choice, Offer, choose
from ecauto_pipeline.settings import Offers as OfferRule

KNOWN = frozenset({Fact.PRICE, Fact.STOCK, Fact.OFFERS, Fact.DELIVERY, Fact.BUY_BOX})
"""What a list of offers can say."""

_OFFERS_KEPT = 20


def offers_answer(operation: str, asin: str, payload: object, rule: OfferRule, request_id: str = "") -> Answer:
    """The answer in the `payload` of getItemOffers, or of one item of its batch, which came with HTTP 200."""

    def unknown(reason: str) -> Answer:
        return failed(operation, asin, Failure(reason, 200, request_id))

    if not isinstance(payload, dict):
        return unknown("wrong_shape")
    about = payload.get("ASIN", asin)
    if about != asin:
        if not is_asin(about):
            return unknown("wrong_asin")
        return failed(operation, asin, Failure("merged", 200, request_id, other_asin=about))
    status = lower_word(payload.get("status"))
    if status not in ("success", "nobuyableoffers"):
        return unknown({"": "wrong_shape", "activebuttoosoonforprocessing": "too_soon"}.get(status, "unknown_status"))
    summary = payload.get("Summary")
    summary = summary if isinstance(summary, dict) else {}
    listed = payload.get("Offers", [] if status == "nobuyableoffers" else None)
    if not isinstance(listed, list) or not all(isinstance(offer, dict) for offer in listed):
        return unknown("wrong_shape")
    total = whole_number(summary.get("TotalOfferCount"))
    new = new_offers(summary.get("NumberOfOffers"), "OfferCount", partly=total)
    if not listed:
        if total is None and status == "success":
            return unknown("wrong_shape")
        if total and new != 0:
            return unknown("offers_missing")
        reason = "no_new_offers" if total else "no_buyable_offers" if status == "nobuyableoffers" else "no_offers"
        return Answer(
            asin,
            operation,
            Status.OUT_OF_STOCK,
            reason,
            in_stock=False,
            offer_count=0,
            probe_offer_count=0,
            http_status=200,
            request_id=request_id,
        )
    if status == "nobuyableoffers":
        return unknown("contradiction")
    offers = [_offer(entry, rule) for entry in listed]
    return _chosen(operation, asin, offers, choose(offers, rule), summary, new, request_id)


def offers_json(offers: Iterable[Offer], choice: Choice) -> str:
    """The offers as judged, the chosen one first, at most 20, compact: why a price is what it is."""
    why = {id(offer): reason for offer, reason in choice.rejected}
    ordered = sorted(offers, key=lambda offer: (offer is not choice.offer, id(offer) in why))
    rows = [
        {
            "seller": offer.seller_id,
            "price": offer.listing_price_jpy,
            "shipping": offer.shipping_jpy,
            "hours": offer.max_hours,
            "availability": offer.availability,
            "prime": _flag(offer.is_prime),
            "fba": _flag(offer.is_fba),
            "buybox": int(offer.is_buybox),
            "why_not": why.get(id(offer), ""),
            "rating": offer.rating_percent,
            "ratings": offer.rating_count,
        }
        for offer in ordered[:_OFFERS_KEPT]
    ]
    return json.dumps(rows, ensure_ascii=True, separators=(",", ":"))


def _chosen(
    operation: str,
    asin: str,
    offers: list[Offer],
    choice: Choice,
    summary: dict[str, Any],
    new: int | None,
    request_id: str,
) -> Answer:
    """The owner's rule has spoken. What could not be read might have been the better choice, and an offer without a
    price the only one that fits: then the answer is unknown."""
    kept = offers_json(offers, choice)
    why = {reason for _, reason in choice.rejected}
    if "unreadable_offer" in why:
        return failed(operation, asin, Failure("unreadable_offer", 200, request_id))
    if choice.offer is None and "bad_price" in why:
        return failed(operation, asin, Failure("bad_price", 200, request_id))
    offer = choice.offer
    new = len(offers) if new is None else max(new, 1)
    return Answer(
        asin,
        operation,
        choice.status,
        choice.reason,
        price_jpy=choice.price_jpy,
        in_stock=True if offer else None,
        offer_count=new,
        ship_hours_max=offer.max_hours if offer else None,
        is_prime=offer.is_prime if offer else None,
        is_fba=offer.is_fba if offer else None,
        seller_id=offer.seller_id if offer else "",
        listing_price_jpy=offer.listing_price_jpy if offer else None,
        shipping_jpy=(offer.shipping_jpy or 0) if offer else None,
        probe_price_jpy=_buy_box_jpy(summary, offers),
        probe_offer_count=new,
        http_status=200,
        request_id=request_id,
        offers_json=kept,
    )


def _offer(entry: dict[str, Any], rule: OfferRule) -> Offer:
    times, prime = entry.get("ShippingTime"), entry.get("PrimeInformation")
    times = times if isinstance(times, dict) else {}
    feedback = entry.get("SellerFeedbackRating")
    feedback = feedback if isinstance(feedback, dict) else {}
    price = money_jpy(entry.get("ListingPrice"), least=1)
    shipping = entry.get("Shipping")
    shipping_jpy = None if shipping is None else money_jpy(shipping, least=0)
    if shipping is not None and shipping_jpy is None:
        price = None  # an unreadable cost is no cost
    return Offer(
        seller_id=short_text(entry.get("SellerId")),
        condition=short_text(entry.get("SubCondition")),
        listing_price_jpy=price,
        shipping_jpy=shipping_jpy,
        max_hours=whole_number(times.get("maximumHours")),
        availability=short_text(times.get("availabilityType")),
        is_prime=_said(prime.get("IsPrime")) if isinstance(prime, dict) else None,
        is_fba=_said(entry.get("IsFulfilledByAmazon")),
        is_buybox=entry.get("IsBuyBoxWinner") is True,
        not_unit=not_unit(entry),
        rating_percent=_percent(feedback.get("SellerPositiveFeedbackRating")),
        rating_count=whole_number(feedback.get("FeedbackCount")),
        unreadable=unreadable(entry, rule),
    )


def _said(flag: object) -> bool | None:
    """A flag as it was said; whatever else stands there says nothing."""
    return flag if isinstance(flag, bool) else None


def _flag(fact: bool | None) -> int | None:
    return None if fact is None else int(fact)


def _percent(value: object) -> int | None:
    """Whole percent, rounded against the seller; None where it is no share."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 100:
        return None
    return int(value)


def _buy_box_jpy(summary: dict[str, Any], offers: list[Offer]) -> int | None:
    """The new Buy Box's ListingPrice + shipping: the Summary's, else the winning offer's, else None."""
    boxes = summary.get("BuyBoxPrices")
    costs = [
        cost_jpy(box)
        for box in (boxes if isinstance(boxes, list) else [])
        if isinstance(box, dict) and lower_word(box.get("condition")) == "new" and not not_unit(box)
    ]
    if not costs:
        costs = [
            None if offer.listing_price_jpy is None else offer.listing_price_jpy + (offer.shipping_jpy or 0)
            for offer in offers
            if offer.is_buybox and lower_word(offer.condition) == "new" and not offer.not_unit
        ]
    return min((cost for cost in costs if cost is not None), default=None)
