"""Pictures of goods: from where they may come, what is taken for one, and what a browser gets."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from nicegui.testing import User

from ecauto_pipeline.clock import ManualClock
from ecauto_pipeline.desk.pictures import EMULATED, LIVE, MOST_BYTES, Pictures, Sources
from ecauto_pipeline.state import catalogue
from ecauto_pipeline.wiring.open import open_tools
from ecauto_pipeline_tests.desk.shop import FilledShop, a_filled_shop
from ecauto_pipeline_tests.desk.visitor import with_visitor

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 100
ASIN = "B000000001"
Answer = tuple[int, bytes, dict[str, str]]
DRAWN = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


@contextmanager
def _host(
    answer: Callable[[str], Answer], between: Callable[[], object] = lambda: None
) -> Iterator[tuple[str, list[str]]]:
    """A host of pictures on loopback: (its address, paths it was asked for). `between`: done in mid-answer."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            code, content, headers = answer(self.path)
            self.send_response(code)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content[:50])
            self.wfile.flush()
            between()
            with suppress(ConnectionError):  # whoever asked has had enough
                self.wfile.write(content[50:])

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _clock() -> ManualClock:
    return ManualClock(datetime(2026, 11, 26, tzinfo=UTC))


def _fetched(pictures: Pictures, address: str, asin: str = ASIN, sources: Sources = EMULATED) -> bytes | None:
    future = pictures.fetch(asin, address, sources)
    if future is not None:
        future.result(10)
    path = pictures.kept(asin, address)
    return None if path is None else path.read_bytes()


def test_a_picture_is_fetched_once(tmp_path: Path) -> None:
    """What is kept is shown from the disk, by another desk of the same folder too."""
    with _host(lambda path: (200, PNG, {})) as (host, asked):
        assert _fetched(Pictures(tmp_path), f"{host}/1.png") == PNG
        assert Pictures(tmp_path).kept(ASIN, f"{host}/1.png") is not None
        assert ["/1.png"] == asked


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param((302, b"", {"Location": "/good.png"}), id="leads elsewhere"),
        pytest.param((404, PNG, {}), id="is not there"),
        pytest.param((200, DRAWN, {"Content-Type": "image/png"}), id="a drawing with a script"),
        pytest.param((200, b"<html>" + PNG, {"Content-Type": "image/png"}), id="a page"),
        pytest.param((200, PNG + b"\0" * MOST_BYTES, {}), id="too large"),
        pytest.param((200, b"", {}), id="nothing"),
    ],
)
def test_what_is_no_picture_is_not_kept_and_not_asked_for_again_for_a_day(tmp_path: Path, answer: Answer) -> None:
    """Whatever its answer says of itself; no other address is followed."""
    clock = _clock()
    pictures = Pictures(tmp_path, clock)
    with _host(lambda path: answer) as (host, asked):
        for _ in range(2):
            assert _fetched(pictures, f"{host}/1.png") is None
        assert ["/1.png"] == asked
        clock.advance(86_401)
        assert _fetched(pictures, f"{host}/1.png") is None
        assert ["/1.png"] * 2 == asked


def test_a_picture_that_comes_too_slowly_is_given_up(tmp_path: Path) -> None:
    """A byte now and then would keep its thread for ever."""
    clock = _clock()
    with _host(lambda path: (200, PNG, {}), between=lambda: clock.advance(6)) as (host, _):
        assert _fetched(Pictures(tmp_path, clock), f"{host}/1.png") is None


@pytest.mark.parametrize(
    ("address", "live", "emulated"),
    [
        ("https://m.media-amazon.com/images/I/1.jpg", True, False),
        ("https://images-na.ssl-images-amazon.com/images/I/1.jpg", True, False),
        ("https://base-ec2.akamaized.net/images/item/origin/1.jpg", True, False),
        ("http://m.media-amazon.com/images/I/1.jpg", False, False),
        ("https://m.media-amazon.com:8443/1.jpg", False, False),
        ("https://user:word@m.media-amazon.com/1.jpg", False, False),
        ("https://m.media-amazon.com.evil.example/1.jpg", False, False),
        ("https://evilmedia-amazon.com/1.jpg", False, False),
        ("https://other.akamaized.net/1.jpg", False, False),
        ("https://m.media-amazon.com:x/1.jpg", False, False),
        ("https://169.254.169.254/latest", False, False),
        ("file:///etc/passwd", False, False),
        ("http://127.0.0.1:9000/1.jpg", False, True),
        ("http://127.0.0.1.evil.example/1.jpg", False, False),
        ("", False, False),
    ],
)
def test_only_the_hosts_of_amazon_and_base_are_asked(address: str, live: bool, emulated: bool) -> None:
    """Over https alone; in emulated mode nothing outside loopback is."""
    assert (live, emulated) == (LIVE.allow(address), EMULATED.allow(address))


def test_a_known_name_that_leads_into_a_private_network_is_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Names are looked up before anything is asked."""
    for name in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    pictures, sources = Pictures(tmp_path, _clock()), Sources(hosts=("localhost",))
    assert _fetched(pictures, "https://localhost/1.png", sources=sources) is None
    assert pictures.fetch(ASIN, "https://localhost/1.png", sources) is None


def test_the_oldest_pictures_go(tmp_path: Path) -> None:
    """By count and by bytes."""
    clock = _clock()
    by_count, by_bytes = Pictures(tmp_path / "a", clock, most=2), Pictures(tmp_path / "b", clock, most_bytes=250)
    with _host(lambda path: (200, PNG, {})) as (host, _):
        for number in range(4):
            for pictures in (by_count, by_bytes):
                _fetched(pictures, f"{host}/{number}.png")
            clock.advance(60)
        kept = [[one.kept(ASIN, f"{host}/{n}.png") is not None for n in range(4)] for one in (by_count, by_bytes)]
    assert [[False, False, True, True]] * 2 == kept


def _name_picture(shop: FilledShop, asin: str, address: str) -> None:
    with open_tools(shop.settings, offline=True) as tools, tools.state.write() as connection:
        catalogue.keep(connection, [{"asin": asin, "title": "t", "images": [address]}], tools.clock.now())


def test_a_browser_gets_the_picture_of_our_goods_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of another ASIN, and of anything that is none, there is nothing here, whatever lies on the disk."""
    shop = a_filled_shop(tmp_path, monkeypatch)
    asin = shop.dearer[2]

    async def scene(visitor: User) -> None:
        with _host(lambda path: (200, PNG, {})) as (host, asked):
            _name_picture(shop, asin, f"{host}/1.png")
            for _ in range(2):
                answer = await visitor.http_client.get(f"/picture/{asin}")
                assert (200, "image/png", PNG) == (answer.status_code, answer.headers["content-type"], answer.content)
            assert ["/1.png"] == asked
        for path in ("B0ZZZZZZZZ", "..%2f..%2fstate.db", "..%5cstate.db", "b000000001", f"{asin}x", "%00", "a" * 5000):
            answer = await visitor.http_client.get(f"/picture/{path}")
            assert (404, False) == (answer.status_code, b"SQLite" in answer.content), path

    with_visitor(scene)


def test_until_there_is_a_picture_a_placeholder_is_drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the first letter of the title, and nothing else that somebody puts into its address; nobody is asked."""
    shop = a_filled_shop(tmp_path, monkeypatch)
    asin = shop.dearer[2]
    _name_picture(shop, asin, "https://m.media-amazon.com/images/I/1.jpg")

    async def scene(visitor: User) -> None:
        answer = await visitor.http_client.get(f"/picture/{asin}?initial=茶")
        assert (200, "image/svg+xml", True) == (answer.status_code, answer.headers["content-type"], "茶" in answer.text)
        answer = await visitor.http_client.get(f"/picture/{asin}?initial=%3Cscript%3E")
        assert (200, False) == (answer.status_code, "script" in answer.text)

    with_visitor(scene)
    assert not (shop.folder / "data" / "pictures").exists()
