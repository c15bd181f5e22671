"""Undoing a run: what it would put back and what not, then `ecauto rollback`, and what came of it.

Not for: the judgement (sync/people/rollback_preview.py) or sending anything (the command does).
"""

from __future__ import annotations

import logging

from nicegui import ui

from ecauto_pipeline.desk.commands import Command
from ecauto_pipeline.desk.pages.run_commands import draw_command
from ecauto_pipeline.desk.parts.asking import sure, tell, tell_refused
from ecauto_pipeline.desk.parts.cards import banner, cannot_know, card
from ecauto_pipeline.desk.parts.tables import Cell, Column, table
from ecauto_pipeline.desk.parts.text import count, heading, note, short
from ecauto_pipeline.desk.visit import Unknown, Visit
from ecauto_pipeline.sync.people.rollback_preview import UndoRow
from ecauto_pipeline.views.runs import RunLine, sent_by_process
from ecauto_pipeline.views.undoing import NAMED, Undoing, Undone, change, effects, undoing_of, undone_by, why_row

LOG = logging.getLogger("ecauto_pipeline")
LOOK_AGAIN_S = 2.0


async def draw_undoing(visit: Visit, line: RunLine) -> None:
    """The card of one run whose edits are still on record."""
    undo = _Undo(visit, line.run_id)
    with card(visit.told("この実行を元に戻す", "Undo this run")):
        await undo.draw()
    ui.timer(LOOK_AGAIN_S, undo.look_again)


class _Undo:
    """What was asked for of this run's undoing, by this desk: nothing yet, a preview, a command under way or ended."""

    def __init__(self, visit: Visit, run_id: str) -> None:
        self._visit, self._run_id = visit, run_id
        self._looked = False
        self._goes_on = False

    @ui.refreshable_method
    async def draw(self) -> None:
        visit = self._visit
        command = self._command()
        self._goes_on = command is not None and command.code is None
        done = None
        if command is not None:
            with ui.element("div").classes("desk-command").props('role="status"'):
                draw_command(visit, command)
            if command.code is None:
                await self._progress(command)
                return
            done = await self._result(command)
        if self._looked:
            await self._preview()
            return
        if done is not None and command is not None:
            _what_came_of_it(visit, done, dry="--dry-run" in command.words)
        note(
            visit.told(
                "まず、何が戻り何が戻らないかを表示します。ここではまだ何も送りません。",
                "First see what would go back and what not; nothing is sent yet.",
            )
        )
        look = ui.button(visit.told("元に戻すとどうなるか見る", "See what undoing would do"), on_click=self._look)
        look.props("no-caps unelevated")
        if done is not None:
            _not_put_back(visit, done)

    async def look_again(self) -> None:
        if self._goes_on:
            await self.draw.refresh()

    def _command(self) -> Command | None:
        """The last rollback of this run that was started here."""
        return next((one for one in self._visit.office.commands.recent("rollback") if self._run_id in one.words), None)

    async def _look(self) -> None:
        self._looked = True
        await self.draw.refresh()

    async def _preview(self) -> None:
        visit = self._visit
        found = await visit.read(lambda tools: undoing_of(tools, self._run_id))
        if isinstance(found, Unknown):
            cannot_know(visit, found)
            return
        with ui.element("ul").classes("desk-effects"):
            for line in effects(found, visit.language):
                with ui.element("li"):
                    ui.label(line)
        with ui.element("div").classes("desk-buttons desk-apart"):
            if found.preview.count("back") or found.preview.count("hidden") or found.preview.unjudged:
                go = ui.button(visit.told("元に戻す", "Undo it"), on_click=lambda: self._go(found), color="negative")
                go.props("no-caps unelevated")
            rehearse = ui.button(
                visit.told("ショップに聞いて試す（何も送りません）", "Ask the shops first (nothing is sent)")
            )
            rehearse.on_click(lambda: self._start("--dry-run")).props("no-caps outline")
        _rows(visit, found)

    async def _go(self, found: Undoing) -> None:
        visit = self._visit
        question = visit.told("この実行を元に戻しますか", "Undo this run?")
        yes = visit.told("はい、元に戻す", "Yes, undo it")
        if await sure(visit, question, tuple(effects(found, visit.language)), yes, danger=True):
            await self._start()

    async def _start(self, *more: str) -> None:
        under_way = self._visit.office.commands.running("rollback")
        if any(self._run_id in one.words for one in under_way):
            tell(self._visit, "この実行はもう元に戻している途中です", "this run is being undone already", "warning")
            await self.draw.refresh()
            return
        words = ("rollback", self._run_id, *more, "--json")
        LOG.info("desk: %s starts ecauto %s", self._visit.office.who, " ".join(words))
        started = self._visit.start(*words)
        if isinstance(started, Unknown):
            tell_refused(self._visit, started)
            return
        self._looked = False
        await self.draw.refresh()

    async def _progress(self, command: Command) -> None:
        visit = self._visit

        done = await visit.read(lambda tools: sent_by_process(tools, command.process.pid))
        with ui.element("div").props('role="status" aria-live="polite"'):
            if not isinstance(done, int):
                note(visit.told("準備しています…", "getting ready…"))
            elif "--dry-run" in command.words:
                note(visit.told(f"{done:,}件を調べました", f"{done:,} looked at so far"))
            else:
                note(visit.told(f"{done:,}件を送りました", f"{done:,} sent so far"))

    async def _result(self, command: Command) -> Undone | None:
        """What it did; None where it ended before it could say which run it was, or nobody can read it now."""
        document = command.document()
        run_id = document.get("run_id") if isinstance(document, dict) else None
        if not isinstance(run_id, str) or not run_id:
            return None
        done = await self._visit.read(lambda tools: undone_by(tools, run_id))
        if isinstance(done, Unknown):
            cannot_know(self._visit, done)
            return None
        return done


def _what_came_of_it(visit: Visit, done: Undone, *, dry: bool) -> None:
    back, left = count(done.back), len(done.left)
    if dry:
        ja, en = f"{back}件を戻せます（何も送っていません）", f"{back} can go back (nothing was sent)"
    else:
        ja, en = f"{back}件を元に戻しました", f"{back} were put back"
    if left:
        cannot = visit.told("戻せません", "can not") if dry else visit.told("戻していません", "were not")
        ja, en = f"{ja}。{count(left)}件は{cannot}", f"{en}; {count(left)} {cannot}"
    banner(visit.told(ja, en), "doubtful" if left else "good")
    if done.waiting:
        note(
            visit.told(
                f"{count(done.waiting)}件はBASEの呼び出しの残りを待っています。"
                "次の時間にもう一度「元に戻す」を押してください。",
                f"{count(done.waiting)} wait for calls: undo it again in the next hour.",
            )
        )


def _not_put_back(visit: Visit, done: Undone) -> None:
    if not done.left:
        return
    label = visit.told("戻していないもの", "Not put back")
    heading(label, level=3)
    english = visit.language == "en"
    rows: list[list[Cell]] = [
        [_link(visit, item, title), what[english], why[english]] for item, title, what, why in done.left[:NAMED]
    ]
    table(_columns(visit), rows, label=label)
    if len(done.left) > NAMED:
        note(visit.told(f"ほか{count(len(done.left) - NAMED)}件", f"{count(len(done.left) - NAMED)} more"))


def _rows(visit: Visit, found: Undoing) -> None:
    shown = found.preview.rows[:NAMED]
    if not shown:
        return
    label = visit.told("元に戻す対象", "What it is about")
    table(_columns(visit), [_row(visit, found, row) for row in shown], label=label)
    more = len(found.preview.rows) - len(shown)
    if more > 0:
        note(visit.told(f"ほか{count(more)}件", f"{count(more)} more"))


def _row(visit: Visit, found: Undoing, row: UndoRow) -> list[Cell]:
    title = found.titles.get(row.asin) or row.asin
    return [
        _link(visit, row.key.item_id, title),
        change(row, visit.language),
        short(why_row(found, row, visit.language), 120),
    ]


def _columns(visit: Visit) -> tuple[Column, ...]:
    return (
        Column(visit.told("商品", "item"), wide=True),
        Column(visit.told("今 → 戻す値", "now -> before")),
        Column(visit.told("どうなるか", "what becomes of it")),
    )


def _link(visit: Visit, item_id: str, title: str) -> Cell:
    def draw() -> None:
        with ui.element("div"):
            ui.link(short(title, 80) or item_id, visit.link(f"/items/{item_id}"))

    return draw
