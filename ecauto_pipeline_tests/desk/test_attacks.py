"""What somebody means harm with: addresses, sockets and forms that no page of the desk sends."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient, WebSocketTestSession
from starlette.websockets import WebSocketDisconnect

from ecauto_pipeline.desk.gate import MOST_MESSAGE_BYTES, TOO_BIG
from ecauto_pipeline.desk.pages import PAGES
from ecauto_pipeline.desk.server import server_of
from ecauto_pipeline_tests.desk.shop import FilledShop, a_filled_shop
from ecauto_pipeline_tests.desk.visitor import HOST, a_project, served

OWN = {"origin": f"http://{HOST}"}
ODD_NAMES = (
    "%3Cscript%3Ealert(1)%3C/script%3E",
    "..%2f..%2fecauto.toml",
    "%00",
    "%ff%fe",
    "%E2%80%AEabc",
    "'%20or%201=1",
    "{{7*7}}",
    "x" * 5000,
)
ODD_QUERIES = (
    "page=-1&days=-1&day=0001-01-01&sort=drop%20table%20runs&filter=unknown",
    "page=1e9&days=1e9&day=9999-12-31&month=9999-12&sort=&filter=",
    "page=999999&days=99999999&day=2026-13-45&month=0000-00&id=%25&kind=x&reason=%3Cscript%3E&shop=x",
    "page=99999999999999999999999&id=%00&q=%00&shop=%00&kind=%00&said=%00&only=%00",
    "page=%C2%B2&days=%EF%BC%91&q=%25_%5C%27%22%3B--&id=../../x&day=now",
    f"page=abc&q={'y' * 5000}&id={'f' * 5000}&sort={'s' * 5000}",
    "q=%F0%9F%98%80%ED%A0%80&page=0&id=%ff&asin=%ff",
)
FILES = (
    "/picture/..%2f..%2fecauto.toml",
    "/picture/%2e%2e%2f%2e%2e%2fecauto.toml",
    "/picture//etc/passwd",
    "/picture/%2fetc%2fpasswd",
    "/picture/B000000000%00.png",
    "/picture/" + "B" * 5000,
    "/picture/B00000000\u0665",
    "/picture/..\\..\\ecauto.toml",
    "/_nicegui/../../../etc/passwd",
    "/_nicegui/%2e%2e/%2e%2e/etc/passwd",
    "/_nicegui/{version}/static/..%2f..%2f..%2f..%2f..%2f..%2fetc%2fpasswd",
    "/_nicegui/{version}/resources/x/..%2f..%2fetc%2fpasswd",
    "/_nicegui/{version}/esm/echart/..%2f..%2f..%2f..%2f..%2f..%2f..%2f..%2fetc%2fpasswd",
    "/_nicegui/{version}/libraries/%2fetc%2fpasswd",
    "/desk.css/..%2fserver.py",
    "/openapi.json",
    "/docs",
)


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FilledShop:
    return a_filled_shop(tmp_path, monkeypatch)


@pytest.fixture
def desk(shop: FilledShop) -> Iterator[TestClient]:
    with served() as client:
        yield client


def test_odd_questions_get_a_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever stands behind the "?" of a page: the page, and none that grows with it."""
    a_project(tmp_path, monkeypatch)
    with served() as desk:
        for asked, page in itertools.product(ODD_QUERIES, PAGES):
            told = (page.path, asked[:80])
            answer = desk.get(f"/ja{page.path.replace('{named}', '1001')}".rstrip("/") + f"?{asked}")
            assert (200, True) == (answer.status_code, page.title[0] in answer.text), told
            assert "最後まで作れません" not in answer.text, told
            assert len(answer.content) < 100_000, told


def test_odd_questions_about_an_item_that_there_is_get_its_page(shop: FilledShop, desk: TestClient) -> None:
    """Its past is drawn over as many days as usual; the lists show their first page."""
    for asked in ("days=%C2%B2&page=%C2%B2", f"days={'9' * 5000}&page={'9' * 5000}", ODD_QUERIES[1]):
        for path in (f"/ja/items/{shop.dearer[1]}", "/ja/items", "/ja/runs", "/ja/holds", "/ja/rules"):
            answer = desk.get(f"{path}?{asked}")
            assert (200, False) == (answer.status_code, "最後まで作れません" in answer.text), (path, asked[:80])


def test_odd_names_get_a_page_or_the_word_that_there_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No failure, no file of the machine, nothing of the name that a browser would run."""
    a_project(tmp_path, monkeypatch)
    with served() as desk:
        for named, page in itertools.product(ODD_NAMES, PAGES):
            if "{named}" not in page.path:
                continue
            told = (page.path, named[:80])
            answer = desk.get(f"/ja{page.path.replace('{named}', named)}")
            assert answer.status_code in (200, 404), told
            assert "emulated" not in answer.text, told
            assert "<script>alert" not in answer.text, told
            assert "最後まで作れません" not in answer.text, told
            assert len(answer.content) < 60_000, told


def test_where_there_is_no_page_words_say_so_in_the_language_of_the_visit(desk: TestClient) -> None:
    """With a way back; nothing that was asked for stands in the answer."""
    for path, said in (("/ja/nothing", "このページはありません"), ("/en/<b>x", "no such page"), ("/x", "ありません")):
        answer = desk.get(path)
        assert (404, True, False) == (answer.status_code, said in answer.text, "<b>" in answer.text), path


def test_no_address_leads_to_a_file_of_the_machine(desk: TestClient) -> None:
    """Pictures and the parts of pages are what is known by name."""
    from nicegui import __version__

    for path in FILES:
        answer = desk.get(path.replace("{version}", __version__))
        assert answer.status_code in (403, 404), path
        assert "root:" not in answer.text, path
        assert "emulated" not in answer.text, path


def test_a_request_that_is_none_is_refused_in_words(desk: TestClient) -> None:
    """An origin that can't be read; a body without an end, which would be kept in memory before any password."""
    for headers in ({"origin": "http://["}, {"transfer-encoding": "chunked"}, {"content-length": "x"}):
        assert 403 == desk.post("/login", headers={**OWN, **headers}).status_code, headers


def connected(desk: TestClient, path: str) -> tuple[WebSocketTestSession, str, str]:
    """A socket of a page that was opened, as its browser opens it; the page's client id and its HTML."""
    page = desk.get(path).text
    found = re.search(r"'client_id': '([^']+)'", page)
    assert found is not None
    query = f"EIO=4&transport=websocket&client_id={found[1]}&tab_id=t&document_id=d&next_message_id=0"
    url = f"ws://{HOST}/_nicegui_ws/socket.io/?{query}&implicit_handshake=true"
    return desk.websocket_connect(url, headers={**OWN, "upgrade": "websocket"}), found[1], page


def test_forged_messages_of_a_socket_do_nothing(
    shop: FilledShop, desk: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    """Clients, elements and listeners that are made up, and values of another type: no error of the desk, which goes
    on; what waits for a person still waits."""
    before = (shop.folder / "data" / "state.db").stat().st_mtime_ns
    session, client, page = connected(desk, "/ja/holds")
    listeners = re.findall(r'"listener_id":"([^"]+)"', page.replace("&#36;", "$"))[:3]
    assert listeners
    with session as socket:
        assert socket.receive_text().startswith("0{")
        socket.send_text("40")
        assert socket.receive_text().startswith("40")
        forged: list[object] = [
            {"client_id": name, "id": 5, "listener_id": "x", "args": []}
            for name in ("00000000-0000-4000-8000-000000000000", "", "../x", 7, None)
        ]
        forged += [
            {"client_id": client, "id": element, "listener_id": "made-up", "args": ["{}"]}
            for element in (1, -1, 10**30, "1", None, 1.5)
        ]
        forged += [
            {"client_id": client, "id": element, "listener_id": listener, "args": ['{"a": ["b"]}', "not json"]}
            for listener in listeners for element in (4, 10)
        ]  # fmt: skip
        forged += [None, 7, "text", [], {}]
        for message in forged:
            for kind in ("event", "ack", "log", "javascript_response", "handshake", "made_up"):
                socket.send_text("42" + json.dumps([kind, message]))
        socket.send_text("2probe")
        socket.send_text("42[")
        assert 200 == desk.get("/ja/holds").status_code
    assert before == (shop.folder / "data" / "state.db").stat().st_mtime_ns
    assert "確認待ち" in desk.get("/ja/holds").text


def read_on(socket: WebSocketTestSession) -> None:
    while True:
        socket.receive_text()


@pytest.mark.parametrize(
    "said",
    ["x" * MOST_MESSAGE_BYTES, "\u65e5" * (MOST_MESSAGE_BYTES // 3), b"4" * 2 * MOST_MESSAGE_BYTES],
    ids=["text", "japanese", "bytes"],
)
def test_a_message_that_is_too_large_ends_its_own_socket_alone(desk: TestClient, said: str | bytes) -> None:
    """Whoever sent it is disconnected with the reason; the socket of another page goes on, and new ones are opened."""
    mine, _, _ = connected(desk, "/ja/holds")
    other, _, _ = connected(desk, "/ja/items")
    with other as another:
        assert another.receive_text().startswith("0{")
        with mine as socket:
            assert socket.receive_text().startswith("0{")
            if isinstance(said, bytes):
                socket.send_bytes(said)
            else:
                socket.send_text(f'42["event","{said}"]')
            with pytest.raises(WebSocketDisconnect) as ended:
                read_on(socket)
            assert (TOO_BIG, "too large") == (ended.value.code, ended.value.reason)
        another.send_text("40")
        assert another.receive_text().startswith("40")
    assert 200 == desk.get("/ja/holds").status_code


def test_a_message_of_the_largest_size_is_read(desk: TestClient) -> None:
    """Bytes count, not characters, and the limit itself is within."""
    session, _, _ = connected(desk, "/ja/holds")
    with session as socket:
        assert socket.receive_text().startswith("0{")
        head, end = '42["log","', '"]'
        socket.send_text(head + "x" * (MOST_MESSAGE_BYTES - len(head + end)) + end)
        socket.send_text("40")
        assert socket.receive_text().startswith("40")


def test_the_server_reads_no_more_of_a_message_than_may_pass() -> None:
    """What is larger is refused while it comes: it is never whole in memory."""
    served_by = server_of(lambda *_: None, "127.0.0.1", 0)  # type: ignore[arg-type]  # nothing is asked
    assert MOST_MESSAGE_BYTES == served_by.config.ws_max_size


@pytest.mark.parametrize("query", ["", "&client_id=made-up&tab_id=t&document_id=d&implicit_handshake=true"])
def test_a_socket_without_a_page_gets_nothing_of_any_page(desk: TestClient, query: str) -> None:
    """It names no page that was opened: neither pages nor messages come by it."""
    desk.get("/ja")
    url = f"ws://{HOST}/_nicegui_ws/socket.io/?EIO=4&transport=websocket{query}"
    with desk.websocket_connect(url, headers={**OWN, "upgrade": "websocket"}) as socket:
        assert socket.receive_text().startswith("0{")
        socket.send_text("40")
        answer = socket.receive_text()
        assert ("44" if query else "40") == answer[:2]
        assert not query or json.loads(answer[2:]) == {"message": "Implicit handshake failed"}
