"""Cards: a titled piece of a page, what can't be known, what is empty, a line that calls for somebody.

Not for: tables (tables.py) or what a click does (asking.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from nicegui import ui
from nicegui.element import Element

from ecauto_pipeline.desk.parts.text import heading
from ecauto_pipeline.desk.visit import Unknown, Visit

Mood = Literal["good", "bad", "doubtful", "plain"]
ICONS: dict[Mood, str] = {"good": "check_circle", "bad": "error", "doubtful": "help", "plain": "info"}


@contextmanager
def card(title: str = "") -> Iterator[Element]:
    """A piece of a page with its heading."""
    with ui.element("section").classes("desk-card") as made:
        if title:
            made.props(f'aria-label="{_attribute(title)}"')
            heading(title)
        yield made


def banner(text: str, mood: Mood) -> Element:
    """One line that everybody sees first; told by its icon and words, not by its colour alone."""
    with ui.element("div").classes(f"desk-banner desk-{mood}").props('role="status"') as made:
        ui.icon(ICONS[mood]).props('aria-hidden="true"')
        ui.label(text).classes("desk-banner-text")
    return made


def chip(text: str, mood: Mood = "plain") -> Element:
    """A word or two about one row."""
    return ui.label(text).classes(f"desk-chip desk-{mood}")


def cannot_know(visit: Visit, unknown: Unknown) -> Element:
    """In place of what could not be read."""
    why = visit.told(unknown.ja, unknown.en)
    return banner(visit.told(f"今はわかりません: {why}", f"can't be known now: {why}"), "doubtful")


def nothing(text: str) -> Element:
    """In place of an empty list: why it is empty."""
    return ui.label(text).classes("desk-nothing")


def figure(label: str, value: str, href: str = "") -> Element:
    """A number with its name; a link where there is more to see."""
    with ui.link(target=href).classes("desk-figure") if href else ui.element("div").classes("desk-figure") as made:
        ui.label(value).classes("desk-figure-value")
        ui.label(label).classes("desk-figure-label")
    return made


def _attribute(text: str) -> str:
    return text.replace('"', "'")
