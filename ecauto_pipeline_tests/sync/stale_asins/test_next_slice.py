"""What the next slice of an hour waits for, besides what is due."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from ecauto_pipeline.state import runs as run_book
from ecauto_pipeline.sync.run_record import keep
from ecauto_pipeline.sync.sections import FetchReport
from ecauto_pipeline.sync.stale_asins.next_slice import decide_next
from ecauto_pipeline_tests.sync.stale_asins.planner_bench import PlannerBench


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[PlannerBench]:
    """A few ASINs of which nothing is known: there is work all day."""
    bench = PlannerBench(tmp_path)
    bench.list_asins(range(5))
    yield bench
    bench.database.close()


def ran(bench: PlannerBench, *, asked: bool, job: str = "stock_sync") -> None:
    """A run of five seconds."""
    run = bench.run(job=job)
    bench.clock.advance(5)
    with bench.database.write() as connection:
        if asked:
            keep(connection, run.run_id, "sp_api_snapshots", FetchReport())
        run_book.end(connection, run.run_id, bench.clock.now())


def launched_in_an_hour(bench: PlannerBench, *, asked: bool) -> int:
    """Slices that a look every 30 s launches after the hour's own run, all of them alike."""
    end, launched = bench.clock.now() + timedelta(hours=1), 0
    ran(bench, asked=asked)
    while bench.clock.now() < end:
        bench.clock.advance(30)
        if decide_next(bench.tools, []).launch:
            launched += 1
            ran(bench, asked=asked)
    return launched


def test_runs_that_fail_before_they_ask_are_not_launched_by_the_minute(bench: PlannerBench) -> None:
    """A fault in the first steps made a failing run at every look, over a hundred an hour."""
    assert 5 == launched_in_an_hour(bench, asked=False)


def test_a_run_that_asked_is_followed_at_once(bench: PlannerBench) -> None:
    """Whatever became of its later steps: what is due is asked about."""
    assert launched_in_an_hour(bench, asked=True) > 90


def test_a_run_that_asked_ends_the_wait(bench: PlannerBench) -> None:
    """So does a person's choice of assets, which need not ask: nothing failed."""
    ran(bench, asked=False)
    assert "last_run_failed" == decide_next(bench.tools, []).reason
    ran(bench, asked=False, job="materialize")
    assert decide_next(bench.tools, []).launch
    ran(bench, asked=False)
    assert not decide_next(bench.tools, []).launch
    ran(bench, asked=True, job="price_sync")
    assert decide_next(bench.tools, []).launch


def test_what_became_of_the_tick_is_asked_only_where_the_hour_should_have_begun(bench: PlannerBench) -> None:
    """Not in its first minutes, not while a run waits or works, not once it has begun: a look costs next to nothing."""
    asked: list[timedelta] = []
    hour = bench.clock.now().replace(minute=0, second=0, microsecond=0)

    def died() -> bool:
        asked.append(bench.clock.now() - hour)
        return True

    while bench.clock.now() < hour + timedelta(minutes=30):
        assert decide_next(bench.tools, [], died).launch == bool(asked)
        bench.clock.advance(30)
    assert timedelta(minutes=10) <= min(asked) < timedelta(minutes=11)
    asked.clear()
    assert not decide_next(bench.tools, ["queued"], died).launch
    ran(bench, asked=True)
    assert decide_next(bench.tools, [], died).launch
    assert [] == asked
