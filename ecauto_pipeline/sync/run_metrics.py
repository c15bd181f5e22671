"""A run's record as one row of history's table `run_metrics`.

A count that the contract calls a count is 0 where no step measured it; everything else is then unknown.
Not for: measuring (each step reports its own section) or judging (alerts/).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict

from ecauto_pipeline.domain.model import Status
from ecauto_pipeline.domain.selling.row_counts import RowCounts
from ecauto_pipeline.state.database import to_json
from ecauto_pipeline.sync.run_record import RunRecord
from ecauto_pipeline.sync.sections import FetchReport


def metrics_row(record: RunRecord) -> dict[str, object]:
    """One row of `run_metrics`, under the names of its columns."""
    survey = record.stale_asins.survey if record.stale_asins is not None else None
    start, asked, pushed, shops = record.start, record.sp_api_snapshots, record.pushed, record.shops
    return {
        "run_id": record.run_id,
        "job": record.job,
        "partition_key": record.partition_key,
        "started_at": record.started_at,
        "dry_run": record.dry_run,
        "total_asins": survey.total_asins if survey else 0,
        "cache_hits": survey.cache_hits if survey else 0,
        "cache_misses": survey.cache_misses if survey else 0,
        "sp_api_calls": asked.sp_api_calls if asked else 0,
        "base_api_updates": record.edits,
        "errors": record.errors,
        "execution_time_seconds": record.execution_seconds,
        "planned_seconds": record.planned_seconds,
        **asdict(record.account or RowCounts()),
        "due_total": survey.cache_misses if survey else None,
        "held_open": shops.held_open if shops else None,
        "token_days_left": shops.token_days_left if shops else None,
        "catalogue_nulled": pushed.catalogue_nulled if pushed else None,
        "oldest_pushed_data_s": pushed.oldest_pushed_data_s if pushed else None,
        "base_api_calls": pushed.base_calls if pushed else None,
        "base_api_errors": pushed.base_errors if pushed else None,
        "sp_api_errors": asked.failed_calls if asked else None,
        "probe_audited": asked.probe_audited if asked else None,
        "probe_missed": asked.probe_missed if asked else None,
        "opinion_audited": asked.audited.compared if asked else None,
        "opinion_contradicted": asked.audited.contradicted if asked else None,
        "slice_no": start.slice_no if start else None,
        "trigger": start.trigger if start else None,
        "lane": record.lane,
        "left_over": record.left_over,
        **{f"status_{status}": asked.by_status.get(status, 0) if asked else None for status in Status},
        "sp_account_calls": to_json(dict(asked.calls) if asked else {}),
        "reason_counts": to_json(dict(_reasons(record, asked))),
    }


def _reasons(record: RunRecord, asked: FetchReport | None) -> Mapping[str, int]:
    """Why Amazon gave no price; of work by hand, why rows were refused."""
    return record.by_hand.refused if record.by_hand is not None else asked.by_reason if asked is not None else {}
