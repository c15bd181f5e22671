"""What Prometheus gets of the desk: figures that were measured, in its format; whoever may not ask gets nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from ecauto_pipeline.views.metrics import CONTENT_TYPE, METRICS, prometheus
from ecauto_pipeline.wiring.open import open_tools
from ecauto_pipeline_tests.desk.shop import a_filled_shop
from ecauto_pipeline_tests.desk.visitor import a_project, served
from ecauto_pipeline_tests.pages import ROOT

_SAMPLE = re.compile(r'^(\w+)(?:\{((?:\w+="(?:[^"\\\n]|\\.)*",?)*)\})? (-?[0-9.e+-]+)$')
BOARD = ROOT / "deploy" / "grafana" / "ecauto.json"


def samples(text: str) -> dict[str, dict[str, float]]:
    """Value by labels by metric; every line that is no comment has to be a sample."""
    found: dict[str, dict[str, float]] = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            read = _SAMPLE.match(line)
            assert read is not None, line
            found.setdefault(read[1], {})[read[2] or ""] = float(read[3])
    return found


@pytest.fixture
def locked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    """A desk with a password, and a token for Prometheus."""
    desk = '[desk]\npassword_env = "DESK"\nmetrics_token_env = "SCRAPER"\n'
    a_project(tmp_path, monkeypatch, 'mode = "emulated"\n' + desk)
    monkeypatch.setenv("DESK", "correct horse battery")
    monkeypatch.setenv("SCRAPER", "a token")
    with served() as client:
        yield client


def test_a_shop_s_figures_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a shop that was synced twice: what ran, what was sent, what waits; no ASIN, item or secret among them."""
    shop = a_filled_shop(tmp_path, monkeypatch)
    with open_tools(shop.settings, offline=True) as tools:
        text = prometheus(tools)
    found = samples(text)
    assert {} == {name: 1 for name in found if name not in METRICS}
    assert 1 == found["ecauto_held_rows"][""]
    assert {"account", "operation"} == {
        label for labels in found["ecauto_sp_api_rate_per_second"] for label in re.findall(r"(\w+)=", labels)
    }
    began = found["ecauto_last_run_end_timestamp_seconds"]
    assert {True} == {moment == round(moment, 3) > 1.7e9 for moment in began.values()}  # to the millisecond
    assert all(tier in text for tier in ('tier="high"', 'tier="low"'))
    assert shop.held[2] not in text
    assert shop.held[1] not in text


def test_what_was_never_measured_has_no_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A new folder: no run took any time, no age is zero; that nothing waits for a person is known."""
    a_project(tmp_path, monkeypatch)
    with served() as client:
        answer = client.get("/metrics")
    found = samples(answer.text)
    assert (200, CONTENT_TYPE) == (answer.status_code, answer.headers["content-type"])
    assert {"": 0.0} == found["ecauto_held_rows"]
    assert [] == [name for name in found if "run_seconds" in name or "age_seconds" in name]


def test_only_who_names_the_desk_gets_figures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The gate stands before them as before every page."""
    a_project(tmp_path, monkeypatch)
    with served() as client:
        assert 403 == client.get("/metrics", headers={"host": "shop.example:3001"}).status_code


def test_behind_a_password_a_token_is_asked_for(locked: TestClient) -> None:
    """Neither none nor a wrong one; and the token opens nothing else."""
    right = {"authorization": "Bearer a token"}
    assert 401 == locked.get("/metrics").status_code
    assert 401 == locked.get("/metrics", headers={"authorization": "Bearer another"}).status_code
    assert 200 == locked.get("/metrics", headers=right).status_code
    assert 401 == locked.get("/ja", headers=right).status_code


def test_the_board_asks_for_metrics_that_exist() -> None:
    """Each query of the Grafana board names metrics of ours alone, and every metric is on it."""
    board = json.loads(BOARD.read_text(encoding="utf-8"))
    asked = [target["expr"] for panel in board["panels"] for target in panel.get("targets", [])]
    named = {name for query in asked for name in re.findall(r"\b(ecauto_\w+)", query)}
    assert len(asked) >= 8
    assert set(METRICS) == named
