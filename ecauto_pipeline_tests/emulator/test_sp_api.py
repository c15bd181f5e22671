"""Amazon's side refuses and answers as documented."""

from __future__ import annotations

import re

import httpx
import pytest

from ecauto_pipeline.clock import ManualClock
from ecauto_pipeline.emulator.server import EmulatorServer
from ecauto_pipeline_tests.emulator.callers import AmazonCaller, code_of, lwa_form


def test_lwa_gives_an_hour_and_refuses_strangers(http: httpx.Client) -> None:
    """A known application with its refresh token gets 3,600 s; anybody else gets the error of RFC 6749."""
    good = http.post("/auth/o2/token", data=lwa_form())
    assert (200, 3600, "bearer") == (good.status_code, good.json()["expires_in"], good.json()["token_type"])
    wrong_secret = http.post("/auth/o2/token", data=lwa_form(client_secret="no"))
    assert (401, "invalid_client") == (wrong_secret.status_code, wrong_secret.json()["error"])
    crossed = http.post("/auth/o2/token", data=lwa_form(refresh_token=lwa_form(1)["refresh_token"]))
    assert (400, "invalid_grant") == (crossed.status_code, crossed.json()["error"])
    as_json = http.post("/auth/o2/token", json=lwa_form())
    assert (400, "invalid_request") == (as_json.status_code, as_json.json()["error"])


def test_access_tokens_are_asked_for_and_expire(
    amazon: AmazonCaller, emulator: EmulatorServer, clock: ManualClock
) -> None:
    """403 says in its details whether the token is missing, invalid or expired; none of them costs quota."""
    asin = emulator.control.asins()[0]
    clock.advance(3599)
    assert 200 == amazon.offers(asin).status_code
    clock.advance(1)
    expired = amazon.offers(asin)
    assert (403, "Unauthorized") == (expired.status_code, code_of(expired))
    assert "The access token you provided has expired." == expired.json()["errors"][0]["details"]
    assert "x-amzn-ratelimit-limit" not in expired.headers
    amazon.token = "Atza|nobody"
    assert "malformed or invalid" in amazon.offers(asin).json()["errors"][0]["details"]
    assert 403 == amazon.http.get("/products/pricing/v0/competitivePrice").status_code
    (bucket,) = emulator.control.stats()["buckets"]
    assert 1 == bucket["calls"]


def test_a_bucket_gives_rate_times_time_plus_burst(
    amazon: AmazonCaller, emulator: EmulatorServer, clock: ManualClock
) -> None:
    """Calls come faster than the plan: what passes never exceeds the allowance, the rest is 429 without a hint."""
    asins = emulator.control.asins()[:2]
    statuses = []
    for _ in range(25):
        statuses.append(amazon.batch(asins).status_code)
        clock.advance(4)
    assert [200, 429, 429] * 8 == statuses[:24]
    refused = amazon.batch(asins)
    refused = amazon.batch(asins) if refused.status_code == 200 else refused
    assert (429, "QuotaExceeded") == (refused.status_code, code_of(refused))
    assert {"retry-after", "x-amzn-ratelimit-limit"}.isdisjoint(refused.headers)
    assert "TooManyRequestsException" == refused.headers["x-amzn-errortype"]
    assert refused.headers["x-amzn-requestid"]
    (bucket,) = emulator.control.stats()["buckets"]
    assert bucket["allowed"] <= bucket["allowance"]
    assert bucket["calls"] == bucket["allowed"] + bucket["refused"]
    assert bucket["allowance"] == pytest.approx(0.1 * 100 + 1)


def test_buckets_are_apart_for_each_account_and_operation(
    amazon: AmazonCaller, http: httpx.Client, emulator: EmulatorServer
) -> None:
    """One operation of one account used up leaves the others alone; burst 2 lets two catalogue calls pass."""
    asins = emulator.control.asins()[:2]
    other = AmazonCaller(http, 1)
    assert [200, 429] == [amazon.batch(asins).status_code for _ in range(2)]
    assert 200 == amazon.competitive(asins).status_code
    assert 200 == amazon.offers(asins[0]).status_code
    assert [200, 200, 429] == [amazon.catalog(asins).status_code for _ in range(3)]
    assert 200 == other.batch(asins).status_code


def test_the_rate_shown_is_the_rate_enforced_and_may_change(
    amazon: AmazonCaller, emulator: EmulatorServer, clock: ManualClock
) -> None:
    """x-amzn-RateLimit-Limit carries the plan in force on 200, 400 and 404, after a change as well."""
    asins = emulator.control.asins()[:2]
    assert "0.5" == amazon.competitive(asins).headers["x-amzn-ratelimit-limit"]
    clock.advance(2)
    assert (404, "0.5") == _status_and_rate(amazon.competitive(asins, ItemType="asin"))
    clock.advance(2)
    assert (400, "0.5") == _status_and_rate(amazon.competitive(asins, MarketplaceId=""))
    emulator.control.set_rate("getCompetitivePricing", 0.25)
    clock.advance(2)
    assert 429 == amazon.competitive(asins).status_code
    clock.advance(2)
    assert (200, "0.25") == _status_and_rate(amazon.competitive(asins))


def test_speed_multiplies_what_is_advertised_and_enforced(clock: ManualClock) -> None:
    """At speed 50 a batch may be asked every 0.2 s, and the header says 5."""
    with (
        EmulatorServer(clock=clock, listings=20, speed=50) as fast,
        httpx.Client(base_url=fast.url, trust_env=False) as http,
    ):
        amazon = AmazonCaller(http)
        asins = fast.control.asins()[:1]
        assert (200, "5") == _status_and_rate(amazon.batch(asins))
        assert 429 == amazon.batch(asins).status_code
        clock.advance(0.2)
        assert 200 == amazon.batch(asins).status_code


def test_a_batch_answers_each_item_on_its_own(amazon: AmazonCaller, emulator: EmulatorServer) -> None:
    """The call is 200; a known ASIN has its offers, one without offers no counts, an unknown one an error item."""
    good, out, failing = emulator.control.asins()[:3]
    emulator.control.set_truth(good, price_jpy=2980)
    emulator.control.set_truth(out, in_stock=False)
    emulator.control.set_truth(failing, error={"status": 503, "code": "ServiceUnavailable", "message": "later"})
    answer = amazon.batch([good, out, failing, "B0UNKNOWN0"])
    assert 200 == answer.status_code
    items = {item["request"]["Asin"]: item for item in answer.json()["responses"]}
    assert [200, 200, 503, 400] == [item["status"]["statusCode"] for item in items.values()]
    assert all(item["headers"]["x-amzn-RequestId"] for item in items.values())
    payload = items[good]["body"]["payload"]
    lead = [offer for offer in payload["Offers"] if offer["ListingPrice"]["Amount"] == 2980]
    assert "Success" == payload["status"]
    assert lead
    assert "JPY" == lead[0]["ListingPrice"]["CurrencyCode"]
    nothing = items[out]["body"]["payload"]
    assert ("NoBuyableOffers", {"TotalOfferCount": 0}, []) == (nothing["status"], nothing["Summary"], nothing["Offers"])
    unknown = items["B0UNKNOWN0"]["body"]["errors"][0]
    assert "InvalidInput" == unknown["code"]
    assert "is an invalid ASIN for marketplace A1VC38T7YXB528" in unknown["message"]


@pytest.mark.parametrize(
    ("asins", "changes"),
    [
        (["B000000001", "B000000001"], {}),
        ([f"B0000000{n:02d}" for n in range(21)], {}),
        (["B000000001"], {"MarketplaceId": None}),
        (["B000000001"], {"queryParams": {"ItemCondition": "New"}}),
        (["B000000001"], {"method": "POST"}),
        ([], {}),
    ],
    ids=["duplicate", "twenty-one", "no marketplace", "wrapped parameters", "method", "empty"],
)
def test_a_malformed_batch_fails_as_a_whole(amazon: AmazonCaller, asins: list[str], changes: dict[str, object]) -> None:
    """One bad request in a batch is a 400 for all of it."""
    answer = amazon.batch(asins, **changes)
    assert (400, "InvalidInput") == (answer.status_code, code_of(answer))


def test_summaries_agree_with_the_offers_shown(amazon: AmazonCaller, emulator: EmulatorServer) -> None:
    """Lowest prices and Featured Offer prices are those of offers in the list; totals count every condition."""
    emulator.control.set_rate("getItemOffersBatch", 1000, 10)
    seen = set()
    for begin in range(0, 40, 20):
        for item in amazon.batch(emulator.control.asins()[begin : begin + 20]).json()["responses"]:
            if item["status"]["statusCode"] != 200:
                continue
            payload = item["body"]["payload"]
            summary, offers = payload["Summary"], payload["Offers"]
            counted = sum(count["OfferCount"] for count in summary.get("NumberOfOffers", []))
            assert summary["TotalOfferCount"] == counted >= len(offers)
            listed = {offer["ListingPrice"]["Amount"] for offer in offers}
            assert {price["ListingPrice"]["Amount"] for price in summary.get("LowestPrices", [])} <= listed
            winners = [offer["ListingPrice"] for offer in offers if offer["IsBuyBoxWinner"]]
            assert winners == [price["ListingPrice"] for price in summary.get("BuyBoxPrices", [])]
            seen |= {type(offer["ListingPrice"]["Amount"]) for offer in offers}
            seen |= {offer["ShippingTime"]["availabilityType"] for offer in offers}
    assert {int, float, "NOW"} < seen


def test_single_offers_are_the_same_world(amazon: AmazonCaller, emulator: EmulatorServer) -> None:
    """The single operation and the batch tell the same of one ASIN; an unknown one is a 400 here."""
    emulator.control.set_rate("getItemOffers", 100, 10)
    asin = emulator.control.asins()[1]
    single = amazon.offers(asin, CustomerType="Consumer").json()
    batched = amazon.batch([asin]).json()["responses"][0]["body"]
    assert batched == single
    assert (400, "InvalidInput") == _status_and_code(amazon.offers("B0UNKNOWN0"))
    assert (400, "InvalidInput") == _status_and_code(amazon.offers(asin, ItemCondition="new"))
    assert (400, "InvalidInput") == _status_and_code(amazon.offers(asin, MarketplaceId=""))


def test_competitive_pricing_tells_presence_and_never_an_error_text(
    amazon: AmazonCaller, emulator: EmulatorServer
) -> None:
    """Featured Offer under id 1, counts by condition, empty lists without offers, ClientError for the unknown."""
    good, out = emulator.control.asins()[:2]
    offers = [
        {"seller_id": "A1", "price_jpy": 1500, "winner": True, "points": 15},
        {"seller_id": "A2", "price_jpy": 900, "condition": "used"},
    ]
    emulator.control.set_truth(good, offers=offers)
    emulator.control.set_truth(out, in_stock=False)
    rows = {row["ASIN"]: row for row in amazon.competitive([good, out, "B0UNKNOWN0"]).json()["payload"]}
    assert {"status": "ClientError", "ASIN": "B0UNKNOWN0"} == rows["B0UNKNOWN0"]
    empty: dict[str, list[object]] = {"CompetitivePrices": [], "NumberOfOfferListings": []}
    assert empty == rows[out]["Product"]["CompetitivePricing"]
    pricing = rows[good]["Product"]["CompetitivePricing"]
    (price,) = pricing["CompetitivePrices"]
    assert ("1", 1500, 1485) == (
        price["CompetitivePriceId"],
        price["Price"]["ListingPrice"]["Amount"],
        price["Price"]["LandedPrice"]["Amount"],
    )
    counts = {count["condition"]: count["Count"] for count in pricing["NumberOfOfferListings"]}
    assert {"New": 1, "Used": 1, "Any": 2} == counts


def test_the_catalogue_pages_and_leaves_out_the_unknown(amazon: AmazonCaller, emulator: EmulatorServer) -> None:
    """Ten a page unless told otherwise; unknown ASINs are absent; a malformed one fails the call."""
    emulator.control.set_rate("searchCatalogItems", 1000, 20)
    asins = emulator.control.asins()[:19]
    first = amazon.catalog([*asins, "B0UNKNOWN0"]).json()
    assert (19, 10) == (first["numberOfResults"], len(first["items"]))
    second = amazon.catalog([*asins, "B0UNKNOWN0"], pageToken=first["pagination"]["nextToken"]).json()
    assert asins == [item["asin"] for item in first["items"] + second["items"]]
    whole = amazon.catalog(asins, pageSize=20, includedData="summaries,images,attributes").json()
    assert 19 == len(whole["items"])
    assert "pagination" not in whole
    assert {"asin", "summaries", "images", "attributes"} == set(whole["items"][0])
    assert re.search(r"[ぁ-んァ-ン一-龥A-Z]", whole["items"][0]["summaries"][0]["itemName"])
    for bad in ({"identifiers": "B0,zz"}, {"pageSize": 21}, {"identifiersType": ""}, {"marketplaceIds": ""}):
        assert 400 == amazon.catalog(asins, **bad).status_code


def _status_and_rate(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.headers["x-amzn-ratelimit-limit"]


def _status_and_code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, code_of(answer)
