"""What somebody gets from a desk with a password: nothing but the form, until it is given."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from ecauto_pipeline.desk.login import COOKIE
from ecauto_pipeline_tests.desk.visitor import HOST, a_project, served

PASSWORD = "correct horse battery"
OWN = {"origin": f"http://{HOST}", "upgrade": "websocket"}
PAGE = {"accept": "text/html"}
SOCKET = f"ws://{HOST}/_nicegui_ws/socket.io/?EIO=4&transport=websocket"


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    a_project(tmp_path, monkeypatch, 'mode = "emulated"\n[desk]\npassword_env = "DESK"\n')
    monkeypatch.setenv("DESK", PASSWORD)
    with served() as client:
        yield client


def test_without_a_session_nothing_is_given_but_the_form(desk: TestClient) -> None:
    """A page leads to the form and back to itself; anything else is refused; a made-up cookie is no session."""
    answer = desk.get("/ja/?filter=loss", headers=PAGE)
    assert (303, "/login?next=/ja/%3Ffilter%3Dloss") == (answer.status_code, answer.headers["location"])
    for path in ("/ja", "/_nicegui/auto/static/x", "/picture/B000000000", "/logout"):
        assert 401 == desk.get(path, cookies={COOKIE: "made-up"}).status_code, path
    form = desk.get("/login")
    assert (200, True) == (form.status_code, "パスワード" in form.text)


def test_the_right_password_leads_on_and_a_wrong_one_does_not(desk: TestClient) -> None:
    """The cookie is for HTTP alone and not for other sites; the password stands in no answer."""
    wrong = desk.post("/login?next=/ja", data={"password": "wrong"}, headers=OWN)
    assert (403, None) == (wrong.status_code, wrong.headers.get("set-cookie"))
    right = desk.post("/login?next=/ja", data={"password": PASSWORD}, headers=OWN)
    assert (303, "/ja") == (right.status_code, right.headers["location"])
    assert {"httponly", "samesite=lax"} <= set(right.headers["set-cookie"].lower().split("; "))
    page = desk.get("/ja", headers=PAGE)
    assert (200, False) == (page.status_code, PASSWORD in page.text + right.text + str(right.headers))
    assert 303 == desk.post("/logout", headers=OWN).status_code
    assert 303 == desk.get("/ja", headers=PAGE).status_code


def test_after_the_password_nobody_is_led_elsewhere(desk: TestClient) -> None:
    """An address of the desk itself, or its first page."""
    for onward in ("//evil.example", "https://evil.example/", "/\\evil.example", "/\nx", "//[", "http://[", "ja", ""):
        answer = desk.post("/login", params={"next": onward}, data={"password": PASSWORD}, headers=OWN)
        assert (303, "/") == (answer.status_code, answer.headers["location"]), onward


def test_a_socket_needs_a_session_and_an_origin_of_its_own(desk: TestClient) -> None:
    """Another site's page in the same browser has the cookie, but not the origin."""
    desk.post("/login", data={"password": PASSWORD}, headers=OWN)
    session = {"cookie": f"{COOKIE}={desk.cookies[COOKIE]}"}
    with desk.websocket_connect(SOCKET, headers={**OWN, **session}) as socket:
        assert socket.receive_text().startswith("0{")
    desk.cookies.clear()
    for headers in (OWN, session, {**session, "origin": "https://evil.example"}, {**OWN, "cookie": f"{COOKIE}=x"}):
        with pytest.raises(WebSocketDisconnect) as cut, desk.websocket_connect(SOCKET, headers=headers):
            pass
        assert 1008 == cut.value.code


def test_posts_of_another_site_are_refused(desk: TestClient) -> None:
    """Also those without any origin: no page of ours sends them so."""
    for headers in ({}, {"origin": "https://evil.example"}, {"origin": "null"}):
        assert 403 == desk.post("/login", data={"password": PASSWORD}, headers=headers).status_code
