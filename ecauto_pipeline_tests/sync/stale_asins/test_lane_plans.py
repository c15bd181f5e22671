"""Plans of lanes: together they are the plan of one lane with everything, and nobody's costs another's calls."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecauto_pipeline.domain.lanes import Lane
from ecauto_pipeline.sync.sections import PlanReport
from ecauto_pipeline.sync.stale_asins import plan as stale_asins
from ecauto_pipeline.sync.stale_asins.plan import survey
from ecauto_pipeline.sync.stale_asins.take_up import work_in_hand
from ecauto_pipeline_tests.examples import examples
from ecauto_pipeline_tests.sync.stale_asins import lane_laws
from ecauto_pipeline_tests.sync.stale_asins.lane_laws import lane_of, planned
from ecauto_pipeline_tests.sync.stale_asins.planner_bench import PlannerBench, asin_no

HOURS = (0, 2, 8, 30)


@settings(max_examples=examples(4), deadline=None)
@given(st.lists(st.tuples(st.sampled_from((0, 1, 2)), st.sampled_from((*HOURS, None)), st.booleans()), max_size=20))
def test_lanes_together_plan_what_one_lane_with_everything_plans(shops: Sequence[tuple[int, int | None, bool]]) -> None:
    """The law's own docstring says what."""
    with tempfile.TemporaryDirectory() as name:
        bench = PlannerBench(Path(name))
        lane_laws.lanes_together_plan_what_one_lane_plans(bench, shops)
        bench.database.close()


def test_what_one_lane_finds_answered_by_another_is_not_asked_again(tmp_path: Path) -> None:
    """The law's own docstring says what."""
    lane_laws.what_another_lane_answered_is_not_asked_again(PlannerBench(tmp_path))


@pytest.mark.parametrize("failing", [0, 3])
def test_what_is_read_of_some_accounts_is_theirs_alone(tmp_path: Path, failing: int) -> None:
    """The law's own docstring says what."""
    lane_laws.what_is_read_of_some_accounts_is_theirs_alone(PlannerBench(tmp_path), failing)


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
