"""Whether catalogue text of master.db has vanished since the run before: some program wrote emptiness over it.

Not for: refreshing the text (sync/catalog_refresh.py) or judging the figure (alerts/).
"""

from __future__ import annotations

from dataclasses import replace

from ecauto_pipeline.errors import RegisterError
from ecauto_pipeline.sync.context import Context
from ecauto_pipeline.sync.push_section import PushReport
from ecauto_pipeline.sync.run_record import recent_pushes

RUNS = 50


def watch_catalogue(context: Context, report: PushReport) -> PushReport:
    """The report with the fields that hold text, and how many lost it; unknown in the first run.

    Rows that left the register took their text with them: that is no loss.
    """
    try:
        filled = context.register.catalogue_filled()
    except RegisterError as error:
        context.log.warning("catalogue not counted: %s", error)
        return report
    with context.state.read() as connection:
        past = recent_pushes(connection, RUNS, besides=context.run.run_id)
    before = next((one.catalogue_filled for one in past if one.catalogue_filled is not None), None)
    if before is None:
        return replace(report, catalogue_filled=filled)
    gone = max(0, before["products"] - filled["products"])
    lost = sum(max(0, count - filled.get(name, 0) - gone) for name, count in before.items() if name != "products")
    return replace(report, catalogue_filled=filled, catalogue_nulled=lost)
