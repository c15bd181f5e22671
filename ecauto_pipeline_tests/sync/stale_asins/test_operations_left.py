"""The planner with what is left: an operation that is down or switched off is not reckoned with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from ecauto_pipeline.amazon.registry import registered
from ecauto_pipeline.clock import to_ms
from ecauto_pipeline.domain.model import Role
from ecauto_pipeline.domain.operation_health import FIRST_PROBE, FailedCall
from ecauto_pipeline.state import runs as run_book
from ecauto_pipeline.state.operation_health import note_call
from ecauto_pipeline.sync.run_record import keep
from ecauto_pipeline.sync.sections import FetchReport
from ecauto_pipeline.sync.stale_asins.next_slice import decide_next, slice_length_s
from ecauto_pipeline_tests.amazon.made_up_offers import OPERATION as MADE_UP
from ecauto_pipeline_tests.sync.stale_asins.planner_bench import START, PlannerBench

SWEEP, DETAIL, CONFIRM = "getCompetitivePricing", "getItemOffersBatch", "getItemOffers"
V0 = (SWEEP, DETAIL, CONFIRM)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[PlannerBench]:
    """Two thousand ASINs that sell, known, and not looked at for two hours."""
    bench = PlannerBench(tmp_path)
    bench.list_asins(range(2000))
    bench.know(range(2000), age=timedelta(hours=2), last_sold_at=to_ms(bench.clock.now()))
    yield bench
    bench.database.close()


def _down(bench: PlannerBench, *names: str) -> None:
    with bench.database.write() as connection:
        for name in names:
            note_call(connection, "sp_1", name, FailedCall("role_missing", 403, 20), bench.clock.now())


def _planned(bench: PlannerBench, **options: object) -> Counter[str]:
    return Counter(target.operation for target in bench.plan(**options)[1])


@pytest.mark.parametrize("switched_off", [False, True])
def test_a_slice_is_handed_what_those_who_are_left_can_ask(bench: PlannerBench, switched_off: bool) -> None:
    """Ten minutes: by sweep all; without it 1,480 details; without batches too the single operation's 362."""
    without: tuple[str, ...] = ()

    def lose(name: str) -> None:
        nonlocal without
        if not switched_off:
            return _down(bench, name)
        without = (*without, name)
        settings = bench.tools.settings
        sp_api = settings.sp_api.model_copy(update={"without": without})
        bench.tools = replace(bench.tools, settings=settings.model_copy(update={"sp_api": sp_api}))
        return None

    assert {"sweep": 2000} == _planned(bench)
    lose(SWEEP)
    report, targets = bench.plan()
    assert ({"detail": 1480}, 520) == (Counter(one.operation for one in targets), report.left_over)
    assert "no operation is left to sweep with" == report.blind
    lose(DETAIL)
    assert {"detail": 362} == _planned(bench)
    lose(CONFIRM)
    report, targets = bench.plan()
    assert ([], 2000, 0.0) == (targets, report.left_over, report.planned_seconds)


def test_with_a_probe_due_a_call_of_it_is_planned(bench: PlannerBench) -> None:
    """Nobody answers, and one may be tried: a call's worth and the margin, so that it has something to ask."""
    _down(bench, *V0)
    assert {} == _planned(bench)
    bench.clock.advance(FIRST_PROBE.total_seconds())
    assert {"sweep": 40} == _planned(bench)


@pytest.mark.parametrize(("lost", "slice_s"), [((DETAIL, CONFIRM), 90.0), (V0, 600.0)], ids=["no details", "v0"])
def test_a_budget_of_nothing_is_no_error(bench: PlannerBench, lost: tuple[str, ...], slice_s: float) -> None:
    """spend = "budget" plans what is due and writes no periods; a slice is as long as the owner lets it be."""
    _down(bench, *lost)
    report, _ = bench.plan(spend="budget")
    assert 0.0 == report.short_by
    assert slice_s == slice_length_s(bench.tools, "budget")


def test_no_slice_follows_while_nobody_can_be_asked(bench: PlannerBench) -> None:
    """Runs would follow one another by the minute and find nobody; when a probe is due one is started."""
    run = bench.run()
    with bench.database.write() as connection:
        keep(connection, run.run_id, "sp_api_snapshots", FetchReport())
        run_book.end(connection, run.run_id, bench.clock.now())
    assert decide_next(bench.tools, []).launch
    _down(bench, *V0)
    assert (False, "operations_down") == ((said := decide_next(bench.tools, [])).launch, said.reason)
    bench.clock.advance(FIRST_PROBE.total_seconds())
    assert decide_next(bench.tools, []).launch


def test_a_made_up_operation_of_the_role_is_planned_with(bench: PlannerBench) -> None:
    """Another detail operation, in a file of its own, does the batch's work before the single one does: the roles
    alone say so. A second look of another make stands in like ours."""
    bench.tools = replace(bench.tools, operations=registered([MADE_UP]))
    _down(bench, SWEEP, DETAIL)
    assert _planned(bench)["detail"] > 2000 * 0.99, "14 a second"
    _down(bench, MADE_UP.name)
    spare = replace(MADE_UP, name="aMadeUpLook", role=Role.CONFIRM, batch=1)
    assert {"detail": 362} == _planned(bench)
    bench.tools = replace(bench.tools, operations=registered([MADE_UP, spare]))
    assert _planned(bench)["detail"] > 1000, "0.5 and 2 a second"
    assert START <= bench.clock.now()
