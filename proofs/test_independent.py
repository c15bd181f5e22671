"""The independent servers refuse what the papers do not allow: what passes there was asked as Amazon documents it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from proofs.independent.amazon import PLANS, Amazon
from proofs.independent.cart import Cart, Product
from proofs.independent.goods import MARKET, Good
from proofs.independent.loopback import Asked, Reply
from proofs.independent.questions import BATCH, CATALOGUE, COMPETITIVE, SUMMARY, SUMMARY_BATCH

ASIN = "B0STRICT01"
_SECRETS = {"SP_API_REFRESH_TOKEN": "r", "LWA_APP_ID": "a", "LWA_CLIENT_SECRET": "s"}
Change = Callable[[dict[str, Any]], object]


class _Hand:
    """Amazon, its clock, and somebody who asks."""

    def __init__(self) -> None:
        self.now_s = 1_790_000_000.0
        goods = {ASIN: Good(2980), "B0STRICT02": Good(None), "B0STRICT03": Good(1980, hidden_from_v0=True)}
        self.amazon = Amazon(goods, _SECRETS, 1.0, lambda: self.now_s)
        form = {"grant_type": "refresh_token", "refresh_token": "r", "client_id": "a", "client_secret": "s"}
        login = Asked("POST", "/auth/o2/token", {}, {}, urlencode(form).encode())
        self.token = self.amazon.answer(login).document["access_token"]

    def ask(self, method: str, path: str, query: dict[str, str], body: object = None, **headers: str) -> Reply:
        made = datetime.fromtimestamp(self.now_s, UTC).strftime("%Y%m%dT%H%M%SZ")
        usual = {"x-amz-access-token": self.token, "x-amz-date": made, "content-type": "application/json"}
        sent = usual | {name.replace("_", "-"): value for name, value in headers.items()}
        content = b"" if body is None else json.dumps(body).encode()
        return self.amazon.answer(Asked(method, path, query, sent, content))


@pytest.fixture
def hand() -> _Hand:
    return _Hand()


def _offers(asin: str) -> dict[str, Any]:
    uri = f"/products/pricing/v0/items/{asin}/offers"
    return {"uri": uri, "method": "GET", "MarketplaceId": MARKET, "ItemCondition": "New", "CustomerType": "Consumer"}


def _summary(asin: str) -> dict[str, Any]:
    return {
        "asin": asin,
        "marketplaceId": MARKET,
        "method": "GET",
        "uri": SUMMARY,
        "includedData": ["featuredBuyingOptions", "lowestPricedOffers"],
        "lowestPricedOffersInputs": [{"itemCondition": "New", "offerType": "Consumer"}],
    }


_WRONG: dict[str, tuple[str, Callable[[str], dict[str, Any]], Change]] = {
    "v0, another marketplace": (BATCH, _offers, lambda one: one.update(MarketplaceId="ATVPDKIKX0DER")),
    "v0, no condition": (BATCH, _offers, lambda one: one.pop("ItemCondition")),
    "v0, the uri of another version": (BATCH, _offers, lambda one: one.update(uri=SUMMARY)),
    "v0, POST within": (BATCH, _offers, lambda one: one.update(method="POST")),
    "summary, another marketplace": (SUMMARY_BATCH, _summary, lambda one: one.update(marketplaceId="ATVPDKIKX0DER")),
    "summary, v0's spelling": (SUMMARY_BATCH, _summary, lambda one: one.update(Asin=one.pop("marketplaceId"))),
    "summary, nothing included": (SUMMARY_BATCH, _summary, lambda one: one.update(includedData=[])),
    "summary, an unknown block": (SUMMARY_BATCH, _summary, lambda one: one["includedData"].append("offers")),
    "summary, no inputs": (SUMMARY_BATCH, _summary, lambda one: one.pop("lowestPricedOffersInputs")),
    "summary, a B2B input": (
        SUMMARY_BATCH,
        _summary,
        lambda one: one["lowestPricedOffersInputs"][0].update(offerType="Business"),
    ),
}


@pytest.mark.parametrize("name", list(_WRONG))
def test_an_item_that_the_model_does_not_allow_fails_the_call(hand: _Hand, name: str) -> None:
    """400 with the rate and the request id; the same call without the mistake is answered."""
    path, make, spoil = _WRONG[name]
    request = make(ASIN)
    spoil(request)
    reply = hand.ask("POST", path, {}, {"requests": [make("B0STRICT02"), request]})
    assert 400 == reply.status
    assert {"x-amzn-RequestId", "x-amzn-RateLimit-Limit"} == set(reply.headers)
    hand.now_s += 60
    assert 200 == hand.ask("POST", path, {}, {"requests": [make("B0STRICT02"), make(ASIN)]}).status


@pytest.mark.parametrize(("path", "make"), [(BATCH, _offers), (SUMMARY_BATCH, _summary)], ids=["v0", "summary"])
def test_a_batch_has_one_to_twenty_different_items(
    hand: _Hand, path: str, make: Callable[[str], dict[str, Any]]
) -> None:
    """21, none and twice the same are refused as a whole; 20 are not."""
    names = [f"B0STRICT{n:02}" for n in range(21)]
    found = []
    for asins in (names, [], [ASIN, ASIN], names[:20]):
        found.append(hand.ask("POST", path, {}, {"requests": [make(asin) for asin in asins]}).status)
        hand.now_s += 60
    assert [400, 400, 400, 200] == found


def test_a_get_names_its_marketplace_and_its_types_by_letter(hand: _Hand) -> None:
    """`asin` is no ItemType, a page of ten holds no eleven."""
    ids = ",".join(f"B0STRICT{n:02}" for n in range(11))
    good = {"Asins": ASIN, "ItemType": "Asin", "MarketplaceId": MARKET}
    found = []
    for query in (good, good | {"ItemType": "ASIN"}, good | {"MarketplaceId": "X"}):
        found.append(hand.ask("GET", COMPETITIVE, query).status)
        hand.now_s += 2
    listed = {"identifiers": ids, "identifiersType": "ASIN", "marketplaceIds": MARKET}
    for query in (listed | {"pageSize": "20"}, listed, listed | {"pageSize": "20", "identifiersType": "SKU"}):
        found.append(hand.ask("GET", CATALOGUE, query).status)
        hand.now_s += 1
    assert [200, 400, 400, 200, 400, 400] == found


def test_a_slot_comes_at_the_documented_rate_and_not_before(hand: _Hand) -> None:
    """The second summary is refused until 1/0.033 s have passed, with no word of how long; other operations go on."""
    body = {"requests": [_summary(ASIN)]}
    first, second = (hand.ask("POST", SUMMARY_BATCH, {}, body) for _ in range(2))
    assert (200, "0.033") == (first.status, first.headers["x-amzn-RateLimit-Limit"])
    assert (429, "QuotaExceeded") == (second.status, second.document["errors"][0]["code"])
    assert {"x-amzn-RequestId", "x-amzn-ErrorType"} == set(second.headers)
    assert 200 == hand.ask("POST", BATCH, {}, {"requests": [_offers(ASIN)]}).status
    hand.now_s += 30.2
    assert 429 == hand.ask("POST", SUMMARY_BATCH, {}, body).status
    hand.now_s += 0.2
    assert 200 == hand.ask("POST", SUMMARY_BATCH, {}, body).status
    assert {"getCompetitiveSummary", "getItemOffersBatch"} == {name for name, _, _ in hand.amazon.asked} & set(PLANS)


def test_a_request_says_when_it_was_made(hand: _Hand) -> None:
    """Without a date, with one of another form, or with one of long ago it is refused."""
    query = {"Asins": ASIN, "ItemType": "Asin", "MarketplaceId": MARKET}
    old = datetime.fromtimestamp(hand.now_s - 1000, UTC).strftime("%Y%m%dT%H%M%SZ")
    found = []
    for date in ("", "2026-11-26T00:00:00Z", old):
        found.append(hand.ask("GET", COMPETITIVE, query, x_amz_date=date).status)
        hand.now_s += 2
    assert [400, 400, 400] == found


def test_a_token_ends(hand: _Hand) -> None:
    """After an hour it is refused with the words for it, without a rate, before anything else is looked at."""
    hand.now_s += 3600
    reply = hand.ask("GET", COMPETITIVE, {})
    assert (403, "The access token you provided has expired.") == (
        reply.status,
        reply.document["errors"][0]["details"],
    )
    assert {"x-amzn-RequestId"} == set(reply.headers)


def test_the_families_tell_apart_what_only_one_does_not_see(hand: _Hand) -> None:
    """Gone is gone in both; what is hidden from v0 has its offers in the summary; unknown is an item's error there."""
    asins = (ASIN, "B0STRICT02", "B0STRICT03", "B0STRICT09")
    offers = hand.ask("POST", BATCH, {}, {"requests": [_offers(asin) for asin in asins]}).document["responses"]
    counts = {
        one["request"]["Asin"]: one["body"].get("payload", {}).get("Summary", {}).get("TotalOfferCount")
        for one in offers
    }
    assert {ASIN: 2, "B0STRICT02": 0, "B0STRICT03": 0, "B0STRICT09": None} == counts
    bodies = [
        one["body"]
        for one in hand.ask("POST", SUMMARY_BATCH, {}, {"requests": [_summary(asin) for asin in asins]}).document[
            "responses"
        ]
    ]
    lists = {body["asin"]: len(body["lowestPricedOffers"][0]["offers"]) for body in bodies if "errors" not in body}
    assert {ASIN: 2, "B0STRICT02": 0, "B0STRICT03": 2} == lists
    assert ["INVALID_ASIN"] == [error["code"] for body in bodies for error in body.get("errors", ())]


@pytest.mark.parametrize(
    "content",
    [
        "商品番号,販売価格\r\na-9,100\r\n",
        "商品番号,販売価格\r\na-1,\r\n",
        "商品番号,公開状態\r\na-1,0\r\n",
        "番号\r\na-1\r\n",
    ],
    ids=["an unknown product", "nothing changes", "an unknown word", "another column"],
)
def test_a_cart_takes_a_file_whole_or_not_at_all(tmp_path: Path, content: str) -> None:
    """Whatever a row does not allow leaves every product as it is; a good file changes what its cells say."""
    cart = Cart("store_1", tmp_path / "products.csv", tmp_path, {"a-1": Product("c", "品", 100, True, 1)})
    path = tmp_path / "store_1_20261110-120000123_run.csv"
    path.write_bytes(content.encode("cp932"))
    with pytest.raises(AssertionError):
        cart.take_in()
    assert (100, 1, 1) == cart.products["a-1"].shown
    path.write_bytes("商品番号,販売価格,公開状態\r\na-1,,非表示\r\n".encode("cp932"))
    cart.take_in()
    assert (100, 0, 1) == cart.products["a-1"].shown
