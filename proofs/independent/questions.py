"""What a request to SP-API asks, by the published models, and what in it they do not allow.

Read as strictly as they are written: path and version, method, required parameters, enumerations, most items, the
marketplace in every item. Not for: tokens, rates, answers (amazon.py).
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from proofs.independent.goods import MARKET
from proofs.independent.loopback import Asked

MOST_ITEMS = 20
BATCH = "/batches/products/pricing/v0/itemOffers"
OFFERS = re.compile(r"/products/pricing/v0/items/([^/]+)/offers")
COMPETITIVE = "/products/pricing/v0/competitivePrice"
CATALOGUE = "/catalog/2022-04-01/items"
SUMMARY_BATCH = "/batches/products/pricing/2022-05-01/items/competitiveSummary"
SUMMARY = "/products/pricing/2022-05-01/items/competitiveSummary"
_CONDITIONS = ("New", "Used", "Collectible", "Refurbished", "Club")
_CUSTOMERS = ("Consumer", "Business")
_BLOCKS = ("featuredBuyingOptions", "referencePrices", "lowestPricedOffers", "similarItems")
_MOST_INPUTS = 5


@dataclass(frozen=True)
class Question:
    """`wrong`: what in it is not allowed, "" = nothing. `included`: the blocks of a summary that each ASIN asks for."""

    operation: str
    asins: tuple[str, ...] = ()
    wrong: str = ""
    included: tuple[frozenset[str], ...] = ()


class _NotAllowed(ValueError):
    """A request that the model does not allow, and what in it."""


def question(one: Asked) -> Question | None:
    """What is asked; None where no operation has that path and method."""
    single = OFFERS.fullmatch(one.path)
    name = "getItemOffers" if one.method == "GET" and single else _NAMES.get((one.method, one.path))
    if name is None:
        return None
    try:
        asins, included = _READERS[name](one)
        _must(1 <= len(asins) <= MOST_ITEMS, f"{len(asins)} items, 1 to {MOST_ITEMS} are allowed")
        _must(len(set(asins)) == len(asins), "Duplicate requests submitted")
    except _NotAllowed as error:
        return Question(name, (), str(error))
    return Question(name, tuple(asins), "", tuple(included))


_Read = tuple[list[str], list[frozenset[str]]]


def _one_item(one: Asked) -> _Read:
    found = OFFERS.fullmatch(one.path)
    assert found is not None
    _one_of(one.query, "MarketplaceId", (MARKET,))
    _one_of(one.query, "ItemCondition", _CONDITIONS)
    _one_of({"CustomerType": "Consumer", **one.query}, "CustomerType", _CUSTOMERS)
    return [found[1]], []


def _item_offers_batch(one: Asked) -> _Read:
    asins = []
    for request in _requests(one):
        found = OFFERS.fullmatch(str(request.get("uri")))
        _must(found is not None, "uri")
        assert found is not None
        _one_of(request, "method", ("GET",))
        _one_of(request, "MarketplaceId", (MARKET,))
        _one_of(request, "ItemCondition", _CONDITIONS)
        _one_of({"CustomerType": "Consumer", **request}, "CustomerType", _CUSTOMERS)
        asins.append(found[1])
    return asins, []


def _competitive_pricing(one: Asked) -> _Read:
    _one_of(one.query, "MarketplaceId", (MARKET,))
    _one_of(one.query, "ItemType", ("Asin",))  # by letter: "ASIN" is none
    return one.query.get("Asins", "").split(","), []


def _catalogue(one: Asked) -> _Read:
    _one_of(one.query, "marketplaceIds", (MARKET,))
    _one_of(one.query, "identifiersType", ("ASIN",))
    size = one.query.get("pageSize", "10")
    asins = one.query.get("identifiers", "").split(",")
    _must(size.isdecimal() and len(asins) <= int(size) <= MOST_ITEMS, f"pageSize {size} for {len(asins)}")
    _must(all(re.fullmatch("[A-Z0-9]{10}", asin) for asin in asins), "an identifier is no ASIN")
    return asins, []


def _competitive_summary(one: Asked) -> _Read:
    asins, included = [], []
    for request in _requests(one):
        _one_of(request, "method", ("GET",))
        _one_of(request, "uri", (SUMMARY,))
        _one_of(request, "marketplaceId", (MARKET,))
        blocks = [name for name in _BLOCKS if name in (request.get("includedData") or ())]
        _must(bool(blocks) and sorted(blocks) == sorted(request["includedData"]), "includedData")
        inputs = request.get("lowestPricedOffersInputs", [])
        _must(isinstance(inputs, list) and len(inputs) <= _MOST_INPUTS, "lowestPricedOffersInputs")
        _must("lowestPricedOffers" not in blocks or bool(inputs), "lowestPricedOffersInputs")
        for wish in inputs:
            _one_of(wish, "itemCondition", _CONDITIONS)
            _one_of(wish, "offerType", ("Consumer",))
        asins.append(str(request.get("asin")))
        included.append(frozenset(blocks))
    return asins, included


_NAMES = {
    ("POST", BATCH): "getItemOffersBatch",
    ("GET", COMPETITIVE): "getCompetitivePricing",
    ("GET", CATALOGUE): "searchCatalogItems",
    ("POST", SUMMARY_BATCH): "getCompetitiveSummary",
}
_READERS = {
    "getItemOffers": _one_item,
    "getItemOffersBatch": _item_offers_batch,
    "getCompetitivePricing": _competitive_pricing,
    "searchCatalogItems": _catalogue,
    "getCompetitiveSummary": _competitive_summary,
}


def _requests(one: Asked) -> list[dict[str, Any]]:
    _must(one.headers.get("content-type", "").startswith("application/json"), "Content-Type")
    try:
        document = json.loads(one.body)
    except ValueError:
        raise _NotAllowed("the body is no JSON") from None
    requests = document.get("requests") if isinstance(document, dict) else None
    _must(isinstance(requests, list) and all(isinstance(request, dict) for request in requests), "requests")
    assert isinstance(requests, list)
    return requests


def _one_of(given: Any, name: str, allowed: tuple[str, ...]) -> None:
    _must(isinstance(given, dict) and given.get(name) in allowed, name)


def _must(fits: bool, what: str) -> None:
    if not fits:
        raise _NotAllowed(what)
