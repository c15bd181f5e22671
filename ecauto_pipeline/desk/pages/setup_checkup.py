"""The doctor's lines on the page of the setup: `ecauto doctor --json`, a process of its own, asked when somebody looks.

What it imports would stay in the desk for good. Whoever looks while one is under way waits for the same one.
Not for: what is examined (doctor/).
"""

from __future__ import annotations

from typing import Any

from nicegui import ui

from ecauto_pipeline.desk.commands import Command
from ecauto_pipeline.desk.parts.cards import Mood, banner, cannot_know, chip
from ecauto_pipeline.desk.parts.tables import Cell, Column, table
from ecauto_pipeline.desk.parts.text import short
from ecauto_pipeline.desk.visit import Unknown, Visit

LOOK_EVERY_S = 0.3
MARKS: dict[str, tuple[tuple[str, str], Mood]] = {
    "ok": (("良好", "fine"), "good"),
    "warn": (("注意", "attention"), "doubtful"),
    "bad": (("問題", "trouble"), "bad"),
    "unknown": (("不明", "unknown"), "doubtful"),
}


class Checkup:
    """One visitor's. Nothing is started for a page that no browser has opened."""

    def __init__(self, visit: Visit) -> None:
        self._visit = visit
        self._command: Command | None = None

    def draw(self) -> None:
        """The lines as soon as they are there; asked for again by a button."""
        self._body = ui.element("div").props('aria-live="polite"')
        again = ui.button(self._visit.told("もう一度調べる", "Examine again"), on_click=self._examine)
        again.props("outline no-caps")
        self._wait()
        ui.timer(0.05, self._examine, once=True)  # when a browser has the page
        ui.timer(LOOK_EVERY_S, self._look)

    def _examine(self) -> None:
        commands = self._visit.office.commands
        words = ("doctor", "--language", self._visit.language, "--json")
        under_way = next((one for one in commands.running("doctor") if one.words == words), None)
        started = under_way or self._visit.start(*words)
        if isinstance(started, Unknown):
            self._body.clear()
            with self._body:
                cannot_know(self._visit, started)
            return
        self._command = started
        self._wait()

    def _look(self) -> None:
        command = self._command
        if command is None or command.code is None:
            return
        self._command = None
        self._body.clear()
        with self._body:
            self._tell(command)

    def _wait(self) -> None:
        self._body.clear()
        with self._body, ui.element("div").classes("desk-buttons").props('role="status"'):
            ui.spinner(size="sm").props('aria-hidden="true"')
            ui.label(self._visit.told("調べています…", "examining ..."))

    def _tell(self, command: Command) -> None:
        visit, found = self._visit, command.document()
        if not isinstance(found, list):
            failed = visit.told("調べられませんでした", "it could not be examined")
            banner(short(command.last_line()) or failed, "bad")
            return
        table(
            (
                Column(visit.told("項目", "what")),
                Column(visit.told("状態", "state")),
                Column(visit.told("今の状態", "as it is"), wide=True),
                Column(visit.told("すること", "to do"), wide=True),
            ),
            [self._line(one) for one in found],
            label=visit.told("診断", "checkup"),
        )

    def _line(self, one: dict[str, Any]) -> tuple[Cell, ...]:
        words, mood = MARKS[one["state"]]
        return one["name"], lambda: chip(self._visit.told(*words), mood), one["what_is"], one["what_to_do"]
