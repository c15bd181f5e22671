"""The facts of a run that the alert rules judge, from its record.

Not for: judging (rules.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from ecauto_pipeline.alerts.verdicts import Row, RunFacts
from ecauto_pipeline.domain.model import Status
from ecauto_pipeline.domain.selling.accounts import Account
from ecauto_pipeline.settings import Alerts
from ecauto_pipeline.sync.run_record import RunRecord
from ecauto_pipeline.sync.sections import FetchReport, PlanReport, PushReport, ShopsReport


def run_facts(record: RunRecord, alerts: Alerts, broken_channels: Sequence[str] = ()) -> RunFacts:
    """What the alert rules may know about a run."""
    survey, asked = (record.stale_asins or PlanReport()).survey, record.sp_api_snapshots or FetchReport()
    pushed, shops = record.pushed or PushReport(), record.shops or ShopsReport()
    return RunFacts(
        run_id=record.run_id,
        job=record.job,
        partition_key=record.partition_key,
        started_at=record.started_at,
        dry_run=record.dry_run,
        fetch=record.start.fetch if record.start is not None else True,
        total_asins=survey.total_asins,
        cache_hits=survey.cache_hits,
        cache_misses=survey.cache_misses,
        never_fetched=survey.missing,
        sp_api_calls=asked.sp_api_calls,
        sp_api_errors=asked.failed_calls,
        base_api_calls=pushed.base_calls,
        base_api_updates=pushed.edits,
        base_api_errors=pushed.base_errors,
        errors=record.errors,
        execution_time_seconds=record.execution_seconds,
        planned_seconds=record.planned_seconds,
        oldest_pushed_data_s=pushed.oldest_pushed_data_s,
        oldest_allowed_s=pushed.oldest_allowed_s,
        due_total=survey.cache_misses,
        left_over=record.left_over or 0,
        held_open=shops.held_open,
        catalogue_nulled=pushed.catalogue_nulled,
        probe_audited=asked.probe_audited,
        probe_missed=asked.probe_missed,
        token_days_left=shops.token_days_left,
        breakers=shops.breakers,
        out_of_calls=pushed.out_of_calls,
        channels=len(alerts.channels),
        broken_channels=tuple(broken_channels),
        worst={"base_error_rate": _failures(pushed)},
        **asdict(record.account or Account()),
        **{f"status_{status}": asked.by_status.get(status, 0) for status in Status},
    )


def _failures(pushed: PushReport) -> list[Row]:
    return [
        {"account_id": account, "item_id": item, "kind": kind, "reason": reason}
        for account, item, kind, reason in pushed.failures
    ]
