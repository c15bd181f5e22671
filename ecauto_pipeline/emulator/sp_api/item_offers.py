"""getItemOffers: the offers of one ASIN. Also the payload that its batch sibling repeats.

Source: productPricingV0.json of Amazon's API models (2026-08): GetOffersResult, OfferDetail, Summary.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

from ecauto_pipeline.emulator.chance import text_key
from ecauto_pipeline.emulator.credentials import MARKETPLACE_ID
from ecauto_pipeline.emulator.messages import Call
from ecauto_pipeline.emulator.offers import Offer
from ecauto_pipeline.emulator.sp_api.errors import Refusal, invalid_input
from ecauto_pipeline.emulator.sp_api.view import View
from ecauto_pipeline.emulator.world import Truth

OPERATION = "getItemOffers"
METHOD = "GET"
PATH = re.compile(r"/products/pricing/v0/items/(?P<asin>[^/]+)/offers")
CONDITIONS = ("New", "Used", "Collectible", "Refurbished", "Club")
_OFFERS_SHOWN = 20


def asins_of(call: Call) -> tuple[str, ...]:
    found = PATH.fullmatch(call.path)
    return (found["asin"],) if found else ()


def answer(call: Call, view: View) -> dict[str, Any]:
    """The body of a good answer. Raises Refusal."""
    query = call.query_first()
    if not query.get("MarketplaceId"):
        raise invalid_input("Missing required parameter: MarketplaceId")
    if query["MarketplaceId"] != MARKETPLACE_ID:
        raise invalid_input(f"{query['MarketplaceId']} is not a marketplace of this seller.")
    if not query.get("ItemCondition"):
        raise invalid_input("Missing required parameter: ItemCondition")
    check_condition(query["ItemCondition"], query.get("CustomerType"))
    (asin,) = asins_of(call)
    return offers_body(view.truth(asin), query["ItemCondition"], query.get("CustomerType"))


def check_condition(condition: Any, customer_type: Any) -> None:
    """Raises Refusal on a value Amazon does not know; values are case sensitive."""
    if condition not in CONDITIONS:
        raise invalid_input(f"{condition} is not a valid ItemCondition. Valid values: {', '.join(CONDITIONS)}")
    if customer_type not in (None, "Consumer", "Business"):
        raise invalid_input(f"{customer_type} is not a valid CustomerType.")


def offers_body(truth: Truth, condition: str, customer_type: str | None) -> dict[str, Any]:
    """One ASIN's answer. Raises Refusal for an ASIN that is unknown or fails."""
    if truth.failure is not None:
        raise Refusal(truth.failure.status, truth.failure.code, truth.failure.message)
    if not truth.known:
        raise invalid_input(f"{truth.asin} is an invalid ASIN for marketplace {MARKETPLACE_ID}")
    shown = [offer for offer in truth.offers if offer.condition.lower() == condition.lower()][:_OFFERS_SHOWN]
    status = "NoBuyableOffers" if truth.status == "Success" and not truth.offers else truth.status
    return {
        "payload": {
            "ASIN": truth.asin,
            "status": status,
            "ItemCondition": condition,
            "marketplaceId": MARKETPLACE_ID,
            "Identifier": {
                "ASIN": truth.asin,
                "ItemCondition": condition,
                "MarketplaceId": MARKETPLACE_ID,
                **({"CustomerType": customer_type} if customer_type else {}),
            },
            "Summary": _summary(truth, shown),
            "Offers": [_offer(truth.asin, offer) for offer in shown],
        }
    }


def money(asin: str, offer: Offer, amount: Any) -> dict[str, Any]:
    """A MoneyType: yen come as 2980 from some sellers and as 2980.0 from others."""
    if isinstance(amount, int) and not isinstance(amount, bool) and text_key(asin + offer.seller_id) % 5 == 0:
        amount = float(amount)
    return {"CurrencyCode": offer.currency, "Amount": amount}


def prices(asin: str, offer: Offer) -> dict[str, Any]:
    """LandedPrice (points taken off), ListingPrice, Shipping, and Points where there are any."""
    landed: Any = None
    if isinstance(offer.price_jpy, int | float) and isinstance(offer.shipping_jpy, int | float):
        landed = offer.price_jpy + offer.shipping_jpy - (offer.points or 0)
    priced = {
        "LandedPrice": money(asin, offer, landed),
        "ListingPrice": money(asin, offer, offer.price_jpy),
        "Shipping": money(asin, offer, offer.shipping_jpy),
    }
    if offer.points is not None:
        priced["Points"] = {"PointsNumber": offer.points, "PointsMonetaryValue": money(asin, offer, offer.points)}
    return priced


def _summary(truth: Truth, shown: list[Offer]) -> dict[str, Any]:
    total = len(truth.offers) if truth.total_offer_count is None else truth.total_offer_count
    summary: dict[str, Any] = {"TotalOfferCount": total}
    if not truth.offers:
        return summary
    counts = Counter((offer.condition, _channel(offer)) for offer in truth.offers)
    summary["NumberOfOffers"] = [
        {"condition": condition, "fulfillmentChannel": channel, "OfferCount": count}
        for (condition, channel), count in sorted(counts.items())
    ]
    lowest: dict[tuple[str, str], Offer] = {}
    for offer in sorted(shown, key=lambda offer: offer.total_jpy):
        lowest.setdefault((offer.condition, _channel(offer)), offer)
    summary["LowestPrices"] = [
        {"condition": condition, "fulfillmentChannel": channel, **prices(truth.asin, offer)}
        for (condition, channel), offer in sorted(lowest.items())
    ]
    winners = [offer for offer in shown if offer.winner]
    if winners:
        summary["BuyBoxPrices"] = [{"condition": "New", **prices(truth.asin, offer)} for offer in winners]
        summary["BuyBoxEligibleOffers"] = [
            {"condition": condition, "fulfillmentChannel": channel, "OfferCount": count}
            for (condition, channel), count in sorted(counts.items())
            if condition == "new"
        ]
    return summary


def _offer(asin: str, offer: Offer) -> dict[str, Any]:
    priced = prices(asin, offer)
    times: dict[str, Any] = {"availabilityType": offer.availability}
    if offer.min_hours is not None:
        times["minimumHours"] = offer.min_hours
    if offer.max_hours is not None:
        times["maximumHours"] = offer.max_hours
    if offer.available_date is not None:
        times["availableDate"] = offer.available_date
    shown = {
        "SellerId": offer.seller_id,
        "SubCondition": offer.condition,
        "ListingPrice": priced["ListingPrice"],
        "Shipping": priced["Shipping"],
        "ShippingTime": times,
        "SellerFeedbackRating": {
            "FeedbackCount": offer.feedback_count,
            "SellerPositiveFeedbackRating": offer.feedback_percent,
        },
        "ShipsFrom": {"Country": offer.ships_from},
        "IsFulfilledByAmazon": offer.fba,
        "IsBuyBoxWinner": offer.winner,
        "IsFeaturedMerchant": offer.fba or offer.winner,
    }
    if "Points" in priced:
        shown["Points"] = priced["Points"]
    if offer.prime or text_key(offer.seller_id) % 2:
        shown["PrimeInformation"] = {"IsPrime": offer.prime, "IsNationalPrime": offer.prime}
    return shown


def _channel(offer: Offer) -> str:
    return "Amazon" if offer.fba else "Merchant"
