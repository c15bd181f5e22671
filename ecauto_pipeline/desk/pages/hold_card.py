"""One held change as a card: picture, title, what would change, why it waits, and whoever acts draws the buttons.

Not for: its words (hold_words.py) or what a click does (hold_acts.py).
"""

from __future__ import annotations

from collections.abc import Callable

from nicegui import ui
from nicegui.element import Element

from ecauto_pipeline.desk.pages.hold_words import (
    change_words,
    facts,
    meanwhile,
    reason_words,
    share_words,
    source_line,
    word_line,
)
from ecauto_pipeline.desk.parts.cards import chip
from ecauto_pipeline.desk.parts.pictures import picture
from ecauto_pipeline.desk.parts.text import UNKNOWN, ago, note, short
from ecauto_pipeline.desk.visit import Visit
from ecauto_pipeline.views.holds import HeldRow
from ecauto_pipeline.views.item_titles import without_title

LONGEST_TITLE = 90
_SAID_ELSEWHERE = (
    *("believed", "doubted", "second", "reason"),
    *(f"{word}_{what}" for word in ("approved", "rejected") for what in ("by", "at")),
)


def title_of(visit: Visit, row: HeldRow) -> str:
    """What people call it, cut."""
    return short(row.title, LONGEST_TITLE) or without_title(row.title, visit.language)


def draw_card(
    visit: Visit,
    row: HeldRow,
    buttons: Callable[[], object],
    *,
    tick: Callable[[], object] | None = None,
) -> None:
    """`buttons` draws what can be done; `tick` the box that chooses it. Few elements: fifty stand on a page."""
    hold, title = row.hold, title_of(visit, row)
    with ui.element("article").classes("desk-card desk-hold") as made:
        made._props["aria-label"] = title
        with ui.element("div").classes("desk-hold-head"):
            if tick is not None:
                tick()
            picture(visit, hold.asin, title, 56)
            with ui.element("div").classes("desk-hold-name"):
                ui.link(title, visit.link(f"/items/{hold.key.item_id}")).classes("desk-hold-title")
                age = ago(hold.age.total_seconds(), visit.language)
                note(f"{row.shop} · {visit.told('商品', 'item')} {hold.key.item_id} · {hold.asin} · {age}")
        share = share_words(row)
        ui.label(change_words(visit, row) + (f" ({share})" if share else "")).classes("desk-hold-figures")
        cause = f" ({reason_words(visit, row.cause)})" if row.cause else ""
        ui.label(reason_words(visit, hold.reason) + cause).classes("desk-hold-reason")
        with ui.element("ul").classes("desk-facts"):
            for name, value, loss in facts(visit, row):
                _line(f"{name}: {value}").classes("desk-loss" if loss else "")
            for source in row.sources:
                _line(source_line(visit, source))
            if row.before is not None:
                _line(visit.told("前回: ", "before: ") + word_line(visit, row.before))
        chip(meanwhile(visit, row), "plain" if row.on_sale is False else "doubtful")
        buttons()


def amazon_link(visit: Visit, row: HeldRow) -> None:
    """To the goods at Amazon, in a tab of its own."""
    made = ui.link(visit.told("Amazonで見る", "Open at Amazon"), row.amazon, new_tab=True)
    made.props('rel="noopener noreferrer"')


def _line(text: str) -> Element:
    made = ui.label(text)
    made.tag = "li"
    return made


def evidence_lines(row: HeldRow) -> list[tuple[str, str]]:
    """The figures that it was held on, by the names in which they are kept."""
    known = {name: value for name, value in row.hold.evidence.items() if name not in _SAID_ELSEWHERE}
    return [(name, short(str(value)) or UNKNOWN) for name, value in known.items()]
