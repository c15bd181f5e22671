"""The first page's first line, and what there is to do, in order: each with where it is done and its command.

Not for: what counts as trouble (doctor/health.py).
"""

from __future__ import annotations

from typing import Any

from nicegui import ui

from ecauto_pipeline.desk.parts.cards import banner, card
from ecauto_pipeline.desk.parts.text import short
from ecauto_pipeline.desk.visit import Visit

_HERE = {"stopped": "push"}
"""Where on this page something is done, by its code; everything else that is done here is a run."""


def draw_to_do(visit: Visit, status: dict[str, Any]) -> None:
    """正常 or 要対応, then every trouble and everything that could not be looked at."""
    health = status["health"]
    troubles, unknown = health["troubles"], health["unknown"]
    if not troubles:
        banner(health["line"], "good" if health["ok"] else "doubtful")
    else:
        number = len(troubles)
        banner(visit.told(f"要対応: {number}件あります", f"Needs attention: {number} to do"), "bad")
    if not troubles and not unknown:
        return
    with card(visit.told("すること（上から順に）", "What to do, in this order")), ui.element("ol").classes("desk-todo"):
        for one in troubles:
            _draw(visit, one, "")
        for one in unknown:
            _draw(visit, one, visit.told("不明: ", "unknown: "))


def _draw(visit: Visit, one: dict[str, str], mark: str) -> None:
    with ui.element("li"):
        ui.label(mark + short(one["said"], 500))
        with ui.element("div").classes("desk-buttons"):
            where = _where(visit, one)
            if where is not None:
                words, target = where
                ui.link(words, target)
            ui.label(one["next"]).classes("desk-code")


def _where(visit: Visit, one: dict[str, str]) -> tuple[str, str] | None:
    """(words, address) of the page on which it is done; None where there is none."""
    from ecauto_pipeline.desk.pages import PAGES  # it is made of all of them, this one among them

    path, _, asked = one["desk"].partition("?")
    page = next((page for page in PAGES if page.path == path), None)
    if page is None:
        return None
    if path == "/":
        return visit.told("この画面で対応する", "Do it on this page"), f"#{_HERE.get(one['code'], 'work')}"
    name = visit.told(*page.title)
    return visit.told(f"「{name}」を開く", f"Open {name}"), visit.link(path) + (f"?{asked}" if asked else "")
