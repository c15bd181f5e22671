"""Answers of Product Pricing 2022-05-01, another family than v0: getCompetitiveSummary.

Where its model leaves a choice: reverse order, `status` only where an item failed, only the blocks that were asked for,
two segments with an offer each, no shipping with every second article (unknown, not free), a coupon nobody asked for.
Nothing tells when an article ships. Not for: what was asked (questions.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from proofs.independent.goods import MARKET, Good, number
from proofs.independent.questions import Question


def summary(goods: Mapping[str, Good], asked: Question) -> dict[str, Any]:
    """One response an ASIN; the call is 200 whatever they are."""
    pairs = list(zip(asked.asins, asked.included, strict=True))
    return {"responses": [_response(asin, goods.get(asin), blocks) for asin, blocks in reversed(pairs)]}


def _response(asin: str, good: Good | None, blocks: frozenset[str]) -> dict[str, Any]:
    body: dict[str, Any] = {"marketplaceId": MARKET, "asin": asin}
    if good is None:
        body["errors"] = [{"code": "INVALID_ASIN", "message": f"{asin} is not an ASIN of this marketplace."}]
        return {"status": {"statusCode": 400, "reasonPhrase": "Bad Request"}, "body": body}
    offers = [] if good.price_jpy is None else _offers(asin, good, good.price_jpy)
    if "featuredBuyingOptions" in blocks:
        segments = zip(offers[-1:] * 2, ("DEFAULT", "PRIME"), strict=False)
        featured = [{**offer, "featuredOfferSegments": [_segment(member)]} for offer, member in segments]
        options = {"buyingOptionType": "New", "segmentedFeaturedOffers": featured}
        body["featuredBuyingOptions"] = [options] if featured else []
    if "lowestPricedOffers" in blocks:
        wish = {"itemCondition": "New", "offerType": "Consumer"}
        body["lowestPricedOffers"] = [{"lowestPricedOffersInput": wish, "offers": offers}]
    return {"body": body}


def _offers(asin: str, good: Good, price_jpy: int) -> list[dict[str, Any]]:
    """The late one at half the price and the one that is featured, cheapest first."""
    return [
        _offer(asin, good, "A3LATE", price_jpy // 2),
        _offer(asin, good, "A2INDEPENDENT", price_jpy)
        | {"promotions": [{"promotionType": "COUPON", "promotionSavings": {"discount": {"type": "AMOUNT_OFF"}}}]},
    ]


def _offer(asin: str, good: Good, seller: str, price_jpy: int) -> dict[str, Any]:
    offer: dict[str, Any] = {
        "sellerId": seller,
        "condition": "New",
        "fulfillmentType": "MFN",
        "listingPrice": {"amount": number(asin, price_jpy), "currencyCode": "JPY"},
    }
    if sum(asin.encode()) % 2:
        shipping = {"amount": number(asin, good.shipping_jpy), "currencyCode": "JPY"}
        offer["shippingOptions"] = [{"shippingOptionType": "DEFAULT", "price": shipping}]
    return offer


def _segment(member: str) -> dict[str, Any]:
    return {
        "customerMembership": member,
        "segmentDetails": {
            "glanceViewWeightPercentage": 50,
            "sampleLocation": {"postalCode": {"countryCode": "JP", "value": "1530064"}},
        },
    }
