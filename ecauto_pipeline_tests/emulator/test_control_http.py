"""The control plane over HTTP has the powers of the Python object, and its errors are words."""

from __future__ import annotations

import re

import httpx
import pytest

from ecauto_pipeline.emulator.server import EmulatorServer
from ecauto_pipeline_tests.emulator.callers import AmazonCaller, BaseCaller


def test_every_power_is_there(http: httpx.Client, emulator: EmulatorServer) -> None:
    """Clock, rates, limits, faults, world, items, sales, register, tokens, calls, stats, reset."""
    control = emulator.control
    assert control.register_rows() == http.get("/emulator/register").json()
    before = control.now()
    assert 60 == http.post("/emulator/clock", json={"advance_s": 60}).json()["offset_s"]
    assert 60 == (control.now() - before).total_seconds()
    moved = http.post("/emulator/clock", json={"set": "2026-05-01T00:00:00+09:00"}).json()
    assert "2026-04-30T15:00:00+00:00" == moved["now"]
    http.post("/emulator/rates", json={"operation": "getItemOffers", "rate_per_s": 9, "burst": 3})
    http.post("/emulator/base_limits", json={"account": "base_account_1", "per_hour": 7})
    assert {"ids": [1]} == http.post("/emulator/faults", json={"kind": "slow", "seconds": 0.01}).json()
    http.delete("/emulator/faults")
    assert [] == http.get("/emulator/faults").json()
    asin = http.get("/emulator/world/asins").json()[0]
    assert "NoBuyableOffers" == http.post(f"/emulator/world/asins/{asin}", json={"in_stock": False}).json()["status"]
    assert [] == http.get(f"/emulator/world/asins/{asin}").json()["offers"]
    first = http.get("/emulator/world/items", params={"account": "base_account_1"}).json()[0]
    edit = {"account": "base_account_1", "item_id": first["item_id"]}
    assert not http.post("/emulator/world/items", json=edit | {"visible": 0}).json()["visible"]
    assert 0 == http.post("/emulator/world/items", json=edit | {"stock": 0}).json()["stock"] or first["variations"]
    sale = http.post("/emulator/orders", json=edit).json()
    orders = http.get("/emulator/orders", params={"account": "base_account_1"}).json()
    assert sale["unique_key"] in [order["unique_key"] for order in orders]
    later = http.get("/emulator/clock").json()["now"].replace("2026", "2036")
    assert {"done": True} == http.post("/emulator/orders", json=edit | {"at": later}).json()
    assert len(orders) == len(http.get("/emulator/orders", params={"account": "base_account_1"}).json())
    http.post("/emulator/world/items", json=edit | {"delete": True})
    assert control.item("base_account_1", first["item_id"]) is None
    stats = http.get("/emulator/stats").json()
    assert 7 == stats["shops"][0]["per_hour"]
    assert 10 == http.post("/emulator/reset", json={"listings": 10}).json()["listings"]
    assert 10 == len(control.register_rows()["listings"])


def test_calls_are_listed_in_order_without_secrets(http: httpx.Client, emulator: EmulatorServer) -> None:
    """Every call of an API stands in the list once, with what it asked and what came of it; no token, no secret."""
    amazon = AmazonCaller(http)
    tokens = emulator.control.issue_base_tokens("base_account_1")
    shop = BaseCaller(http, "base_account_1", tokens)
    asins = emulator.control.asins()[:2]
    answer = amazon.batch(asins)
    shop.tokens = shop.refresh().json()
    shop.get("items", limit=5)
    calls = http.get("/emulator/calls").json()
    assert [1, 2, 3, 4] == [call["seq"] for call in calls]
    assert ["token", "getItemOffersBatch", "oauth/token", "items"] == [call["operation"] for call in calls]
    assert ["sp_1", "sp_1", "base_account_1", "base_account_1"] == [call["account"] for call in calls]
    assert asins == calls[1]["details"]["asins"]
    assert answer.headers["x-amzn-requestid"] == calls[1]["request_id"]
    text = http.get("/emulator/calls").text
    secrets = [amazon.token, *tokens.values(), *shop.tokens.values()]
    assert not [secret for secret in secrets if isinstance(secret, str) and len(secret) > 10 and secret in text]
    assert "NOT-A-SECRET" not in text
    assert calls[2:] == http.get("/emulator/calls", params={"since": 2}).json()
    assert calls[3:] == http.get("/emulator/calls", params={"operation": "items"}).json()


def test_wrong_orders_are_answered_with_words(http: httpx.Client) -> None:
    """A control call that makes no sense is a 400 that says why, and changes nothing."""
    wrong = [
        ("/emulator/rates", {"operation": "getEverything", "rate_per_s": 1}),
        ("/emulator/faults", {"kind": "earthquake"}),
        ("/emulator/tokens", {"action": "steal"}),
        ("/emulator/world/items", {"account": "base_account_1", "item_id": 1, "visible": 1}),
        ("/emulator/reset", {"listings": 0}),
        ("/emulator/clock", {"set": "2026-05-01T00:00:00"}),
    ]
    for path, body in wrong:
        answer = http.post(path, json=body)
        assert 400 == answer.status_code
        assert answer.json()["error"]


@pytest.mark.parametrize(
    ("path", "body", "words"),
    [
        ("/emulator/orders", b"{", "no JSON"),
        ("/emulator/orders", b"[1]", "JSON object"),
        ("/emulator/orders", b'"B0"', "JSON object"),
        ("/emulator/orders", b"{}", "account"),
        ("/emulator/orders", b'{"account": "base_account_1", "item": 1}', "unknown field 'item'"),
        ("/emulator/orders", b'{"account": "nowhere", "item_id": 1}', "no item 1 in nowhere"),
        ("/emulator/tokens", b"{}", "'action' is missing"),
        ("/emulator/tokens", b'{"action": "issue", "account": "nowhere"}', "no shop 'nowhere'"),
        ("/emulator/world/items", b'{"account": "base_account_1", "item_id": "x"}', "wrong kind|invalid literal"),
        ("/emulator/world/items", b'{"account": "base_account_1", "item_id": null}', "wrong kind"),
        ("/emulator/clock", b'{"advance_s": "soon"}', "could not convert|wrong kind"),
        ("/emulator/clock", b"{}", "'offset' is missing"),
        ("/emulator/rates", b'{"operation": "getItemOffers"}', "'rate_per_s' is missing"),
        ("/emulator/reset", b'{"planet": 3}', "unknown field 'planet'"),
    ],
)
def test_what_is_wrong_with_a_control_call_is_a_sentence(
    http: httpx.Client, path: str, body: bytes, words: str
) -> None:
    """Whoever typed it reads which field it is about; no name of a Python function, no bare key, no 500."""
    answer = http.post(path, content=body)
    assert 400 == answer.status_code
    said = answer.json()["error"]
    assert re.search(words, said), said
    assert " " in said
    assert "()" not in said


@pytest.mark.parametrize("path", ["/emulator/calls", "/emulator/register", "/1/items"])
@pytest.mark.parametrize(
    "headers", [{"host": "evil.example"}, {"host": "127.0.0.1.evil.example"}, {"origin": "http://127.0.0.1:3001"}]
)
def test_a_page_in_a_browser_is_refused(http: httpx.Client, path: str, headers: dict[str, str]) -> None:
    """By the name it calls (a name that was made to lead here), and by the mark that browsers set."""
    assert 403 == http.get(path, headers=headers).status_code
    assert 403 != http.get(path).status_code
