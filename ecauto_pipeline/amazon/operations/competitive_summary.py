"""getCompetitiveSummary 2022-05-01: featured and lowest priced new offers of up to 20 ASINs; a second opinion.

Another family of Amazon's than Product Pricing v0, so what is wrong there need not be wrong here. It says whether new
offers exist and what they cost, and nothing of when they ship: never the source of a selling price. An offer without
`shippingOptions` ships for an unknown sum, not for free. The call is 200 even when items fail; the money is in lower
camel case. Plain dicts go out: the library's enumerations are no JSON.
Source: productPricing_2022-05-01.json of amzn/selling-partner-api-models at 34dc93f (2026-08): rate 0.033/s, burst 1
on a dynamic plan, CompetitiveSummaryRequestList maxItems 20, offers of one input at most 20.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

from ecauto_pipeline.amazon.answers import failed, item_error, item_status, matched, responses_of
from ecauto_pipeline.amazon.fields import lower_word, short_text
from ecauto_pipeline.amazon.operation import Failure, Operation, Reading
from ecauto_pipeline.amazon.shapes import Document, Expected, at, money, oddities
from ecauto_pipeline.amazon.shapes_of_lists import odd_responses
from ecauto_pipeline.domain.model import Answer, OfferSeen, Role, Status
from ecauto_pipeline.domain.offers.knowledge import Fact
from ecauto_pipeline.domain.offers.offer_rule import why_unwanted
from ecauto_pipeline.domain.selling.money import yen
from ecauto_pipeline.settings import Offers as OfferRule

NAME = "getCompetitiveSummary"
_URI = "/products/pricing/2022-05-01/items/competitiveSummary"
_MOST_OFFERS = 20
_CONDITIONS = ("new", "used", "collectible", "refurbished", "club")
_OFFER = (
    Expected("sellerId", "text"),
    Expected("condition", "text", words=_CONDITIONS),
    Expected("fulfillmentType", "text", words=("afn", "mfn")),
    *money("listingPrice", "amount", "currencyCode"),
    Expected("shippingOptions", "list", required=False),
    Expected("shippingOptions.shippingOptionType", "text", words=("default",)),
    *money("shippingOptions.price", "amount", "currencyCode"),
    Expected("primeDetails", "object", required=False),
    Expected("primeDetails.eligibility", "text", words=("national", "regional", "none")),
)
_BODY = (
    Expected("asin", "text"),
    Expected("marketplaceId", "text"),
    Expected("featuredBuyingOptions", "list", required=False),
    Expected("featuredBuyingOptions.buyingOptionType", "text", words=("new",)),
    Expected("featuredBuyingOptions.segmentedFeaturedOffers", "list"),
    *at("featuredBuyingOptions.segmentedFeaturedOffers", _OFFER),
    Expected("lowestPricedOffers", "list", required=False),
    Expected("lowestPricedOffers.lowestPricedOffersInput", "object"),
    Expected("lowestPricedOffers.lowestPricedOffersInput.itemCondition", "text", words=_CONDITIONS),
    Expected("lowestPricedOffers.offers", "list"),
    *at("lowestPricedOffers.offers", _OFFER),
)
_BLOCKS = ("featuredBuyingOptions", "lowestPricedOffers", "referencePrices", "similarItems")
_EXPECTED = Document(
    (Expected("body", "object", closed=("asin", "marketplaceId", "errors", *_BLOCKS)), *at("body", _BODY))
)
"""CompetitiveSummaryResponseBody as far as it is read, with what its model calls required."""


def _send(api: Any, asins: Sequence[str], marketplace_id: str) -> Any:
    return api.get_competitive_summary_batch(
        [
            {
                "asin": asin,
                "marketplaceId": marketplace_id,
                "method": "GET",
                "uri": _URI,
                "includedData": ["featuredBuyingOptions", "lowestPricedOffers"],
                "lowestPricedOffersInputs": [{"itemCondition": "New", "offerType": "Consumer"}],
            }
            for asin in asins
        ]
    )


def _read(payload: object, asins: Sequence[str], request_id: str, rule: OfferRule) -> Reading[Answer]:
    return matched(
        *(NAME, responses_of(payload), asins, request_id),
        about=_about,
        read=lambda asin, item: _item(asin, item, request_id, rule),
    )


def _odd(payload: object, asins: Sequence[str]) -> dict[str, frozenset[str]]:
    return odd_responses(payload, asins, _about, _odd_body)


def _odd_body(body: dict[str, Any]) -> frozenset[str]:
    found = oddities({"body": body}, _EXPECTED)
    if not {"featuredBuyingOptions", "lowestPricedOffers"} & body.keys():
        found |= {"missing body.featuredBuyingOptions and body.lowestPricedOffers"}
    return found


def _about(item: object) -> object:
    body = item.get("body") if isinstance(item, dict) else None
    return body.get("asin") if isinstance(body, dict) else None


def _item(asin: str, item: dict[str, Any], request_id: str, rule: OfferRule) -> Answer:
    body, code = item["body"], item_status(item)
    if body.get("errors"):
        return item_error(NAME, asin, code, body["errors"], request_id)
    if code is not None and code >= 300:
        return failed(NAME, asin, Failure(f"http_{code}", code, request_id))
    return summary_answer(asin, body, rule, request_id)


def summary_answer(asin: str, body: dict[str, Any], rule: OfferRule, request_id: str = "") -> Answer:
    """What one item's body says: SUCCESS = there are new offers, OUT_OF_STOCK = surely none, API_ERROR = can't say.

    "None" takes both blocks: no offer is featured, and the list of new ones is there and empty. `seen` holds the offers
    whose price can be read and whose seller the owner's rule does not surely refuse, cheapest first.
    """
    featured, lowest = _featured(body.get("featuredBuyingOptions")), _lowest(body.get("lowestPricedOffers"))
    if not featured and not lowest:
        if featured is None or lowest is None:
            return failed(NAME, asin, Failure("offers_missing", 200, request_id))
        return Answer(
            asin,
            NAME,
            Status.OUT_OF_STOCK,
            "no_new_offers",
            in_stock=False,
            offer_count=0,
            probe_offer_count=0,
            http_status=200,
            request_id=request_id,
        )
    best = _readable(featured or ())
    seen = sorted({*best, *_readable(lowest or ())}, key=_order)
    if not seen:
        return failed(NAME, asin, Failure("bad_price", 200, request_id))
    open_rule = rule.model_copy(update={"unknown": "accept"})
    whole = [one.cost_jpy for one in best if one.cost_jpy is not None]
    count = len(lowest) if lowest and len(lowest) < _MOST_OFFERS else None
    return Answer(
        asin,
        NAME,
        Status.SUCCESS,
        "" if featured else "no_buy_box",
        in_stock=True,
        offer_count=count,
        probe_price_jpy=min(whole, default=None),
        probe_offer_count=count,
        http_status=200,
        request_id=request_id,
        offers_json=_json(seen, best),
        seen=tuple(one for one in seen if not why_unwanted(one.seller_id, one.is_prime, one.is_fba, open_rule)),
    )


def _featured(options: object) -> list[dict[str, Any]] | None:
    """The new offers that are featured, whatever the segment; None where nothing was said of them."""
    if not isinstance(options, list):
        return None
    offers = []
    for option in options:
        if not isinstance(option, dict) or not isinstance(option.get("segmentedFeaturedOffers"), list):
            return None
        if lower_word(option.get("buyingOptionType", "New")) == "new":
            offers += option["segmentedFeaturedOffers"]
    return _new_ones(offers)


def _lowest(lists: object) -> list[dict[str, Any]] | None:
    """The cheapest new offers, at most 20; None where they were not given."""
    for one in lists if isinstance(lists, list) else ():
        asked = one.get("lowestPricedOffersInput") if isinstance(one, dict) else None
        if isinstance(asked, dict) and lower_word(asked.get("itemCondition")) == "new":
            offers = one.get("offers")
            return _new_ones(offers) if isinstance(offers, list) else None
    return None


def _new_ones(offers: Sequence[object]) -> list[dict[str, Any]] | None:
    """The new offers among these; None where one can't be told to be new or not, and none is."""
    listed = [offer for offer in offers if isinstance(offer, dict)]
    words = [lower_word(offer.get("condition", "New")) for offer in listed]
    new = [offer for offer, word in zip(listed, words, strict=True) if word == "new"]
    unread = any(word not in _CONDITIONS for word in words) or len(listed) < len(offers)
    return None if unread and not new else new


def _readable(offers: Iterable[dict[str, Any]]) -> list[OfferSeen]:
    seen = [_offer(offer) for offer in offers]
    return [one for one in seen if one is not None]


def _offer(entry: dict[str, Any]) -> OfferSeen | None:
    price = _money(entry.get("listingPrice"), least=1)
    if price is None:
        return None
    prime = entry.get("primeDetails")
    eligibility = lower_word(prime.get("eligibility")) if isinstance(prime, dict) else ""
    fulfilled = lower_word(entry.get("fulfillmentType"))
    return OfferSeen(
        seller_id=short_text(entry.get("sellerId")),
        listing_price_jpy=price,
        shipping_jpy=_shipping(entry.get("shippingOptions")),
        is_prime={"national": True, "regional": True, "none": False}.get(eligibility),
        is_fba={"afn": True, "mfn": False}.get(fulfilled),
    )


def _shipping(options: object) -> int | None:
    """The default way's price; absent or unreadable is unknown."""
    for option in options if isinstance(options, list) else ():
        if isinstance(option, dict) and lower_word(option.get("shippingOptionType")) == "default":
            return _money(option.get("price"), least=0)
    return None


def _money(money: object, least: int) -> int | None:
    return yen(money.get("amount"), money.get("currencyCode"), least=least) if isinstance(money, dict) else None


def _order(one: OfferSeen) -> tuple[int, int, str, str]:
    return one.listing_price_jpy, -1 if one.shipping_jpy is None else one.shipping_jpy, one.seller_id, repr(one)


def _json(seen: Iterable[OfferSeen], featured: Sequence[OfferSeen]) -> str:
    """The offers in the shape of offers.py; what can't be known is null."""
    rows = [
        {
            "seller": one.seller_id,
            "price": one.listing_price_jpy,
            "shipping": one.shipping_jpy,
            "hours": None,
            "availability": "",
            "prime": None if one.is_prime is None else int(one.is_prime),
            "fba": None if one.is_fba is None else int(one.is_fba),
            "buybox": int(one in featured),
            "why_not": "",
        }
        for one in list(seen)[:_MOST_OFFERS]
    ]
    return json.dumps(rows, ensure_ascii=True, separators=(",", ":"))


OPERATION: Operation[Answer] = Operation(
    name=NAME,
    role=Role.OPINION,
    rate_per_s=0.033,
    burst=1,
    batch=20,
    knows=frozenset({Fact.STOCK, Fact.OFFERS, Fact.BUY_BOX}),
    api="ProductsV20220501",
    send=_send,
    parse=_read,
    fail=partial(failed, NAME),
    odd=_odd,
)
