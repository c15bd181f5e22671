"""What Amazon changes is counted by operation and shape, whatever the parsers could still make of it."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecauto_pipeline.amazon.registry import registered
from ecauto_pipeline.amazon.shapes import OddShapes
from ecauto_pipeline.clock import ManualClock
from ecauto_pipeline.emulator.server import EmulatorServer
from ecauto_pipeline.sync.run_record import record_of
from ecauto_pipeline.sync.sp_api_snapshots import fetch
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


@settings(max_examples=40)
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
