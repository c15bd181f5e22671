"""今日 / Today: whether somebody has to do something, and what; how fresh everything is.

Not for: finding it out (views/).
"""

from __future__ import annotations

from typing import Any

from nicegui import ui

from ecauto_pipeline.desk.page import Page
from ecauto_pipeline.desk.parts.cards import banner, cannot_know, card, figure
from ecauto_pipeline.desk.parts.text import count
from ecauto_pipeline.desk.visit import Unknown, Visit
from ecauto_pipeline.views.status import gather


async def draw(visit: Visit) -> None:
    status = await visit.read(gather)
    if isinstance(status, Unknown):
        cannot_know(visit, status)
        return
    _health(visit, status)
    _freshness(visit, status)


def _health(visit: Visit, status: dict[str, Any]) -> None:
    health = status["health"]
    banner(health["line"], "good" if health["ok"] else "bad" if health["troubles"] else "doubtful")


def _freshness(visit: Visit, status: dict[str, Any]) -> None:
    fresh = status["freshness"]
    with card(visit.told("鮮度", "Freshness")), ui.element("div").classes("desk-figures"):
        figure(visit.told("全ASIN数", "all ASINs"), count(fresh["total_asins"]))
        figure(visit.told("新しい", "fresh"), count(fresh["fresh"]))
        figure(visit.told("更新が必要", "to be asked"), count(fresh["due"]))
        figure(visit.told("確認待ち", "wait for a person"), count(status["held_open"]))


PAGE = Page("/", ("今日", "Today"), "today", draw)
