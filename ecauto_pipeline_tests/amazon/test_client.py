"""One account as something to ask: one answer per asked ASIN, and no failure of the line looks like an empty shelf."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest_httpserver import HTTPServer
from sqlalchemy import select
from werkzeug import Request, Response

from ecauto_pipeline.amazon.client import NOT_ASKED, TRIES, SpApiClient
from ecauto_pipeline.amazon.credentials import Credentials
from ecauto_pipeline.amazon.operations import competitive_pricing, item_offers, item_offers_batch
from ecauto_pipeline.amazon.registry import registered
from ecauto_pipeline.clock import ManualClock
from ecauto_pipeline.domain.model import Status
from ecauto_pipeline.emulator.server import EmulatorServer
from ecauto_pipeline.errors import SettingsError, Stopped, TokenRefused
from ecauto_pipeline.state.buckets import Buckets
from ecauto_pipeline.state.calls import CallLedger
from ecauto_pipeline.state.database import Database
from ecauto_pipeline.state.schema_calls import api_calls
from ecauto_pipeline.wiring.ports import free_port
from ecauto_pipeline_tests.amazon.silent_failures import SILENT_FAILURES, fault_name, patience_s
from ecauto_pipeline_tests.examples import examples
from ecauto_pipeline_tests.state.blank import blank_state
from ecauto_pipeline_tests.sync.sp_api_snapshots.means import tools_at

_START = datetime(2026, 1, 5, 3, tzinfo=UTC)
_DETAIL, _SWEEP = item_offers_batch.OPERATION, competitive_pricing.OPERATION
_OPERATIONS = registered().all


@pytest.fixture(scope="module")
def emulator() -> Iterator[EmulatorServer]:
    with EmulatorServer(clock=ManualClock(_START), seed=3, listings=60, accounts=1, speed=1.0) as server:
        yield server


@pytest.fixture
def world(emulator: EmulatorServer) -> Iterator[EmulatorServer]:
    """The emulator at rest; rates so high that only faults refuse."""
    emulator.control.clear_faults()
    for operation in _OPERATIONS:
        emulator.control.set_rate(operation.name, 1000.0, 1000)
    emulator.control.advance(1)
    yield emulator
    emulator.control.clear_faults()


def _client(folder: Path, url: str, clock: ManualClock | None = None, timeout_s: float = 5.0) -> SpApiClient:
    client = tools_at(folder, url, clock or ManualClock(_START), timeout_s=timeout_s).sp_accounts[0]
    assert isinstance(client, SpApiClient)
    return client


def _ledger(folder: Path) -> list[Any]:
    database = blank_state(folder / "state.db")
    with database.read() as connection:
        rows = list(connection.execute(select(api_calls).where(api_calls.c.operation != "lwaToken")))
    database.close()
    return rows


@pytest.mark.parametrize(("fault", "reason"), SILENT_FAILURES, ids=fault_name)
def test_each_silent_failure_gives_every_asin_an_error_with_its_true_reason(
    world: EmulatorServer, tmp_path: Path, fault: dict[str, Any], reason: str
) -> None:
    """Twenty rows api_error, at most three tries, each in the ledger with the same word."""
    world.control.add_faults({"api": "sp_api", "seconds": 2.0, **fault})
    client = _client(tmp_path, world.url, timeout_s=patience_s(fault))
    asked = world.control.asins()[:20]
    answers = client.call(_DETAIL, asked, "run")
    client.ledger.flush()
    assert asked == [answer.asin for answer in answers]
    assert {(Status.API_ERROR, reason)} == {(answer.status, answer.reason) for answer in answers}
    tries = _ledger(tmp_path)
    assert 1 <= len(tries) <= TRIES
    assert {reason} == {row.error for row in tries}
    assert {20} == {row.items for row in tries}
    assert "ok" not in {row.outcome for row in tries}


@pytest.mark.parametrize("operation", _OPERATIONS, ids=lambda operation: operation.name)
@pytest.mark.parametrize("kind", ["throttle_empty", "http_error", "truncated", "redirect", "reset", "body"])
def test_no_operation_is_fooled(world: EmulatorServer, tmp_path: Path, operation: Any, kind: str) -> None:
    """The guard is under the library, so every operation has it."""
    world.control.add_faults({"api": "sp_api", "kind": kind, "body": "[]"})
    asked = world.control.asins()[: operation.batch]
    answers = _client(tmp_path, world.url).call(operation, asked, "run")
    assert {Status.API_ERROR} == {answer.status for answer in answers}


def test_a_failure_that_passes_is_outlived(world: EmulatorServer, tmp_path: Path) -> None:
    """The second or third try brings the answer; each try waited for its own slot, with backoff between."""
    world.control.add_faults({"api": "sp_api", "kind": "http_error", "times": 2})
    clock = ManualClock(_START)
    answers = _client(tmp_path, world.url, clock).call(_DETAIL, world.control.asins()[:20], "run")
    assert Status.SUCCESS in {answer.status for answer in answers}
    assert clock.monotonic() >= 20


def test_no_try_begins_after_the_deadline(world: EmulatorServer, tmp_path: Path) -> None:
    """A slot that would come too late is left; ASINs for which no call was made say so."""
    world.control.set_rate(_DETAIL.name, 0.1)
    clock = ManualClock(_START)
    client = _client(tmp_path, world.url, clock)
    asked = world.control.asins()[:40]
    first, second = client.call(_DETAIL, asked, "run", 5.0)[::20]
    assert (False, True) == (first.reason == NOT_ASKED, second.reason == NOT_ASKED)
    world.control.add_faults({"api": "sp_api", "kind": "http_error"})
    clock.advance(20)
    assert {"http_502_html"} == {answer.reason for answer in client.call(_DETAIL, asked[:1], "run", 25.0)}
    assert clock.monotonic() <= 25


def test_malformed_and_doubled_asins_cost_nobody_an_answer(world: EmulatorServer, tmp_path: Path) -> None:
    """One bad ASIN must not cost nineteen: it is never sent; a double is sent once and answered twice."""
    good = world.control.asins()[:3]
    asked = [good[0], "b000000001", good[1], "", "B00000000１", good[0], "B0000000012", good[2]]
    before = len(world.control.calls(api="sp_api"))
    answers = _client(tmp_path, world.url).call(_DETAIL, asked, "run")
    sent = world.control.calls(api="sp_api")[before:]
    assert asked == [answer.asin for answer in answers]
    assert [1, 3, 4, 6] == [n for n, answer in enumerate(answers) if answer.reason == "malformed_asin"]
    assert [good] == [call["details"]["asins"] if "asins" in call["details"] else call["asins"] for call in sent]
    assert answers[0] == answers[5]


def test_an_unknown_asin_is_not_found_by_the_batch_and_by_the_single_call(
    world: EmulatorServer, tmp_path: Path
) -> None:
    """ "Invalid ASIN" of one item, or of the whole single call, is Amazon's answer about that ASIN."""
    client, asked = _client(tmp_path, world.url), ["B0ZZZZZZZZ", world.control.asins()[0]]
    assert Status.NOT_FOUND is client.call(_DETAIL, asked, "run")[0].status
    single = client.call(item_offers.OPERATION, asked[:1], "run")[0]
    assert (Status.NOT_FOUND, 400) == (single.status, single.http_status)


def test_a_missing_item_fails_alone_and_a_stranger_is_only_noted(world: EmulatorServer, tmp_path: Path) -> None:
    """Nineteen answers count; the missing one is an error, the unasked one stands in the ledger."""
    world.control.add_faults({"api": "sp_api", "kind": "missing_items"}, {"api": "sp_api", "kind": "extra_item"})
    client, asked = _client(tmp_path, world.url), world.control.asins()[:20]
    answers = client.call(_DETAIL, asked, "run")
    client.ledger.flush()
    assert ["no_answer_for_item"] == [answer.reason for answer in answers if answer.asin == asked[-1]]
    assert asked == [answer.asin for answer in answers]
    assert [("ok", "strangers_1")] == [(row.outcome, row.error) for row in _ledger(tmp_path)]


def test_an_expired_token_is_refreshed_once(world: EmulatorServer, tmp_path: Path) -> None:
    """The library would send the dead token for 53 minutes; we ask for a new one and try again at once."""
    client = _client(tmp_path, world.url)
    client.check()
    world.control.expire_tokens("sp_api")
    answers = client.call(_DETAIL, world.control.asins()[:5], "run")
    assert Status.SUCCESS in {answer.status for answer in answers}
    client.ledger.flush()
    assert ["token_expired", ""] == [row.error for row in _ledger(tmp_path)]


def test_a_role_that_is_missing_is_no_reason_to_hammer(world: EmulatorServer, tmp_path: Path) -> None:
    """403 for ever: one refresh, one retry, then the reason."""
    world.control.add_faults({"api": "sp_api", "kind": "error_json", "status": 403, "code": "Unauthorized"})
    client = _client(tmp_path, world.url)
    assert {"unauthorized"} == {a.reason for a in client.call(_DETAIL, world.control.asins()[:5], "run")}
    client.ledger.flush()
    assert 2 == len(_ledger(tmp_path))


def test_a_revoked_refresh_token_is_told_apart_and_costs_no_call(world: EmulatorServer, tmp_path: Path) -> None:
    """LWA's word is the reason; no SP-API slot is used."""
    world.control.revoke_tokens("sp_api")
    client = _client(tmp_path, world.url)
    try:
        with pytest.raises(TokenRefused):
            _fresh(client).check()
        assert {"lwa_invalid_grant"} == {a.reason for a in client.call(_DETAIL, world.control.asins()[:2], "run")}
        client.ledger.flush()
        assert [] == _ledger(tmp_path)
    finally:
        world.control.restore_refresh_tokens()


def _fresh(client: SpApiClient) -> SpApiClient:
    """The client without a token at hand."""
    from sp_api.auth.access_token_client import cache

    cache.clear()
    return client


def test_a_cold_start_of_many_threads_asks_for_one_token(world: EmulatorServer, tmp_path: Path) -> None:
    """No herd at the token's door."""
    client, asked = _fresh(_client(tmp_path, world.url)), world.control.asins()[:8]
    before = len(world.control.calls(api="lwa"))
    threads = [
        threading.Thread(target=client.call, args=(operation, asked[n : n + 1], "run"))
        for n in range(4)
        for operation in (_DETAIL, _SWEEP)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 1 == len(world.control.calls(api="lwa")) - before


def test_a_stop_is_raised_and_nothing_else_is(world: EmulatorServer, tmp_path: Path) -> None:
    """Whoever asks us to end is heard before the next try."""
    tools = tools_at(tmp_path, world.url, ManualClock(_START))
    tools.stop.set()
    with pytest.raises(Stopped):
        tools.sp_accounts[0].call(_DETAIL, world.control.asins()[:1], "run")


def test_a_dead_host_is_an_error_like_any_other(tmp_path: Path) -> None:
    """Nobody listens: the token cannot be had, and says so."""
    port = free_port()
    answers = _client(tmp_path, f"http://127.0.0.1:{port}").call(_DETAIL, ["B000000001"], "run")
    assert ["lwa_connection_failed"] == [answer.reason for answer in answers]


def test_the_host_header_is_right_on_any_port(httpserver: HTTPServer, tmp_path: Path) -> None:
    """The library cuts eight characters off the address, http:// has seven."""
    hosts = []

    def answer(request: Request) -> Response:
        hosts.append(request.headers["Host"])
        body = {"access_token": "Atza|x", "expires_in": 3600} if request.method == "POST" else {"payload": []}
        return Response(json.dumps(body), content_type="application/json")

    httpserver.expect_request("/auth/o2/token", method="POST").respond_with_handler(answer)
    httpserver.expect_request("/products/pricing/v0/competitivePrice").respond_with_handler(answer)
    _client(tmp_path, httpserver.url_for("").rstrip("/")).call(_SWEEP, ["B000000001"], "run")
    assert {f"{httpserver.host}:{httpserver.port}"} == set(hosts)


def test_variables_that_break_the_library_change_nothing(
    world: EmulatorServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A default marketplace, a sandbox switch or a proxy in the environment do not redirect a call."""
    monkeypatch.setenv("SP_API_DEFAULT_MARKETPLACE", "US")
    monkeypatch.setenv("AWS_ENV", "dev")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    answers = _client(tmp_path, world.url).call(_DETAIL, world.control.asins()[:3], "run")
    assert Status.SUCCESS in {answer.status for answer in answers}


def test_no_secret_is_shown_logged_or_raised(
    world: EmulatorServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither reprs nor debug logs nor errors nor the ledger hold a token or a secret."""
    caplog.set_level(logging.DEBUG)
    secrets = ("Atzr|EMULATED-REFRESH-TOKEN-sp-1", "amzn1.oa2-cs.v1.EMULATED-NOT-A-SECRET-1")
    client = _fresh(_client(tmp_path, world.url, timeout_s=0.5))
    client.check()
    token = client._line.token.touch()
    client.call(_DETAIL, world.control.asins()[:3], "run")
    world.control.add_faults({"api": "sp_api", "kind": "timeout", "seconds": 1.0})
    answers = client.call(_DETAIL, world.control.asins()[:3], "run")
    client.ledger.flush()
    seen = caplog.text + repr(client) + repr(vars(client)) + repr(answers) + repr(_ledger(tmp_path))
    assert not [secret for secret in (*secrets, token) if secret in seen]


def test_an_account_without_its_secrets_is_refused_at_the_start() -> None:
    """An empty secret is a mistake in the configuration, not a call."""
    with pytest.raises(SettingsError):
        Credentials("", "app", "secret")


@settings(max_examples=examples(20), suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(body=st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(["responses", "payload", "errors", "headers", "a b"]), inner, max_size=3),
    max_leaves=8,
), status=st.sampled_from([200, 200, 200, 400, 403, 404, 500]))  # fmt: skip
def test_any_json_over_the_wire_gives_one_answer_per_asked_asin(
    one_client: tuple[SpApiClient, EmulatorServer], body: object, status: int
) -> None:
    """Through the real library, whatever the server says: two asked, two answered, nothing raised."""
    client, server = one_client
    server.control.clear_faults()
    server.control.add_faults({"api": "sp_api", "kind": "body", "status": status, "body": json.dumps(body)})
    for operation in (_DETAIL, _SWEEP):
        answers = client.call(operation, ["B000000001", "B000000002"], "run")
        assert ["B000000001", "B000000002"] == [answer.asin for answer in answers]
        assert {Status.API_ERROR} == {answer.status for answer in answers}


@pytest.fixture
def one_client(world: EmulatorServer, tmp_path: Path) -> tuple[SpApiClient, EmulatorServer]:
    clock = ManualClock(_START)
    state = Database(f"sqlite:///{tmp_path / 'state.db'}")
    client = _client(tmp_path, world.url, clock)
    client.pace, client.ledger = Buckets(state, clock), CallLedger(state, hold=100_000)
    return client, world
