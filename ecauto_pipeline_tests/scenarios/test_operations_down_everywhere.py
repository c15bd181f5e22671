"""An operation of Amazon's is down: summary, status, doctor, alert, check and capacity say the same sentence."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sp_api.auth.access_token_client import cache

from ecauto_pipeline.alerts.rules import judge
from ecauto_pipeline.alerts.setup import alert_setup
from ecauto_pipeline.cli.status import show
from ecauto_pipeline.cli.summary import show_summary
from ecauto_pipeline.clock import ManualClock
from ecauto_pipeline.defs.checks import results
from ecauto_pipeline.doctor.examine import examine
from ecauto_pipeline.doctor.findings import Finding
from ecauto_pipeline.doctor.lines import LINES
from ecauto_pipeline.emulator.server import EmulatorServer
from ecauto_pipeline.reports.capacity import capacity, figures_of, rows
from ecauto_pipeline.state import runs as run_book
from ecauto_pipeline.sync.context import Context, Tools
from ecauto_pipeline.sync.operations_now import present_operations
from ecauto_pipeline.sync.run_record import record_of
from ecauto_pipeline.sync.sp_api_snapshots import fetch
from ecauto_pipeline.views.status import gather
from ecauto_pipeline_tests.sync.sp_api_snapshots.means import a_run, plan, tools_at

_START = datetime(2026, 1, 5, 3, tzinfo=UTC)
_DETAIL = "getItemOffersBatch"
_LINE = [line for line in LINES if line.name == "SP-API"]


class House:
    """An installation that asks an emulated Amazon, at a time that stands still."""

    def __init__(self, folder: Path, emulator: EmulatorServer, clock: ManualClock, **sp_api: Any) -> None:
        self.emulator, self.clock, url = emulator, clock, emulator.url
        document = {
            "state": {"url": f"sqlite:///{folder}/state.db"},
            "sp_api": {"endpoint": url, "lwa_endpoint": url, **sp_api},
            "base": {"endpoint": "http://127.0.0.1:9/1", "accounts": [{"id": "shop_1"}]},
            "alerts": {"language": "en", "min_free_gb": 0.0},
        }
        cache.clear()
        (folder / "data").mkdir()
        self.tools: Tools = tools_at(folder, url, clock, document=document)

    def fetch(self, count: int = 22) -> Context:
        context = self.tools.for_run(a_run("run", self.clock.now()))
        plan(context, detail=self.emulator.control.asins()[:count])
        fetch.run(context)
        with self.tools.state.write() as connection:
            run_book.end(connection, "run", self.clock.now())
        return context

    def doctor(self, ask: bool = False) -> dict[str, Finding]:
        cache.clear()
        found = examine(self.tools.settings, {}, self.clock, language="en", endpoints={}, lines=_LINE, ask=ask)
        return {one.name: one for one in found}


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(_START)


@pytest.fixture
def emulator(clock: ManualClock) -> Iterator[EmulatorServer]:
    with EmulatorServer(clock=clock, seed=3, listings=40, accounts=1, speed=100.0) as server:
        yield server


@pytest.fixture(autouse=True)
def _in_english(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "ecauto.toml").write_text('[alerts]\nlanguage = "en"\n', encoding="utf-8")
    monkeypatch.setenv("ECAUTO_CONFIG", str(tmp_path / "ecauto.toml"))


@pytest.mark.parametrize(
    ("fault", "grave"),
    [
        ({"kind": "gone", "operation": _DETAIL}, False),
        ({"kind": "role_missing", "operation": _DETAIL}, False),
        ({"kind": "gone", "family": "pricing/v0"}, True),
    ],
    ids=["batch gone", "role missing", "v0 gone"],
)
def test_one_sentence_everywhere(
    emulator: EmulatorServer,
    tmp_path: Path,
    clock: ManualClock,
    capsys: pytest.CaptureFixture[str],
    fault: dict[str, Any],
    grave: bool,
) -> None:
    """Which, since when, why and who instead, the same for whoever looks where; grave where nobody does the work."""
    house = House(tmp_path, emulator, clock)
    emulator.control.add_faults(fault)
    context = house.fetch()
    batch = next(one for one in present_operations(house.tools).down if one.operation == _DETAIL)
    assert grave == (not batch.instead)
    sentence, record = batch.sentence("en"), record_of(context, "run")
    verdicts = {(one.rule, one.subject): one for one in judge(record, alert_setup(context))}
    verdict = verdicts["operation_down", _DETAIL]
    check = {one.check_name: one for one in results(context, "sp_api_snapshots")}["operation_down"]
    capsys.readouterr()
    show_summary(record, [])
    summary = capsys.readouterr().out
    status = gather(house.tools, None, {})
    doctor = house.doctor()[f"SP-API {_DETAIL}"]
    table = {name: note for name, _, note in rows(capacity(house.tools), "en")}
    said = {
        "alert": verdict.message_en,
        "check": check.description or "",
        "summary": summary,
        "status": " ".join(one["said"] for one in status["health"]["troubles"]),
        "status --json": {one["operation"]: one["said"] for one in status["operations_down"]}[_DETAIL],
        "doctor": doctor.what_is,
        "capacity": table[_DETAIL],
    }
    dense = "".join(sentence.split())
    assert [] == [place for place, text in said.items() if dense not in "".join(text.split())]
    assert ("bad" if grave else "warn") == doctor.state
    assert not status["health"]["ok"]


def test_capacity_and_doctor_say_what_is_left_with_nothing_of_v0(
    emulator: EmulatorServer, tmp_path: Path, clock: ManualClock
) -> None:
    """Switched off or gone: nobody brings prices, no number of accounts helps, and the figures are still JSON."""
    v0 = [_DETAIL, "getItemOffers", "getCompetitivePricing"]
    house = House(tmp_path, emulator, clock, without=v0)
    found = capacity(house.tools, listings=100)
    figures = figures_of(found)
    assert (False, 0, None) == (found.fits, found.accounts_needed, figures["detail_load"])
    table = rows(found, "en")
    assert set(v0) == {name for name, figure, _ in table if figure == "not asked"}
    assert ("budget", "no operation brings prices and stock") in [(name, figure) for name, figure, _ in table]
    house.fetch()
    states = {name: one.state for name, one in house.doctor().items()}
    assert ["bad", "warn", "bad"] == [states[f"SP-API {name}"] for name in v0]


def test_status_says_what_is_switched_off(
    emulator: EmulatorServer, tmp_path: Path, clock: ManualClock, capsys: pytest.CaptureFixture[str]
) -> None:
    """Owner's choice, so no trouble: a line of its own, and who does its work."""
    document = gather(House(tmp_path, emulator, clock, without=[_DETAIL]).tools, None, {})
    assert [] == [one for one in document["health"]["troubles"] if one["code"] == "operation"]
    capsys.readouterr()
    show(document)
    assert f"{_DETAIL}: switched off ([sp_api] without); getItemOffers instead" in " ".join(
        capsys.readouterr().out.split()
    )


def test_the_doctor_that_was_answered_brings_it_back_at_once(
    emulator: EmulatorServer, tmp_path: Path, clock: ManualClock
) -> None:
    """Whoever has added the role need not wait for a probe; what still refuses says why."""
    house = House(tmp_path, emulator, clock)
    (fault,) = emulator.control.add_faults({"kind": "role_missing", "operation": _DETAIL})
    house.fetch()
    asked = house.doctor(ask=True)[f"SP-API sp_1 {_DETAIL}"]
    assert ("warn", True) == (asked.state, "lacks a role" in asked.what_is)
    emulator.control.remove_faults(fault)
    assert "ok" == house.doctor(ask=True)[f"SP-API sp_1 {_DETAIL}"].state
    assert () == present_operations(house.tools).down
