"""The pictures of the last day on the page of base_updates: drawn by this run, or a link to the run that drew them.

Dagster shows what the latest materialization has; pictures are most of what a run leaves in its record, so those of the
last hour are not stored again. When they were drawn stands in the materialization itself: whatever becomes of a run,
a link leads only to what is on record. Not for: what they show or when they are drawn anew (reports/asset_pictures.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import dagster as dg

from ecauto_pipeline.clock import jst
from ecauto_pipeline.reports.asset_pictures import TITLES, pictures_of_the_day, to_be_drawn
from ecauto_pipeline.sync.context import Context
from ecauto_pipeline.sync.run_record import record_of

ASSET = dg.AssetKey("base_updates")
DRAWN_AT, LINK = "pictures_drawn_at", "pictures"


@dataclass(frozen=True, slots=True)
class LastDrawn:
    """Aware UTC; `page`: where the UI shows them."""

    at: datetime
    page: str


def day_pictures(instance: dg.DagsterInstance, work: Context) -> dict[str, Any]:
    """Metadata: the pictures and when they were drawn, or a link to the last ones with their time."""
    last, now = last_drawn(instance), work.clock.now()
    if last is not None and not to_be_drawn(last.at, record_of(work, work.run.run_id), now):
        time = f"{jst(last.at):%H:%M} JST"
        said = f"drawn at {time}" if work.settings.alerts.language == "en" else f"{time} に描いた図"
        return {LINK: dg.MetadataValue.md(f"[{said}]({last.page})"), DRAWN_AT: dg.MetadataValue.timestamp(last.at)}
    drawn = pictures_of_the_day(work)
    shown: dict[str, Any] = {title: dg.MetadataValue.md(text) for title, text in drawn.items()}
    if len(drawn) == len(TITLES):  # else the next run tries again
        shown[DRAWN_AT] = dg.MetadataValue.timestamp(now)
    return shown


def last_drawn(instance: dg.DagsterInstance) -> LastDrawn | None:
    """The pictures that the latest materialization has or links to; None where it has none, or not all of them."""
    latest = instance.get_latest_materialization_event(ASSET)
    if latest is None or latest.asset_materialization is None:
        return None
    shown = latest.asset_materialization.metadata
    at, link = shown.get(DRAWN_AT), shown.get(LINK)
    if not isinstance(at, dg.TimestampMetadataValue):
        return None
    page = f"/assets/{ASSET.to_user_string()}?view=events&asOf={int(latest.timestamp * 1000) + 1}"
    if isinstance(link, dg.MarkdownMetadataValue) and link.value:
        page = link.value.rpartition("](")[2].removesuffix(")")
    return LastDrawn(datetime.fromtimestamp(at.value, UTC), page)
