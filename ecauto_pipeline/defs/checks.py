"""The alert rules as asset checks, each on the asset that its declaration names (alerts/rules).

Unpartitioned on purpose: partitioned checks are in preview and show red and "Not evaluated".
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Self

import dagster as dg

from ecauto_pipeline.alerts.rule import RunRule
from ecauto_pipeline.alerts.rules import RULES
from ecauto_pipeline.alerts.setup import alert_setup
from ecauto_pipeline.alerts.verdicts import Row, Verdict
from ecauto_pipeline.sync.context import Context
from ecauto_pipeline.sync.run_record import record_of

if TYPE_CHECKING:
    from dagster._core.execution.context.system import StepExecutionContext


def specs(asset: str) -> list[dg.AssetCheckSpec]:
    """The check specs of an asset, in the order in which people read them."""
    return [
        dg.AssetCheckSpec(name=rule.name, asset=asset, description=f"{rule.law.ja} / {rule.law.en}")
        for rule in _of(asset)
    ]


def results(context: Context, asset: str) -> list[dg.AssetCheckResult]:
    """The verdicts of an asset's rules over the run as recorded so far."""
    record, setup = record_of(context, context.run.run_id), alert_setup(context)
    found = [_result(rule.judge(record, setup), asset, setup.alerts.language) for rule in _of(asset)]
    return of_one_materialization(found)


def of_one_materialization(results: Iterable[dg.AssetCheckResult]) -> list[dg.AssetCheckResult]:
    """The same results of one step, for which Dagster looks up once what they are of.

    By itself it reads the asset's newest materialization, with all that stands in it, twice for each of them.
    """
    seen: dict[dg.AssetKey, Any] = {}
    return [_OfOneMaterialization(seen, one) for one in results]


class _OfOneMaterialization(dg.AssetCheckResult):
    """`seen`: what was found, by asset. Source: dagster/_core/definitions/asset_checks/asset_check_result.py 1.13.27,
    execution/plan/compute.py: the same step asks again after its results."""

    _seen: dict[dg.AssetKey, Any]

    def __new__(cls, seen: dict[dg.AssetKey, Any], result: dg.AssetCheckResult) -> Self:
        made: Self = super().__new__(cls, **result._asdict())
        made._seen = seen
        return made

    def _get_target_materialization_data(self, step_context: StepExecutionContext, check_key: dg.AssetCheckKey) -> Any:
        if check_key.asset_key not in self._seen:
            self._seen[check_key.asset_key] = super()._get_target_materialization_data(step_context, check_key)
        return self._seen[check_key.asset_key]


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
