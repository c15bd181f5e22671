"""getCompetitivePricing: has anything changed? Buy Box price and offer counts of up to 20 ASINs in one call (sweep).

No ship times, no Prime: it never yields a selling price. ASINs go comma-separated, ItemType is case-sensitive. An item
without its CompetitivePricing block is unknown, not out of stock.
Source: productPricingV0.json of amzn/selling-partner-api-models at 34dc93f (2026-08): rate 0.5/s, burst 1, 20 ASINs;
`ClientError` from amzn/selling-partner-api-docs #295, the absent block from amzn/selling-partner-api-models #2910.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from ecauto_pipeline.amazon.answers import failed, matched
from ecauto_pipeline.amazon.fields import cost_jpy, lower_word, new_offers, not_unit
from ecauto_pipeline.amazon.operation import Failure, Operation, Reading, ShapelessAnswer
from ecauto_pipeline.amazon.shapes import Document, Expected, money, oddities
from ecauto_pipeline.amazon.shapes_of_lists import odd_items
from ecauto_pipeline.domain.model import Answer, Role, Status
from ecauto_pipeline.domain.offers.knowledge import Fact
from ecauto_pipeline.settings import Offers as OfferRule

NAME = "getCompetitivePricing"
_NEW_BUY_BOX = "1"
_PRICING = "Product.CompetitivePricing"
_PRICES = f"{_PRICING}.CompetitivePrices"
_PRODUCT = ("Identifiers", "AttributeSets", "Relationships", "CompetitivePricing", "SalesRankings", "Offers")
_EXPECTED = Document(
    (
        Expected("status", "text", words=("success", "clienterror")),
        Expected("ASIN", "text"),
        Expected("Product", "object", required=False, closed=_PRODUCT),
        Expected(_PRICING, "object", required=False),
        Expected(_PRICES, "list"),
        Expected(f"{_PRICES}.CompetitivePriceId", "text"),
        Expected(f"{_PRICES}.condition", "text", required=False),
        Expected(f"{_PRICES}.Price", "object"),
        *money(f"{_PRICES}.Price.ListingPrice"),
        Expected(f"{_PRICES}.Price.Shipping", "object", required=False),
        *money(f"{_PRICES}.Price.Shipping")[1:],
        Expected(f"{_PRICES}.offerType", "text", required=False, words=("b2c", "b2b")),
        Expected(f"{_PRICES}.quantityTier", "number", required=False),
        Expected(f"{_PRICING}.NumberOfOfferListings", "list", closed=("Count", "condition")),
        Expected(f"{_PRICING}.NumberOfOfferListings.Count", "number"),
        Expected(f"{_PRICING}.NumberOfOfferListings.condition", "text"),
    )
)


def _send(api: Any, asins: Sequence[str], marketplace_id: str) -> Any:
    return api.get_competitive_pricing_for_asins(list(asins), MarketplaceId=marketplace_id)


def _read(payload: object, asins: Sequence[str], request_id: str, _rule: OfferRule) -> Reading[Answer]:
    if not isinstance(payload, list):
        raise ShapelessAnswer("wrong_shape" if payload else "empty_answer")
    if not payload:
        raise ShapelessAnswer("empty_answer")
    return matched(
        *(NAME, payload, asins, request_id),
        about=_about,
        read=lambda asin, item: sweep_answer(asin, item, request_id),
    )


def _about(item: object) -> object:
    return item.get("ASIN") if isinstance(item, dict) else None


def _odd(payload: object, asins: Sequence[str]) -> dict[str, frozenset[str]]:
    return odd_items(payload, asins, _about, _odd_item)


def _odd_item(item: object) -> frozenset[str]:
    found = oddities(item, _EXPECTED)
    if isinstance(item, dict) and lower_word(item.get("status")) == "success" and item.get("Product") is None:
        found |= {"missing Product"}
    return found


def sweep_answer(asin: str, item: object, request_id: str = "") -> Answer:
    """The answer in one item of getCompetitivePricing: are there new offers, and what does the Buy Box ask?

    Never a selling price. Two figures are filled for comparison: Buy Box price + shipping, and new offers.
    """

    def unknown(reason: str) -> Answer:
        return failed(NAME, asin, Failure(reason, 200, request_id))

    if not isinstance(item, dict):
        return unknown("wrong_shape")
    status = lower_word(item.get("status"))
    if status != "success":
        return unknown({"": "wrong_shape", "clienterror": "client_error"}.get(status, "unknown_status"))
    product = item.get("Product")
    competitive = product.get("CompetitivePricing") if isinstance(product, dict) else None
    if not isinstance(competitive, dict):
        return unknown("no_competitive_pricing")
    prices, counts = competitive.get("CompetitivePrices"), competitive.get("NumberOfOfferListings")
    if not isinstance(prices, list) or not isinstance(counts, list):
        return unknown("no_competitive_pricing" if counts is None or prices is None else "wrong_shape")
    new = new_offers(counts, "Count", partly=None)
    every = [entry for entry in prices if _is_new_buy_box(entry)]
    boxes = [entry for entry in every if not not_unit(entry)]
    if new is None and not boxes:
        return unknown("wrong_shape")
    if new is None or not all(_has_id(entry) for entry in prices):
        return unknown("no_competitive_pricing")  # what is left out may stand there under another name
    if not new and not boxes and every:
        return unknown("contradiction")  # somebody sells it to business customers, or by the dozen
    if not boxes and not new:
        return Answer(
            asin,
            NAME,
            Status.OUT_OF_STOCK,
            "no_new_offers" if counts else "no_offers",
            in_stock=False,
            offer_count=0,
            probe_offer_count=0,
            http_status=200,
            request_id=request_id,
        )
    costs = [cost_jpy(entry.get("Price")) for entry in boxes]
    if any(cost is None for cost in costs):
        return unknown("bad_price")
    count = max(new or 0, 1)
    return Answer(
        asin,
        NAME,
        Status.SUCCESS,
        "" if boxes else "no_buy_box",
        in_stock=True,
        offer_count=count,
        probe_price_jpy=min((cost for cost in costs if cost is not None), default=None),
        probe_offer_count=count,
        http_status=200,
        request_id=request_id,
    )


def _is_new_buy_box(entry: object) -> bool:
    if not isinstance(entry, dict) or lower_word(entry.get("condition", "new")) != "new":
        return False
    return str(entry.get("CompetitivePriceId")) == _NEW_BUY_BOX


def _has_id(entry: object) -> bool:
    return isinstance(entry, dict) and entry.get("CompetitivePriceId") is not None


OPERATION: Operation[Answer] = Operation(
    name=NAME,
    role=Role.SWEEP,
    rate_per_s=0.5,
    burst=1,
    batch=20,
    knows=frozenset({Fact.STOCK, Fact.OFFERS, Fact.BUY_BOX}),
    api="ProductsV0",
    send=_send,
    parse=_read,
    fail=partial(failed, NAME),
    odd=_odd,
)
