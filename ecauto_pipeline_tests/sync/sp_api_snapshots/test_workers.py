"""The threads of a run: what they do while they have nothing to ask."""

from __future__ import annotations

import threading
import time
from datetime import timedelta
from pathlib import Path

from ecauto_pipeline.clock import SystemClock
from ecauto_pipeline.domain.model import Role
from ecauto_pipeline.sync.sp_api_snapshots import fetch
from ecauto_pipeline.sync.sp_api_snapshots.batch import Asking
from ecauto_pipeline.sync.sp_api_snapshots.queues import Batch, Work
from ecauto_pipeline.sync.sp_api_snapshots.tally import Tally
from ecauto_pipeline.sync.sp_api_snapshots.workers import Workers
from ecauto_pipeline_tests.sync.sp_api_snapshots.means import a_run, tools_at

_CLOCK = SystemClock()
_LOOKS_EVERY_S = 0.1


class _CountedLooks(Work):
    """Queues that count how often somebody looks for a single, and say when it was six times."""

    def __init__(self) -> None:
        super().__init__((), (), ())
        self.looks, self.six = 0, threading.Event()

    def take_confirm(self, may_judge: bool) -> Batch | None:
        self.looks += 1
        if self.looks >= 6:
            self.six.set()
        return super().take_confirm(may_judge)


def test_who_has_nothing_to_ask_looks_now_and_then_and_wakes_nobody(tmp_path: Path) -> None:
    """While a detail call takes its time the single workers of two accounts look ten times a second each, not always:
    an idle worker's look is no news for the other, which would look, and be news for the first."""
    tools = tools_at(tmp_path, "http://127.0.0.1:1", _CLOCK, accounts=2)
    context = tools.for_run(a_run("run", _CLOCK.now()))
    work, tally, deadline = _CountedLooks(), Tally(), _CLOCK.monotonic() + timedelta(minutes=5).total_seconds()
    asking = Asking(context, work, tally, fetch.learn_rules(tools.settings), deadline, since=context.run.started_at)
    workers = Workers(context, work, asking, tally, deadline, planned_details=False)
    work.begin(Role.DETAIL)  # this test asks in detail
    began = time.monotonic()
    workers.start(one for one in fetch.operations(tools) if one.role is Role.CONFIRM)
    try:
        assert work.six.wait(60)
        looks, took_s = work.looks, time.monotonic() - began
        assert looks <= 2 * (took_s / _LOOKS_EVERY_S + 2)
    finally:
        work.end(Role.DETAIL)
        workers.join(60)
    assert not workers.busy
    assert workers.failure is None
