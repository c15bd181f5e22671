"""The price of every listing of a run, judged: one decision a listing, stored where something should change.

Not for: visibility (visibility.py), the rule (domain/selling/diffs.py), or sending.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict

from ecauto_pipeline.domain.model import Decision, Diff, Kind
from ecauto_pipeline.state import locks
from ecauto_pipeline.state.decisions import Decided, Target
from ecauto_pipeline.sync.context import Context
from ecauto_pipeline.sync.diff_section import DiffReport
from ecauto_pipeline.sync.diffs import decide as deciding
from ecauto_pipeline.sync.diffs.decide import EvaluatedDiffs
from ecauto_pipeline.sync.diffs.evaluate import EvaluationInput, Rules, evaluate
from ecauto_pipeline.sync.run_record import keep


def run(context: Context) -> DiffReport:
    """Judge the prices of a run's listings. A run that includes no prices has no price targets."""
    report = DiffReport()
    if context.run.include_price != "never":
        report = deciding.decide(context, "price", evaluate_prices)
    with context.state.write(locks.run(context.run.run_id)) as connection:
        keep(connection, context.run.run_id, "price_diffs", report)
    context.log.info("price judged: %s %s", asdict(report.account), dict(report.reasons))
    return report


def evaluate_prices(
    context: Context, inputs: EvaluationInput, standing: Mapping[Target, list[Decided]]
) -> EvaluatedDiffs:
    """The decisions about prices, nothing written.

    A run that only mends the floor still looks after what a fuller run left standing (a push not sent yet, a hold, a
    person's word), as long as that is still what the full rule wants.
    """
    rules = Rules(context.settings)
    evaluated = EvaluatedDiffs(inputs, standing)
    for verdict in evaluate(rules, inputs, Kind.PRICE, context.run.include_price):
        if context.run.include_price == "floor" and verdict.decision is Decision.UNCHANGED:
            older = standing.get((verdict.key, Kind.PRICE))
            if older:
                verdict = _of_the_full_rule(rules, inputs, verdict, older)
        evaluated.add(verdict)
    deciding.apply_guards_and_holds(context, evaluated, inputs)
    return evaluated


def _of_the_full_rule(rules: Rules, inputs: EvaluationInput, verdict: Diff, older: list[Decided]) -> Diff:
    listing = inputs.listings[verdict.key]
    known = inputs.known.get(listing.asin)
    full = rules.price(listing, known.facts if known else None, inputs.now, "all")
    same = any(old.diff.wanted == full.wanted for old in older)
    return full if same or full.decision is Decision.SKIPPED else verdict
