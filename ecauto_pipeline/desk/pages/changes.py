"""変更 / Changes: all that was changed at the shops on one day, a page at a time; today's first twenty stand on 今日.

Not for: finding it out (views/changes.py).
"""

from __future__ import annotations

from datetime import date, timedelta

from nicegui import ui

from ecauto_pipeline.desk.page import Page
from ecauto_pipeline.desk.pages.change_rows import change_table
from ecauto_pipeline.desk.parts.cards import cannot_know, card, nothing
from ecauto_pipeline.desk.parts.text import note
from ecauto_pipeline.desk.visit import Unknown, Visit
from ecauto_pipeline.views.changes import KEPT_DAYS, changes_of, counted, today

A_PAGE = 50


async def draw(visit: Visit) -> None:
    day, number = _day(visit.query.get("day", "")), _number(visit.query.get("page", ""))
    newest = await visit.read(today)
    found = await visit.read(lambda tools: changes_of(tools, day, limit=A_PAGE, offset=(number - 1) * A_PAGE))
    if isinstance(newest, Unknown) or isinstance(found, Unknown):
        cannot_know(visit, next(one for one in (newest, found) if isinstance(one, Unknown)))
        return
    with card(f"{found.day:%Y-%m-%d}"):
        note(counted(found.counts, visit.language))
        if found.edits:
            change_table(visit, found.edits)
        else:
            nothing(visit.told("この日の変更はありません。", "Nothing was changed on this day."))
        with ui.element("nav").classes("desk-buttons").props(f'aria-label="{visit.told("ページ", "Pages")}"'):
            shown = found.day.isoformat()
            if number > 1:
                ui.link(visit.told("前の50件", "Newer 50"), visit.link("/changes", day=shown, page=number - 1))
            if found.counts.total > number * A_PAGE:
                ui.link(visit.told("次の50件", "Next 50"), visit.link("/changes", day=shown, page=number + 1))
            if found.day > newest - timedelta(days=KEPT_DAYS):
                before = found.day - timedelta(days=1)
                ui.link(visit.told(f"前日（{before:%m-%d}）", f"The day before ({before:%m-%d})"), _of(visit, before))
            if found.day < newest:
                after = found.day + timedelta(days=1)
                ui.link(visit.told(f"翌日（{after:%m-%d}）", f"The day after ({after:%m-%d})"), _of(visit, after))


def _of(visit: Visit, day: date) -> str:
    return visit.link("/changes", day=day.isoformat())


def _day(text: str) -> date | None:
    """The day that an address asks for; None = today, also for what is no day."""
    try:
        return date.fromisoformat(text) if 2000 < date.fromisoformat(text).year < 9000 else None
    except ValueError:
        return None


def _number(text: str) -> int:
    """Which page, from 1 on."""
    return int(text) if text.isascii() and text.isdigit() and 0 < int(text[:6]) and len(text) < 7 else 1


PAGE = Page("/changes", ("変更", "Changes"), "", draw)
