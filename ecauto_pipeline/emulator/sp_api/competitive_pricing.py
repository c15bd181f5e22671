"""getCompetitivePricing: the Featured Offer's price and the offer counts of up to 20 ASINs. No ship times.

Source: productPricingV0.json of Amazon's API models (2026-08); `ClientError` from reports of its users.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

from ecauto_pipeline.emulator.credentials import MARKETPLACE_ID
from ecauto_pipeline.emulator.messages import Call
from ecauto_pipeline.emulator.sp_api.errors import Refusal, invalid_input
from ecauto_pipeline.emulator.sp_api.item_offers import prices
from ecauto_pipeline.emulator.sp_api.view import View
from ecauto_pipeline.emulator.world import Truth

OPERATION = "getCompetitivePricing"
METHOD = "GET"
PATH = re.compile(r"/products/pricing/v0/competitivePrice")
_BATCH = 20


def asins_of(call: Call) -> tuple[str, ...]:
    return tuple(asin for asin in call.query_first().get("Asins", "").split(",") if asin)


def answer(call: Call, view: View) -> dict[str, Any]:
    """The body of a good answer. Raises Refusal."""
    query = call.query_first()
    if not query.get("MarketplaceId"):
        raise invalid_input("Missing required parameter: MarketplaceId")
    if query["MarketplaceId"] != MARKETPLACE_ID:
        raise invalid_input(f"{query['MarketplaceId']} is not a marketplace of this seller.")
    if not query.get("ItemType"):
        raise invalid_input("Missing required parameter: ItemType")
    if query["ItemType"] not in ("Asin", "Sku"):
        raise Refusal(404, "NotFound", "The resource specified does not exist.")
    if query["ItemType"] == "Sku":
        raise invalid_input("This seller has no SKUs.")
    if len(call.query_values().get("Asins", ())) > 1:
        raise invalid_input("Asins must be one comma-separated list")
    asins = list(asins_of(call))
    if not 1 <= len(asins) <= _BATCH:
        raise invalid_input(f"Asins must hold 1 to {_BATCH} ASINs")
    if len(set(asins)) < len(asins):
        raise invalid_input("Duplicate ASINs submitted")
    return {"payload": [_item(view.truth(asin)) for asin in view.answered(asins)]}


def _item(truth: Truth) -> dict[str, Any]:
    if truth.failure is not None or not truth.known:
        return {"status": "ClientError", "ASIN": truth.asin}
    product: dict[str, Any] = {
        "Identifiers": {
            "MarketplaceASIN": {"MarketplaceId": MARKETPLACE_ID, "ASIN": truth.asin},
            "SKUIdentifier": {"MarketplaceId": "", "SellerId": "", "SellerSKU": ""},
        }
    }
    if not truth.identifiers_only:
        counts = Counter(offer.condition.title() for offer in truth.offers)
        if truth.offers:
            counts["Any"] = len(truth.offers)
        product["CompetitivePricing"] = {
            "CompetitivePrices": [
                {
                    "CompetitivePriceId": "1",
                    "condition": "New",
                    "subcondition": "New",
                    "belongsToRequester": False,
                    "sellerId": offer.seller_id,
                    "Price": prices(truth.asin, offer),
                }
                for offer in truth.offers
                if offer.winner
            ],
            "NumberOfOfferListings": [{"condition": name, "Count": count} for name, count in sorted(counts.items())],
        }
        product["SalesRankings"] = []
    return {"status": "Success", "ASIN": truth.asin, "Product": product}
