"""What changed at the shops on one day, Japanese time: by name, from what to what and why, the newest first; counted.

From state.db, which keeps edits for 30 days. Not for: the edits of one run (run_edits.py) or how a line is worded
there.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from ecauto_pipeline.clock import JST, jst
from ecauto_pipeline.state import day_edits
from ecauto_pipeline.state.day_edits import EditCounts
from ecauto_pipeline.sync.context import Tools
from ecauto_pipeline.views.run_edits import RunEdit, as_data, with_reasons

KEPT_DAYS = 30
"""So long state.db has an edit (state/lifetimes.py)."""


@dataclass(frozen=True, slots=True)
class DayChanges:
    """`edits`: those of the page that was asked for; `counts`: of the whole day."""

    day: date
    counts: EditCounts
    edits: tuple[RunEdit, ...]


def today(tools: Tools) -> date:
    """The day that it is in Japan."""
    return jst(tools.clock.now()).date()


def changes_of(tools: Tools, day: date | None = None, *, limit: int = 20, offset: int = 0) -> DayChanges:
    """Edits that took place on `day` (None = today), the newest first; a dry run's never are."""
    chosen = day or today(tools)
    start = datetime.combine(chosen, time(), JST)
    with tools.state.read() as connection:
        counts = day_edits.count_between(connection, start, start + timedelta(days=1))
        rows = day_edits.page_between(connection, start, start + timedelta(days=1), limit, offset)
    return DayChanges(chosen, counts, with_reasons(tools, rows))


def counted(counts: EditCounts, language: str) -> str:
    """ "非公開 1・公開 2・値上げ 3・値下げ 4": what there was, in one line."""
    words = (
        (("非公開", "hidden"), counts.hidden),
        (("公開", "shown"), counts.shown),
        (("値上げ", "dearer"), counts.dearer),
        (("値下げ", "cheaper"), counts.cheaper),
        (("その他", "others"), counts.others),
    )
    english = language == "en"
    parts = [f"{name[english]} {number:,}" for name, number in words if number]
    return ("no changes" if english else "変更はありません") if not parts else (", " if english else "・").join(parts)


def as_document(found: DayChanges) -> dict[str, Any]:
    """The same as JSON, times in Japanese time."""
    counts = found.counts
    return {
        "day": found.day.isoformat(),
        "hidden": counts.hidden,
        "shown": counts.shown,
        "dearer": counts.dearer,
        "cheaper": counts.cheaper,
        "others": counts.others,
        "total": counts.total,
        "changes": [as_data(edit) for edit in found.edits],
    }
