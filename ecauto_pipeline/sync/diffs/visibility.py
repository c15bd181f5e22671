"""Whether each listing of a run should be on show, and restocked: two decisions a listing.

Not for: prices (price.py), the rules (domain/selling/visibility.py, domain/selling/diffs.py), or sending.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict

from ecauto_pipeline.domain.model import Diff, Kind
from ecauto_pipeline.state.decisions import Decided, Target
from ecauto_pipeline.sync.context import Context
from ecauto_pipeline.sync.diffs import decide as deciding
from ecauto_pipeline.sync.diffs.decide import EvaluatedDiffs
from ecauto_pipeline.sync.diffs.evaluate import EvaluationInput, Rules, evaluate
from ecauto_pipeline.sync.run_record import keep
from ecauto_pipeline.sync.sections import DiffReport


def run(context: Context) -> DiffReport:
    """Judge visibility and stock of a run's listings. A run that includes no visibility has no such targets."""
    report = deciding.decide(context, evaluate_visibility) if context.run.include_visibility else DiffReport()
    with context.state.write() as connection:
        keep(connection, context.run.run_id, "visibility_diffs", report)
    context.log.info("visibility judged: %s %s", asdict(report.account), dict(report.reasons))
    return report


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
