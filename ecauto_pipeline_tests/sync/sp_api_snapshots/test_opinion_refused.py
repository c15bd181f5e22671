"""A second opinion that this account does not get: how often it is tried, and who brings it back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sp_api.auth.access_token_client import cache

from ecauto_pipeline.amazon.answers import failed
from ecauto_pipeline.amazon.operation import Failure
from ecauto_pipeline.clock import ManualClock
from ecauto_pipeline.doctor.examine import examine
from ecauto_pipeline.doctor.findings import Finding
from ecauto_pipeline.doctor.lines import LINES
from ecauto_pipeline.domain.model import Answer
from ecauto_pipeline.emulator.server import EmulatorServer
from ecauto_pipeline.state.database import Database
from ecauto_pipeline.sync.context import Tools
from ecauto_pipeline.sync.sp_api_snapshots import fetch
from ecauto_pipeline.sync.sp_api_snapshots.opinions import note_answers, to_be_asked
from ecauto_pipeline_tests.sync.sp_api_snapshots.means import a_run, plan, tools_at

_START = datetime(2026, 1, 5, 3, tzinfo=UTC)
_OPINION = "getCompetitiveSummary"
_DENIED = {"kind": "role_missing", "operation": _OPINION}
_HOUR = 3600.0
_SP_API = [line for line in LINES if line.name == "SP-API"]


class Shop:
    """A shop whose goods sell out one by one: each hour's run has a doubt to put to somebody."""

    def __init__(self, folder: Path, emulator: EmulatorServer, clock: ManualClock) -> None:
        url = emulator.url
        document = {
            "state": {"url": f"sqlite:///{folder}/state.db"},
            "sp_api": {"endpoint": url, "lwa_endpoint": url},
            "base": {"endpoint": "http://127.0.0.1:9/1", "accounts": [{"id": "shop_1"}]},
        }
        self.control, self.clock = emulator.control, clock
        self.tools: Tools = tools_at(folder, url, clock, document=document)
        self.left = emulator.control.asins()[:3]
        for asin in self.left:
            self.control.set_truth(asin, offers=[{"seller_id": "S1", "price_jpy": 3000}])
        self.fetch(self.left)

    def fetch(self, asins: list[str]) -> int:
        """One run's details of these; calls it made to the second opinion."""
        before = len(self.control.calls())
        context = self.tools.for_run(a_run(f"run-{self.clock.now():%d%H%M%S}", self.clock.now()))
        plan(context, detail=asins)
        fetch.run(context)
        return sum(call["operation"] == _OPINION for call in self.control.calls()[before:])

    def hours_later(self, hours: float) -> int:
        self.clock.advance(hours * _HOUR)
        asin = self.left.pop()
        self.control.set_truth(asin, offers=[])
        return self.fetch([asin])

    def doctor(self) -> dict[str, Finding]:
        self.clock.advance(60.0)
        cache.clear()
        found = examine(self.tools.settings, {}, self.clock, language="en", endpoints={}, lines=_SP_API, ask=True)
        return {one.name: one for one in found}


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    clock = ManualClock(_START)
    with EmulatorServer(clock=clock, seed=3, listings=60, accounts=1, speed=100.0) as emulator:
        made = Shop(tmp_path, emulator, clock)
        yield made
        made.tools.state.close()


def test_after_three_refusals_it_is_tried_once_a_day(tmp_path: Path) -> None:
    """A role that is missing stays missing for days: two calls an hour at first, then a day; one answer ends it."""
    state = Database(f"sqlite:///{tmp_path}/state.db")
    denied = failed(_OPINION, "B000000001", Failure("role_missing", 403, of_call=True))
    given = failed(_OPINION, "B000000001", Failure("invalid_asin", 400))
    asked = [_asked(state, hour, denied) for hour in (0, 0.5, 1, 1.5, 2, 3, 12, 25.9, 26, 27, 49)]
    assert [True, False, True, False, True, False, False, False, True, False, False] == asked
    assert [True, True, False, True] == [
        _asked(state, hour, answer) for hour, answer in ((50, given), (50.5, denied), (51, denied), (51.5, denied))
    ]
    state.close()


def test_two_accounts_that_are_refused_at_once_are_one_refusal(tmp_path: Path) -> None:
    """Each account asks for itself: three of them do not make it rare after a minute."""
    state = Database(f"sqlite:///{tmp_path}/state.db")
    denied = failed(_OPINION, "B000000001", Failure("role_missing", 403, of_call=True))
    with state.write() as connection:
        for minute in range(3):
            assert note_answers(connection, [denied], _START + timedelta(minutes=minute))
    assert _asked(state, 1.1, denied)
    state.close()


def _asked(state: Database, hour: float, answer: Answer) -> bool:
    """Whether a run at this hour asks, and gets this answer if so."""
    now = _START + timedelta(hours=hour)
    with state.write() as connection:
        wanted = to_be_asked(connection, now)
        if wanted:
            note_answers(connection, [answer], now)
    return wanted


def test_the_doctor_that_was_answered_brings_it_back_at_once(shop: Shop) -> None:
    """Whoever has added the role asks the doctor, and need not wait a day; while it is missing that is what it says."""
    (fault,) = shop.control.add_faults(_DENIED)
    assert 2 == shop.hours_later(1)
    refused = shop.doctor()[f"SP-API sp_1 {_OPINION}"]
    assert ("warn", True, True) == (refused.state, "lacks a role" in refused.what_is, "Pricing" in refused.what_to_do)
    assert 0 == shop.hours_later(0.5)
    shop.control.remove_faults(fault)
    assert "ok" == shop.doctor()[f"SP-API sp_1 {_OPINION}"].state
    assert 1 == shop.hours_later(0.1)


def test_the_doctor_asks_it_only_where_it_is_refused(shop: Shop) -> None:
    """A shop in which it answers is asked one ASIN and nothing more."""
    assert 1 == shop.hours_later(1)
    before = len(shop.control.calls())
    assert ["SP-API sp_1"] == list(shop.doctor())
    assert ["token", "getItemOffers"] == [call["operation"] for call in shop.control.calls()[before:]]
