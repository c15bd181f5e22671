"""Why Amazon's calls fail is said where people look, in the same words: summary, status, doctor, alert, check."""

from __future__ import annotations

import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from sp_api.auth.access_token_client import cache

from ecauto_pipeline.alerts.messages import notice_of
from ecauto_pipeline.alerts.rules import judge
from ecauto_pipeline.alerts.setup import alert_setup
from ecauto_pipeline.amazon.registry import registered
from ecauto_pipeline.cli.summary import show_summary
from ecauto_pipeline.clock import ManualClock
from ecauto_pipeline.defs.checks import results
from ecauto_pipeline.doctor.examine import examine, worst
from ecauto_pipeline.doctor.findings import Finding
from ecauto_pipeline.doctor.lines import LINES
from ecauto_pipeline.domain.call_failures import CALL_FAILURES
from ecauto_pipeline.emulator.server import EmulatorServer
from ecauto_pipeline.settings import parse
from ecauto_pipeline.state import runs as run_book
from ecauto_pipeline.sync.context import Context
from ecauto_pipeline.sync.run_record import record_of
from ecauto_pipeline.sync.sp_api_snapshots import fetch
from ecauto_pipeline.views.status import gather
from ecauto_pipeline_tests.sync.sp_api_snapshots.means import a_run, plan, tools_at

_START = datetime(2026, 1, 5, 3, tzinfo=UTC)
_ASINS = [f"B0{number:08d}" for number in range(40)]
_DENIED = "Access to requested resource is denied."
_LINE = [line for line in LINES if line.name == "SP-API"]


def _lwa(error: str, status: int) -> dict[str, Any]:
    body = json.dumps({"error": error, "error_description": "Client authentication failed"})
    return {"api": "lwa", "kind": "body", "status": status, "body": body}


def _denied(status: int) -> dict[str, Any]:
    return {"api": "sp_api", "kind": "error_json", "status": status, "code": "Unauthorized", "message": _DENIED}


FAULTS: dict[str, tuple[str, dict[str, Any]]] = {
    "the client secret has expired": ("lwa_invalid_client", _lwa("invalid_client", 401)),
    "the authorisation was revoked": ("lwa_invalid_grant", _lwa("invalid_grant", 400)),
    "another kind of application": ("lwa_unauthorized_client", _lwa("unauthorized_client", 400)),
    "a role is missing": ("role_missing", _denied(403)),
    "every token is called expired": ("token_expired", {"api": "sp_api", "kind": "token_expired"}),
    "401 to every call": ("unauthorized", _denied(401)),
    "somebody else uses the quota": ("quota_exceeded", {"api": "sp_api", "kind": "throttle"}),
    "everything of v0 is gone": ("operation_gone", {"kind": "gone", "family": "pricing/v0"}),
    "trouble at Amazon": ("server_trouble", {"api": "sp_api", "kind": "http_error", "status": 503}),
}
"""What happens -> the reason that has to be named, and the emulator's fault."""


@pytest.fixture(scope="module")
def emulator() -> Iterator[EmulatorServer]:
    with EmulatorServer(clock=ManualClock(_START), seed=3, listings=60, accounts=1, speed=1.0) as server:
        for operation in registered():
            server.control.set_rate(operation.name, 1000.0, 1000)
        yield server


@contextmanager
def _listener(answer: Callable[[socket.socket], object]) -> Iterator[int]:
    """A server on loopback that does this with every connection; its port."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            with connection:
                try:
                    answer(connection)
                except OSError:
                    continue

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield server.getsockname()[1]
    finally:
        server.shutdown(socket.SHUT_RDWR)
        server.close()
        thread.join()


def _own_certificate(folder: Path) -> ssl.SSLContext:
    """TLS as a server has it that signed for itself."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, now - timedelta(days=1), now + timedelta(days=1))
    certificate = builder.sign(key, hashes.SHA256())
    pem, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    file = folder / "own.pem"
    secret = key.private_bytes(pem, form, serialization.NoEncryption())
    file.write_bytes(secret + certificate.public_bytes(pem))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


@dataclass(frozen=True, slots=True)
class Said:
    """What each place says after a run, by its name, and what doctor finds when asked to ask."""

    places: dict[str, str]
    doctor: str
    asked: str


def _after_a_run(folder: Path, url: str, language: str, capsys: pytest.CaptureFixture[str]) -> Said:
    (folder / "data").mkdir()
    (folder / "ecauto.toml").write_text(f'[alerts]\nlanguage = "{language}"\n', encoding="utf-8")
    document = {
        "state": {"url": f"sqlite:///{folder}/state.db"},
        "sp_api": {"endpoint": url, "lwa_endpoint": url, "timeout_s": 2},
        "base": {"endpoint": "http://127.0.0.1:9/1", "accounts": [{"id": "shop_1"}]},
        "alerts": {"language": language, "min_free_gb": 0.0},
    }
    clock = ManualClock(_START)
    tools = tools_at(folder, url, clock, document=document)
    context = tools.for_run(a_run("run", _START))
    plan(context, detail=_ASINS)
    cache.clear()
    fetch.run(context)
    with tools.state.write() as connection:
        run_book.end(connection, "run", clock.now())
    places = {"alert": _alert(context), "check": _check(context)}
    capsys.readouterr()
    show_summary(record_of(context, "run"), [])
    places["summary"] = capsys.readouterr().out
    places["status"] = gather(tools, None, {})["health"]["line"]

    def doctor(ask: bool) -> list[Finding]:
        cache.clear()
        return examine(tools.settings, {}, clock, language=language, endpoints={}, lines=_LINE, ask=ask)

    found, asked = doctor(ask=False), doctor(ask=True)
    assert ("bad", "bad") == (worst(found), worst(asked))
    tools.state.close()
    return Said(places, *(f"{one[0].what_is} → {one[0].what_to_do}" for one in (found, asked)))


def _alert(context: Context) -> str:
    record, setup = record_of(context, "run"), alert_setup(context)
    verdicts = [one for one in judge(record, setup) if one.rule == "sp_api_error_rate" and not one.passed]
    assert verdicts
    return " ".join(notice_of(one, record, setup.alerts.language, _START).body for one in verdicts)


def _check(context: Context) -> str:
    found = {one.check_name: one for one in results(context, "sp_api_snapshots")}
    assert not found["sp_api_error_rate"].passed
    return found["sp_api_error_rate"].description or ""


def _dense(text: str) -> str:
    """Without the breaks that a narrow terminal makes."""
    return "".join(text.split())


def _same_everywhere(said: Said, code: str, language: str) -> None:
    why = CALL_FAILURES[code]
    assert [] == [place for place, text in said.places.items() if _dense(why.sentence(language)) not in _dense(text)]
    for text in (said.doctor, said.asked):
        assert why.what(language) in text
        assert why.remedy(language) in text


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No proxy of the machine's, and the language of this test."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.setenv("ECAUTO_CONFIG", str(tmp_path / "ecauto.toml"))


@pytest.mark.parametrize("language", ["ja", "en"])
@pytest.mark.parametrize("what", FAULTS)
def test_one_reason_in_the_same_words_everywhere(
    emulator: EmulatorServer, tmp_path: Path, capsys: pytest.CaptureFixture[str], what: str, language: str
) -> None:
    """What Amazon says to every call is named with its remedy, and doctor ends badly, asking or not."""
    code, fault = FAULTS[what]
    emulator.control.add_faults(fault)
    try:
        said = _after_a_run(tmp_path, emulator.url, language, capsys)
    finally:
        emulator.control.clear_faults()
    _same_everywhere(said, code, language)


def test_a_name_that_nobody_knows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """DNS: told apart from a host that does not answer."""
    _same_everywhere(_after_a_run(tmp_path, "http://sp-api.invalid", "ja", capsys), "name_not_resolved", "ja")


def test_a_certificate_that_nobody_vouches_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """TLS: a server that signed for itself, as a virus scanner on the way does."""
    context = _own_certificate(tmp_path)
    with _listener(lambda connection: context.wrap_socket(connection, server_side=True).close()) as port:
        said = _after_a_run(tmp_path, f"https://127.0.0.1:{port}", "ja", capsys)
    _same_everywhere(said, "tls_failed", "ja")


def test_a_proxy_that_lets_nothing_through(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """407 to every CONNECT: it is the proxy, whatever host stands behind it."""

    def refuse(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")

    with _listener(refuse) as port:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{port}")
        said = _after_a_run(tmp_path, "https://sp-api.invalid", "ja", capsys)
    _same_everywhere(said, "proxy_refused", "ja")


def test_before_the_first_run_the_token_is_asked_for_and_nothing_is_made(
    emulator: EmulatorServer, tmp_path: Path
) -> None:
    """There is no ASIN to ask about, which is said; neither state.db nor a folder comes into being."""
    document = {
        "sp_api": {"endpoint": emulator.url, "lwa_endpoint": emulator.url},
        "base": {"endpoint": "http://127.0.0.1:9/1", "accounts": [{"id": "shop_1"}]},
    }
    before = len(emulator.control.calls())
    cache.clear()
    clock = ManualClock(_START)
    asked = examine(parse(document, tmp_path), {}, clock, language="en", endpoints={}, lines=_LINE, ask=True)
    assert [("ok", True)] == [(one.state, "no ASIN yet" in one.what_is) for one in asked], asked
    assert ["token"] == [call["operation"] for call in emulator.control.calls()[before:]]
    assert [] == list(tmp_path.iterdir())


def test_a_house_in_which_amazon_answers_is_fine(emulator: EmulatorServer, tmp_path: Path) -> None:
    """Asked, it is one token and one ASIN; not asked, the last run's calls are counted and nothing is called."""
    url, clock = emulator.url, ManualClock(_START)
    document = {
        "state": {"url": f"sqlite:///{tmp_path}/state.db"},
        "sp_api": {"endpoint": url, "lwa_endpoint": url},
        "base": {"endpoint": "http://127.0.0.1:9/1", "accounts": [{"id": "shop_1"}]},
    }
    tools = tools_at(tmp_path, url, clock, document=document)
    context = tools.for_run(a_run("run", _START))
    plan(context, detail=emulator.control.asins()[:20])
    cache.clear()
    fetch.run(context)
    before = len(emulator.control.calls())
    found = examine(tools.settings, {}, clock, language="en", endpoints={}, lines=_LINE)
    assert (["ok"], before) == ([one.state for one in found], len(emulator.control.calls()))
    cache.clear()
    asked = examine(tools.settings, {}, clock, language="en", endpoints={}, lines=_LINE, ask=True)
    assert ["ok"] == [one.state for one in asked], asked
    calls = emulator.control.calls()[before:]
    assert ["token", "getItemOffers"] == [call["operation"] for call in calls]
    assert 1 == len(calls[-1]["details"]["asins"])
    tools.state.close()
