"""What Amazon changes is counted by operation and shape, whatever the parsers could still make of it."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecauto_pipeline.amazon.odd_shapes import OddShapes
from ecauto_pipeline.amazon.operation import ShapelessAnswer
from ecauto_pipeline.amazon.registry import registered
from ecauto_pipeline.clock import ManualClock
from ecauto_pipeline.emulator.server import EmulatorServer
from ecauto_pipeline.settings import Offers
from ecauto_pipeline.sync.run_record import record_of
from ecauto_pipeline.sync.sp_api_snapshots import fetch
from ecauto_pipeline_tests.emulator.callers import AmazonCaller
from ecauto_pipeline_tests.examples import examples
from ecauto_pipeline_tests.sync.sp_api_snapshots.means import a_run, plan, tools_at

_START = datetime(2026, 1, 5, 3, tzinfo=UTC)
_BY_NAME = {operation.name: operation for operation in registered()}
_YEN = {"Amount": 1000, "CurrencyCode": "JPY"}
_OFFER = {
    "SubCondition": "new",
    "ListingPrice": _YEN,
    "Shipping": {"Amount": 0, "CurrencyCode": "JPY"},
    "ShippingTime": {"maximumHours": 24, "availabilityType": "NOW"},
    "IsFulfilledByAmazon": True,
}
_OFFERS = {"status": "Success", "ASIN": "B000000001", "Summary": {"TotalOfferCount": 1}, "Offers": [_OFFER]}
_SWEEP = {
    "status": "Success",
    "ASIN": "B000000001",
    "Product": {
        "CompetitivePricing": {
            "CompetitivePrices": [{"CompetitivePriceId": "1", "Price": {"ListingPrice": _YEN}}],
            "NumberOfOfferListings": [{"condition": "New", "Count": 1}],
        }
    },
}


def _renamed(holder: dict[str, Any], old: str, new: str) -> None:
    holder[new] = holder.pop(old)


OFFERS_CHANGED: dict[str, Callable[[dict[str, Any]], object]] = {
    "status = Retired": lambda one: one.update(status="Retired"),
    "status is number": lambda one: one.update(status=7),
    "missing status": lambda one: one.pop("status"),
    "missing Offers": lambda one: _renamed(one, "Offers", "OfferList"),
    "Offers is text": lambda one: one.update(Offers="none"),
    "missing Summary.TotalOfferCount": lambda one: _renamed(one["Summary"], "TotalOfferCount", "OfferTotal"),
    "more Offers than TotalOfferCount": lambda one: one["Summary"].update(TotalOfferCount=0),
    "missing Offers.ListingPrice": lambda one: _renamed(one["Offers"][0], "ListingPrice", "Price"),
    "Offers.ListingPrice.Amount is text": lambda one: one["Offers"][0]["ListingPrice"].update(Amount="1000"),
    "Offers.ListingPrice.CurrencyCode = USD": lambda one: one["Offers"][0]["ListingPrice"].update(CurrencyCode="USD"),
    "Offers.ShippingTime.availabilityType = SOON": lambda one: one["Offers"][0]["ShippingTime"].update(
        availabilityType="SOON"
    ),
    "Offers.offerType = B2G": lambda one: one["Offers"][0].update(offerType="B2G"),
    "Offers.IsFulfilledByAmazon is text": lambda one: one["Offers"][0].update(IsFulfilledByAmazon="yes"),
}
SWEEP_CHANGED: dict[str, Callable[[dict[str, Any]], object]] = {
    "status = Pending": lambda one: one.update(status="Pending"),
    "missing Product.CompetitivePricing.NumberOfOfferListings": lambda one: _renamed(
        one["Product"]["CompetitivePricing"], "NumberOfOfferListings", "Listings"
    ),
    "Product.CompetitivePricing.CompetitivePrices.CompetitivePriceId is number": lambda one: one["Product"][
        "CompetitivePricing"
    ]["CompetitivePrices"][0].update(CompetitivePriceId=1),
}


@pytest.mark.parametrize("shape", OFFERS_CHANGED)
def test_each_change_of_the_offers_has_its_shape(shape: str) -> None:
    """A renamed or missing field, another type, an unknown word or unit, counts that don't fit; alone and batched."""
    changed = copy.deepcopy(_OFFERS)
    OFFERS_CHANGED[shape](changed)
    batch = {"responses": [{"request": {"Asin": "B000000001"}, "body": {"payload": changed}}]}
    for name, payload in (("getItemOffers", changed), ("getItemOffersBatch", batch)):
        assert {"B000000001": frozenset({shape})} == _BY_NAME[name].odd(payload, ["B000000001"])


_SUMMARY_OFFER = {
    "sellerId": "S1",
    "condition": "New",
    "fulfillmentType": "AFN",
    "listingPrice": {"amount": 1000, "currencyCode": "JPY"},
    "shippingOptions": [{"shippingOptionType": "DEFAULT", "price": {"amount": 0, "currencyCode": "JPY"}}],
    "primeDetails": {"eligibility": "NATIONAL"},
}
_SUMMARY = {
    "asin": "B000000001",
    "marketplaceId": "A1VC38T7YXB528",
    "featuredBuyingOptions": [{"buyingOptionType": "New", "segmentedFeaturedOffers": [_SUMMARY_OFFER]}],
    "lowestPricedOffers": [
        {"lowestPricedOffersInput": {"itemCondition": "New", "offerType": "Consumer"}, "offers": [_SUMMARY_OFFER]}
    ],
}
_FEATURED = "body.featuredBuyingOptions.segmentedFeaturedOffers"
SUMMARY_CHANGED: dict[str, Callable[[dict[str, Any]], object]] = {
    "missing body.asin": lambda one: _renamed(one, "asin", "itemId"),
    "body.featuredBuyingOptions is called buyingOptions": lambda one: _renamed(
        one, "featuredBuyingOptions", "buyingOptions"
    ),
    "body.lowestPricedOffers is called LowestPricedOffers": lambda one: _renamed(
        one, "lowestPricedOffers", "LowestPricedOffers"
    ),
    "new field body.promotions": lambda one: one.update(promotions=[]),
    f"missing {_FEATURED}.listingPrice": lambda one: _renamed(_featured(one), "listingPrice", "price"),
    f"{_FEATURED}.listingPrice.currencyCode = USD": lambda one: _featured(one)["listingPrice"].update(
        currencyCode="USD"
    ),
    f"{_FEATURED}.listingPrice.amount is text": lambda one: _featured(one)["listingPrice"].update(amount="1000"),
    f"{_FEATURED}.condition = BrandNew": lambda one: _featured(one).update(condition="BrandNew"),
    f"{_FEATURED}.fulfillmentType = SFP": lambda one: _featured(one).update(fulfillmentType="SFP"),
    f"{_FEATURED}.shippingOptions is called shipping": lambda one: _renamed(
        _featured(one), "shippingOptions", "shipping"
    ),
}
CATALOGUE_CHANGED: dict[str, Callable[[dict[str, Any]], object]] = {
    "missing summaries.marketplaceId": lambda one: one["items"][0]["summaries"][0].pop("marketplaceId"),
    "summaries.itemName is object": lambda one: one["items"][0]["summaries"][0].update(itemName={}),
    "summaries.brand is called Brand": lambda one: _renamed(one["items"][0]["summaries"][0], "brand", "Brand"),
    "missing items": lambda one: _renamed(one, "items", "results"),
    "numberOfResults is not the number of items": lambda one: one.update(numberOfResults=2),
    "missing numberOfResults": lambda one: one.pop("numberOfResults"),
}


def _featured(body: dict[str, Any]) -> dict[str, Any]:
    """The featured offer alone: a change of it is no change of the same offer in the other list."""
    offer: dict[str, Any] = body["featuredBuyingOptions"][0]["segmentedFeaturedOffers"][0]
    return offer


@pytest.mark.parametrize("shape", SUMMARY_CHANGED)
def test_each_change_of_the_summary_has_its_shape(shape: str) -> None:
    """As above, in the other family; what is asked of it is as documented where nothing was changed."""
    changed = json.loads(json.dumps(_SUMMARY))
    assert {"B000000001": frozenset()} == _summary_shapes(changed)
    SUMMARY_CHANGED[shape](changed)
    assert shape in _summary_shapes(changed)["B000000001"]


def _summary_shapes(body: dict[str, Any]) -> Mapping[str, frozenset[str]]:
    payload = {"responses": [{"status": {"statusCode": 200}, "body": body}]}
    found = _BY_NAME["getCompetitiveSummary"].odd(payload, ["B000000001"])
    return {asin: frozenset(one for one in odd if "without its ASIN" not in one) for asin, odd in found.items()}


@pytest.mark.parametrize("shape", CATALOGUE_CHANGED)
def test_each_change_of_the_catalogue_has_its_shape(shape: str) -> None:
    """As above; an ASIN that it leaves out is unknown to Amazon, and no shape."""
    summary = {"marketplaceId": "A1VC38T7YXB528", "itemName": "名前", "brand": "B"}
    body: dict[str, Any] = {"numberOfResults": 1, "items": [{"asin": "B000000001", "summaries": [summary]}]}
    odd = _BY_NAME["searchCatalogItems"].odd
    assert {"B000000001": frozenset()} == odd(body, ["B000000001", "B000000002"])
    CATALOGUE_CHANGED[shape](body)
    assert frozenset({shape}) == odd(body, ["B000000001", "B000000002"])["B000000001"]


@pytest.mark.parametrize("name", ["getItemOffersBatch", "getCompetitivePricing", "getCompetitiveSummary"])
def test_counts_that_do_not_fit_have_their_shape(name: str) -> None:
    """Two asked and one answered, an item of nobody asked, two of one ASIN; an item that is an error is no answer."""
    first, second = "B000000001", "B000000002"
    items: dict[str, dict[str, Any]] = {
        "getItemOffersBatch": {"request": {"Asin": first}, "body": {"payload": _OFFERS}},
        "getCompetitivePricing": _SWEEP,
        "getCompetitiveSummary": {"body": _SUMMARY},
    }
    item = items[name]
    stray = json.loads(json.dumps(item).replace(first, "B000000003"))

    def odd(*items: dict[str, Any]) -> Mapping[str, frozenset[str]]:
        return _BY_NAME[name].odd(
            list(items) if name.endswith("Pricing") else {"responses": list(items)}, [first, second]
        )

    left_out, nobody = "no item for an asked ASIN", "item of nobody asked"
    assert {first: frozenset(), second: frozenset({left_out})} == odd(item)
    assert {first: frozenset(), second: frozenset({left_out, nobody})} == odd(item, stray)
    assert frozenset({"two items of one ASIN"}) == odd(item, item)[first]
    if name != "getCompetitivePricing":
        failed = {"request": {"Asin": first}, "body": {"asin": first, "errors": [{"code": "InternalFailure"}]}}
        assert {second: frozenset({left_out})} == odd(failed)


@pytest.mark.parametrize("shape", SWEEP_CHANGED)
def test_each_change_of_the_competitive_prices_has_its_shape(shape: str) -> None:
    """As above."""
    changed = copy.deepcopy(_SWEEP)
    SWEEP_CHANGED[shape](changed)
    assert {"B000000001": frozenset({shape})} == _BY_NAME["getCompetitivePricing"].odd([changed], ["B000000001"])


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*_OFFERS, *_OFFER, "x"]), inner),
    max_leaves=12,
)


@settings(max_examples=examples(20))
@given(_JSON)
def test_whatever_comes_is_counted_and_nothing_is_raised(body: Any) -> None:
    """No body can harm a run by the way in which it is odd."""
    odd = OddShapes()
    for operation in registered():
        odd.add(operation.name, operation.odd(body, ["B000000001"]))
    assert all(shape.isascii() for _, shape in odd.taken())


@pytest.fixture(scope="module")
def world() -> Iterator[EmulatorServer]:
    with EmulatorServer(clock=ManualClock(_START), seed=3, listings=80, accounts=1, speed=1.0) as server:
        for operation in registered():
            server.control.set_rate(operation.name, 1000.0, 1000)
        yield server


_CHOOSY = Offers(sellers_never=("A1NOBODY123",), min_rating_count=1, min_rating_percent=50)
_SPELLINGS: dict[str, Callable[[str], str]] = {
    "another name": lambda name: f"{name}2",
    "another case": lambda name: name[0].swapcase() + name[1:],
}


@pytest.mark.parametrize("spelling", _SPELLINGS)
def test_no_renamed_field_makes_a_price_or_a_zero(world: EmulatorServer, spelling: str) -> None:
    """Whichever field Amazon renames, in whichever operation: an answer says what it said before, or it is none, and
    then the shape was counted. Nothing is sold out, filtered out or cheaper for it; nor for an owner who chooses whom
    he buys from."""
    with httpx.Client(base_url=world.url, trust_env=False) as http:
        caller, listed = AmazonCaller(http), world.control.asins()[:20]
        single = [asin for asin in listed if world.control.truth(asin)["failure"] is None][:6]
        bodies = [
            ("getItemOffersBatch", caller.batch(listed).json(), listed),
            ("getCompetitivePricing", caller.competitive(listed).json()["payload"], listed),
            ("getCompetitiveSummary", caller.summary(listed).json(), listed),
            *(("getItemOffers", caller.offers(asin).json()["payload"], [asin]) for asin in single),
        ]
    drawn = 0
    for name, body, asked in bodies:
        before = _facts(name, body, asked)
        for field in sorted(_names(body)):
            renamed = _with_other_name(body, field, _SPELLINGS[spelling](field))
            after = _facts(name, renamed, asked)
            odd = _BY_NAME[name].odd(renamed, asked)
            for asin in asked:
                assert after[asin] in (before[asin], None), f"{name}: {field}"
                assert after[asin] == before[asin] or odd.get(asin), f"{name}: {field}"
                drawn += after[asin] is None and before[asin] is not None
    assert drawn > 250


def test_what_most_of_a_call_can_t_be_read_for_is_the_calls_and_no_asins() -> None:
    """Sixteen of twenty in another shape: none of them is asked later for it, or given up. A few of twenty, or a call
    about a few: theirs. What was read counts either way."""
    for size, odd, of_call in ((20, 20, True), (20, 16, True), (20, 15, False), (9, 9, False)):
        asked = [f"B{number:09}" for number in range(size)]
        items = []
        for number, asin in enumerate(asked):
            payload = json.loads(json.dumps({**_OFFERS, "ASIN": asin}))
            if number < odd:
                _renamed(payload["Offers"][0], "ShippingTime", "HandlingTime")
            items.append({"request": {"Asin": asin}, "body": {"payload": payload}})
        answers = _BY_NAME["getItemOffersBatch"].read({"responses": items}, asked, "rid").answers
        assert ["unreadable_offer"] * odd + [""] * (size - odd) == [answers[asin].reason for asin in asked]
        assert [of_call] * odd + [False] * (size - odd) == [answers[asin].of_call for asin in asked]


def _facts(name: str, body: object, asked: list[str]) -> dict[str, tuple[object, ...] | None]:
    """What each answer says of stock and price; None where it is none."""
    try:
        answers = replace(_BY_NAME[name], rule=_CHOOSY).read(body, asked, "rid").answers
    except ShapelessAnswer:
        return dict.fromkeys(asked)
    found = {asin: answers[asin] for asin in asked if asin in answers and answers[asin].status.authoritative}
    return dict.fromkeys(asked) | {
        asin: (one.status, one.price_jpy, one.in_stock, one.ship_hours_max, one.is_prime, one.is_fba)
        for asin, one in found.items()
    }


def _names(content: object) -> set[str]:
    entries = content.values() if isinstance(content, dict) else content if isinstance(content, list) else ()
    mine = set(content) if isinstance(content, dict) else set()
    return mine.union(*(_names(entry) for entry in entries))


def _with_other_name(content: Any, old: str, new: str) -> Any:
    if isinstance(content, list):
        return [_with_other_name(entry, old, new) for entry in content]
    if isinstance(content, dict):
        return {new if name == old else name: _with_other_name(value, old, new) for name, value in content.items()}
    return content


def test_the_run_counts_what_it_met_and_a_plain_world_has_nothing(world: EmulatorServer, tmp_path: Path) -> None:
    """Every answer of the emulator's world is as documented; one whose bodies turned to text is counted by ASIN."""
    clock, listed = ManualClock(_START), world.control.asins()
    tools = tools_at(tmp_path, world.url, clock)
    plain = tools.for_run(a_run("plain", _START))
    plan(plain, detail=listed[:40], sweep=listed[40:])
    report = fetch.run(plain)
    assert 60 <= report.answers
    assert () == report.odd_shapes
    world.control.add_faults({"api": "sp_api", "kind": "string_body", "operation": "getItemOffersBatch"})
    try:
        clock.advance(25 * 3600)
        changed = tools.for_run(a_run("changed", clock.now()))
        plan(changed, detail=listed[:20])
        fetch.run(changed)
    finally:
        world.control.clear_faults()
    kept = record_of(changed, "changed").sp_api_snapshots
    assert kept is not None
    assert (("getItemOffersBatch", "missing responses.body", 20),) == kept.odd_shapes
    tools.state.close()
