"""An operation of Amazon's that is down: others do its work at their own rates, and it comes back by itself."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sp_api.auth.access_token_client import cache

from ecauto_pipeline.amazon.registry import registered
from ecauto_pipeline.clock import ManualClock
from ecauto_pipeline.domain.model import Role
from ecauto_pipeline.domain.operation_health import FAILED_CALLS, FIRST_PROBE, PROBE_EVERY, FailedCall
from ecauto_pipeline.emulator.server import EmulatorServer
from ecauto_pipeline.errors import Stopped
from ecauto_pipeline.state.operation_health import note_call
from ecauto_pipeline.sync.context import Tools
from ecauto_pipeline.sync.operations_now import present_operations
from ecauto_pipeline.sync.sections import FetchReport
from ecauto_pipeline.sync.sp_api_snapshots import fetch
from ecauto_pipeline_tests.sync.sp_api_snapshots.means import a_run, kept, plan, rows_of, tools_at

_START = datetime(2026, 1, 5, 3, tzinfo=UTC)
SWEEP, DETAIL, CONFIRM, OPINION = (
    *("getCompetitivePricing", "getItemOffersBatch", "getItemOffers"),
    "getCompetitiveSummary",
)
_V0_GONE = {"kind": "gone", "family": "pricing/v0"}


class Amazon:
    """An emulator at Amazon's own rates, and one installation that asks it."""

    def __init__(self, folder: Path, emulator: EmulatorServer, clock: ManualClock, **document: Any) -> None:
        self.emulator, self.control, self.clock = emulator, emulator.control, clock
        self._folder, self._document, self._runs = folder, document, 0
        cache.clear()  # no token of another emulator that had the same port
        self.tools = self.opened()
        self.asins = []
        for asin in self.control.asins():
            truth = self.control.truth(asin)
            if truth["known"] and truth["status"] == "Success" and not truth["failure"]:
                self.control.set_truth(asin, price_jpy=3000)
                self.asins.append(asin)

    def opened(self, accounts: int = 1) -> Tools:
        """Another process over the same state."""
        where = (self._folder, self.emulator.url, self.clock)
        # a minute of real time: what a busy machine answers late is not asked for again
        return tools_at(*where, accounts, self._document, timeout_s=60.0, timeline="one")

    def fetch(
        self, detail: list[str], sweep: list[str] | None = None, slice_s: float = 600.0, tools: Tools | None = None
    ) -> FetchReport:
        self._runs += 1
        context = (tools or self.tools).for_run(a_run(f"run-{self._runs}", self.clock.now(), slice_s))
        plan(context, detail, sweep or [])
        return fetch.run(context)

    def calls(self, since: int = 0) -> Counter[str]:
        """Calls that asked about ASINs, by operation; what was too early by a hair is asked again."""
        seen = self.control.calls(since=since, api="sp_api")
        return Counter(call["operation"] for call in seen if call["http_status"] != 429)

    def calls_of_accounts(self, since: int = 0) -> Counter[tuple[str, str]]:
        """Calls that asked about ASINs, by account and operation."""
        seen = self.control.calls(since=since, api="sp_api")
        return Counter((call["account"], call["operation"]) for call in seen if call["http_status"] != 429)

    def without_slots(self, tools: Tools, account: str, operation: str) -> None:
        """Take what the rate gives this account for half an hour, far beyond the end of a slice."""
        (client,) = (one for one in tools.sp_accounts if one.account_id == account)
        limit = next(one for one in registered() if one.name == operation).limit
        ended = threading.Event()
        ended.set()  # the slot is taken and nobody waits for it
        for _ in range(round(1800 * limit.rate_per_s + limit.burst)):
            with pytest.raises(Stopped):
                client.pace.take(account, operation, limit, stop=ended)

    @property
    def seen(self) -> int:
        return max((call["seq"] for call in self.control.calls()), default=0)

    def answered_by(self, operation: str, run: str) -> list[str]:
        """ASINs that this operation gave a usable answer for, in order."""
        rows = kept(self.tools, run)
        return [row.asin for row in rows if row.operation == operation and row.status == "success"]

    def down(self) -> dict[str, str]:
        """Operations that are down, with the reason."""
        return {one.operation: one.reason for one in present_operations(self.tools).down}


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(_START)


@pytest.fixture
def amazon(tmp_path: Path, clock: ManualClock) -> Iterator[Amazon]:
    with EmulatorServer(clock=clock, seed=5, listings=70, accounts=1, speed=1.0) as emulator:
        yield Amazon(tmp_path, emulator, clock)


@pytest.fixture
def small_calls(tmp_path: Path, clock: ManualClock) -> Iterator[Amazon]:
    """One whose batches hold five ASINs, so that few goods make many calls."""
    with EmulatorServer(clock=clock, seed=5, listings=60, accounts=1, speed=1.0) as emulator:
        yield Amazon(tmp_path, emulator, clock, sp_api={"limits": {DETAIL: {"batch": 5}}})


def test_after_five_calls_in_vain_over_three_minutes_the_single_operation_asks(small_calls: Amazon) -> None:
    """The batch is down for hours: within the slice its ASINs are asked one by one, what was asked in vain first, and
    the batch is left alone but for its probes."""
    amazon, wanted = small_calls, small_calls.asins[:45]
    amazon.control.add_faults({"kind": "down", "operation": DETAIL})
    report = amazon.fetch(wanted)
    calls = amazon.calls()
    assert {DETAIL: "http_503_service_unavailable"} == amazon.down()
    (down,) = report.down
    assert (Role.DETAIL, 503, (CONFIRM,)) == (down.role, down.http_status, down.instead)
    answered = amazon.answered_by(CONFIRM, "run-1")
    assert (wanted[:25], sorted(wanted)) == (answered[:25], sorted(answered)), "what was asked in vain first"
    assert 3 * FAILED_CALLS <= calls[DETAIL] <= 3 * 9
    assert (45, 0) == (calls[CONFIRM], report.left_over)
    assert {(3000, 0)} == {(row.price_jpy, row.failures) for row in rows_of(amazon.tools, wanted).values()}


def test_fewer_calls_or_a_shorter_trouble_bring_nothing_down(small_calls: Amazon) -> None:
    """A gateway that fails for a minute: the batch goes on asking, and nobody stands in."""
    until = _START + timedelta(minutes=1)
    small_calls.control.add_faults({"kind": "down", "operation": DETAIL, "until": until.isoformat()})
    small_calls.fetch(small_calls.asins[:45])
    assert {} == small_calls.down()
    assert 0 == small_calls.calls()[CONFIRM]


def test_it_comes_back_with_the_first_probe_that_is_answered(small_calls: Amazon) -> None:
    """Down, it is tried a minute later, then every five; the first answer ends it, and the batch is as ever."""
    amazon = small_calls
    (fault,) = amazon.control.add_faults({"kind": "down", "operation": DETAIL})
    amazon.fetch(amazon.asins[:45])
    amazon.clock.advance(PROBE_EVERY.total_seconds())
    before = amazon.seen
    amazon.fetch(amazon.asins[:8], tools=amazon.opened())
    assert {DETAIL: 2, CONFIRM: 8} == amazon.calls(before), "a probe, tried twice, and its ASINs asked one by one"
    amazon.control.remove_faults(fault)
    before = amazon.seen
    amazon.fetch(amazon.asins[8:12])
    assert {CONFIRM: 4} == amazon.calls(before), "no probe is due"
    amazon.clock.advance(PROBE_EVERY.total_seconds())
    before = amazon.seen
    amazon.fetch(amazon.asins[:20], tools=amazon.opened())
    assert ({}, True) == (amazon.down(), amazon.calls(before)[DETAIL] in (3, 4))
    by_batch, by_single = (amazon.answered_by(operation, "run-4") for operation in (DETAIL, CONFIRM))
    assert (20, True) == (len({*by_batch, *by_single}), len(by_batch) > 10), "a few singles left while it was tried"


def test_an_operation_whose_answers_can_t_be_read_is_down_like_one_that_gives_none(
    tmp_path: Path, clock: ManualClock
) -> None:
    """A field of the batch is renamed, and a few of its items still tell that they are sold out: the single operation,
    whose answers are as ever, does its work, and no ASIN is to blame."""
    with EmulatorServer(clock=clock, seed=5, listings=70, accounts=1, speed=1.0) as emulator:
        emulator.control.set_rate(DETAIL, 0.02)
        emulator.control.set_rate(CONFIRM, 20.0, 100)  # two workers wait for it, and each moves this clock for both
        slow = {"limits": {DETAIL: {"batch": 10, "rate_per_s": 0.02}}}
        amazon = Amazon(tmp_path, emulator, clock, sp_api={**slow, "without": [OPINION]})
        for sold_out in amazon.asins[::10]:
            amazon.control.set_truth(sold_out, offers=[])
        amazon.control.add_faults({"kind": "renamed", "operation": DETAIL, "names": {"ShippingTime": "HandlingTime"}})
        wanted = amazon.asins[:60]
        amazon.fetch(wanted)
        assert {DETAIL: "unreadable_offer"} == amazon.down()
        (down,) = present_operations(amazon.tools).down
        assert "Amazon's answers have another shape" in down.why("en")
        rows = rows_of(amazon.tools, [asin for asin in wanted if asin not in amazon.asins[::10]])
        assert {(3000, 0)} == {(row.price_jpy, row.failures) for row in rows.values()}
        clock.advance(PROBE_EVERY.total_seconds())
        amazon.fetch(amazon.asins[1:5], tools=amazon.opened())
        assert {DETAIL: "unreadable_offer"} == amazon.down(), "a probe about a few ASINs is no answer either"
        amazon.control.clear_faults()
        clock.advance(PROBE_EVERY.total_seconds())
        amazon.fetch(amazon.asins[5:9], tools=amazon.opened())
        assert {} == amazon.down()


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ({"kind": "gone"}, "http_404_not_found"),
        ({"kind": "gone", "status": 403}, "role_missing"),
        ({"kind": "role_missing"}, "role_missing"),
    ],
    ids=["404", "403", "role"],
)
def test_what_amazon_refuses_is_down_at_once_and_stays_so_for_the_next_process(
    amazon: Amazon, fault: dict[str, Any], reason: str
) -> None:
    """One call tells. The next run, another process, begins with the single operation and does not ask again."""
    amazon.control.add_faults({**fault, "operation": DETAIL})
    amazon.fetch(amazon.asins[:21])
    assert {DETAIL: reason} == amazon.down()
    assert (21, True) == (amazon.calls()[CONFIRM], amazon.calls()[DETAIL] <= 3)
    before = amazon.seen
    amazon.fetch(amazon.asins[25:30], tools=amazon.opened())
    assert {CONFIRM: 5} == amazon.calls(before)


def test_a_role_that_one_account_lacks_is_that_accounts(amazon: Amazon) -> None:
    """sp_1's batch is refused: sp_1's single operation helps, sp_2's never has to and its batch goes on, and the report
    says whose is down. Each is seen while the other has no slot: who is quicker is the machine's affair."""
    amazon.control.add_faults({"kind": "role_missing", "operation": DETAIL, "account": "sp_1"})
    two = amazon.opened(accounts=2)
    amazon.without_slots(two, "sp_2", DETAIL)
    report = amazon.fetch(amazon.asins[:21], tools=two)
    (down,) = report.down
    assert (DETAIL, ("sp_1",)) == (down.operation, down.accounts)
    whose = amazon.calls_of_accounts()
    assert (21, 0, 0) == (whose["sp_1", CONFIRM], whose["sp_2", DETAIL], report.left_over)

    amazon.clock.advance(3600)  # beyond the slots that were taken
    amazon.without_slots(two, "sp_1", CONFIRM)
    before = amazon.seen
    report = amazon.fetch(amazon.asins[:60], tools=two)
    assert sorted(amazon.asins[:60]) == sorted(amazon.answered_by(DETAIL, "run-2"))
    whose = amazon.calls_of_accounts(before)
    assert whose["sp_2", DETAIL] >= 3  # a probe of sp_1's batch may have held some of them
    assert (0, 0) == (whose["sp_2", CONFIRM], report.left_over)


def test_without_a_sweep_all_is_asked_in_detail(amazon: Amazon) -> None:
    """getCompetitivePricing is gone: what was to be swept is asked in detail after everything else."""
    amazon.fetch(amazon.asins[:60])
    amazon.clock.advance(1800)
    amazon.control.add_faults({"kind": "gone", "operation": SWEEP})
    before = amazon.seen
    report = amazon.fetch(amazon.asins[:20], amazon.asins[20:60])
    assert ({SWEEP: "http_404_not_found"}, 0) == (amazon.down(), report.left_over)
    assert (3, 0) == (amazon.calls(before)[DETAIL], amazon.calls(before)[CONFIRM])
    answered = amazon.answered_by(DETAIL, "run-2")
    assert (amazon.asins[:20], set(amazon.asins[20:60])) == (answered[:20], set(answered[20:]))


def test_with_everything_of_v0_gone_nothing_is_believed_and_no_run_fails(amazon: Amazon) -> None:
    """A handful of calls find out; beliefs and stamps stay, no ASIN is to blame; until a probe is due nobody asks."""
    amazon.fetch(amazon.asins[:60])
    before, believed = amazon.seen, rows_of(amazon.tools, amazon.asins[:60])
    amazon.clock.advance(1800)
    amazon.control.add_faults(_V0_GONE)
    report = amazon.fetch(amazon.asins[:30], amazon.asins[30:60])
    assert {SWEEP, DETAIL, CONFIRM} == set(amazon.down()) == {one.operation for one in report.down}
    assert amazon.calls(before).total() <= 6
    after = rows_of(amazon.tools, amazon.asins[:60])
    assert {asin: (row.price_jpy, row.stock_at) for asin, row in believed.items()} == {
        asin: (row.price_jpy, row.stock_at) for asin, row in after.items()
    }
    assert sum(row.failures for row in after.values()) <= 1
    assert not present_operations(amazon.tools).can_ask
    before = amazon.seen
    again = amazon.fetch(amazon.asins[:30])
    assert (0, 30, 0) == (again.asked, again.left_over, amazon.calls(before).total())
    amazon.clock.advance(PROBE_EVERY.total_seconds())
    assert present_operations(amazon.tools).can_ask


def test_trouble_of_the_network_is_no_operations(tmp_path: Path, clock: ManualClock) -> None:
    """Nobody can be reached: every call fails, and no operation is called down for it."""
    tools = tools_at(tmp_path, "http://127.0.0.1:9", clock)
    context = tools.for_run(a_run("run", clock.now()))
    plan(context, detail=[f"B0{number:08d}" for number in range(200)])
    fetch.run(context)
    assert () == present_operations(tools).down


@pytest.mark.parametrize(
    ("without", "asked"),
    [
        ((DETAIL,), {CONFIRM: 10, SWEEP: 1}),
        ((SWEEP,), {DETAIL: 1}),
        ((SWEEP, DETAIL), {CONFIRM: 20}),
        ((CONFIRM,), {DETAIL: 1, SWEEP: 1}),
    ],
)
def test_what_is_switched_off_is_done_by_who_is_left(
    tmp_path: Path, amazon: Amazon, without: tuple[str, ...], asked: dict[str, int]
) -> None:
    """The roles alone say who does whose work; what is switched off is never called, not even to try."""
    amazon.fetch(amazon.asins[:20])
    amazon.clock.advance(1800)
    off = Amazon(tmp_path, amazon.emulator, amazon.clock, sp_api={"without": list(without)})
    before = amazon.seen
    report = off.fetch(amazon.asins[:10], amazon.asins[10:20])
    assert (asked, 0, ()) == (dict(amazon.calls(before)), report.left_over, report.down)


def test_another_operation_of_the_role_does_it_before_anybody_stands_in(amazon: Amazon) -> None:
    """With two detail operations the one that is left takes all, and the single one is spared for second looks."""
    spare = next(one for one in registered() if one.name == DETAIL)
    both = registered([replace(spare, name="aSecondBatch")])
    tools = replace(amazon.tools, operations=both)
    with amazon.tools.state.read() as connection:
        present = present_operations(tools, connection)
    assert ["aSecondBatch", DETAIL] == [one.name for one in present.doing("sp_1", Role.DETAIL)]
    amazon.control.add_faults({"kind": "gone", "operation": DETAIL, "times": 1})
    amazon.fetch(amazon.asins[:60], tools=tools)
    assert 0 == amazon.calls()[CONFIRM]
    assert [DETAIL] == list(amazon.down()) or ["aSecondBatch"] == [
        one.operation for one in present_operations(tools).down
    ]


def test_a_probe_is_made_even_where_nothing_has_to_be_asked_of_it(amazon: Amazon) -> None:
    """Second looks are seldom owed: getItemOffers would stand as down for days after it has come back."""
    amazon.fetch(amazon.asins[:20])
    with amazon.tools.state.write() as connection:
        note_call(connection, "sp_1", CONFIRM, FailedCall("role_missing", 403), amazon.clock.now())
    amazon.clock.advance(PROBE_EVERY.total_seconds())
    assert [CONFIRM] == list(amazon.down())
    before = amazon.seen
    report = amazon.fetch(amazon.asins[:20])
    assert ({}, (), 1) == (amazon.down(), report.down, amazon.calls(before)[CONFIRM])
    assert (20, 0) == (report.asked, report.failed_calls)


def test_a_call_that_is_refused_whatever_it_asks_is_down_at_once(amazon: Amazon) -> None:
    """The contract has changed (HTTP 400): one ASIN known to be good is refused alone too, and that is enough to say
    so within the minute; no ASIN is to blame, and the first probe that is answered ends it."""
    amazon.fetch(amazon.asins[:1])
    amazon.clock.advance(60)
    refusal = {"kind": "error_json", "status": 400, "code": "InvalidInput", "family": "pricing/v0"}
    (fault,) = amazon.control.add_faults(refusal)
    before, began = amazon.seen, amazon.clock.now()
    report = amazon.fetch(amazon.asins[:40])
    assert (True, 1) == (amazon.calls(before)[DETAIL] <= 2, amazon.calls(before)[CONFIRM])
    assert ({DETAIL, CONFIRM}, {400}) == (set(amazon.down()), {one.http_status for one in report.down})
    assert {True} == {"(call_refused)" in one.sentence("en") for one in report.down}
    assert amazon.clock.now() - began < timedelta(minutes=1)
    assert {0} == {row.failures for row in rows_of(amazon.tools, amazon.asins[:40]).values()}
    amazon.control.remove_faults(fault)
    amazon.clock.advance(FIRST_PROBE.total_seconds())
    assert ({}, 40) == ((after := amazon.fetch(amazon.asins[:40])) and amazon.down(), after.by_status["success"])
