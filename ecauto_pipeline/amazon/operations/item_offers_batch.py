"""getItemOffersBatch: the offers of up to 20 ASINs in one call; the source of price and of "out of stock" (detail).

The call is 200 even when items fail; each item carries its own status, headers and request. Duplicates fail the whole
call, so nobody may send any. Parameters stand at the top level of each request.
Source: productPricingV0.json of amzn/selling-partner-api-models at 34dc93f (2026-08): rate 0.1/s since 2023-07-10,
burst 1, ItemOffersRequestList maxItems 20.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from ecauto_pipeline.amazon.answers import failed, item_error, item_status, matched, responses_of
from ecauto_pipeline.amazon.offer_shapes import odd_offers
from ecauto_pipeline.amazon.offers import KNOWN, offers_answer
from ecauto_pipeline.amazon.operation import Failure, Operation, Reading
from ecauto_pipeline.amazon.shapes_of_lists import odd_responses
from ecauto_pipeline.domain.model import Answer, Role
from ecauto_pipeline.settings import Offers as OfferRule

NAME = "getItemOffersBatch"


def _send(api: Any, asins: Sequence[str], marketplace_id: str) -> Any:
    return api.get_item_offers_batch(
        [
            {
                "uri": f"/products/pricing/v0/items/{asin}/offers",
                "method": "GET",
                "MarketplaceId": marketplace_id,
                "ItemCondition": "New",
                "CustomerType": "Consumer",
            }
            for asin in asins
        ]
    )


def _read(payload: object, asins: Sequence[str], request_id: str, rule: OfferRule) -> Reading[Answer]:
    reading = matched(
        *(NAME, responses_of(payload), asins, request_id),
        about=_about,
        read=lambda asin, item: _item(asin, item, request_id, rule),
    )
    return replace(reading, answers=_no_mix_up(reading.answers))


def _odd(payload: object, asins: Sequence[str]) -> dict[str, frozenset[str]]:
    return odd_responses(payload, asins, _about, lambda body: odd_offers(body.get("payload")))


def _no_mix_up(found: Mapping[str, Answer]) -> dict[str, Answer]:
    """An item that tells of an ASIN asked about beside it is merged with that one only where that one tells of itself;
    else the answers of this call are mixed up."""
    return {
        asin: failed(NAME, asin, Failure("wrong_asin", 200, answer.request_id))
        if answer.merged_into in found and found[answer.merged_into].merged_into
        else answer
        for asin, answer in found.items()
    }


def _about(item: object) -> str:
    """The ASIN an item speaks of, "" where it does not say."""
    if not isinstance(item, dict):
        return ""
    request, body = item.get("request"), item.get("body")
    asin = request.get("Asin") if isinstance(request, dict) else None
    if not isinstance(asin, str) and isinstance(body, dict) and isinstance(body.get("payload"), dict):
        asin = body["payload"].get("ASIN")
    return asin if isinstance(asin, str) else ""


def _item(asin: str, item: dict[str, Any], request_id: str, rule: OfferRule) -> Answer:
    headers, body, code = item.get("headers"), item.get("body"), item_status(item)
    if isinstance(headers, dict):
        own = next((v for k, v in headers.items() if str(k).lower() == "x-amzn-requestid"), None)
        request_id = own[:128] if isinstance(own, str) and own.isascii() and own.isprintable() else request_id
    if not isinstance(body, dict):
        return failed(NAME, asin, Failure("wrong_shape", code or 200, request_id))
    if body.get("errors"):
        return item_error(NAME, asin, code, body["errors"], request_id)
    if code is not None and code >= 300:
        return failed(NAME, asin, Failure(f"http_{code}", code, request_id))
    return offers_answer(NAME, asin, body.get("payload"), rule, request_id)


OPERATION: Operation[Answer] = Operation(
    name=NAME,
    role=Role.DETAIL,
    rate_per_s=0.1,
    burst=1,
    batch=20,
    knows=KNOWN,
    api="ProductsV0",
    send=_send,
    parse=_read,
    fail=partial(failed, NAME),
    odd=_odd,
)
