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

    Rows that left the register took their text with them: that is no loss. A master.db that is known to be what it was
    is not counted again.
    """
    with context.state.read() as connection:
        past = recent_pushes(connection, RUNS, besides=context.run.run_id)
    before = next((one for one in past if one.catalogue_texts is not None), None)
    found = context.register.stamp()
    stamp = found.text if found is not None and found.settled else ""
    if before is not None and stamp and stamp == before.catalogue_stamp:
        return replace(report, catalogue_texts=before.catalogue_texts, catalogue_nulled=0, catalogue_stamp=stamp)
    try:
        filled = context.register.catalogue_filled()
    except RegisterError as error:
        context.log.warning("catalogue not counted: %s", error)
        return report
    report = replace(report, catalogue_texts=filled, catalogue_stamp=stamp)
    if before is None or before.catalogue_texts is None:
        return report
    texts = dict(before.catalogue_texts)
    gone = max(0, texts.pop("products") - filled["products"])
    lost = sum(max(0, count - filled.get(name, 0) - gone) for name, count in texts.items())
    return replace(report, catalogue_nulled=lost)
