"""searchCatalogItems 2022-04-01 by identifiers: titles, pictures, brands, categories. Neither price nor stock.

Source: catalogItems_2022-04-01.json of Amazon's API models (2026-08). Unknown ASINs are absent, a malformed one
fails the whole call, the default page is 10.
"""

from __future__ import annotations

import re
from typing import Any

from ecauto_pipeline.emulator.credentials import MARKETPLACE_ID
from ecauto_pipeline.emulator.messages import Call
from ecauto_pipeline.emulator.sp_api.errors import invalid_input
from ecauto_pipeline.emulator.sp_api.view import View

OPERATION = "searchCatalogItems"
METHOD = "GET"
PATH = re.compile(r"/catalog/2022-04-01/items")
_IDENTIFIERS, _PAGE_DEFAULT, _PAGE_MAX = 20, 10, 20
_ASIN = re.compile(r"[A-Z0-9]{10}")
_DATA = (
    "attributes", "classifications", "dimensions", "identifiers", "images", "productTypes", "relationships",
    "salesRanks", "summaries", "vendorDetails",
)  # fmt: skip


def asins_of(call: Call) -> tuple[str, ...]:
    return tuple(asin for asin in call.query_first().get("identifiers", "").split(",") if asin)


def answer(call: Call, view: View) -> dict[str, Any]:
    """The body of a good answer. Raises Refusal."""
    query = call.query_first()
    for name, values in call.query_values().items():
        if len(values) > 1:
            raise invalid_input(f"Parameter given more than once: {name}")
    if query.get("marketplaceIds") != MARKETPLACE_ID:
        raise invalid_input("Missing or invalid parameter: marketplaceIds")
    if query.get("identifiersType") != "ASIN":
        raise invalid_input("Missing or invalid parameter: identifiersType")
    asins = list(dict.fromkeys(asins_of(call)))
    if not 1 <= len(asins) <= _IDENTIFIERS:
        raise invalid_input(f"identifiers must hold 1 to {_IDENTIFIERS} values")
    if not all(_ASIN.fullmatch(asin) for asin in asins):
        raise invalid_input("Request has missing or invalid parameters and cannot be parsed.")
    included = query.get("includedData", "summaries").split(",")
    if not set(included) <= set(_DATA):
        raise invalid_input(f"includedData must be of {', '.join(_DATA)}")
    size = _whole_number(query.get("pageSize", str(_PAGE_DEFAULT)))
    if not 1 <= size <= _PAGE_MAX:
        raise invalid_input(f"pageSize must be 1 to {_PAGE_MAX}")
    begin = _whole_number(query["pageToken"].removeprefix("page-")) if query.get("pageToken") else 0
    known = [asin for asin in view.answered(asins) if view.truth(asin).known]
    body: dict[str, Any] = {
        "numberOfResults": len(known),
        "items": [_item(asin, included, view) for asin in known[begin : begin + size]],
    }
    paging = {}
    if begin + size < len(known):
        paging["nextToken"] = f"page-{begin + size}"
    if begin:
        paging["previousToken"] = f"page-{max(0, begin - size)}"
    if paging:
        body["pagination"] = paging
    return body


def _whole_number(text: str) -> int:
    if not text.isdigit():
        raise invalid_input(f"not a number: {text}")
    return int(text)


def _item(asin: str, included: list[str], view: View) -> dict[str, Any]:
    goods = view.goods(asin)
    here = {"marketplaceId": MARKETPLACE_ID}

    def attribute(value: str) -> dict[str, str]:
        return {"value": value, "language_tag": "ja_JP", "marketplace_id": MARKETPLACE_ID}

    list_price = {
        "currency": "JPY",
        "value": float(round(view.price_jpy(asin) * goods.list_price_factor)),
        "marketplace_id": MARKETPLACE_ID,
    }
    category = {"displayName": goods.category, "classificationId": str(2_000_000_000 + len(goods.category))}
    everything: dict[str, Any] = {
        "summaries": [
            {
                **here,
                "adultProduct": False,
                "brand": goods.brand,
                "browseClassification": category,
                "itemClassification": "BASE_PRODUCT",
                "itemName": goods.title,
                "manufacturer": goods.brand,
            }
        ],
        "attributes": {
            "item_name": [attribute(goods.title)],
            "brand": [attribute(goods.brand)],
            "bullet_point": [attribute(point) for point in goods.bullet_points],
            "product_description": [attribute(goods.description)],
            "list_price": [list_price],
        },
        "classifications": [{**here, "classifications": [category]}],
        "dimensions": [here],
        "identifiers": [{**here, "identifiers": []}],
        "images": [
            {
                **here,
                "images": [
                    {"variant": f"PT{n:02d}" if n else "MAIN", "link": link, "height": 1000, "width": 1000}
                    for n, link in enumerate(goods.images)
                ],
            }
        ],
        "productTypes": [{**here, "productType": "HOME"}],
        "relationships": [{**here, "relationships": []}],
        "salesRanks": [{**here, "displayGroupRanks": []}],
        "vendorDetails": [],
    }
    return {"asin": asin, **{name: everything[name] for name in included}}
