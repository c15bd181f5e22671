"""Brings the owner's page views (data/views.csv) into the demand that tiers and periods follow.

Not for: what a line means (domain/freshness/views_file.py) or how counts fade (state/demand.py).
"""

from __future__ import annotations

from ecauto_pipeline.domain.freshness import views_file
from ecauto_pipeline.state import demand
from ecauto_pipeline.sync.context import Context
from ecauto_pipeline.sync.run_record import recent_plans
from ecauto_pipeline.sync.sections import ViewsReport

_WORST = 20
_RUNS = 10


def read_views(context: Context) -> ViewsReport:
    """Count what is new in the file; no file is no views, nor is one that a run before this one has read.

    A file that can't be read is a problem, not an end.
    """
    path = context.settings.views
    if not path.is_file():
        return ViewsReport()
    now = context.clock.now()
    try:
        state = path.stat()
        version = f"{state.st_mtime_ns}:{state.st_size}"
        with context.state.read() as connection:
            if any(plan.views.version == version for plan in recent_plans(connection, _RUNS)):
                return ViewsReport(version=version)
        found = views_file.parse(views_file.decode(path.read_bytes()), now)
    except (OSError, UnicodeDecodeError) as error:
        context.log.warning("%s: can't be read: %s", path.name, type(error).__name__)
        return ViewsReport(problems=((0, f"can't be read: {type(error).__name__}"),))
    with context.state.write() as connection:
        known = demand.asins_of_items(connection, (view.item_id for view in found.views if view.item_id))
        placed = [(view.asin or known.get(view.item_id, ""), view.viewed_at, view.count) for view in found.views]
        counted = demand.record_views(connection, (row for row in placed if row[0]), now)
    for line, why in found.problems[:_WORST]:
        context.log.warning("%s line %d: %s", path.name, line, why)
    return ViewsReport(
        read=len(found.views),
        counted=counted,
        unknown=sum(not asin for asin, _, _ in placed),
        problems=found.problems,
        version=version if all(row[0] for row in placed) else "",  # an item may be listed later: read it again then
    )
