"""Laws of planning in lanes, for a bench over any state: SQLite (test_lane_plans.py), PostgreSQL (proofs/fleet).

Not for: how a bench is made (planner_bench.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from ecauto_pipeline.domain.lanes import Lane
from ecauto_pipeline.domain.model import AccountKey
from ecauto_pipeline.state import targets
from ecauto_pipeline.sync.sections import PlanReport
from ecauto_pipeline.sync.stale_asins import plan as stale_asins
from ecauto_pipeline.sync.stale_asins.take_up import work_in_hand
from ecauto_pipeline_tests.sync.stale_asins.planner_bench import PlannerBench, asin_no

A_DAY_S = 86_400.0
COUNTED = (
    *("total_asins", "cache_hits", "cache_misses", "missing"),
    *("price_expired", "stock_expired", "overdue", "waiting"),
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


def lanes_together_plan_what_one_lane_plans(bench: PlannerBench, shops: Sequence[tuple[int, int | None, bool]]) -> None:
    """Where no ASIN is in two of them: the same questions for the same reasons, and figures that add up.

    `shops`: one ASIN each: whose it is (0 to 2), how many hours ago it was answered (None = never), whether it fails.
    """
    for number, (shop, hours, fails) in enumerate(shops):
        bench.list_asins([number], f"shop_{shop}")
        if hours is not None:
            failing = {"failures": 2, "failed_at": 1, "failing_reason": "no_answer", "error_at": 1} if fails else {}
            bench.know([number], timedelta(hours=hours), **failing)
    whole, asked = planned(bench, None)
    each = [planned(bench, lane_of(shop)) for shop in (0, 1, 2)]
    assert sorted(asked) == sorted(one for _, of_lane in each for one in of_lane)
    for name in COUNTED:
        assert getattr(whole.survey, name) == sum(getattr(report.survey, name) for report, _ in each), name
    assert whole.detail_asins == sum(report.detail_asins for report, _ in each)
    assert whole.sweep_asins == sum(report.sweep_asins for report, _ in each)


def what_another_lane_answered_is_not_asked_again(bench: PlannerBench) -> None:
    """An ASIN that both list is in both plans as long as it is due; who comes second finds it fresh."""
    bench.list_asins([1, 2], "shop_0")
    bench.list_asins([2, 3], "shop_1")
    one, two = lane_of(0), lane_of(1)
    first, second = planned(bench, one)[1], planned(bench, two)[1]
    assert {asin_no(1), asin_no(2)} == {row[0] for row in first}
    assert {asin_no(2), asin_no(3)} == {row[0] for row in second}
    hand = work_in_hand(bench.tools.in_lane(one).for_run(bench.run(lane=one.id, accounts=one.shops, slice_s=A_DAY_S)))
    bench.answer(hand.targets)
    again = bench.run(lane=two.id, accounts=two.shops, slice_s=A_DAY_S)
    assert [asin_no(3)] == [t.asin for t in work_in_hand(bench.tools.in_lane(two).for_run(again)).targets]


def what_is_read_of_some_accounts_is_theirs_alone(bench: PlannerBench, failing: int) -> None:
    """Whatever way the database finds it, in the same order."""
    bench.list_asins(range(9, 3, -1), "shop_0")
    bench.list_asins(range(10, 14), "shop_1")
    bench.know(range(14), timedelta(hours=1))
    for number in range(4, 4 + failing):
        bench.set(number, failures=number, failed_at=1, failing_reason="no_answer", failing_since=1)
    mine = lane_of(0).shops
    with bench.database.read() as connection:
        every = targets.read_rows(connection, bench.clock.now())
        some = targets.read_rows(connection, bench.clock.now(), mine)
        assert 6 == targets.count_asins(connection, mine)
    assert every[every["asin"] < asin_no(10)].tolist() == some.tolist()
    assert failing == sum(some["failures"] > 0)
    assert some["asin"].tolist() == [asin_no(number) for number in range(4, 10)]
