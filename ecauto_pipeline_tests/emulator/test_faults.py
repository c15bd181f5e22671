"""Faults strike whom they are told to, as often as told, and look on the wire as the real ones do."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import timedelta

import httpx
import pytest

from ecauto_pipeline.clock import ManualClock
from ecauto_pipeline.emulator.faults import INSTEAD, KINDS
from ecauto_pipeline.emulator.server import EmulatorServer
from ecauto_pipeline_tests.emulator.callers import AmazonCaller, BaseCaller, code_of, lwa_form


@pytest.fixture
def asins(emulator: EmulatorServer) -> list[str]:
    """Three ASINs on sale; rates are out of the way."""
    for operation in ("getItemOffersBatch", "getItemOffers", "getCompetitivePricing", "searchCatalogItems"):
        emulator.control.set_rate(operation, 1e6, 1000)
    chosen = emulator.control.asins()[:3]
    for asin in chosen:
        emulator.control.set_truth(asin, price_jpy=2000)
    return chosen


def test_counts_choose_the_calls(amazon: AmazonCaller, emulator: EmulatorServer, asins: list[str]) -> None:
    """after=1, times=2 on one operation: that operation's second and third call, and no other's."""
    fault = {"kind": "http_error", "status": 503, "operation": "getItemOffersBatch", "after": 1, "times": 2}
    emulator.control.add_faults(fault)
    statuses = []
    for _ in range(4):
        assert 200 == amazon.competitive(asins).status_code
        statuses.append(amazon.batch(asins).status_code)
    assert [200, 503, 503, 200] == statuses
    (listed,) = emulator.control.faults()
    assert (4, 2) == (listed["matched"], listed["struck"])
    outcomes = [call["outcome"] for call in emulator.control.calls(operation="getItemOffersBatch")]
    assert ["ok", "fault:http_error", "fault:http_error", "ok"] == outcomes


def test_accounts_asins_and_times_choose_the_calls(
    amazon: AmazonCaller, http: httpx.Client, emulator: EmulatorServer, asins: list[str], clock: ManualClock
) -> None:
    """A fault for one account, one ASIN and one hour leaves the rest alone."""
    start, until = clock.now() + timedelta(hours=1), clock.now() + timedelta(hours=2)
    emulator.control.add_faults(
        {
            "kind": "throttle",
            "account": "sp_1",
            "asin": asins[0],
            "start": start.isoformat(),
            "until": until.isoformat(),
        }
    )
    assert 200 == amazon.offers(asins[0]).status_code
    clock.advance(3600)
    caller, other = AmazonCaller(http), AmazonCaller(http, 1)
    statuses = [caller.offers(asins[0]), caller.offers(asins[1]), other.offers(asins[0])]
    assert [429, 200, 200] == [answer.status_code for answer in statuses]
    clock.advance(3600)
    assert 200 == AmazonCaller(http).offers(asins[0]).status_code


def test_chance_is_seeded(amazon: AmazonCaller, emulator: EmulatorServer, asins: list[str]) -> None:
    """The same probability and seed strike the same calls in the same world."""
    runs = []
    for _ in range(2):
        emulator.control.clear_faults()
        emulator.control.add_faults({"kind": "throttle_empty", "probability": 0.5, "seed": 3})
        runs.append([amazon.offers(asins[0]).status_code for _ in range(20)])
    assert runs[0] == runs[1]
    assert 3 <= runs[0].count(429) <= 17


@pytest.mark.parametrize(
    ("fault", "status", "body"),
    [
        ({"kind": "throttle_empty"}, 429, b""),
        ({"kind": "body", "body": "[]"}, 200, b"[]"),
        ({"kind": "body", "body": "null"}, 200, b"null"),
        ({"kind": "body", "body": "{}", "status": 500}, 500, b"{}"),
        ({"kind": "redirect"}, 301, b""),
    ],
    ids=["empty 429", "list", "null", "empty object", "redirect"],
)
def test_silent_answers_have_exactly_that_body(
    amazon: AmazonCaller,
    emulator: EmulatorServer,
    asins: list[str],
    fault: dict[str, object],
    status: int,
    body: bytes,
) -> None:
    """What a client library would swallow comes over the wire as it stands."""
    emulator.control.add_faults(fault)
    answer = amazon.batch(asins)
    assert (status, body) == (answer.status_code, answer.content)


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_gateways_speak_html(amazon: AmazonCaller, emulator: EmulatorServer, asins: list[str], status: int) -> None:
    """A gateway's error is a page, not the API's JSON."""
    emulator.control.add_faults({"kind": "http_error", "status": status})
    answer = amazon.batch(asins)
    assert status == answer.status_code
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.text.startswith("<html>")


def test_bodies_are_spoiled_after_the_work(amazon: AmazonCaller, emulator: EmulatorServer, asins: list[str]) -> None:
    """Truncated JSON, a string for an object, errors as an object, bytes that are not UTF-8."""
    answers = {}
    for kind in ("truncated", "string_body", "errors_dict", "invalid_utf8"):
        emulator.control.clear_faults()
        emulator.control.add_faults({"kind": kind})
        answers[kind] = amazon.batch(asins)
    with pytest.raises(json.JSONDecodeError):
        json.loads(answers["truncated"].content)
    assert {"Internal error"} == {item["body"] for item in answers["string_body"].json()["responses"]}
    assert isinstance(answers["errors_dict"].json()["responses"][0]["body"]["errors"], dict)
    with pytest.raises(UnicodeDecodeError):
        answers["invalid_utf8"].content.decode("utf-8")


def test_a_field_is_renamed_wherever_it_stands(
    amazon: AmazonCaller, emulator: EmulatorServer, asins: list[str]
) -> None:
    """A rename changes the names it names, in one operation or family, and no value; other operations keep theirs."""
    emulator.control.set_rate("getCompetitiveSummary", 1e6, 1000)
    before = {"batch": amazon.batch(asins).text, "summary": amazon.summary(asins).text}
    renames = {"ListingPrice": "listingPrice", "Offers": "OfferList"}
    emulator.control.add_faults(
        {"kind": "renamed", "operation": "getItemOffersBatch", "names": renames},
        {"kind": "renamed", "family": "pricing/2022-05-01", "names": {"listingPrice": "price"}},
    )
    batch = amazon.batch(asins).json()["responses"]
    assert all({"Summary", "OfferList"} <= set(item["body"]["payload"]) for item in batch)
    assert "listingPrice" in batch[0]["body"]["payload"]["OfferList"][0]
    assert not {"Offers", "ListingPrice"} & _names(batch)
    assert json.loads(before["summary"].replace('"listingPrice"', '"price"')) == amazon.summary(asins).json()
    assert "ListingPrice" in amazon.offers(asins[0]).text
    emulator.control.clear_faults()
    assert before["summary"] == amazon.summary(asins).text


def test_a_rename_finds_a_spoiled_body_as_it_is(
    amazon: AmazonCaller, emulator: EmulatorServer, asins: list[str]
) -> None:
    """Beside another fault a rename leaves alone what is no JSON."""
    emulator.control.add_faults({"kind": "http_error"}, {"kind": "renamed", "names": {"Offers": "OfferList"}})
    assert 502 == amazon.batch(asins).status_code


def _names(content: object) -> set[str]:
    entries = content.values() if isinstance(content, dict) else content if isinstance(content, list) else ()
    mine = set(content) if isinstance(content, dict) else set()
    return mine.union(*(_names(entry) for entry in entries))


def test_connections_break_before_and_within_answers(
    amazon: AmazonCaller, emulator: EmulatorServer, asins: list[str]
) -> None:
    """A reset, an answer cut in the middle, and silence before or within it each look like themselves."""
    amazon.http.timeout = httpx.Timeout(0.3)
    expected = {
        "reset": httpx.ReadError,
        "cut_in_body": httpx.RemoteProtocolError,
        "timeout": httpx.ReadTimeout,
        "timeout_in_body": httpx.ReadTimeout,
    }
    for kind, error in expected.items():
        emulator.control.clear_faults()
        emulator.control.add_faults({"kind": kind, "times": 1})
        with pytest.raises(error):
            amazon.batch(asins)
        assert 200 == amazon.batch(asins).status_code
    assert [None, 200] == [call["http_status"] for call in emulator.control.calls(operation="getItemOffersBatch")][:2]


def test_an_edit_may_be_done_though_nobody_was_told(shop: BaseCaller, emulator: EmulatorServer) -> None:
    """reset and timeout leave the item alone; reset_after and timeout_after have changed it."""
    shop.http.timeout = httpx.Timeout(0.3)
    item = next(item for item in emulator.control.items("base_account_1") if item["editable"])
    prices = {}
    for kind in ("reset", "timeout", "reset_after", "timeout_after"):
        emulator.control.edit_item("base_account_1", item["item_id"], price_jpy=1000)
        emulator.control.clear_faults()
        emulator.control.add_faults({"kind": kind, "operation": "items/edit"})
        with pytest.raises(httpx.TransportError):
            shop.post("items/edit", item_id=item["item_id"], price=2000)
        after = emulator.control.item("base_account_1", item["item_id"])
        prices[kind] = after["price_jpy"] if after else None
    assert {"reset": 1000, "timeout": 1000, "reset_after": 2000, "timeout_after": 2000} == prices


def test_false_zeros_take_their_share(amazon: AmazonCaller, emulator: EmulatorServer) -> None:
    """With share 0.5 about half of the ASINs look sold out, always the same ones, in every operation."""
    emulator.control.set_rate("getItemOffersBatch", 1e6, 100)
    emulator.control.set_rate("getCompetitivePricing", 1e6, 100)
    asins = emulator.control.asins()[:20]
    for asin in asins:
        emulator.control.set_truth(asin, price_jpy=1500)
    emulator.control.add_faults({"kind": "false_zeros", "share": 0.5})
    batch = amazon.batch(asins).json()["responses"]
    zeros = {item["request"]["Asin"] for item in batch if not item["body"]["payload"]["Offers"]}
    assert 3 <= len(zeros) <= 17
    swept = amazon.competitive(asins).json()["payload"]
    counts = {row["ASIN"]: row["Product"]["CompetitivePricing"]["NumberOfOfferListings"] for row in swept}
    assert zeros == {asin for asin, count in counts.items() if not count}


def test_stale_answers_are_those_of_an_earlier_time(
    amazon: AmazonCaller, emulator: EmulatorServer, asins: list[str], clock: ManualClock
) -> None:
    """A world an hour old shows the price of an hour ago, overrides included."""
    clock.advance(1800)
    emulator.control.set_truth(asins[0], price_jpy=9999)
    emulator.control.add_faults({"kind": "stale", "age_s": 900, "times": 1})
    stale, fresh = ([o["ListingPrice"]["Amount"] for o in _offers(amazon, asins[0])] for _ in range(2))
    assert (True, False) == (2000 in stale, 9999 in stale)
    assert (False, True) == (2000 in fresh, 9999 in fresh)


def test_batches_lose_gain_and_fail_items(amazon: AmazonCaller, emulator: EmulatorServer, asins: list[str]) -> None:
    """A missing item, one nobody asked for, one in error, one unknown: the rest of the batch is right."""
    emulator.control.add_faults(
        {"kind": "missing_items", "asin": asins[0]},
        {"kind": "extra_item"},
        {"kind": "item_error", "asin": asins[1], "status": 429, "code": "QuotaExceeded"},
        {"kind": "unknown_asin", "asin": asins[2]},
    )
    items = {item["request"]["Asin"]: item for item in amazon.batch(asins).json()["responses"]}
    assert asins[0] not in items
    assert 429 == items[asins[1]]["status"]["statusCode"]
    assert "InvalidInput" == items[asins[2]]["body"]["errors"][0]["code"]
    (stranger,) = set(items) - set(asins)
    assert stranger in emulator.control.asins()


def test_shops_are_restricted_limited_and_lose_items(
    shop: BaseCaller, emulator: EmulatorServer, http: httpx.Client
) -> None:
    """access_denied for one shop only; hour_api_limit and token_expired on demand; vanished items are gone."""
    other = BaseCaller(http, "base_account_2", emulator.control.issue_base_tokens("base_account_2"))
    emulator.control.add_faults({"kind": "access_denied", "account": "base_account_1"})
    assert "access_denied" == shop.get("items").json()["error"]
    assert 200 == other.get("items").status_code
    emulator.control.clear_faults()
    for kind in ("hour_api_limit", "day_api_limit", "server_error"):
        emulator.control.add_faults({"kind": kind, "times": 1})
        assert kind == shop.get("items").json()["error"]
    emulator.control.add_faults({"kind": "token_expired", "times": 1})
    assert "アクセストークンが無効です。" == shop.get("items").json()["error_description"]
    first, second = (item["item_id"] for item in emulator.control.items("base_account_1")[:2])
    emulator.control.add_faults({"kind": "vanished", "item_ids": [first]})
    assert "bad_item_id" == shop.post("items/edit", item_id=first, price=1000).json()["error"]
    assert "no_item" == shop.get(f"items/detail/{first}").json()["error"]
    assert 200 == shop.get(f"items/detail/{second}").status_code
    listed = [item["item_id"] for item in shop.get("items", limit=100).json()["items"]]
    assert (False, True) == (first in listed, second in listed)


def test_tokens_can_be_ended_in_mid_run(
    amazon: AmazonCaller, shop: BaseCaller, emulator: EmulatorServer, asins: list[str]
) -> None:
    """Expired tokens are renewed, revoked ones are not."""
    emulator.control.expire_tokens()
    assert 403 == amazon.offers(asins[0]).status_code
    assert 200 == AmazonCaller(amazon.http).offers(asins[0]).status_code
    assert "invalid_request" == shop.get("items").json()["error"]
    assert 200 == shop.refresh().status_code
    emulator.control.revoke_tokens()
    assert 400 == shop.refresh().status_code
    assert 400 == amazon.http.post("/auth/o2/token", data=lwa_form()).status_code
    emulator.control.restore_refresh_tokens()
    assert 200 == amazon.http.post("/auth/o2/token", data=lwa_form()).status_code


def test_a_secret_expires_and_tokens_live_out_their_hour(
    amazon: AmazonCaller, emulator: EmulatorServer, asins: list[str], clock: ManualClock
) -> None:
    """No new token is to be had, for the account it concerns; the one at hand works until it ends."""
    emulator.control.add_faults({"kind": "secret_expired", "account": "sp_1"})
    refused = amazon.http.post("/auth/o2/token", data=lwa_form())
    assert (401, "invalid_client") == (refused.status_code, refused.json()["error"])
    assert 200 == amazon.http.post("/auth/o2/token", data=lwa_form(1)).status_code
    assert 200 == amazon.offers(asins[0]).status_code
    clock.advance(3600)
    assert 403 == amazon.offers(asins[0]).status_code


def test_usage_plans_are_cut_while_somebody_calls(
    amazon: AmazonCaller, emulator: EmulatorServer, asins: list[str], clock: ManualClock
) -> None:
    """From its time on a fifth is advertised and enforced; before it and afterwards the documented rate is."""
    start, until = (clock.now() + timedelta(seconds=passed) for passed in (60, 1060))
    cut = {"kind": "rate_cut", "share": 0.2, "start": start.isoformat(), "until": until.isoformat()}
    emulator.control.set_rate("getItemOffersBatch", 0.1)
    emulator.control.add_faults(cut)

    def answered(calls: int, every_s: float) -> list[str | None]:
        rates = []
        for _ in range(calls):
            rates.append(amazon.batch(asins).headers.get("x-amzn-RateLimit-Limit"))
            clock.advance(every_s)
        return rates

    assert ["0.1"] * 6 == answered(6, 10.0)
    assert ["0.02", None, None, None, None] * 2 == answered(10, 10.0)
    clock.advance(900)
    assert "0.1" in answered(2, 10.0)


def test_every_replacing_fault_works_on_both_apis(
    amazon: AmazonCaller, shop: BaseCaller, emulator: EmulatorServer, asins: list[str]
) -> None:
    """Each kind that replaces an answer gives one, or breaks the connection; BASE's own kinds are for BASE."""
    of_base = {"hour_api_limit", "day_api_limit", "access_denied", "server_error"}
    for kind in INSTEAD:
        emulator.control.clear_faults()
        emulator.control.add_faults({"kind": kind, "seconds": 0.05})
        callers: list[Callable[[], httpx.Response]] = [lambda: shop.get("items")]
        if kind not in of_base:
            callers.append(lambda: amazon.batch(asins))
        for call in callers:
            try:
                assert call().status_code in (200, 301, 400, 403, 404, 429, 500, 502, 503)
            except httpx.TransportError:
                assert kind in ("reset", "timeout")


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ({"kind": "down"}, (503, "ServiceUnavailable")),
        ({"kind": "down", "status": 500}, (500, "InternalFailure")),
        ({"kind": "gone"}, (404, "NotFound")),
        ({"kind": "gone", "status": 403}, (403, "Unauthorized")),
    ],
    ids=["down", "down 500", "gone", "gone 403"],
)
def test_an_operation_is_down_for_hours_or_gone(
    amazon: AmazonCaller,
    emulator: EmulatorServer,
    asins: list[str],
    clock: ManualClock,
    fault: dict[str, object],
    said: tuple[int, str],
) -> None:
    """Within its hours every call of it meets the API's own words, and costs its bucket nothing; the others work."""
    until = clock.now() + timedelta(hours=3)
    emulator.control.add_faults({**fault, "operation": "getItemOffersBatch", "until": until.isoformat()})
    answers = [amazon.batch(asins) for _ in range(3)]
    assert [said] * 3 == [(answer.status_code, code_of(answer)) for answer in answers]
    assert [] == emulator.control.stats()["buckets"]
    assert 200 == amazon.offers(asins[0]).status_code
    clock.advance(3 * 3600)
    assert 200 == AmazonCaller(amazon.http).batch(asins).status_code


def test_a_whole_family_is_gone(amazon: AmazonCaller, emulator: EmulatorServer, asins: list[str]) -> None:
    """Everything of v0 answers 404; what is of 2022 goes on, for one account as for all."""
    emulator.control.set_rate("getCompetitiveSummary", 1e6, 1000)
    emulator.control.add_faults({"kind": "gone", "family": "pricing/v0", "account": "sp_1"})
    of_v0 = [amazon.batch(asins), amazon.offers(asins[0]), amazon.competitive(asins)]
    assert [(404, "NotFound")] * 3 == [(answer.status_code, code_of(answer)) for answer in of_v0]
    assert [200, 200] == [amazon.summary(asins).status_code, amazon.catalog(asins).status_code]
    assert 200 == AmazonCaller(amazon.http, 1).batch(asins).status_code


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "earthquake"},
        {"kind": "slow", "sconds": 1},
        {"kind": "slow", "start": "2026-03-02T00:00:00"},
        {"kind": "renamed"},
        {"kind": "renamed", "names": {"Offers": ""}},
        {"kind": "slow", "names": {"Offers": "OfferList"}},
    ],
    ids=["kind", "field", "naive time", "no names", "an empty name", "names of another kind"],
)
def test_a_wrong_script_is_refused_whole(emulator: EmulatorServer, wrong: dict[str, object]) -> None:
    """An unknown kind or field and a time without zone are errors; nothing of that script is added."""
    with pytest.raises(ValueError, match=r"known are|time zone|names"):
        emulator.control.add_faults({"kind": "slow"}, wrong)
    assert [] == emulator.control.faults()


def test_kinds_have_words() -> None:
    """Every kind says what it does."""
    assert all(len(words) > 10 for words in KINDS.values())


def test_a_throttle_fault_is_the_documented_refusal(
    amazon: AmazonCaller, emulator: EmulatorServer, asins: list[str]
) -> None:
    """An injected 429 cannot be told from a real one, and costs the bucket nothing."""
    emulator.control.add_faults({"kind": "throttle", "times": 1})
    answer = amazon.batch(asins)
    assert (429, "QuotaExceeded") == (answer.status_code, code_of(answer))
    assert [] == emulator.control.stats()["buckets"]


def _offers(amazon: AmazonCaller, asin: str) -> list[dict[str, dict[str, object]]]:
    found: list[dict[str, dict[str, object]]] = amazon.offers(asin).json()["payload"]["Offers"]
    return found


def test_a_held_answer_comes_when_its_fault_is_removed(
    emulator: EmulatorServer, shop: BaseCaller, http: httpx.Client
) -> None:
    """The edit stands at once; its answer waits for the word, and other callers wait for nobody."""
    (fault,) = emulator.control.add_faults({"kind": "held", "operation": "items/edit", "seconds": 3600})
    item = next(item for item in emulator.control.items("base_account_1") if not item["variations"])
    with ThreadPoolExecutor(1) as pool:
        edit = pool.submit(shop.post, "items/edit", item_id=item["item_id"], price=7770)
        while not emulator.control.faults()[0]["struck"]:
            wait([edit], 0.01)
        assert 200 == http.get("/emulator/clock").status_code
        shown = {one["item_id"]: one["price_jpy"] for one in emulator.control.items("base_account_1")}
        assert 7770 == shown[item["item_id"]]
        assert not edit.done()
        http.delete("/emulator/faults", params={"id": fault})
        assert 200 == edit.result().status_code
    assert [] == emulator.control.faults()
