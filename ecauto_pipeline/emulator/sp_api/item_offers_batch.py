"""getItemOffersBatch: the offers of up to 20 ASINs; the call is 200 even when items fail.

Source: productPricingV0.json of Amazon's API models (2026-08): ItemOffersRequestList (maxItems 20).
"""

from __future__ import annotations

import json
import re
import uuid
from typing import Any

from ecauto_pipeline.emulator.credentials import MARKETPLACE_ID
from ecauto_pipeline.emulator.messages import Call
from ecauto_pipeline.emulator.sp_api import item_offers
from ecauto_pipeline.emulator.sp_api.errors import Refusal, errors_body, invalid_input
from ecauto_pipeline.emulator.sp_api.view import View

OPERATION = "getItemOffersBatch"
METHOD = "POST"
PATH = re.compile(r"/batches/products/pricing/v0/itemOffers")
_BATCH = 20
_KNOWN = {"uri", "method", "MarketplaceId", "ItemCondition", "CustomerType", "headers"}
_REASONS = {400: "Bad Request", 403: "Forbidden", 404: "Not Found", 429: "Too Many Requests"}
_REASONS |= {500: "Internal Server Error", 503: "Service Unavailable"}


def asins_of(call: Call) -> tuple[str, ...]:
    """The ASINs as far as they can be read; for faults and the log."""
    try:
        requests = json.loads(call.body)["requests"]
        found = [item_offers.PATH.fullmatch(request["uri"]) for request in requests]
    except (ValueError, KeyError, TypeError):
        return ()
    return tuple(match["asin"] for match in found if match)


def answer(call: Call, view: View) -> dict[str, Any]:
    """The body of a good answer. Raises Refusal."""
    requests = _requests(call)
    by_asin: dict[str, dict[str, Any]] = {}
    for request in requests:
        asin = _asin(request)
        if asin in by_asin:
            raise invalid_input("Duplicate requests submitted")
        by_asin[asin] = request
    stranger = {"MarketplaceId": MARKETPLACE_ID, "ItemCondition": "New", "CustomerType": "Consumer"}
    return {"responses": [_item(asin, by_asin.get(asin, stranger), view) for asin in view.answered(list(by_asin))]}


def _requests(call: Call) -> list[dict[str, Any]]:
    if call.media_type != "application/json":
        raise Refusal(415, "UnsupportedMediaType", "The request's Content-Type is not supported.")
    try:
        content = json.loads(call.body)
    except ValueError:
        raise invalid_input("Request body is not valid JSON") from None
    requests = content.get("requests") if isinstance(content, dict) else None
    if not isinstance(requests, list) or not requests:
        raise invalid_input("requests must hold 1 to 20 requests")
    if len(requests) > _BATCH:
        raise invalid_input(f"Number of requests must not exceed {_BATCH}")
    return requests


def _asin(request: Any) -> str:
    if not isinstance(request, dict):
        raise invalid_input("A request must be an object")
    unknown = sorted(set(request) - _KNOWN)
    if unknown:
        raise invalid_input(f"Unrecognized fields: {', '.join(unknown)}")
    for name in ("uri", "method", "MarketplaceId", "ItemCondition"):
        if not request.get(name):
            raise invalid_input(f"Missing required parameter: {name}")
    if request["method"] != "GET":
        raise invalid_input(f"{request['method']} is not a valid method")
    match = item_offers.PATH.fullmatch(str(request["uri"]))
    if match is None:
        raise invalid_input(f"{request['uri']} is not a valid uri")
    return match["asin"]


def _item(asin: str, request: dict[str, Any], view: View) -> dict[str, Any]:
    try:
        if request["MarketplaceId"] != MARKETPLACE_ID:
            raise invalid_input(f"{request['MarketplaceId']} is not a marketplace of this seller.")
        condition, customer_type = request["ItemCondition"], request.get("CustomerType")
        item_offers.check_condition(condition, customer_type)
        status, reason = 200, "OK"
        body = item_offers.offers_body(view.truth(asin), condition, customer_type)
    except Refusal as refusal:
        status, reason = refusal.status, _REASONS.get(refusal.status, "Error")
        body = errors_body(refusal.code, refusal.message, refusal.details)
    echoed = {name: request[name] for name in ("MarketplaceId", "ItemCondition", "CustomerType") if request.get(name)}
    return {
        "status": {"statusCode": status, "reasonPhrase": reason},
        "headers": {"x-amzn-RequestId": str(uuid.uuid4())},
        "request": {**echoed, "Asin": asin},
        "body": body,
    }
