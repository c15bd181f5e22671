"""getCompetitiveSummary answers, refuses and disagrees with Product Pricing v0 as documented."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from ecauto_pipeline.clock import ManualClock
from ecauto_pipeline.emulator.server import EmulatorServer
from ecauto_pipeline_tests.emulator.callers import SUMMARY_PATH, AmazonCaller, code_of

_FAMILY = "pricing/v0"


def test_it_answers_each_item_on_its_own_in_lower_camel_case(amazon: AmazonCaller, emulator: EmulatorServer) -> None:
    """The call is 200: featured and lowest offers of New goods, empty lists where there are none, INVALID_ASIN for the
    unknown."""
    good, out = emulator.control.asins()[:2]
    offers: list[dict[str, Any]] = [
        {"seller_id": "A1", "price_jpy": 1500, "winner": True, "prime": True, "fba": True, "points": 15},
        {"seller_id": "A2", "price_jpy": 1400, "shipping_jpy": 300},
        {"seller_id": "A3", "price_jpy": 900, "condition": "used"},
    ]
    emulator.control.set_truth(good, offers=offers)
    emulator.control.set_truth(out, in_stock=False)
    answer = amazon.summary([good, out, "B0UNKNOWN0"])
    assert (200, "0.033") == (answer.status_code, answer.headers["x-amzn-ratelimit-limit"])
    items = {item["body"]["asin"]: item for item in answer.json()["responses"]}
    assert [200, 200, 400] == [item["status"]["statusCode"] for item in items.values()]
    assert "INVALID_ASIN" == items["B0UNKNOWN0"]["body"]["errors"][0]["code"]
    body = items[good]["body"]
    (option,) = body["featuredBuyingOptions"]
    (featured,) = option["segmentedFeaturedOffers"]
    (lowest,) = body["lowestPricedOffers"]
    assert {"PRIME", "DEFAULT"} == {one["customerMembership"] for one in featured["featuredOfferSegments"]}
    assert ("A1", 1500, "JPY", "AFN", "NATIONAL") == (
        featured["sellerId"],
        featured["listingPrice"]["amount"],
        featured["listingPrice"]["currencyCode"],
        featured["fulfillmentType"],
        featured["primeDetails"]["eligibility"],
    )
    assert {"itemCondition": "New", "offerType": "Consumer"} == lowest["lowestPricedOffersInput"]
    assert ["A1", "A2"] == [offer["sellerId"] for offer in lowest["offers"]]
    nothing = items[out]["body"]
    assert ([], []) == (nothing["featuredBuyingOptions"], nothing["lowestPricedOffers"][0]["offers"])


def test_shipping_is_sometimes_not_said(amazon: AmazonCaller, emulator: EmulatorServer) -> None:
    """`shippingOptions` is there for some offers and absent for others; no offer ever says when it ships."""
    bodies = [item["body"] for item in amazon.summary(emulator.control.asins()[:20]).json()["responses"]]
    offers = [offer for body in bodies for lowest in body.get("lowestPricedOffers", ()) for offer in lowest["offers"]]
    assert {True, False} == {"shippingOptions" in offer for offer in offers}
    assert not any(key.lower().startswith("shippingtime") for offer in offers for key in offer)


@pytest.mark.parametrize(
    ("asins", "changes"),
    [
        (["B000000001", "B000000001"], {}),
        ([f"B0000000{n:02d}" for n in range(21)], {}),
        ([], {}),
        (["B000000001"], {"marketplaceId": None}),
        (["B000000001"], {"MarketplaceId": "A1VC38T7YXB528"}),
        (["B000000001"], {"method": "POST"}),
        (["B000000001"], {"uri": "/products/pricing/v0/items/B000000001/offers"}),
        (["B000000001"], {"includedData": ["offers"]}),
        (["B000000001"], {"includedData": []}),
        (["B000000001"], {"includedData": ["featuredBuyingOptions"]}),
        (["B000000001"], {"lowestPricedOffersInputs": None}),
        (["B000000001"], {"lowestPricedOffersInputs": [{"itemCondition": "new", "offerType": "Consumer"}]}),
    ],
    ids=[
        *("duplicate", "twenty-one", "empty", "no marketplace", "unknown field", "method", "uri", "included data"),
        *("nothing included", "inputs without lowest offers", "lowest offers without inputs", "condition"),
    ],
)
def test_a_malformed_request_fails_the_call(amazon: AmazonCaller, asins: list[str], changes: dict[str, object]) -> None:
    """What the model does not know is a 400 for all of it, with the rate in the header."""
    answer = amazon.summary(asins, **changes)
    assert (400, "InvalidInput") == (answer.status_code, code_of(answer))
    assert "0.033" == answer.headers["x-amzn-ratelimit-limit"]


def test_its_bucket_gives_a_call_in_thirty_seconds(amazon: AmazonCaller, emulator: EmulatorServer) -> None:
    """Burst 1 and 0.033 a second, apart from the buckets of v0; a 429 tells no rate."""
    asins = emulator.control.asins()[:1]
    assert [200, 429] == [amazon.summary(asins).status_code for _ in range(2)]
    assert 200 == amazon.batch(asins).status_code
    assert "x-amzn-ratelimit-limit" not in amazon.summary(asins).headers


def test_a_missing_role_is_a_403_for_the_operations_that_need_it(
    amazon: AmazonCaller, emulator: EmulatorServer
) -> None:
    """Fault role_missing: access denied without a rate, while the token is good for everything else."""
    emulator.control.add_faults({"kind": "role_missing", "operation": "getCompetitiveSummary"})
    asins = emulator.control.asins()[:1]
    refused = amazon.summary(asins)
    assert (403, "Unauthorized") == (refused.status_code, code_of(refused))
    assert "denied" in refused.json()["errors"][0]["details"]
    assert "x-amzn-ratelimit-limit" not in refused.headers
    assert 200 == amazon.batch(asins).status_code


def test_a_fault_may_bend_one_family_alone(amazon: AmazonCaller, emulator: EmulatorServer, clock: ManualClock) -> None:
    """v0 as the world was five minutes ago (an old price, an old zero), the summary as it is now."""
    risen, restocked = emulator.control.asins()[:2]
    emulator.control.set_truth(risen, offers=[{"seller_id": "A1", "price_jpy": 736, "winner": True}])
    emulator.control.set_truth(restocked, in_stock=False)
    clock.advance(600)
    emulator.control.set_truth(risen, offers=[{"seller_id": "A1", "price_jpy": 7583, "winner": True}])
    emulator.control.set_truth(restocked, offers=[{"seller_id": "A1", "price_jpy": 2000, "winner": True}])
    emulator.control.add_faults({"kind": "stale", "age_s": 300, "family": _FAMILY, "asins": [risen, restocked]})
    old = {item["request"]["Asin"]: item["body"]["payload"] for item in _responses(amazon.batch([risen, restocked]))}
    new = {item["body"]["asin"]: item["body"] for item in _responses(amazon.summary([risen, restocked]))}
    assert ([736], []) == (
        [offer["ListingPrice"]["Amount"] for offer in old[risen]["Offers"]],
        old[restocked]["Offers"],
    )
    for asin, price in ((risen, 7583), (restocked, 2000)):
        assert [price] == [offer["listingPrice"]["amount"] for offer in new[asin]["lowestPricedOffers"][0]["offers"]]


def test_a_resource_that_is_gone_is_a_404(amazon: AmazonCaller, emulator: EmulatorServer) -> None:
    """Fault error_json plays the day on which the operation is removed; the wrong method finds nothing either."""
    emulator.control.add_faults(
        {"kind": "error_json", "status": 404, "code": "NotFound", "operation": "getCompetitiveSummary"}
    )
    assert 404 == amazon.summary(emulator.control.asins()[:1]).status_code
    assert 404 == amazon.get(SUMMARY_PATH).status_code


def _responses(answer: httpx.Response) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = answer.json()["responses"]
    return found
