"""Tables that are cards on a phone: plain rows, server-side search, sort and pages.

`table` draws given rows. `Pages` keeps which page, sort and search a visitor looks at and draws the controls; whoever
uses it asks for that page's rows alone. Not for: what is in the rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from nicegui import ui
from nicegui.element import Element

Cell = str | Callable[[], object]
"""Text, or whoever draws into the cell."""


@dataclass(frozen=True, slots=True)
class Column:
    """`number`: set to the right. `wide`: on a phone the cell takes the whole row. `sort`: key to sort by, "" = not."""

    head: str
    number: bool = False
    wide: bool = False
    sort: str = ""


def table(
    columns: Sequence[Column],
    rows: Iterable[Sequence[Cell]],
    *,
    label: str,
    sorted_by: tuple[str, bool] = ("", False),
    on_sort: Callable[[str], object] | None = None,
) -> Element:
    """Rows under their heads. `label`: what a screen reader calls it; `sorted_by`: (key, descending)."""
    with ui.element("div").classes("desk-table-box").props('tabindex="0" role="region"') as box:
        box._props["aria-label"] = label
        with ui.element("table").classes("desk-table"):
            with ui.element("thead"), ui.element("tr"):
                for column in columns:
                    _head(column, sorted_by, on_sort)
            with ui.element("tbody"):
                for row in rows:
                    with ui.element("tr"):
                        for column, cell in zip(columns, row, strict=True):
                            _cell(column, cell)
    return box


def pairs(rows: Iterable[tuple[str, str]]) -> Element:
    """Names, each with what it is; a screen reader reads them together."""
    with ui.element("dl").classes("desk-pairs") as made:
        for name, value in rows:
            with ui.element("dt"):
                ui.label(name)
            with ui.element("dd"):
                ui.label(value)
    return made


def _head(column: Column, sorted_by: tuple[str, bool], on_sort: Callable[[str], object] | None) -> None:
    with ui.element("th").props('scope="col"') as made:
        if column.number:
            made.classes("desk-number")
        if not column.sort or on_sort is None:
            ui.label(column.head)
            return
        key, descending = sorted_by
        if key == column.sort:
            made.props(f'aria-sort="{"descending" if descending else "ascending"}"')
        arrow = "" if key != column.sort else " ▼" if descending else " ▲"
        ui.button(column.head + arrow, color=None, on_click=lambda: on_sort(column.sort)).props("flat dense no-caps")


def _cell(column: Column, cell: Cell) -> None:
    with ui.element("td") as made:
        made._props["data-head"] = column.head
        if column.number:
            made.classes("desk-number")
        if column.wide:
            made.classes("desk-wide")
        if callable(cell):
            cell()
        else:
            ui.label(cell)
