"""The alert rules as asset checks, each on the asset that its declaration names (alerts/rules).

Unpartitioned on purpose: partitioned checks are in preview and show red and "Not evaluated".
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import dagster as dg

from ecauto_pipeline.alerts.rule import RunRule
from ecauto_pipeline.alerts.rules import RULES
from ecauto_pipeline.alerts.setup import alert_setup
from ecauto_pipeline.alerts.verdicts import Row, Verdict
from ecauto_pipeline.sync.context import Context
from ecauto_pipeline.sync.run_record import record_of


def specs(asset: str) -> list[dg.AssetCheckSpec]:
    """The check specs of an asset, in the order in which people read them."""
    return [
        dg.AssetCheckSpec(name=rule.name, asset=asset, description=f"{rule.law.ja} / {rule.law.en}")
        for rule in _of(asset)
    ]


def results(context: Context, asset: str) -> list[dg.AssetCheckResult]:
    """The verdicts of an asset's rules over the run as recorded so far."""
    record, setup = record_of(context, context.run.run_id), alert_setup(context)
    return [_result(rule.judge(record, setup), asset, setup.alerts.language) for rule in _of(asset)]


def report_check(instance: dg.DagsterInstance, run: dg.DagsterRun, context: Context, rule: RunRule) -> None:
    """Write the verdict of one rule into Dagster's record of the run, by no step: of what ends a run of any job."""
    record, setup = record_of(context, run.run_id), alert_setup(context)
    found = _result(rule.judge(record, setup), rule.asset, setup.alerts.language)
    evaluation = dg.AssetCheckEvaluation(
        asset_key=dg.AssetKey(rule.asset),
        check_name=rule.name,
        passed=found.passed,
        metadata=found.metadata,
        severity=found.severity,
        description=found.description,
    )
    event = dg.DagsterEvent(
        dg.DagsterEventType.ASSET_CHECK_EVALUATION.value,
        run.job_name,
        event_specific_data=evaluation,
        message=f"{rule.name}: {found.description}",
    )
    instance.report_dagster_event(event, run.run_id)


def _of(asset: str) -> list[RunRule]:
    return [rule for rule in RULES.values() if rule.asset == asset]


def _result(verdict: Verdict, asset: str, language: str) -> dg.AssetCheckResult:
    metadata: dict[str, Any] = {"message": verdict.message(language), "judged": verdict.judged}
    numbers = {"value": verdict.value, "threshold": verdict.threshold}
    metadata |= {name: float(number) for name, number in numbers.items() if number is not None}
    if verdict.worst:
        metadata["worst rows"] = dg.MetadataValue.md(_table(verdict.worst))
    if verdict.remedy:
        metadata["next"] = dg.MetadataValue.md(f"`{verdict.remedy}`")
    return dg.AssetCheckResult(
        check_name=verdict.rule,
        asset_key=asset,
        passed=verdict.passed,
        severity=dg.AssetCheckSeverity.ERROR if verdict.severity == "ERROR" else dg.AssetCheckSeverity.WARN,
        metadata=metadata,
        description=verdict.message(language),
    )


def _table(rows: Iterable[Row]) -> str:
    listed = [dict(row) for row in rows]
    columns = list(listed[0])
    head = f"| {' | '.join(columns)} |\n|{'---|' * len(columns)}\n"
    return head + "\n".join(f"| {' | '.join(str(row.get(name, '')) for name in columns)} |" for row in listed)
