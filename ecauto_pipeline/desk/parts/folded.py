"""A piece of a page that is drawn when somebody opens it, so that what nobody reads costs nothing.

Not for: what is in it.
"""

from __future__ import annotations

from collections.abc import Callable

from nicegui import ui


def folded(title: str, draw: Callable[[], object], icon: str = "") -> ui.expansion:
    """`title` with a mark to open it; `draw` is called within it the first time it is opened."""
    with ui.expansion(title, icon=icon or None).classes("desk-more") as made:
        body = ui.element("div")

    def opened() -> None:
        if made.value and not body.default_slot.children:
            with body:
                draw()

    made.on_value_change(opened)
    return made
