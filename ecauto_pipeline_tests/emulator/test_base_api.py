"""BASE's side refuses and answers as documented: always HTTP 400 with an error of its own words."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from ecauto_pipeline.clock import ManualClock
from ecauto_pipeline.emulator.credentials import BASE_SCOPES, base_app
from ecauto_pipeline.emulator.server import EmulatorServer
from ecauto_pipeline.emulator.shop_world import Variation
from ecauto_pipeline_tests.emulator.callers import BaseCaller


def error_of(answer: httpx.Response) -> str:
    """The error of a refusal, which must have BASE's form."""
    assert 400 == answer.status_code
    assert {"error", "error_description"} == set(answer.json())
    return str(answer.json()["error"])


@pytest.fixture
def item_id(emulator: EmulatorServer) -> int:
    """A plain item of shop 1."""
    return next(
        int(item["item_id"])
        for item in emulator.control.items("base_account_1")
        if item["editable"] and not item["variations"] and item["stock"] == 1 and item["visible"]
    )


def test_the_code_flow_ends_with_tokens(http: httpx.Client) -> None:
    """A known client is sent back with code and state; the code works once and the answer names no scope."""
    app = base_app("base_account_2")
    asked = {"response_type": "code", "client_id": app.client_id, "redirect_uri": app.redirect_uri, "state": "s1"}
    sent = http.get("/1/oauth/authorize", params=asked | {"scope": " ".join(BASE_SCOPES)})
    back = urlsplit(sent.headers["location"])
    assert 302 == sent.status_code
    assert app.redirect_uri == f"{back.scheme}://{back.netloc}{back.path}"
    assert ["s1"] == parse_qs(back.query)["state"]
    form = {"grant_type": "authorization_code", "code": parse_qs(back.query)["code"][0]}
    form["redirect_uri"] = app.redirect_uri
    basic = (app.client_id, app.client_secret)
    given = http.post("/1/oauth/token", data=form, auth=basic)
    assert {"access_token", "token_type", "expires_in", "refresh_token"} == set(given.json())
    assert "invalid_grant" == error_of(http.post("/1/oauth/token", data=form, auth=basic))
    assert "unauthorized_client" == error_of(http.get("/1/oauth/authorize", params=asked | {"client_id": "who"}))
    assert "invalid_client" == error_of(http.post("/1/oauth/token", data=form, auth=(app.client_id, "no")))


def test_a_refresh_kills_the_token_it_used(shop: BaseCaller, clock: ManualClock) -> None:
    """Rotation: new tokens work, the old refresh token is wrong for ever; after 30 days it is too old."""
    first = shop.tokens["refresh_token"]
    shop.tokens = shop.refresh().json()
    assert 200 == shop.get("users/me").status_code
    assert "不正なリフレッシュトークンです。" == shop.refresh(first).json()["error_description"]
    clock.advance(30 * 86_400)
    assert "リフレッシュトークンの有効期限が切れています。" == shop.refresh().json()["error_description"]


def test_access_tokens_last_an_hour(shop: BaseCaller, clock: ManualClock) -> None:
    """After 3,600 s, or without a token, the answer is invalid_request with the words for a dead token."""
    clock.advance(3599)
    assert 200 == shop.get("items").status_code
    clock.advance(1)
    dead = shop.get("items")
    assert ("invalid_request", "アクセストークンが無効です。") == (error_of(dead), dead.json()["error_description"])
    assert "invalid_request" == error_of(shop.http.get("/1/items"))


def test_scopes_are_asked_for(http: httpx.Client, emulator: EmulatorServer, item_id: int) -> None:
    """A token reads or writes only what its scope says."""
    reader = BaseCaller(http, "base_account_1", emulator.control.issue_base_tokens("base_account_1", ("read_items",)))
    assert 200 == reader.get("items").status_code
    assert "invalid_scope" == error_of(reader.post("items/edit", item_id=item_id, price=1000))
    assert "invalid_scope" == error_of(reader.get("orders"))


def test_an_edit_changes_what_it_names_and_moves_modified(
    shop: BaseCaller, emulator: EmulatorServer, clock: ManualClock, item_id: int
) -> None:
    """Fields left out stay; modified is the time of the edit; reading back shows it."""
    before = shop.get(f"items/detail/{item_id}").json()["item"]
    clock.advance(60)
    after = shop.post("items/edit", item_id=item_id, price=1990, visible=0).json()["item"]
    moved = {"price": 1990, "visible": 0, "modified": int(clock.now().timestamp())}
    assert before | moved == after
    assert after == shop.get(f"items/detail/{item_id}").json()["item"]
    newest = shop.get("items", order="modified", sort="desc", limit=1).json()["items"]
    assert [item_id] == [item["item_id"] for item in newest]
    (edit,) = emulator.control.calls(operation="items/edit")
    assert ({"price": "1990", "visible": "0"}, item_id) == (edit["details"]["fields"], edit["details"]["item_id"])


def test_ids_travel_in_the_path_and_absence_has_three_names(shop: BaseCaller) -> None:
    """detail?item_id= is a missing id, an unknown id is no_item for a reader and bad_item_id for a writer."""
    assert "no_item_id" == error_of(shop.get("items/detail", item_id=1))
    assert "no_item" == error_of(shop.get("items/detail/1"))
    assert "bad_item_id" == error_of(shop.post("items/edit", item_id=1, price=1000))
    assert "no_item_id" == error_of(shop.post("items/edit", price=1000))


def test_wrong_forms_of_calling_are_refused(shop: BaseCaller, item_id: int) -> None:
    """JSON bodies, a GET that names a content type, a GET where a POST belongs, unknown and odd parameters."""
    url = "/1/items/edit"
    assert "bad_params" == error_of(shop.http.post(url, json={"item_id": item_id, "price": 1}, headers=shop.bearer))
    assert "bad_params" == error_of(shop.get("items", headers={"Content-Type": "application/json"}))
    assert "not_post_method" == error_of(shop.get("items/edit", item_id=item_id))
    assert "bad_params" == error_of(shop.get("items", limit=101))
    assert "bad_params" == error_of(shop.get("items", order="price"))
    assert "bad_params" == error_of(shop.post("items/edit", item_id=item_id, prize=1000))
    assert "validation_error" == error_of(shop.post("items/edit", item_id=item_id, price="19.5"))
    assert "validation_error" == error_of(shop.post("items/edit", item_id=item_id, visible=2))


def test_shops_do_not_see_each_other(shop: BaseCaller, emulator: EmulatorServer) -> None:
    """An item of another shop is no item."""
    other = emulator.control.items("base_account_2")[0]["item_id"]
    assert "no_item" == error_of(shop.get(f"items/detail/{other}"))
    assert "bad_item_id" == error_of(shop.post("items/edit", item_id=other, visible=0))


def test_variations_own_the_stock(shop: BaseCaller, emulator: EmulatorServer, item_id: int) -> None:
    """With variations the item's stock is their sum: set one by one, never as a whole."""
    varied = (Variation(901, "小", 2), Variation(902, "大", 3))
    emulator.control.add_item("base_account_1", 77, "二種", 1200, variations=varied, stock=5)
    assert "bad_params" == error_of(shop.post("items/edit", item_id=77, stock=9))
    assert "bad_params" == error_of(shop.post("items/edit_stock", item_id=77, stock=9))
    assert 4 == shop.post("items/edit_stock", variation_id=901, variation_stock=1).json()["item"]["stock"]
    arrays = {"variation_id[0]": 902, "variation_stock[0]": 0}
    assert 1 == shop.post("items/edit", item_id=77, **arrays).json()["item"]["stock"]
    assert "bad_variation_id" == error_of(shop.post("items/edit_stock", variation_id=999, variation_stock=1))
    assert 8 == shop.post("items/edit_stock", item_id=item_id, stock=8).json()["item"]["stock"]


def test_digital_goods_cannot_be_edited(shop: BaseCaller, emulator: EmulatorServer) -> None:
    """invalid_request again, with words of its own: only the description tells it from a dead token."""
    emulator.control.add_item("base_account_1", 78, "電子書籍", 500, editable=False)
    refused = shop.post("items/edit", item_id=78, price=600)
    assert "invalid_request" == error_of(refused)
    assert "編集できません" in refused.json()["error_description"]


def test_the_hour_ends_at_minute_zero(shop: BaseCaller, emulator: EmulatorServer, clock: ManualClock) -> None:
    """Every call counts; one past the limit is hour_api_limit until the next :00, not an hour later."""
    emulator.control.set_base_limits("base_account_1", per_hour=3)
    assert [200] * 3 == [shop.get("items").status_code for _ in range(3)]
    assert "hour_api_limit" == error_of(shop.get("items"))
    clock.advance(40 * 60 - 1)  # 12:59:59
    assert "hour_api_limit" == error_of(shop.get("items"))
    clock.advance(1)
    shop.tokens = shop.refresh().json()
    assert 200 == shop.get("items").status_code


def test_the_day_ends_at_midnight_in_japan(shop: BaseCaller, emulator: EmulatorServer, clock: ManualClock) -> None:
    """day_api_limit holds over the hours, until 00:00 JST."""
    emulator.control.set_base_limits("base_account_1", per_day=2)
    assert [200] * 2 == [shop.get("items").status_code for _ in range(2)]
    clock.advance(11 * 3600 + 39 * 60)  # 23:59
    shop.tokens = emulator.control.issue_base_tokens("base_account_1")
    assert "day_api_limit" == error_of(shop.get("items"))
    clock.advance(60)
    assert 200 == shop.get("items").status_code


def test_pages_cover_the_shop_once(shop: BaseCaller, emulator: EmulatorServer) -> None:
    """Twenty a page unless told otherwise; pages of any order hold every item once."""
    everything = {item["item_id"] for item in emulator.control.items("base_account_1")}
    assert min(20, len(everything)) == len(shop.get("items").json()["items"])
    paged: list[int] = []
    while page := shop.get("items", order="modified", sort="desc", limit=7, offset=len(paged)).json()["items"]:
        paged += [item["item_id"] for item in page]
    assert sorted(everything) == sorted(paged)


def test_a_sale_takes_stock_and_makes_an_order(
    shop: BaseCaller, emulator: EmulatorServer, clock: ManualClock, item_id: int
) -> None:
    """After a sale the item shows stock 0, the order names it, and its buyer is nobody."""
    clock.advance(1)
    sale = emulator.control.sell("base_account_1", item_id)
    assert 0 == shop.get(f"items/detail/{item_id}").json()["item"]["stock"]
    newest = shop.get("orders", limit=1, start_ordered="2026-03-02", end_ordered="2026-03-02").json()["orders"]
    assert [sale["unique_key"]] == [order["unique_key"] for order in newest]
    order = shop.get(f"orders/detail/{sale['unique_key']}").json()["order"]
    assert [(item_id, 1)] == [(row["item_id"], row["amount"]) for row in order["order_items"]]
    assert "nobody@example.invalid" == order["mail_address"]
    assert [] == shop.get("orders", start_ordered="2026-03-03").json()["orders"]


def test_an_order_comes_when_its_time_has_come(
    shop: BaseCaller, emulator: EmulatorServer, clock: ManualClock, item_id: int
) -> None:
    """With that time, however late somebody looks, and taking the stock; what can't be bought then stays unsold."""
    account = "base_account_1"
    hidden = next(item["item_id"] for item in emulator.control.items(account) if item["item_id"] != item_id)
    emulator.control.edit_item(account, item_id, visible=True, stock=1)
    emulator.control.edit_item(account, hidden, visible=False, stock=1)
    clock.advance(1)
    before, due = len(emulator.control.orders(account)), clock.now() + timedelta(minutes=5)
    for one in (item_id, hidden):
        emulator.control.expect_order(account, one, due)
    clock.advance(299)
    assert before == len(emulator.control.orders(account))
    clock.advance(60)
    newest = shop.get("orders", limit=1).json()["orders"][0]
    assert int(due.timestamp()) == newest["ordered"]
    assert 0 == shop.get(f"items/detail/{item_id}").json()["item"]["stock"]
    assert before + 1 == len(emulator.control.orders(account))
