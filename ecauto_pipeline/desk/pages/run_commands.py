"""The commands that this desk has started: under way with a way to end them, or ended with what became of them.

Not for: starting them (the pages do) or runs that somebody else started (runs.py).
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime

from nicegui import ui

from ecauto_pipeline.desk.commands import Command
from ecauto_pipeline.desk.parts.cards import Mood, card, chip
from ecauto_pipeline.desk.parts.text import moment, note, short
from ecauto_pipeline.desk.visit import Visit
from ecauto_pipeline.views.run_words import command_words, exit_words, what_to_look_at

LOG = logging.getLogger("ecauto_pipeline")
SHOWN = 5
MOODS: dict[int, Mood] = {0: "good", 1: "doubtful", 2: "bad", 3: "doubtful", 130: "plain", -2: "plain"}


async def draw_commands(visit: Visit) -> bool:
    """The last few of them; whether one is under way."""
    commands = visit.office.commands.recent()[:SHOWN]
    if not commands:
        return False
    with card(visit.told("この画面から始めたもの", "Started here")):
        for command in commands:
            with ui.element("div").classes("desk-command"):
                draw_command(visit, command)
    return any(command.code is None for command in commands)


def draw_command(visit: Visit, command: Command) -> None:
    """One of them: what it is, since when, and how it stands."""
    code = command.code
    ui.label(f"{moment(command.started_at)}  {command_words(command.words, visit.language)}")
    if code is None:
        seconds = round((datetime.now(UTC) - command.started_at).total_seconds())
        chip(visit.told(f"実行中（{seconds}秒）", f"under way ({seconds} s)"), "plain")
        end = ui.button(visit.told("中止", "End"), on_click=lambda: _end(visit, command), color="negative")
        end.props("outline dense no-caps")
        end.props(f'aria-label="{visit.told("この処理を中止", "End this command")}"')
        return
    chip(exit_words(code, visit.language), MOODS.get(code, "bad"))
    document = command.document()
    run_id = document.get("run_id") if isinstance(document, dict) else None
    if isinstance(run_id, str) and run_id:
        ui.link(visit.told("この実行を見る", "See the run"), visit.link(f"/runs/{run_id}"))
    if code not in (0, 130, -2):
        note(short(what_to_look_at(document) or command.last_line()))


def _end(visit: Visit, command: Command) -> None:
    LOG.info("desk: %s ends %s", visit.office.who, " ".join(command.words))
    command.interrupt()
