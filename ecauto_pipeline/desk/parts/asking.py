"""A question before a click takes effect, with what it will do, and a word about what became of it.

Not for: what is done (the page calls it).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from nicegui import ui

from ecauto_pipeline.desk.visit import Unknown, Visit


async def sure(visit: Visit, question: str, effects: Sequence[str], yes: str, *, danger: bool = False) -> bool:
    """Whether the person means it. `effects`: what follows, a line each; `yes`: what the button says."""
    with ui.dialog().props("persistent") as dialog, ui.card().classes("desk-dialog"):
        ui.label(question).classes("desk-h2").props('role="heading" aria-level="2"')
        with ui.element("ul").classes("desk-effects"):
            for line in effects:
                with ui.element("li"):
                    ui.label(line)
        with ui.row().classes("desk-buttons"):
            stay = ui.button(visit.told("やめる", "Cancel"), on_click=lambda: dialog.submit(False))
            stay.props("flat no-caps autofocus")
            colour = "negative" if danger else "primary"
            ui.button(yes, on_click=lambda: dialog.submit(True), color=colour).props("no-caps unelevated")
    answer = await dialog
    dialog.delete()
    return bool(answer)


def tell(visit: Visit, ja: str, en: str, kind: Literal["positive", "negative", "warning", "info"] = "positive") -> None:
    """What became of it, for some seconds; screen readers say it too."""
    ui.notify(visit.told(ja, en), type=kind, position="top", multi_line=True, timeout=6000, close_button="OK")


def tell_refused(visit: Visit, unknown: Unknown) -> None:
    """It was not done, and why."""
    tell(visit, unknown.ja, unknown.en, "negative")
