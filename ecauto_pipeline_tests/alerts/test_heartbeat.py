"""The dead man's switch: a sign after each live sync, good or bad; it harms no run, and its address stays secret."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from ecauto_pipeline.alerts.heartbeat import beat, last_trouble
from ecauto_pipeline.alerts.verdicts import Severity, Verdict
from ecauto_pipeline.state.notices import read_book, save_book
from ecauto_pipeline.sync.context import Tools
from ecauto_pipeline.wiring.ports import free_port
from ecauto_pipeline_tests.alerts.alert_tools import tools_at
from ecauto_pipeline_tests.alerts.receivers import HttpReceiver, http_receiver

_SECRET = "0a1b2c3d-secret-uuid"


@pytest.fixture
def receiver() -> Iterator[HttpReceiver]:
    with http_receiver() as one:
        yield one


@pytest.fixture
def tools(tmp_path: Path) -> Iterator[Tools]:
    (tmp_path / "data").mkdir()
    made = tools_at(tmp_path, {"alerts": {"heartbeat_url_env": "BEAT"}})
    yield made
    made.state.close()


def _fires(severity: Severity, *, passed: bool = False) -> Verdict:
    return Verdict("a_rule", passed, True, 1.0, 0.0, severity, "x", "x")


def _beat(
    tools: Tools,
    url: str,
    *verdicts: Verdict,
    job: str = "stock_sync",
    failed: bool = False,
    dry_run: bool = False,
) -> str:
    beat(tools, job, verdicts, failed=failed, dry_run=dry_run, environ={"BEAT": url})
    with tools.state.read() as connection:
        return last_trouble(read_book(connection))


def test_a_good_run_and_a_bad_one_give_different_signs(tools: Tools, receiver: HttpReceiver) -> None:
    """/fail behind the path, before a query: of a run that failed, or in which an ERROR fires; a WARN is good."""
    url = f"{receiver.url}/{_SECRET}"
    _beat(tools, url)
    _beat(tools, f"{url}/", _fires("WARN"), _fires("ERROR", passed=True), job="full_sync")
    _beat(tools, url, failed=True)
    _beat(tools, f"{url}?rid=7", _fires("ERROR"), job="price_sync")
    expected = [f"/{_SECRET}", f"/{_SECRET}/", f"/{_SECRET}/fail", f"/{_SECRET}/fail?rid=7"]
    assert expected == [one.path for one in receiver.received]


def test_rehearsals_questions_and_work_by_hand_give_none(tools: Tools, receiver: HttpReceiver, tmp_path: Path) -> None:
    """Nor does an installation without the setting."""
    for job in ("validate_cache", "explain", "release_holds", "__ASSET_JOB"):
        _beat(tools, receiver.url, job=job)
        _beat(tools, receiver.url, job=job, failed=True)
    _beat(tools, receiver.url, dry_run=True)
    (tmp_path / "other/data").mkdir(parents=True)
    without = tools_at(tmp_path / "other")
    _beat(without, receiver.url)
    without.state.close()
    assert [] == receiver.received


def test_a_sign_that_does_not_arrive_is_remembered_until_one_does(
    tools: Tools, receiver: HttpReceiver, caplog: pytest.LogCaptureFixture
) -> None:
    """A refusal, a redirect, nobody there, no address: a line in the log without the secret, and nothing is raised."""
    port = free_port()
    url = f"{receiver.url}/{_SECRET}"
    with tools.state.write() as connection:
        save_book(connection, {"broken": {"slack:SLACK": "HTTP 404"}}, tools.clock.now())
    with caplog.at_level(logging.DEBUG):
        receiver.status = 404
        assert "HTTP 404" == _beat(tools, url)
        receiver.status = 302
        assert "HTTP 302" == _beat(tools, url, failed=True)
        assert "ConnectionError" in _beat(tools, f"http://127.0.0.1:{port}/{_SECRET}")
        assert "InvalidSchema" in _beat(tools, f"nonsense://{_SECRET}.example/{_SECRET}")
        assert "environment variable BEAT is empty" == _beat(tools, " ")
    lines = [one.getMessage() for one in caplog.records]
    assert 5 == sum(line.startswith("heartbeat: ") for line in lines)
    assert [] == [line for line in lines if _SECRET in line]
    assert 2 == len(receiver.received)  # one try each
    receiver.status = 200
    assert "" == _beat(tools, url)
    with tools.state.read() as connection:
        assert {"broken": {"slack:SLACK": "HTTP 404"}} == read_book(connection)
