"""What is at work on the first page: runs with their progress, and the buttons that start and end them.

The area is looked at every few seconds; only labels and bars change while the same runs go on, so that whoever uses a
keyboard keeps the place. Not for: finding it out (views/under_way.py), or stopping all pushing (today_push.py).
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

from nicegui import ui
from nicegui.element import Element

from ecauto_pipeline.desk.commands import Command
from ecauto_pipeline.desk.pages.run_end import end_run
from ecauto_pipeline.desk.parts.asking import sure, tell, tell_refused
from ecauto_pipeline.desk.parts.cards import Mood, cannot_know, card, chip
from ecauto_pipeline.desk.parts.text import moment, note, short
from ecauto_pipeline.desk.sync_start import start_sync
from ecauto_pipeline.desk.visit import Unknown, Visit
from ecauto_pipeline.views.run_words import command_words, exit_words, job_words, what_to_look_at
from ecauto_pipeline.views.sync_effect import effect_of_sync, lines
from ecauto_pipeline.views.under_way import UnderWay, runs_under_way, step_words

LOG = logging.getLogger("ecauto_pipeline")
LOOK_EVERY_S = 2.0
MOODS: dict[int, Mood] = {0: "good", 1: "doubtful", 2: "bad", 3: "doubtful", 130: "plain", -2: "plain"}
"""How an ended command looks, by its exit code."""


class Work:
    """The card of what is at work. `after` is awaited when something has ended: the rest of the page is old then."""

    def __init__(self, visit: Visit, after: Callable[[], Awaitable[object]]) -> None:
        self._visit, self._after = visit, after
        self._shown: frozenset[str] | None = None
        self._bars: dict[str, tuple[ui.label, ui.linear_progress]] = {}
        self._area: Element

    def draw(self, runs: tuple[UnderWay, ...] | Unknown) -> None:
        """The card, with what is under way at this moment."""
        visit = self._visit
        ui.link_target("work")
        with card(visit.told("実行", "Runs")):
            with ui.element("div").classes("desk-buttons"):
                now = ui.button(visit.told("今すぐ同期", "Sync now"), icon="sync", on_click=self._sync)
                now.props("no-caps unelevated")
                dry = ui.button(visit.told("試しに実行（送信なし）", "Dry run"), icon="science", on_click=self._dry_run)
                dry.props("no-caps outline")
            self._area = ui.element("div").classes("desk-work")
            self._show(runs)
        ui.timer(LOOK_EVERY_S, self.look, immediate=False)

    async def look(self) -> None:
        """Show how it stands now, and the rest of the page anew where a run has ended."""
        if self._show(await self._visit.read(runs_under_way)):
            await self._after()

    def _show(self, runs: tuple[UnderWay, ...] | Unknown) -> bool:
        """Whether something that was shown has ended."""
        visit = self._visit
        command = next(iter(visit.office.commands.recent("sync")), None)
        shown = _what_is_shown(runs, command)
        if shown == self._shown:
            for run in () if isinstance(runs, Unknown) else runs:
                self._show_progress(run)
            return False
        before, self._shown = self._shown, shown
        self._area.clear()
        self._bars.clear()
        with self._area:
            if isinstance(runs, Unknown):
                cannot_know(visit, runs)
            else:
                self._draw_all(runs, command)
        return any(one not in shown and (one.startswith("run:") or one.endswith(":None")) for one in before or ())

    def _draw_all(self, runs: tuple[UnderWay, ...], command: Command | None) -> None:
        visit = self._visit
        if command is not None and (command.code is not None or not _is_on_record(command, runs)):
            with ui.element("div").classes("desk-at-work"):
                self._draw_command(command)
        for run in runs:
            with ui.element("div").classes("desk-at-work"):
                self._draw_run(run)
        if not runs and (command is None or command.code is not None):
            note(visit.told("今は何も実行していません。", "Nothing is at work now."))

    def _draw_run(self, run: UnderWay) -> None:
        visit = self._visit
        dry = visit.told("（送信なし）", " (dry run)") if run.dry_run else ""
        ui.label(f"{moment(run.started_at)}  {job_words(run.job, visit.language)}{dry}").classes("desk-strong")
        label = ui.label()
        bar = ui.linear_progress(0, show_value=False, size="8px").props("rounded")
        bar.props(f'aria-label="{visit.told("進み具合", "progress")}"')
        self._bars[run.run_id] = label, bar
        self._show_progress(run)
        if run.stop_by:
            chip(visit.told("中止しています", "is being ended"))
            return
        end = ui.button(visit.told("中止", "End"), on_click=lambda: self._end_run(run), color="negative")
        end.props(f'outline dense no-caps aria-label="{visit.told("この実行を中止", "End this run")}"')

    def _show_progress(self, run: UnderWay) -> None:
        if run.run_id in self._bars:
            label, bar = self._bars[run.run_id]
            label.set_text(step_words(run, self._visit.language))
            bar.set_visibility(bool(run.total))
            bar.set_value((run.done or 0) / run.total if run.total else 0.0)

    def _draw_command(self, command: Command) -> None:
        visit, code = self._visit, command.code
        name = f"{moment(command.started_at)}  {command_words(command.words, visit.language)}"
        ui.label(name).classes("desk-strong")
        if code is None:
            chip(visit.told("実行中", "under way"))  # before its run is on record, and while it closes
            end = ui.button(visit.told("中止", "End"), on_click=lambda: self._end_command(command), color="negative")
            end.props(f'outline dense no-caps aria-label="{visit.told("この処理を中止", "End this command")}"')
            return
        chip(exit_words(code, visit.language), MOODS.get(code, "bad"))
        document = command.document()
        told = document if isinstance(document, dict) else {}
        if told.get("run_id"):
            ui.link(visit.told("この実行を見る", "See the run"), visit.link(f"/runs/{told['run_id']}"))
        if code not in (0, 130, -2):
            note(short(what_to_look_at(told) or command.last_line()))

    async def _sync(self) -> None:
        await self._start(self._visit.told("今すぐ同期しますか", "Sync now?"), self._visit.told("同期する", "Sync"))

    async def _dry_run(self) -> None:
        question = self._visit.told("試しに実行しますか", "Start a dry run?")
        await self._start(question, self._visit.told("試す", "Start it"), "--dry-run")

    async def _start(self, question: str, yes: str, *options: str) -> None:
        visit = self._visit
        effect = await visit.read(effect_of_sync)
        if isinstance(effect, Unknown):
            tell_refused(visit, effect)
            return
        if not await sure(visit, question, lines(effect, visit.language, dry_run="--dry-run" in options), yes):
            return
        who, commands = visit.office.who, visit.office.commands
        started = await visit.do(lambda tools: start_sync(commands, tools, who, *options))
        if isinstance(started, Unknown):
            tell_refused(visit, started)
        else:
            tell(visit, "開始しました。進み具合は下に出ます", "It has begun; how far it has come stands below", "info")
        await self.look()

    async def _end_run(self, run: UnderWay) -> None:
        if await end_run(self._visit, run.run_id, run.job):
            await self.look()

    async def _end_command(self, command: Command) -> None:
        LOG.info("desk: %s ends %s", self._visit.office.who, " ".join(command.words))
        command.interrupt()
        await self.look()


def _is_on_record(command: Command, runs: tuple[UnderWay, ...]) -> bool:
    """Whether one of these runs is the command's."""
    return any(run.started_at >= command.started_at for run in runs)


def _what_is_shown(runs: tuple[UnderWay, ...] | Unknown, command: Command | None) -> frozenset[str]:
    """Names all that has to be drawn anew when it changes; counts are not among it."""
    of_command = set() if command is None else {f"command:{command.name}:{command.code}"}
    if isinstance(runs, Unknown):
        return frozenset({"unknown", *of_command})
    return frozenset({*of_command, *(f"run:{run.run_id}:{run.stop_by}" for run in runs)})
