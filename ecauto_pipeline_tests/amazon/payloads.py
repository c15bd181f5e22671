"""Payloads of getItemOffers as Amazon's model gives them, with what a test wants otherwise. Not for: laws."""

from __future__ import annotations

from typing import Any

ASIN = "B000000001"


def yen(amount: object, currency: str = "JPY") -> dict[str, Any]:
    return {"CurrencyCode": currency, "Amount": amount}


def offer(**more: Any) -> dict[str, Any]:
    return {
        "SellerId": "S1",
        "SubCondition": "new",
        "ListingPrice": yen(2980),
        "Shipping": yen(0),
        "ShippingTime": {"minimumHours": 0, "maximumHours": 24, "availabilityType": "NOW"},
        "IsFulfilledByAmazon": True,
        "PrimeInformation": {"IsPrime": True, "IsNationalPrime": True},
        "IsBuyBoxWinner": True,
    } | more


def feedback(count: object, percent: object) -> dict[str, Any]:
    return {"FeedbackCount": count, "SellerPositiveFeedbackRating": percent}


def payload(*offers: Any, status: str = "Success", **summary: Any) -> dict[str, Any]:
    counts = [{"condition": "new", "fulfillmentChannel": "Amazon", "OfferCount": len(offers)}]
    told = {"TotalOfferCount": len(offers), "NumberOfOffers": counts} | summary
    return {"ASIN": ASIN, "status": status, "Summary": told, "Offers": list(offers)}
