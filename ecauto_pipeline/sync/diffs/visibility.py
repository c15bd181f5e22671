"""Whether each listing of a run should be on show, and restocked: two decisions a listing.

Not for: prices (price.py), the rules (domain/selling/visibility.py, domain/selling/diffs.py), or sending.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import timedelta

from ecauto_pipeline.domain.model import Diff, Kind
from ecauto_pipeline.state import locks
from ecauto_pipeline.state.decisions import Decided, Target
from ecauto_pipeline.state.unconfirmed import unconfirmed
from ecauto_pipeline.sync.context import Context
from ecauto_pipeline.sync.diff_section import DiffReport
from ecauto_pipeline.sync.diffs import decide as deciding
from ecauto_pipeline.sync.diffs.decide import EvaluatedDiffs
from ecauto_pipeline.sync.diffs.evaluate import EvaluationInput, Rules, evaluate
from ecauto_pipeline.sync.run_record import keep
from ecauto_pipeline.sync.stale_asins.plan import policy_of

WORST_ROWS = 10


def run(context: Context) -> DiffReport:
    """Judge visibility and stock of a run's listings. A run that includes no visibility has no such targets."""
    report = DiffReport()
    if context.run.include_visibility:
        report = _with_unconfirmed(context, deciding.decide(context, "visibility", evaluate_visibility))
    with context.state.write(locks.run(context.run.run_id)) as connection:
        keep(connection, context.run.run_id, "visibility_diffs", report)
    context.log.info("visibility judged: %s %s", asdict(report.account), dict(report.reasons))
    return report


def _with_unconfirmed(context: Context, report: DiffReport) -> DiffReport:
    """What of the run's listings is on show and was not confirmed for too long: freshness is not only behind pushes."""
    now = context.clock.now()
    with context.state.read() as connection:
        factor = context.settings.alerts.unconfirmed_factor
        found = unconfirmed(connection, context.accounts, now, policy_of(context), factor)
    worst = tuple(
        (context.name_of(one.key.account), one.key.item_id, one.asin, _hours(now - one.since), one.reason)
        for one in found[:WORST_ROWS]
    )
    hides = context.settings.guards.hide_unconfirmed_after is not None
    return replace(report, unconfirmed=len(found), unconfirmed_worst=worst, hides_unconfirmed=hides)


def _hours(span: timedelta) -> float:
    return round(span / timedelta(hours=1), 1)


def evaluate_visibility(
    context: Context, inputs: EvaluationInput, standing: Mapping[Target, list[Decided]]
) -> EvaluatedDiffs:
    """The decisions about visibility and stock, nothing written."""

    def said(price: Diff) -> Diff:
        return deciding.as_said(price, standing.get((price.key, Kind.PRICE), ()))

    evaluated = EvaluatedDiffs(inputs, standing)
    for verdict in evaluate(Rules(context.settings), inputs, Kind.VISIBILITY, context.run.include_price, said):
        evaluated.add(verdict)
    deciding.apply_guards_and_holds(context, evaluated, inputs)
    return evaluated
