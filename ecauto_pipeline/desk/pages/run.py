"""One run: what came of it, every edit that it sent, and its undoing.

Not for: the list of runs (runs.py) or the undoing itself (run_undo.py).
"""

from __future__ import annotations

from dataclasses import dataclass

from nicegui import ui

from ecauto_pipeline.desk.page import Page
from ecauto_pipeline.desk.pages.run_undo import draw_undoing
from ecauto_pipeline.desk.pages.runs import LOOK_AGAIN_S, stop_button
from ecauto_pipeline.desk.parts.cards import Mood, banner, cannot_know, card, chip, figure, nothing
from ecauto_pipeline.desk.parts.pictures import picture
from ecauto_pipeline.desk.parts.tables import Cell, Column, table
from ecauto_pipeline.desk.parts.text import count, heading, moment, note, short
from ecauto_pipeline.desk.visit import Unknown, Visit
from ecauto_pipeline.domain.words import OUTCOMES, worded
from ecauto_pipeline.sync.context import Tools
from ecauto_pipeline.sync.run_record import as_record
from ecauto_pipeline.views.run_edits import (
    A_PAGE,
    EditsPage,
    RunEdit,
    change,
    edits_of,
    older_edits_of,
    why_words,
)
from ecauto_pipeline.views.run_figures import MOST_REASONS, SET_ASIDE
from ecauto_pipeline.views.run_lines import headline, mood, took, what_it_did
from ecauto_pipeline.views.run_words import ENDS, plain_reason
from ecauto_pipeline.views.runs import RunLine, line_of, past_run, run_row

OUTCOME_MOODS: dict[str, Mood] = {"done": "good", "failed": "bad", "dry_run": "plain"}


@dataclass(frozen=True, slots=True)
class _Found:
    """The run as a line; `reasons`: why rows were left alone, with their number, the commonest first, None = no longer
    known; `kept`: state.db has it."""

    line: RunLine
    reasons: tuple[tuple[str, int], ...] | None
    kept: bool


async def draw(visit: Visit) -> None:
    ui.link(visit.told("← 実行の一覧", "← All runs"), visit.link("/runs")).classes("desk-back")
    found = await visit.read(lambda tools: _find(tools, visit.named))
    if isinstance(found, Unknown):
        cannot_know(visit, found)
        return
    _result(visit, found)
    page = _page_number(visit)
    run_id, offset = found.line.run_id, (page - 1) * A_PAGE
    reader = edits_of if found.kept else older_edits_of
    edits = await visit.read(lambda tools: reader(tools, run_id, offset=offset))
    if isinstance(edits, Unknown):
        cannot_know(visit, edits)
        return
    done = edits.by_outcome.get("done", 0)
    if found.kept and done and found.line.end != "running":
        await draw_undoing(visit, found.line)
    _edits(visit, found.line, edits, page)


def _find(tools: Tools, named: str) -> _Found:
    row = run_row(tools, named)
    if row is None:
        return _Found(past_run(tools, named), None, kept=False)
    counts = [(key, number) for key, number in as_record(row).reasons.items() if key.startswith(SET_ASIDE)]
    return _Found(line_of(tools, row), tuple(sorted(counts, key=lambda one: -one[1])), kept=True)


def _page_number(visit: Visit) -> int:
    text = visit.query.get("page", "1")
    return max(1, int(text)) if text.isascii() and text.isdigit() and len(text) < 7 else 1


def _result(visit: Visit, found: _Found) -> None:
    line = found.line
    end = ENDS[line.end][visit.language == "en"]
    banner(f"{headline(line, visit.language, end=False)}  {moment(line.started_at)}  {end}", mood(line))
    with card(visit.told("結果", "Result")):
        ui.label(what_it_did(line, visit.language)).classes("desk-run-said")
        with ui.element("div").classes("desk-figures"):
            for label, value in _figures(visit, line):
                figure(label, value)
        if found.reasons:
            heading(visit.told("変更しなかった理由", "Why rows were left alone"), level=3)
            with ui.element("ul").classes("desk-effects"):
                for reason, number in found.reasons[:MOST_REASONS]:
                    with ui.element("li"):
                        unit = visit.told("件", "")
                        ui.label(f"{plain_reason(reason, visit.language)}: {count(number)}{unit}")
        with ui.element("div").classes("desk-buttons"):
            address = f"{visit.settings.alerts.ui_url.rstrip('/')}/runs/{line.run_id}"
            link = ui.link(visit.told("Dagsterで見る（別画面）", "See it in Dagster (new tab)"), address, new_tab=True)
            link.props('rel="noopener noreferrer"')
            if line.held:
                ui.link(visit.told("確認待ちを見る", "See what waits"), visit.link("/holds"))
            if line.end == "running":
                stop_button(visit, line, lambda: ui.navigate.reload())
                ui.timer(LOOK_AGAIN_S, lambda: _reload_when_over(visit, line.run_id))
        note(f"{visit.told('実行ID', 'run id')}: {line.run_id}")


async def _reload_when_over(visit: Visit, run_id: str) -> None:
    row = await visit.read(lambda tools: run_row(tools, run_id))
    if not isinstance(row, Unknown) and (row is None or row.ended_at is not None):
        ui.navigate.reload()


def _figures(visit: Visit, line: RunLine) -> list[tuple[str, str]]:
    """Names and values; what was not measured is said to be so."""
    unmeasured = visit.told("測定なし", "not measured")
    planned = visit.told("変更の予定", "would change") if line.dry_run else visit.told("変更", "changed")
    known = [
        *([(visit.told("Amazonに確認", "asked about"), line.asked)] if line.asks else []),
        *([(visit.told("回答なし", "no answer"), line.silent)] if line.asks else []),
        *([(planned, line.changed)] if line.sends else []),
        *([(visit.told("確認待ち", "held"), line.held)] if line.sends else []),
        *([(visit.told("失敗", "failed"), line.failed)] if line.sends else []),
        *([(visit.told("次の実行に残る", "left for the next"), line.left_over)] if line.left_over else []),
    ]
    figures = [(label, unmeasured if number is None else count(number)) for label, number in known]
    spent = took(line, visit.language)
    return figures + ([(visit.told("所要時間", "took"), spent)] if spent else [])


def _edits(visit: Visit, line: RunLine, edits: EditsPage, page: int) -> None:
    planned = visit.told("送る予定の変更", "Edits it would have made") if line.dry_run else ""
    title = planned or visit.told("送った変更", "Edits")
    with card(f"{title} {count(edits.total)}" + visit.told("件", "")):
        if not edits.edits:
            nothing(visit.told("この実行は何も変更していません。", "This run changed nothing."))
        else:
            columns = (
                Column(visit.told("商品", "item"), wide=True),
                Column(visit.told("変更", "change")),
                Column(visit.told("結果", "outcome")),
                Column(visit.told("理由", "why")),
            )
            table(columns, [_edit(visit, edit) for edit in edits.edits], label=title)
        with ui.element("nav").classes("desk-buttons").props(f'aria-label="{visit.told("ページ", "Pages")}"'):
            here = f"/runs/{line.run_id}"
            if page > 1:
                ui.link(visit.told("前の100件", "Previous 100"), visit.link(here, page=page - 1))
            if page * A_PAGE < edits.total:
                ui.link(visit.told("次の100件", "Next 100"), visit.link(here, page=page + 1))


def _edit(visit: Visit, edit: RunEdit) -> list[Cell]:
    def item() -> None:
        with ui.element("div").classes("desk-goods"):
            picture(visit, edit.asin, edit.title, size=40)
            with ui.element("div"):
                title = short(edit.title, 80) or edit.asin or edit.key.item_id
                ui.link(title, visit.link(f"/items/{edit.key.item_id}"))
                note(edit.key.account_id)

    def outcome() -> None:
        chip(worded(OUTCOMES, edit.outcome, visit.language), OUTCOME_MOODS.get(edit.outcome, "doubtful"))
        if edit.error:
            note(short(plain_reason(edit.error, visit.language), 120))

    return [item, change(edit, visit.language), outcome, short(why_words(edit, visit.language), 120)]


PAGE = Page("/runs/{named}", ("実行", "Run"), "", draw)
