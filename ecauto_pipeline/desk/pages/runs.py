"""実行 / Runs: what each run did, newest first, 50 a page; those under way can be ended.

Not for: one run (run.py), undoing it (run_undo.py) or the line of words (views/run_lines.py).
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime

from nicegui import ui

from ecauto_pipeline.clock import from_ms, to_ms
from ecauto_pipeline.desk.page import Page
from ecauto_pipeline.desk.pages.run_commands import draw_commands
from ecauto_pipeline.desk.pages.run_end import end_run
from ecauto_pipeline.desk.parts.cards import cannot_know, card, chip, nothing
from ecauto_pipeline.desk.parts.tables import Cell, Column, table
from ecauto_pipeline.desk.parts.text import moment, short
from ecauto_pipeline.desk.visit import Unknown, Visit
from ecauto_pipeline.views.run_lines import headline, mood, took, what_it_did
from ecauto_pipeline.views.run_words import ENDS, JOBS, job_words
from ecauto_pipeline.views.runs import ONLY, Only, RunLine, RunsPage, kept_runs, older_runs

LOG = logging.getLogger("ecauto_pipeline")
LOOK_AGAIN_S = 5.0
"""While something is under way the list is drawn anew."""
_ONLY = {
    "": ("すべて", "all"),
    "changed": ("変更したもの", "changed something"),
    "failed": ("失敗のあるもの", "failed"),
}


async def draw(visit: Visit) -> None:
    _choice(visit)
    shown = _List(visit)
    await shown.draw()
    ui.timer(LOOK_AGAIN_S, shown.look_again)


class _List:
    """What is under way and what was, drawn again while something goes on."""

    def __init__(self, visit: Visit) -> None:
        self._visit = visit
        self._goes_on = False

    @ui.refreshable_method
    async def draw(self) -> None:
        visit = self._visit
        job, only = chosen(visit)
        before = cursor_of(visit.query.get("before", ""))
        past = visit.query.get("kept") == "history"
        if past:
            until = before[0] if before is not None else datetime.now(UTC)
            page = await visit.read(lambda tools: older_runs(tools, until, job=job, only=only))
        else:
            page = await visit.read(lambda tools: kept_runs(tools, job=job, only=only, before=before))
        commands_go_on = await draw_commands(visit) if before is None and not past else False
        if isinstance(page, Unknown):
            cannot_know(visit, page)
            self._goes_on = True  # it may be known soon
            return
        self._goes_on = commands_go_on or any(line.end == "running" for line in page.lines)
        with card():
            _table(visit, page, self.draw.refresh)
            _further(visit, page, past, before is not None)

    async def look_again(self) -> None:
        if self._goes_on:
            await self.draw.refresh()


def chosen(visit: Visit) -> tuple[str, Only]:
    """The job and the kind of runs that an address asks for; what it can't mean is left out."""
    job = visit.query.get("job", "")
    only = next((one for one in ONLY if one == visit.query.get("only")), ONLY[0])
    return (job if job in JOBS else ""), only


def cursor_of(text: str) -> tuple[datetime, str] | None:
    """Behind which run the page goes on, as its address says it: "MILLISECONDS.RUN_ID"."""
    stamp, _, run_id = text.partition(".")
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) < 15):
        return None
    return from_ms(int(stamp)), run_id


def _choice(visit: Visit) -> None:
    job, only = chosen(visit)
    jobs = {"": visit.told("すべての実行", "all jobs")} | {name: job_words(name, visit.language) for name in JOBS}
    with ui.element("nav").classes("desk-choice").props(f'aria-label="{visit.told("絞り込み", "Filter")}"'):
        for name, words in _ONLY.items():
            link = ui.link(visit.told(*words), visit.link("/runs", job=job, only=name)).classes("desk-choice-link")
            if name == only:
                link.classes("desk-chosen").props('aria-current="true"')
        select = ui.select(
            jobs,
            value=job,
            label=visit.told("実行の種類", "job"),
            on_change=lambda event: ui.navigate.to(visit.link("/runs", job=event.value, only=only)),
        )
        select.props("dense outlined options-dense").classes("desk-choice-select")


def _table(visit: Visit, page: RunsPage, refresh: Callable[[], object]) -> None:
    if not page.lines:
        nothing(visit.told("このような実行の記録はありません。", "No such run is on record."))
        return
    columns = (
        Column(visit.told("開始", "began")),
        Column(visit.told("実行", "run")),
        Column(visit.told("結果", "end")),
        Column(visit.told("所要", "took"), number=True),
        Column(visit.told("内容", "what it did"), wide=True),
    )
    rows = [_row(visit, line, refresh) for line in page.lines]
    table(columns, rows, label=visit.told("実行の一覧", "Runs"))


def _row(visit: Visit, line: RunLine, refresh: Callable[[], object]) -> list[Cell]:
    def end() -> None:
        chip(ENDS[line.end][visit.language == "en"], mood(line))
        if line.end == "running":
            stop_button(visit, line, refresh)

    return [
        lambda: ui.link(moment(line.started_at), visit.link(f"/runs/{line.run_id}")).classes("desk-nowrap"),
        headline(line, visit.language, end=False),
        end,
        took(line, visit.language),
        short(what_it_did(line, visit.language)),
    ]


def stop_button(visit: Visit, line: RunLine, refresh: Callable[[], object]) -> None:
    """Ends this run after a question; `refresh` is called then."""

    async def stop() -> None:
        if await end_run(visit, line.run_id, line.job):
            refresh()

    button = ui.button(visit.told("中止", "End"), on_click=stop, color="negative").props("outline dense no-caps")
    button.props(f'aria-label="{visit.told("この実行を中止", "End this run")}"')


def _further(visit: Visit, page: RunsPage, past: bool, behind: bool) -> None:
    job, only = chosen(visit)
    with ui.element("nav").classes("desk-buttons").props(f'aria-label="{visit.told("ページ", "Pages")}"'):
        if behind or past:
            ui.link(visit.told("最新に戻る", "Newest"), visit.link("/runs", job=job, only=only))
        if page.more:
            at, name = page.lines[-1].cursor
            kept = "history" if past else ""
            target = visit.link("/runs", job=job, only=only, kept=kept, before=f"{to_ms(at)}.{name}")
            ui.link(visit.told("次の50件", "Next 50"), target)
        elif not past:
            oldest = f"{to_ms(page.lines[-1].started_at)}." if page.lines else ""
            target = visit.link("/runs", job=job, only=only, kept="history", before=oldest)
            ui.link(visit.told("これより前の実行（履歴から）", "Earlier runs (from history)"), target)


PAGE = Page("/runs", ("実行", "Runs"), "history", draw)
