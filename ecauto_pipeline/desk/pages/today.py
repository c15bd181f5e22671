"""今日 / Today: whether somebody has to do something, and what; what is at work; what changed; how things stand.

Not for: finding it out (views/).
"""

from __future__ import annotations

from typing import Any

from nicegui import ui

from ecauto_pipeline.desk.page import Page
from ecauto_pipeline.desk.pages.change_rows import change_table
from ecauto_pipeline.desk.pages.today_push import push_card
from ecauto_pipeline.desk.pages.today_standing import draw_freshness, draw_runs, draw_shops
from ecauto_pipeline.desk.pages.today_to_do import draw_to_do
from ecauto_pipeline.desk.pages.today_work import Work
from ecauto_pipeline.desk.parts.cards import cannot_know, card, nothing
from ecauto_pipeline.desk.parts.text import note
from ecauto_pipeline.desk.visit import Unknown, Visit
from ecauto_pipeline.doctor.dagster_files import dagster_home
from ecauto_pipeline.sync.context import Tools
from ecauto_pipeline.views.changes import changes_of, counted
from ecauto_pipeline.views.runs import kept_runs
from ecauto_pipeline.views.status import gather

MOST_CHANGES = 20


async def draw(visit: Visit) -> None:
    async def read() -> dict[str, Any] | Unknown:
        return await visit.read(look)

    def look(tools: Tools) -> dict[str, Any]:
        return gather(tools, dagster_home(), language=visit.language)

    @ui.refreshable
    async def to_do(status: dict[str, Any] | Unknown) -> None:
        if isinstance(status, Unknown):
            cannot_know(visit, status)
        else:
            draw_to_do(visit, status)

    @ui.refreshable
    async def standing(status: dict[str, Any] | Unknown) -> None:
        await _last_runs(visit, status)
        await _changes(visit)
        if not isinstance(status, Unknown):
            draw_shops(visit, status)
            draw_freshness(visit, status)

    async def look_again() -> None:
        status = await read()
        await to_do.refresh(status)
        await standing.refresh(status)

    status = await read()
    await to_do(status)
    await Work(visit, look_again).draw()
    await push_card(visit)
    await standing(status)


async def _last_runs(visit: Visit, status: dict[str, Any] | Unknown) -> None:
    last = await visit.read(lambda tools: kept_runs(tools, limit=5).lines)
    with card(visit.told("前回と次回", "Last and next run")):
        if isinstance(last, Unknown):
            cannot_know(visit, last)
        else:
            draw_runs(visit, next((one for one in last if one.end != "running"), None), status)


async def _changes(visit: Visit) -> None:
    found = await visit.read(lambda tools: changes_of(tools, limit=MOST_CHANGES))
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
