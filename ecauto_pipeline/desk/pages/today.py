"""今日 / Today: whether somebody has to do something, and what; what is at work; what changed; how things stand.

Not for: finding it out (views/).
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from nicegui import ui

from ecauto_pipeline.desk.page import Page
from ecauto_pipeline.desk.pages.change_rows import change_table
from ecauto_pipeline.desk.pages.today_push import push_card
from ecauto_pipeline.desk.pages.today_standing import draw_freshness, draw_lanes, draw_runs, draw_shops
from ecauto_pipeline.desk.pages.today_to_do import draw_to_do
from ecauto_pipeline.desk.pages.today_work import Work
from ecauto_pipeline.desk.parts.cards import cannot_know, card, nothing
from ecauto_pipeline.desk.parts.text import note
from ecauto_pipeline.desk.visit import Unknown, Visit
from ecauto_pipeline.doctor.dagster_files import dagster_home
from ecauto_pipeline.sync.context import Tools
from ecauto_pipeline.views.changes import DayChanges, changes_of, counted
from ecauto_pipeline.views.fleet import FleetNow, look_at_fleet
from ecauto_pipeline.views.runs import RunLine, kept_runs
from ecauto_pipeline.views.status import gather
from ecauto_pipeline.views.stopped import pushing_stopped
from ecauto_pipeline.views.under_way import runs_under_way

MOST_CHANGES = 20


@dataclass(frozen=True, slots=True)
class _Seen:
    """What the page shows beside what is at work; each part is known or not by itself."""

    status: dict[str, Any] | Unknown
    last: tuple[RunLine, ...] | Unknown
    changes: DayChanges | Unknown
    fleet: FleetNow | Unknown | None


async def draw(visit: Visit) -> None:
    @ui.refreshable
    def to_do(seen: _Seen) -> None:
        if isinstance(seen.status, Unknown):
            cannot_know(visit, seen.status)
        else:
            draw_to_do(visit, seen.status)

    @ui.refreshable
    def standing(seen: _Seen) -> None:
        _last_runs(visit, seen)
        if not isinstance(seen.status, Unknown):
            draw_shops(visit, seen.status)
        if isinstance(seen.fleet, FleetNow):  # where it can't be read, so can't the status, which says so
            draw_lanes(visit, seen.fleet)
        if not isinstance(seen.status, Unknown):
            draw_freshness(visit, seen.status)
        _changes(visit, seen.changes)  # the longest, and on a phone a card each

    async def look_again() -> None:
        seen = await _look(visit)
        to_do.refresh(seen)
        standing.refresh(seen)

    # all at once: where somebody holds state.db, each of them waits for it
    seen, runs, stopped = await asyncio.gather(_look(visit), visit.read(runs_under_way), visit.read(pushing_stopped))
    to_do(seen)
    Work(visit, look_again).draw(runs)
    push_card(visit, stopped)
    standing(seen)


async def _look(visit: Visit) -> _Seen:
    def status(tools: Tools) -> dict[str, Any]:
        language = visit.language
        return visit.office.looks.take(("status", language), lambda: gather(tools, dagster_home(), language=language))

    return _Seen(
        *await asyncio.gather(
            visit.read(status),
            visit.read(lambda tools: kept_runs(tools, limit=5).lines),
            visit.read(lambda tools: changes_of(tools, limit=MOST_CHANGES)),
            visit.read(_lanes),
        )
    )


def _lanes(tools: Tools) -> FleetNow | None:
    """None where there is one lane: nothing is asked."""
    return look_at_fleet(tools) if tools.settings.lanes else None


def _last_runs(visit: Visit, seen: _Seen) -> None:
    with card(visit.told("前回と次回", "Last and next run")):
        if isinstance(seen.last, Unknown):
            cannot_know(visit, seen.last)
        else:
            draw_runs(visit, next((one for one in seen.last if one.end != "running"), None), seen.status)


def _changes(visit: Visit, found: DayChanges | Unknown) -> None:
    with card(visit.told("今日の変更", "Changed today")):
        if isinstance(found, Unknown):
            cannot_know(visit, found)
            return
        if not found.edits:
            nothing(visit.told("今日はまだ何も変更していません。", "Nothing has been changed today."))
        else:
            note(counted(found.counts, visit.language))
            change_table(visit, found.edits)
        more = found.counts.total - len(found.edits)
        words = (f"ほか {more:,}件も見る", f"See {more:,} more") if more else ("前の日の変更を見る", "Earlier days")
        ui.link(visit.told(*words), visit.link("/changes"))


PAGE = Page("/", ("今日", "Today"), "today", draw)
