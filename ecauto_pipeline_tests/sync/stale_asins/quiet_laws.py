"""Laws of those that a planner counts and does not read, for a bench over any state: SQLite (test_quiet.py), PostgreSQL
(proofs/fleet).

Not for: how a bench is made (planner_bench.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import insert

from ecauto_pipeline.clock import to_ms
from ecauto_pipeline.domain.freshness.ages import Rows, evaluate_freshness
from ecauto_pipeline.domain.freshness.planning import CallRates, Channel, choose_due
from ecauto_pipeline.domain.freshness.quiet import QuietBounds
from ecauto_pipeline.domain.model import AccountKey
from ecauto_pipeline.state import targets
from ecauto_pipeline.state.schema import asins
from ecauto_pipeline.sync.stale_asins import plan as stale_asins
from ecauto_pipeline_tests.sync.stale_asins.lane_laws import lane_of
from ecauto_pipeline_tests.sync.stale_asins.planner_bench import PlannerBench, asin_no

SHOPS = (0, 1, 2)
RATES = CallRates(Channel(0.02), Channel(0.1))
STAMPS = (
    *("price_at", "stock_at", "detail_at", "probe_at", "error_at", "last_sold_at", "last_viewed_at"),
    *("filtered_since", "demand_at", "failed_at", "failing_since"),
)


def keep(bench: PlannerBench, known: Sequence[tuple[Sequence[int], Mapping[str, Any] | None]]) -> None:
    """One ASIN each: the shops that list it, and its columns with stamps as milliseconds ago; None = never asked."""
    now_ms = to_ms(bench.clock.now())
    for shop in SHOPS:
        theirs = [number for number, (shops, _) in enumerate(known) if shop in shops]
        if theirs:
            bench.list_asins(theirs, f"shop_{shop}")
    for number, (_, columns) in enumerate(known):
        if columns is not None:
            at = {name: now_ms - columns[name] for name in STAMPS if columns.get(name) is not None}
            with bench.database.write() as connection:
                connection.execute(insert(asins), {**columns, **at, "asin": asin_no(number)})


def what_is_not_read_is_only_counted(bench: PlannerBench) -> None:
    """Whose ASINs ever: the same are due, for the same reasons; a plan asks the same, and what is counted is the same,
    as where every ASIN is read. What is left out is not read in parts either."""
    now, policy = bench.clock.now(), stale_asins.policy_of(bench.tools)
    now_ms, quiet = to_ms(now), QuietBounds.of(policy, now)
    every_shop = tuple(AccountKey("base", f"shop_{shop}") for shop in SHOPS)
    for accounts in ((), every_shop, every_shop[:1], every_shop[1:]):
        with bench.database.read() as connection:
            every = targets.read_rows(connection, now, accounts)
            few = targets.read_rows(connection, now, accounts, but=quiet)
            parts = list(targets.each_part(connection, now, accounts, most=3, but=quiet))
            left_out = targets.count_quiet(connection, quiet, few.size, accounts)
        assert few.tolist() == [row for part in parts for row in part.tolist()]
        assert every.size == few.size + sum(one.asins for one in left_out)
        assert _asked(every, now_ms, bench) == _asked(few, now_ms, bench)
        report, _ = bench.plan(accounts=accounts)
        assert stale_asins.count(every, evaluate_freshness(every, now, policy), now_ms) == report.survey
        if accounts == every_shop[:1]:
            assert report.survey == stale_asins.survey(bench.tools.in_lane(lane_of(0)))
        elif not accounts:
            assert report.survey == stale_asins.survey(bench.tools)


def _asked(rows: Rows, now_ms: int, bench: PlannerBench) -> tuple[list[tuple[str, str, int]], int]:
    """What a slice asks of these rows: ASIN, operation and reason, in order; and how many are left over."""
    judged = evaluate_freshness(rows, bench.clock.now(), stale_asins.policy_of(bench.tools))
    choice = choose_due(rows, judged, now_ms, 600.0, RATES)
    asked = [(str(rows["asin"][place]), "detail", int(choice.reason[place])) for place in choice.detail]
    asked += [(str(rows["asin"][place]), "sweep", int(choice.reason[place])) for place in choice.sweep]
    return asked, choice.left_over
