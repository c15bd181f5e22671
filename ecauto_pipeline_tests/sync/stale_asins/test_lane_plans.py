"""Plans of lanes: together they are the plan of one lane with everything, and nobody's costs another's calls."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecauto_pipeline.domain.lanes import Lane
from ecauto_pipeline.domain.model import AccountKey
from ecauto_pipeline.state import targets
from ecauto_pipeline.sync.sections import PlanReport
from ecauto_pipeline.sync.stale_asins import plan as stale_asins
from ecauto_pipeline.sync.stale_asins.plan import survey
from ecauto_pipeline.sync.stale_asins.take_up import work_in_hand
from ecauto_pipeline_tests.sync.stale_asins.planner_bench import PlannerBench, asin_no

HOURS = (0, 2, 8, 30)
A_DAY_S = 86_400.0
COUNTED = (
    "total_asins",
    "cache_hits",
    "cache_misses",
    "missing",
    "price_expired",
    "stock_expired",
    "overdue",
    "waiting",
)


def lane_of(number: int) -> Lane:
    return Lane(f"lane_{number}", (AccountKey("base", f"shop_{number}"),), (f"sp_{number}",))


def planned(bench: PlannerBench, lane: Lane | None) -> tuple[PlanReport, list[tuple[str, str, str, str]]]:
    """The report, and what is asked: ASIN, operation, reason, tier. Enough time for all of it."""
    options: dict[str, Any] = {"slice_s": A_DAY_S}
    tools = bench.tools
    if lane is not None:
        options |= {"lane": lane.id, "accounts": lane.shops}
        tools = tools.in_lane(lane)
    run = bench.run(**options)
    report = stale_asins.run(tools.for_run(run))
    return report, [(one.asin, one.operation, one.reason, one.tier) for one in bench.targets(run)]


@settings(max_examples=8, deadline=None)
@given(st.lists(st.tuples(st.sampled_from((0, 1, 2)), st.sampled_from((*HOURS, None)), st.booleans()), max_size=20))
def test_lanes_together_plan_what_one_lane_with_everything_plans(
    shops: Sequence[tuple[int, int | None, bool]],
) -> None:
    """Where no ASIN is in two of them: the same questions for the same reasons, and figures that add up."""
    with tempfile.TemporaryDirectory() as name:
        bench = PlannerBench(Path(name))
        for number, (shop, hours, fails) in enumerate(shops):
            bench.list_asins([number], f"shop_{shop}")
            if hours is not None:
                failing = {"failures": 2, "failed_at": 1, "failing_reason": "no_answer", "error_at": 1} if fails else {}
                bench.know([number], timedelta(hours=hours), **failing)
        whole, asked = planned(bench, None)
        each = [planned(bench, lane_of(shop)) for shop in (0, 1, 2)]
        bench.database.close()
    assert sorted(asked) == sorted(one for _, of_lane in each for one in of_lane)
    for name in COUNTED:
        assert getattr(whole.survey, name) == sum(getattr(report.survey, name) for report, _ in each), name
    assert (whole.detail_asins, whole.sweep_asins) == (
        sum(report.detail_asins for report, _ in each),
        sum(report.sweep_asins for report, _ in each),
    )


def test_what_one_lane_finds_answered_by_another_is_not_asked_again(tmp_path: Path) -> None:
    """An ASIN that both list is in both plans as long as it is due; who comes second finds it fresh."""
    bench = PlannerBench(tmp_path)
    bench.list_asins([1, 2], "shop_0")
    bench.list_asins([2, 3], "shop_1")
    one, two = lane_of(0), lane_of(1)
    first, second = planned(bench, one)[1], planned(bench, two)[1]
    assert [{asin_no(1), asin_no(2)}, {asin_no(2), asin_no(3)}] == [
        {row[0] for row in first},
        {row[0] for row in second},
    ]
    hand = work_in_hand(bench.tools.in_lane(one).for_run(bench.run(lane=one.id, accounts=one.shops, slice_s=A_DAY_S)))
    bench.answer(hand.targets)
    again = bench.run(lane=two.id, accounts=two.shops, slice_s=A_DAY_S)
    assert [asin_no(3)] == [t.asin for t in work_in_hand(bench.tools.in_lane(two).for_run(again)).targets]


def test_a_plan_is_taken_up_in_its_lane_alone(tmp_path: Path) -> None:
    """The other lane makes its own."""
    bench = PlannerBench(tmp_path)
    bench.list_asins([1], "shop_0")
    bench.list_asins([2], "shop_1")
    planned(bench, lane_of(0))
    for lane, asin, goes_on in ((lane_of(1), 2, False), (lane_of(0), 1, True)):
        run = bench.run(lane=lane.id, accounts=lane.shops)
        hand = work_in_hand(bench.tools.in_lane(lane).for_run(run))
        assert ([asin_no(asin)], goes_on) == ([t.asin for t in hand.targets], hand.continues != "")


def test_a_look_at_a_lane_counts_its_own_shops(tmp_path: Path) -> None:
    """Without a run: what status and `next_slice` go by."""
    bench = PlannerBench(tmp_path)
    bench.list_asins(range(3), "shop_0")
    bench.list_asins(range(3, 8), "shop_1")
    assert (3, 5, 8) == (
        survey(bench.tools.in_lane(lane_of(0))).total_asins,
        survey(bench.tools.in_lane(lane_of(1))).total_asins,
        survey(bench.tools).total_asins,
    )


@pytest.mark.parametrize("failing", [0, 3])
def test_the_rows_of_some_accounts_are_those_of_all_but_for_the_others(tmp_path: Path, failing: int) -> None:
    """Whatever way the database finds them, in the same order."""
    bench = PlannerBench(tmp_path)
    bench.list_asins(range(9, 3, -1), "shop_0")
    bench.list_asins(range(10, 14), "shop_1")
    bench.know(range(14), timedelta(hours=1))
    for number in range(4, 4 + failing):
        bench.set(number, failures=number, failed_at=1, failing_reason="no_answer", failing_since=1)
    with bench.database.read() as connection:
        every = targets.read_rows(connection, bench.clock.now())
        some = targets.read_rows(connection, bench.clock.now(), (AccountKey("base", "shop_0"),))
    assert every[every["asin"] < asin_no(10)].tolist() == some.tolist()
    assert failing == sum(some["failures"] > 0)


def test_a_lanes_rates_are_those_of_its_accounts(tmp_path: Path) -> None:
    """Two accounts ask twice as much in the same time; another lane's are none of it."""
    bench = PlannerBench(tmp_path)
    bench.list_asins(range(4000), "shop_0")
    one = lane_of(0)
    with_one = planned_in(bench, one)
    with_two = planned_in(bench, replace(one, sp_accounts=("sp_0", "sp_9")))
    assert with_two.detail_asins > 1.5 * with_one.detail_asins


def planned_in(bench: PlannerBench, lane: Lane) -> PlanReport:
    run = bench.run(lane=lane.id, accounts=lane.shops, slice_s=600.0)
    return stale_asins.run(bench.tools.in_lane(lane).for_run(run))
