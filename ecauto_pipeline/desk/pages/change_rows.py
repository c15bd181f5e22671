"""Edits as rows of a table: when, which item, from what to what, why. Not for: which ones (views/changes.py)."""

from __future__ import annotations

from collections.abc import Sequence

from nicegui import ui

from ecauto_pipeline.clock import jst
from ecauto_pipeline.desk.parts.pictures import picture
from ecauto_pipeline.desk.parts.tables import Cell, Column, table
from ecauto_pipeline.desk.parts.text import short
from ecauto_pipeline.desk.visit import Visit
from ecauto_pipeline.views.run_edits import RunEdit, change, why_words
from ecauto_pipeline.views.run_words import plain_reason

MOST_TITLE = 90


def change_table(visit: Visit, edits: Sequence[RunEdit]) -> None:
    """One row an edit, in the order given."""
    columns = (
        Column(visit.told("時刻", "time")),
        Column(visit.told("商品", "item"), wide=True),
        Column(visit.told("変更", "change")),
        Column(visit.told("理由", "why"), wide=True),
        Column(visit.told("ショップ", "shop")),
    )
    table(columns, [_row(visit, edit) for edit in edits], label=visit.told("変更の一覧", "Changes"))


def _row(visit: Visit, edit: RunEdit) -> list[Cell]:
    title = short(edit.title, MOST_TITLE) or edit.asin or edit.key.item_id

    def item() -> None:
        with ui.element("div").classes("desk-item"):
            picture(visit, edit.asin, title, 40)
            ui.link(title, visit.link(f"/items/{edit.key.item_id}"))

    why = plain_reason(edit.why, visit.language) if edit.why else why_words(edit, visit.language)
    return [
        lambda: ui.label(f"{jst(edit.at):%H:%M}").classes("desk-nowrap"),
        item,
        lambda: ui.label(change(edit, visit.language)).classes("desk-nowrap"),
        short(why),
        lambda: ui.label(edit.key.account_id).classes("desk-nowrap"),
    ]
