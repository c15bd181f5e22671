"""searchCatalogItems 2022-04-01: title, text, brand, category and pictures of up to 20 ASINs. Neither price nor stock.

Unknown ASINs are simply absent; one malformed ASIN fails all twenty; the default page is 10, so 20 is asked for.
Source: catalogItems_2022-04-01.json of amzn/selling-partner-api-models at 34dc93f (2026-08): rate 2/s, burst 2,
identifiers maxItems 20, pageSize maximum 20.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ecauto_pipeline.amazon.operation import Failure, Operation, Reading, ShapelessAnswer
from ecauto_pipeline.amazon.shapes import Document, Expected, Kind, oddities
from ecauto_pipeline.amazon.shapes_of_lists import odd_items
from ecauto_pipeline.domain.model import Role, Status
from ecauto_pipeline.domain.offers.knowledge import Fact
from ecauto_pipeline.settings import Offers as OfferRule

NAME = "searchCatalogItems"
_BATCH = 20
_LIST: Kind = "list"
_TEXT: Kind = "text"
_INCLUDED = "attributes,classifications,images,summaries"
_EXPECTED = Document(
    (
        Expected("asin", "text"),
        Expected("summaries", "list", required=False),
        Expected("summaries.marketplaceId", "text"),
        Expected("summaries.itemName", "text", required=False),
        Expected("summaries.brand", "text", required=False),
        Expected("summaries.browseClassification", "object", required=False),
        Expected("summaries.browseClassification.displayName", "text"),
        Expected("attributes", "object", required=False),
        *(
            Expected(path, kind, required=False)
            for name in ("item_name", "brand", "product_description", "bullet_point")
            for path, kind in ((f"attributes.{name}", _LIST), (f"attributes.{name}.value", _TEXT))
        ),
        Expected("classifications", "list", required=False),
        Expected("classifications.classifications", "list", required=False),
        Expected("classifications.classifications.displayName", "text"),
        Expected("images", "list", required=False),
        Expected("images.images", "list"),
        Expected("images.images.variant", "text"),
        Expected("images.images.link", "text"),
        Expected("images.images.height", "number"),
    )
)
"""Item as far as it is read, with what its model calls required."""


@dataclass(frozen=True, slots=True)
class CatalogueAnswer:
    """What Amazon's catalogue says of one ASIN. Texts None = not said, which never overwrites what is known.

    `status`: SUCCESS, NOT_FOUND (absent from the answer) or API_ERROR. `images`: addresses, the main one first.
    """

    asin: str
    status: Status
    reason: str = ""
    title: str | None = None
    description: str | None = None
    brand: str | None = None
    category: str | None = None
    images: tuple[str, ...] = ()
    http_status: int | None = None
    request_id: str = ""


def _fail(asin: str, failure: Failure) -> CatalogueAnswer:
    return CatalogueAnswer(
        asin, Status.API_ERROR, failure.reason, http_status=failure.http_status, request_id=failure.request_id
    )


def _send(api: Any, asins: Sequence[str], marketplace_id: str) -> Any:
    return api.search_catalog_items(
        identifiers=",".join(asins),
        identifiersType="ASIN",
        marketplaceIds=marketplace_id,
        includedData=_INCLUDED,
        pageSize=_BATCH,
    )


def _read(payload: object, asins: Sequence[str], request_id: str, _rule: OfferRule) -> Reading[CatalogueAnswer]:
    items = payload.get("items") if isinstance(payload, dict) else None
    if not isinstance(items, list):
        raise ShapelessAnswer("empty_answer" if not payload else "wrong_shape")
    asked, strangers = set(asins), []
    found: dict[str, CatalogueAnswer] = {}
    for item in items:
        asin = _about(item)
        if not isinstance(asin, str) or asin not in asked:
            strangers.append(asin if isinstance(asin, str) else "")
            continue
        found[asin] = _item(asin, item, request_id)
    told = payload.get("numberOfResults") if isinstance(payload, dict) else None
    if isinstance(told, int) and told > len(items):
        return Reading(found, tuple(strangers))  # a page is missing: who is absent is not known
    for asin in asked - found.keys():
        found[asin] = CatalogueAnswer(
            asin, Status.NOT_FOUND, "not_in_catalogue", http_status=200, request_id=request_id
        )
    return Reading(found, tuple(strangers))


def _odd(payload: object, asins: Sequence[str]) -> dict[str, frozenset[str]]:
    """An ASIN that the catalogue does not know is absent by design, unless more items were announced."""
    items = payload.get("items") if isinstance(payload, dict) else None
    if not isinstance(payload, dict) or not isinstance(items, list):
        return dict.fromkeys(asins, frozenset({"missing items"}))
    found = odd_items(items, asins, _about, lambda item: oddities(item, _EXPECTED), every_one_answers=False)
    told = payload.get("numberOfResults")
    if not isinstance(told, int) or told != len(items):
        mismatch = {"missing numberOfResults" if told is None else "numberOfResults is not the number of items"}
        found |= {asin: found.get(asin, frozenset()) | mismatch for asin in asins}
    return found


def _about(item: object) -> object:
    return item.get("asin") if isinstance(item, dict) else None


def _item(asin: str, item: dict[str, Any], request_id: str) -> CatalogueAnswer:
    summary = next(_dicts(item.get("summaries")), {})
    attributes = item.get("attributes")
    attributes = attributes if isinstance(attributes, dict) else {}
    browse = summary.get("browseClassification")
    category = _text(browse.get("displayName")) if isinstance(browse, dict) else None
    return CatalogueAnswer(
        asin,
        Status.SUCCESS,
        title=_text(summary.get("itemName")) or _joined(attributes.get("item_name"), 1),
        description=_joined(attributes.get("product_description")) or _joined(attributes.get("bullet_point")),
        brand=_text(summary.get("brand")) or _joined(attributes.get("brand"), 1),
        category=category or _classification(item.get("classifications")),
        images=_images(item.get("images")),
        http_status=200,
        request_id=request_id,
    )


def _classification(groups: object) -> str | None:
    for group in _dicts(groups):
        for entry in _dicts(group.get("classifications")):
            return _text(entry.get("displayName"))
    return None


def _images(groups: object) -> tuple[str, ...]:
    """One address a picture, the largest of each variant, MAIN first."""
    best: dict[str, tuple[float, str]] = {}
    for group in _dicts(groups):
        for image in _dicts(group.get("images")):
            variant, link, height = image.get("variant"), _text(image.get("link")), image.get("height")
            height = height if isinstance(height, int | float) and not isinstance(height, bool) else 0
            if isinstance(variant, str) and link and link.startswith(("https://", "http://")):
                best[variant] = max(best.get(variant, (-1.0, "")), (float(height), link))
    return tuple(best[variant][1] for variant in sorted(best, key=lambda variant: (variant != "MAIN", variant)))


def _joined(values: object, most: int = 50) -> str | None:
    texts = [text for entry in _dicts(values) if (text := _text(entry.get("value")))]
    return "\n".join(texts[:most]) or None


def _dicts(values: object) -> Iterator[dict[str, Any]]:
    return iter([entry for entry in values if isinstance(entry, dict)] if isinstance(values, list) else [])


def _text(value: object) -> str | None:
    """Text that the database can hold; blank is none."""
    if not isinstance(value, str) or not value.strip():
        return None
    return value.strip().encode("utf-8", "replace").decode("utf-8").replace("\x00", "")


OPERATION: Operation[CatalogueAnswer] = Operation(
    name=NAME,
    role=Role.CATALOGUE,
    rate_per_s=2.0,
    burst=2,
    batch=_BATCH,
    knows=frozenset({Fact.TEXT}),
    api="CatalogItemsV20220401",
    send=_send,
    parse=_read,
    fail=_fail,
    odd=_odd,
)
