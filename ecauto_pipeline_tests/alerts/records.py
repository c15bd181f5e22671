"""A run's record from the figures that a test is about, under the names of `run_metrics`.

Not for: what a step reports (sync/sections.py).
"""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import Any

from ecauto_pipeline.domain.selling.row_counts import RowCounts
from ecauto_pipeline.state.amazon_shapes import ShapeMet
from ecauto_pipeline.sync.diff_section import DiffReport
from ecauto_pipeline.sync.file_trouble import RulesReport
from ecauto_pipeline.sync.history_section import HistoryReport
from ecauto_pipeline.sync.push_section import PushReport, WriteBackReport
from ecauto_pipeline.sync.register_report import RegisterReport
from ecauto_pipeline.sync.run_record import RunRecord
from ecauto_pipeline.sync.sections import (
    FetchReport,
    ListingsReport,
    PlanReport,
    ShopsReport,
    StartReport,
    Survey,
    ViewsReport,
)

STARTED = datetime(2026, 1, 5, 3, 0, tzinfo=UTC)


def a_shape(asins: int, since: datetime = STARTED, **more: Any) -> ShapeMet:
    """An unexpected shape of the batch's answers, about that many ASINs."""
    names = tuple(f"B{number:09}" for number in range(asins))
    times = {"first_seen_at": since, "since": since, "last_seen_at": since}
    return ShapeMet("getItemOffersBatch", "missing Offers", **times, answers=asins, asins=names, **more)


def a_record(**figures: Any) -> RunRecord:
    """Of a run that did every step; what is not given is what a step measured that found nothing."""
    taken = dict(figures)

    def take(name: str, default: Any = 0) -> Any:
        return taken.pop(name, default)

    took = take("execution_time_seconds", None)
    statuses = {name.removeprefix("status_"): take(name) for name in list(taken) if name.startswith("status_")}
    shops = take("shops", ())
    account = RowCounts(**{one.name: take(one.name) for one in fields(RowCounts)})
    hits, misses = take("cache_hits"), take("cache_misses")
    found = RunRecord(
        run_id=take("run_id", "run-1"),
        job=take("job", "stock_sync"),
        partition_key=take("partition_key", "2026-01-05-12:00"),
        started_at=STARTED,
        ended_at=None if took is None else STARTED + timedelta(seconds=took),
        dry_run=take("dry_run", False),
        start=StartReport(fetch=take("fetch", True)),
        listings=ListingsReport(
            by_account=dict.fromkeys(take("of_run", shops), 0),
            orders_not_read=take("orders_not_read", {}),
            token_files=take("token_files", {}),
            blocklist=take("blocklist", None),
            rules=RulesReport(trouble=take("rules", None)),
            register=take("register", RegisterReport()),
        ),
        stale_asins=PlanReport(
            Survey(
                total_asins=hits + misses,
                cache_hits=hits,
                cache_misses=misses,
                missing=take("never_fetched"),
            ),
            planned_seconds=take("planned_seconds", 0.0),
            views=ViewsReport(trouble=take("views", None)),
        ),
        sp_api_snapshots=FetchReport(
            by_status=statuses,
            by_reason=take("by_reason", {}),
            calls={"sp_1/getItemOffersBatch": take("sp_api_calls"), "sp_1/lwaToken": 1},
            planned=take("planned"),
            others=take("others"),
            failed_calls=take("sp_api_errors"),
            by_operation=take("by_operation", {}),
            unanswered=take("unanswered", ()),
            doubted=take("doubted", ()),
            zeros_not_believed=take("zeros_not_believed", {}),
            down=take("down", ()),
            probe_audited=take("probe_audited"),
            probe_missed=take("probe_missed"),
        ),
        visibility_diffs=DiffReport(account, unconfirmed=take("unconfirmed")),
        history=HistoryReport(damaged=take("damaged", ())),
        base_updates=PushReport(
            account=account,
            base_calls=take("base_api_calls"),
            base_errors=take("base_api_errors"),
            calls_of_shops=take("calls_of_shops", {}),
            failures=take("failures", ()),
            oldest_pushed_data_s=take("oldest_pushed_data_s", None),
            oldest_allowed_s=take("oldest_allowed_s", None),
            oldest_pushed=take("oldest_pushed", None),
            out_of_calls=take("out_of_calls", ()),
            faults=take("faults", ()),
            catalogue_nulled=take("catalogue_nulled", None),
            written_back=WriteBackReport(problem=take("register_problem", "")),
            shops=ShopsReport(
                take("held_open"),
                take("token_days_left", None),
                take("breakers", ()),
                shops,
                take("token_days", {}),
                take("stopped", ()),
            ),
        ),
    )
    assert not taken, taken
    return found
