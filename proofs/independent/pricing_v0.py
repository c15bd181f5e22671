"""Answers of Product Pricing v0, as its published model writes them.

Where it leaves a choice: a batch comes in reverse order, yen are sometimes `2980.0`, the marketplace's name has its old
spelling, the Buy Box condition is lower case, optional blocks are left out, an ASIN that Amazon does not know is an
error within the batch. Not for: what was asked (questions.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from proofs.independent.goods import MARKET, Good, number

Goods = Mapping[str, Good]


def batch(goods: Goods, asins: tuple[str, ...]) -> dict[str, Any]:
    """getItemOffersBatch."""
    answers = []
    for asin in reversed(asins):
        status, body = offers(goods, asin)
        request = {"MarketplaceId": MARKET, "Asin": asin, "ItemCondition": "New", "CustomerType": "Consumer"}
        answers.append({"status": {"statusCode": status}, "headers": {}, "request": request, "body": body})
    return {"responses": answers}


def offers(goods: Goods, asin: str) -> tuple[int, dict[str, Any]]:
    """getItemOffers: HTTP status and body."""
    good = goods.get(asin)
    if good is None:
        message = f"{asin} is an invalid ASIN for marketplace {MARKET}"
        return 400, {"errors": [{"code": "InvalidInput", "message": message}]}
    payload: dict[str, Any] = {"ASIN": asin, "ItemCondition": "New", "MarketplaceID": MARKET}
    price_jpy = good.v0_price_jpy
    if price_jpy is None:
        gone = {"status": "NoBuyableOffers", "Summary": {"TotalOfferCount": 0}, "Offers": []}
        return 200, {"payload": {**payload, **gone}}
    listing = {"ListingPrice": _yen(asin, price_jpy), "Shipping": _yen(asin, good.shipping_jpy)}
    offer = {
        "SellerId": "A2INDEPENDENT",
        "SubCondition": "new",
        **listing,
        "ShippingTime": {"minimumHours": 0, "maximumHours": good.hours, "availabilityType": "NOW"},
        "IsFulfilledByAmazon": False,
        "IsBuyBoxWinner": True,
    }
    late = {
        **offer,
        "SellerId": "A3LATE",
        "ListingPrice": _yen(asin, price_jpy // 2),
        "ShippingTime": {"minimumHours": 240, "maximumHours": 480, "availabilityType": "NOW"},
    }
    landed = {"LandedPrice": _yen(asin, price_jpy + good.shipping_jpy), **listing}
    summary = {"TotalOfferCount": 2, "BuyBoxPrices": [{"condition": "new", **landed}]}
    return 200, {"payload": {**payload, "status": "Success", "Summary": summary, "Offers": [late, offer]}}


def competitive(goods: Goods, asins: tuple[str, ...]) -> dict[str, Any]:
    """getCompetitivePricing."""
    rows: list[dict[str, Any]] = []
    for asin in asins:
        good = goods.get(asin)
        if good is None:
            rows.append({"status": "ClientError", "ASIN": asin})
            continue
        block: dict[str, Any] = {"CompetitivePrices": [], "NumberOfOfferListings": []}
        if good.v0_price_jpy is not None:
            price = {"ListingPrice": _yen(asin, good.v0_price_jpy), "Shipping": _yen(asin, good.shipping_jpy)}
            best = {"CompetitivePriceId": "1", "condition": "new", "belongsToRequester": False, "Price": price}
            counts = [{"condition": "New", "Count": 2}, {"condition": "Any", "Count": 2}]
            block = {"CompetitivePrices": [best], "NumberOfOfferListings": counts}
        rows.append({"status": "Success", "ASIN": asin, "Product": {"CompetitivePricing": block}})
    return {"payload": rows}


def _yen(asin: str, amount: int) -> dict[str, Any]:
    return {"CurrencyCode": "JPY", "Amount": number(asin, amount)}
