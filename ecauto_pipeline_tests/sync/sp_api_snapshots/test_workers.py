"""The threads of a run: what they do while they have nothing to ask."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ecauto_pipeline.clock import ManualClock, SystemClock
from ecauto_pipeline.domain.model import Role
from ecauto_pipeline.sync.sp_api_snapshots import fetch
from ecauto_pipeline.sync.sp_api_snapshots.batch import Asking
from ecauto_pipeline.sync.sp_api_snapshots.queues import Batch, Work
from ecauto_pipeline.sync.sp_api_snapshots.tally import Tally
from ecauto_pipeline.sync.sp_api_snapshots.workers import Workers
from ecauto_pipeline_tests.sync.sp_api_snapshots.means import a_run, tools_at

_CLOCK = SystemClock()
_WORKERS = 2


class _CountedLooks(Work):
    """Queues that count how often somebody looks for a single and how often somebody waits, until six looks."""

    def __init__(self) -> None:
        super().__init__((), (), ())
        self.six = threading.Event()
        self.looks = self.waits = self.news = 0
        self._counting, self._lookers = threading.Lock(), set[int]()

    def take_confirm(self, may_judge: bool) -> Batch | None:
        with self._counting:
            self._lookers.add(threading.get_ident())
            if not self.six.is_set():
                self.looks, self.news = self.looks + 1, self.changes
                if self.looks == 6:
                    self.six.set()
        return super().take_confirm(may_judge)

    def wait(self, seconds: float, seen: int | None = None) -> None:
        with self._counting:
            self.waits += threading.get_ident() in self._lookers and not self.six.is_set()
        super().wait(seconds, seen)


def test_who_has_nothing_to_ask_looks_now_and_then_and_wakes_nobody(tmp_path: Path) -> None:
    """While a detail call takes its time the single workers of two accounts wait after each look, until there is news
    or a tenth of a second is over: a look is no news for the other, which would look, and be news for the first."""
    tools = tools_at(tmp_path, "http://127.0.0.1:1", _CLOCK, accounts=_WORKERS)
    context = tools.for_run(a_run("run", _CLOCK.now()))
    work, tally, deadline = _CountedLooks(), Tally(), _CLOCK.monotonic() + timedelta(minutes=5).total_seconds()
    asking = Asking(context, work, tally, fetch.learn_rules(tools.settings), deadline, since=context.run.started_at)
    workers = Workers(context, work, asking, tally, deadline, planned_details=False)
    work.begin(Role.DETAIL)  # this test asks in detail
    workers.start(one for one in fetch.operations(tools) if one.role is Role.CONFIRM)
    try:
        assert work.six.wait(60)
        assert work.news <= _WORKERS, "who stood in for a detail operation left, each once"
        assert work.looks - _WORKERS <= work.waits, "each look but the last of each worker was followed by a wait"
    finally:
        work.end(Role.DETAIL)
        workers.join(60)
    assert not workers.busy
    assert workers.failure is None


class _SlotsSeen(Work):
    """Queues that note what is found when an opinion is looked for and whether a call could go at once, and end that
    worker."""

    def __init__(self) -> None:
        super().__init__((), (), ())
        self.at_once: list[bool] = []
        self.taken: list[Batch | None] = []

    def take_opinion(self, most: int, at_once: Callable[[], bool], now_s: float, patience_s: float) -> Batch | None:
        self.at_once.append(at_once())
        self.taken.append(super().take_opinion(most, at_once, now_s, patience_s))
        return None


@pytest.mark.parametrize(("before_s", "expected"), [(0.0, True), (0.05, True), (0.5, False)])
def test_a_slot_that_comes_before_the_next_look_is_taken(tmp_path: Path, before_s: float, expected: bool) -> None:
    """A second opinion goes on the beat of its bucket, not at the first look after it: each look would cost a call
    half a look, and a bucket without a burst never gives that back."""
    clock = ManualClock(datetime(2026, 1, 5, 3, 0, tzinfo=UTC))
    tools = tools_at(tmp_path, "http://127.0.0.1:1", clock)
    (opinion,) = (one for one in fetch.operations(tools) if one.role is Role.OPINION)
    account, context = tools.sp_accounts[0], tools.for_run(a_run("run", clock.now()))
    account.pace.take(account.account_id, opinion.name, opinion.limit)
    clock.advance(account.pace.peek(account.account_id, opinion.name, opinion.limit).interval_s - before_s)
    work, tally, deadline = _SlotsSeen(), Tally(), clock.monotonic() + 300.0
    asking = Asking(context, work, tally, fetch.learn_rules(tools.settings), deadline, since=context.run.started_at)
    workers = Workers(context, work, asking, tally, deadline, planned_details=False)
    workers.start([opinion])
    workers.join(60)
    assert [expected] == work.at_once
    assert workers.failure is None


class _TwoLooks(Work):
    """Queues that move the clock between two looks for an opinion, and end that worker after the second."""

    def __init__(self, clock: ManualClock, seconds: float) -> None:
        super().__init__((), (), ())
        self._clock, self._seconds = clock, seconds
        self.taken: list[Batch | None] = []

    def take_opinion(self, most: int, at_once: Callable[[], bool], now_s: float, patience_s: float) -> Batch | None:
        self.taken.append(super().take_opinion(most, at_once, now_s, patience_s))
        self._clock.advance(self._seconds)
        return [] if len(self.taken) < 2 else None


def test_a_doubt_waits_half_an_interval_for_others_whatever_was_asked_before(tmp_path: Path) -> None:
    """However few were asked: with four processes each took nine calls to see fifty answers, and until then let every
    slot of the second opinion pass. Zeros too few to judge make those wait who would ask v0 again, and nobody else."""
    clock = ManualClock(datetime(2026, 1, 5, 3, 0, tzinfo=UTC))
    tools = tools_at(tmp_path, "http://127.0.0.1:1", clock)
    (opinion,) = (one for one in fetch.operations(tools) if one.role is Role.OPINION)
    context = tools.for_run(a_run("run", clock.now()))
    half_s = tools.sp_accounts[0].pace.peek(tools.sp_accounts[0].account_id, opinion.name, opinion.limit).interval_s / 2
    work, tally, deadline = _TwoLooks(clock, half_s), Tally(), clock.monotonic() + 300.0
    asking = Asking(context, work, tally, fetch.learn_rules(tools.settings), deadline, since=context.run.started_at)
    for role in (Role.DETAIL, Role.OPINION):
        work.begin(role)  # more details are to come
    work.check(["B000000001"])
    work.ask_opinion(["B000000002"])
    workers = Workers(context, work, asking, tally, deadline, planned_details=True)
    workers.start([opinion])
    workers.join(60)
    assert [[], ["B000000002", "B000000001"]] == work.taken
    assert workers.failure is None


def test_a_doubt_waits_for_nobody_when_the_slice_is_about_to_end(tmp_path: Path) -> None:
    """What is not asked in this slice is asked of the doubted family again, by the next run."""
    clock = ManualClock(datetime(2026, 1, 5, 3, 0, tzinfo=UTC))
    tools = tools_at(tmp_path, "http://127.0.0.1:1", clock)
    context = tools.for_run(a_run("run", clock.now()))
    work, tally, deadline = _SlotsSeen(), Tally(), clock.monotonic() + 60.0
    asking = Asking(context, work, tally, fetch.learn_rules(tools.settings), deadline, since=context.run.started_at)
    for role in (Role.DETAIL, Role.OPINION):
        work.begin(role)
    work.ask_opinion(["B000000002"])
    workers = Workers(context, work, asking, tally, deadline, planned_details=True)
    workers.start(one for one in fetch.operations(tools) if one.role is Role.OPINION)
    workers.join(60)
    assert [["B000000002"]] == work.taken
    assert workers.failure is None
