"""getCompetitiveSummary: featured and lowest priced new offers of up to 20 ASINs, in lower camel case. No ship times.

Another family than Product Pricing v0, so faults that bend only that one leave this one right. Strict about the
request's shape: what Amazon's model does not know is a 400 for the whole call; an ASIN that Amazon does not know is an
item of its own with INVALID_ASIN. `shippingOptions` is absent of one offer in three: that says nothing of its shipping.
Source: productPricing_2022-05-01.json of Amazon's API models (2026-08): CompetitiveSummaryRequestList (maxItems 20),
LowestPricedOffersInputList (maxItems 5); the segment DEFAULT is sent since 2025-08-06.
"""

from __future__ import annotations

import json
import re
from typing import Any

from ecauto_pipeline.emulator.chance import text_key
from ecauto_pipeline.emulator.credentials import MARKETPLACE_ID
from ecauto_pipeline.emulator.messages import Call
from ecauto_pipeline.emulator.offers import Offer
from ecauto_pipeline.emulator.sp_api.errors import Refusal, invalid_input
from ecauto_pipeline.emulator.sp_api.view import View
from ecauto_pipeline.emulator.world import Truth

OPERATION = "getCompetitiveSummary"
METHOD = "POST"
PATH = re.compile(r"/batches/products/pricing/2022-05-01/items/competitiveSummary")
_URI = "/products/pricing/2022-05-01/items/competitiveSummary"
_BATCH, _OFFERS_SHOWN, _INPUTS = 20, 20, 5
_NEEDED = ("asin", "marketplaceId", "includedData", "method", "uri")
_KNOWN = {*_NEEDED, "lowestPricedOffersInputs"}
_DATA = ("featuredBuyingOptions", "referencePrices", "lowestPricedOffers", "similarItems")
_OFFER_TYPES = ("Consumer",)
_CONDITIONS = ("New", "Used", "Collectible", "Refurbished", "Club")
_REASONS = {400: "Bad Request", 403: "Forbidden", 404: "Not Found", 429: "Too Many Requests"}
_REASONS |= {500: "Internal Server Error", 503: "Service Unavailable"}


def asins_of(call: Call) -> tuple[str, ...]:
    """The ASINs as far as they can be read; for faults and the log."""
    try:
        return tuple(str(request["asin"]) for request in json.loads(call.body)["requests"])
    except (ValueError, KeyError, TypeError):
        return ()


def answer(call: Call, view: View) -> dict[str, Any]:
    """The body of a good answer. Raises Refusal."""
    by_asin: dict[str, dict[str, Any]] = {}
    for request in _requests(call):
        _check(request)
        if request["asin"] in by_asin:
            raise invalid_input("Duplicate requests submitted")
        by_asin[request["asin"]] = request
    stranger = {"includedData": ["featuredBuyingOptions"]}
    return {"responses": [_item(asin, by_asin.get(asin, stranger), view) for asin in view.answered(list(by_asin))]}


def _requests(call: Call) -> list[Any]:
    if call.media_type != "application/json":
        raise Refusal(415, "UnsupportedMediaType", "The request's Content-Type is not supported.")
    try:
        content = json.loads(call.body)
    except ValueError:
        raise invalid_input("Request body is not valid JSON") from None
    requests = content.get("requests") if isinstance(content, dict) else None
    if not isinstance(requests, list) or not 1 <= len(requests) <= _BATCH or set(content) != {"requests"}:
        raise invalid_input(f"requests must hold 1 to {_BATCH} requests")
    return requests


def _check(request: Any) -> None:
    """Raises Refusal where one request is not as the model has it."""
    if not isinstance(request, dict):
        raise invalid_input("A request must be an object")
    if unknown := sorted(set(request) - _KNOWN):
        raise invalid_input(f"Unrecognized fields: {', '.join(unknown)}")
    for name in _NEEDED:
        if not request.get(name):
            raise invalid_input(f"Missing required parameter: {name}")
    if not isinstance(request["asin"], str):
        raise invalid_input("asin must be a string")
    if request["method"] != "GET":
        raise invalid_input(f"{request['method']} is not a valid method")
    if request["uri"] != _URI:
        raise invalid_input(f"{request['uri']} is not a valid uri")
    if request["marketplaceId"] != MARKETPLACE_ID:
        raise invalid_input(f"{request['marketplaceId']} is not a marketplace of this seller.")
    included = request["includedData"]
    if not isinstance(included, list) or not all(name in _DATA for name in included):
        raise invalid_input(f"includedData must be of {', '.join(_DATA)}")
    inputs = request.get("lowestPricedOffersInputs")
    if ("lowestPricedOffers" in included) != (inputs is not None):
        raise invalid_input("lowestPricedOffersInputs go with includedData lowestPricedOffers, and only with it")
    if inputs is None:
        return
    if not isinstance(inputs, list) or not 1 <= len(inputs) <= _INPUTS:
        raise invalid_input(f"lowestPricedOffersInputs must hold 1 to {_INPUTS} inputs")
    for one in inputs:
        if not isinstance(one, dict) or set(one) != {"itemCondition", "offerType"}:
            raise invalid_input("An input of lowestPricedOffersInputs has itemCondition and offerType")
        if one["itemCondition"] not in _CONDITIONS or one["offerType"] not in _OFFER_TYPES:
            raise invalid_input("An input of lowestPricedOffersInputs has a value that is not known")


def _item(asin: str, request: dict[str, Any], view: View) -> dict[str, Any]:
    truth = view.truth(asin)
    if truth.failure is not None:
        return _failed(asin, truth.failure.status, truth.failure.code, truth.failure.message)
    if not truth.known:
        return _failed(asin, 400, "INVALID_ASIN", f"The ASIN {asin} is not valid for marketplace {MARKETPLACE_ID}.")
    body: dict[str, Any] = {"asin": asin, "marketplaceId": MARKETPLACE_ID}
    included = request["includedData"]
    if "featuredBuyingOptions" in included:
        body["featuredBuyingOptions"] = _featured(truth)
    if "lowestPricedOffers" in included:
        body["lowestPricedOffers"] = [_lowest(truth, one) for one in request["lowestPricedOffersInputs"]]
    for name in ("referencePrices", "similarItems"):
        if name in included:
            body[name] = []
    return {"status": {"statusCode": 200, "reasonPhrase": "OK"}, "body": body}


def _failed(asin: str, status: int, code: str, message: str) -> dict[str, Any]:
    body = {"asin": asin, "marketplaceId": MARKETPLACE_ID, "errors": [{"code": code, "message": message}]}
    return {"status": {"statusCode": status, "reasonPhrase": _REASONS.get(status, "Error")}, "body": body}


def _featured(truth: Truth) -> list[dict[str, Any]]:
    """Several offers may be featured at once, each for a segment of the customers."""
    winners = [offer for offer in truth.offers if offer.winner and offer.condition == "new"]
    if not winners:
        return []
    segments = [
        {
            **_offer(truth.asin, offer),
            "featuredOfferSegments": [
                {"customerMembership": membership, "segmentDetails": {"glanceViewWeightPercentage": 100}}
                for membership in (("PRIME", "DEFAULT") if offer.prime else ("NON_PRIME", "DEFAULT"))
            ],
        }
        for offer in winners
    ]
    return [{"buyingOptionType": "New", "segmentedFeaturedOffers": segments}]


def _lowest(truth: Truth, asked: dict[str, str]) -> dict[str, Any]:
    condition = asked["itemCondition"].lower()
    offers = sorted(
        (offer for offer in truth.offers if offer.condition.lower() == condition), key=lambda one: one.total_jpy
    )
    return {
        "lowestPricedOffersInput": dict(asked),
        "offers": [_offer(truth.asin, one) for one in offers][:_OFFERS_SHOWN],
    }


def _money(asin: str, offer: Offer, amount: Any) -> dict[str, Any]:
    """Yen come as 2980 from some sellers and as 2980.0 from others."""
    if isinstance(amount, int) and not isinstance(amount, bool) and text_key(offer.seller_id + asin) % 4 == 0:
        amount = float(amount)
    return {"amount": amount, "currencyCode": offer.currency}


def _offer(asin: str, offer: Offer) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "sellerId": offer.seller_id,
        "condition": offer.condition.title(),
        "fulfillmentType": "AFN" if offer.fba else "MFN",
        "listingPrice": _money(asin, offer, offer.price_jpy),
    }
    if offer.condition == "new":
        shown["subCondition"] = "New"
    if text_key(asin + offer.seller_id) % 3:
        shown["shippingOptions"] = [{"shippingOptionType": "DEFAULT", "price": _money(asin, offer, offer.shipping_jpy)}]
    if offer.points is not None:
        shown["points"] = {
            "pointsNumber": offer.points,
            "pointsMonetaryValue": _money(asin, offer, offer.points),
        }
    if offer.fba or offer.prime:
        shown["primeDetails"] = {"eligibility": "NATIONAL" if offer.prime else "NONE"}
    return shown
