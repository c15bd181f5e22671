"""Whether each listing of a run should be on show, and restocked: two decisions a listing.

Not for: prices (price.py), the rules (domain/selling/visibility.py, domain/selling/diffs.py), or sending.
"""

from __future__ import annotations

from ecauto_pipeline.domain.model import Diff, Kind
from ecauto_pipeline.sync.context import Run, Tools
from ecauto_pipeline.sync.diffs import decide as deciding
from ecauto_pipeline.sync.diffs.decide import DiffReport, Verdicts
from ecauto_pipeline.sync.diffs.evaluate import Rules, Scene, collector_paused, judge, look


def visibility_diffs(tools: Tools, run: Run) -> DiffReport:
    """Judge visibility and stock of a run's listings. A run that includes no visibility has no such targets."""
    if not run.include_visibility:
        return DiffReport()
    tools.go_on()
    with collector_paused(), tools.state.read() as connection:
        scene = look(tools, run, connection, tools.clock.now())
        verdicts = visibility_verdicts(tools, run, scene, deciding.standing_of(tools, run, connection))
    tools.go_on()
    with tools.state.write() as connection:
        return deciding.keep(tools, run, connection, verdicts)


def visibility_verdicts(tools: Tools, run: Run, scene: Scene, standing: dict) -> Verdicts:  # type: ignore[type-arg]
    """The decisions about visibility and stock, nothing written."""

    def said(price: Diff) -> Diff:
        return deciding.as_said(price, standing.get((price.key, Kind.PRICE), ()))

    verdicts = Verdicts(scene, standing)
    for verdict in judge(Rules(tools.settings), scene, Kind.VISIBILITY, run.include_price, said):
        verdicts.add(verdict)
    deciding.settle(tools, verdicts, scene)
    return verdicts
