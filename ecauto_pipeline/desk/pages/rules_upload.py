"""Another file of rules: chosen, checked, its effect told in numbers, and only then in the place of the owner's.

Checking and saving are the commands `ecauto rules check --effect` and `ecauto rules import`, each a process of its own:
a hundred thousand rules cost the desk nothing. Not for: what is wrong in a file (domain/selling/rules_file.py).
"""

from __future__ import annotations

import logging
import uuid
from pathlib import Path
from typing import Any

from nicegui import events, ui

from ecauto_pipeline.desk.commands import Command
from ecauto_pipeline.desk.gate import MOST_BODY_BYTES
from ecauto_pipeline.desk.parts.asking import sure, tell, tell_refused
from ecauto_pipeline.desk.parts.cards import banner, card
from ecauto_pipeline.desk.parts.tables import Column, table
from ecauto_pipeline.desk.parts.text import count, note, short
from ecauto_pipeline.desk.visit import Unknown, Visit
from ecauto_pipeline.views.rule_words import DAY_0

LOG = logging.getLogger("ecauto_pipeline")
MOST_PROBLEMS = 100
KEPT = 5
LOOK_EVERY_S = 0.3
_PICK = "() => getHtmlElement(%d).querySelector('input[type=file]').click()"
"""Opens the browser's own dialog; the chooser itself is not seen, its buttons have no words."""


def upload_card(visit: Visit) -> None:
    """Choose a file; what comes of it is drawn beneath."""
    with card(visit.told("ファイルを調べて取り込む", "Check a file and take it in")):
        note(
            visit.told(
                "CSV（UTF-8かShift_JIS、32MBまで）を選ぶと、まず調べます。保存するまで何も変わりません。",
                "Choose a CSV (UTF-8 or Shift_JIS, up to 32 MB): it is checked first, nothing changes until you save.",
            )
        )
        upload = _Upload(visit)
        chooser = ui.upload(
            max_file_size=MOST_BODY_BYTES - 64 * 1024,
            max_files=1,
            auto_upload=True,
            on_upload=upload.chosen,
            on_rejected=lambda: tell(visit, "32MBまでのCSVを選んでください", "choose a CSV up to 32 MB", "negative"),
        )
        chooser.props("accept=.csv,text/csv").classes("desk-unseen")
        with ui.element("div").classes("desk-buttons"):
            choose = ui.button(visit.told("CSVファイルを選ぶ", "Choose a CSV file"), icon="upload_file")
            choose.props("no-caps unelevated").on("click", js_handler=_PICK % chooser.id)
            if visit.settings.rules.is_file():
                again = ui.button(
                    visit.told("今の rules.csv を調べる", "Check rules.csv as it is"), on_click=upload.as_it_is
                )
                again.props("no-caps flat")
        upload.body = ui.element("div").props('aria-live="polite"')


class _Upload:
    """One visitor's file while it is looked at."""

    def __init__(self, visit: Visit) -> None:
        self._visit = visit
        self.body: ui.element | None = None

    async def chosen(self, event: events.UploadEventArguments) -> None:
        folder = self._visit.settings.data_dir / "desk" / "uploads"
        path = folder / f"{uuid.uuid4().hex}.csv"
        refused = await self._visit.keep(event.file, path)
        if refused is not None:
            tell_refused(self._visit, refused)
            return
        for old in sorted(folder.glob("*.csv"), key=lambda one: one.stat().st_mtime)[:-KEPT]:
            old.unlink(missing_ok=True)
        self._check(path, short(event.file.name, 80))
        if isinstance(event.sender, ui.upload):
            event.sender.reset()  # so that another file can be chosen

    def as_it_is(self) -> None:
        self._check(self._visit.settings.rules, "rules.csv")

    def _check(self, path: Path, name: str) -> None:
        command = self._visit.start("rules", "check", str(path), "--effect", "--json")
        if isinstance(command, Unknown):
            tell_refused(self._visit, command)
            return
        self._wait(
            command,
            self._visit.told(f"{name} を調べています…", f"checking {name} ..."),
            lambda: self._checked(command, path, name),
        )

    def _wait(self, command: Command, words: str, then: Any) -> None:
        assert self.body is not None
        self.body.clear()
        with self.body:
            with ui.element("div").classes("desk-buttons").props('role="status"'):
                ui.spinner(size="sm").props('aria-hidden="true"')
                ui.label(words)

            def look() -> None:
                if command.code is not None:
                    timer.deactivate()
                    then()

            timer = ui.timer(LOOK_EVERY_S, look)

    def _checked(self, command: Command, path: Path, name: str) -> None:
        visit, found = self._visit, command.document()
        assert self.body is not None
        self.body.clear()
        with self.body:
            if not isinstance(found, dict):
                banner(
                    short(command.last_line()) or visit.told("調べられませんでした", "it could not be checked"), "bad"
                )
            elif found["problems"]:
                self._mistakes(found["problems"], name)
            else:
                self._effect(found, path, name)

    def _mistakes(self, problems: list[dict[str, Any]], name: str) -> None:
        visit = self._visit
        banner(
            visit.told(
                f"{name}: 誤りが{len(problems):,}か所あります。採用できません。",
                f"{name}: {len(problems):,} mistakes; it can't be taken in.",
            ),
            "bad",
        )
        heads = (
            Column(visit.told("行", "line"), number=True),
            Column(visit.told("列", "column")),
            Column(visit.told("誤り", "mistake"), wide=True),
        )
        rows = [
            (str(one["line"]), short(one["column"], 40) or "—", short(one[visit.language]))
            for one in problems[:MOST_PROBLEMS]
        ]
        table(heads, rows, label=visit.told("誤りのある行", "lines with mistakes"))
        if len(problems) > MOST_PROBLEMS:
            note(
                visit.told(f"ほか{len(problems) - MOST_PROBLEMS:,}か所", f"and {len(problems) - MOST_PROBLEMS:,} more")
            )

    def _effect(self, found: dict[str, Any], path: Path, name: str) -> None:
        visit = self._visit
        banner(
            visit.told(
                f"{name}: 規則{found['rules']:,}件が出品{found['listings']:,}件に当たります。誤りはありません。",
                f"{name}: {found['rules']:,} rules select {found['listings']:,} listings; no mistake.",
            ),
            "good",
        )
        if found["selects"] is None:
            note(
                visit.told(
                    "master.dbを読めないため、当たる出品は数えていません。",
                    "master.db can't be read, so nobody was counted.",
                )
            )
        effect = found["effect"]
        heads = (
            Column(visit.told("今すぐ同期したら", "a run right now")),
            Column(visit.told("今の規則", "rules in force"), number=True),
            Column(visit.told("このファイル", "this file"), number=True),
        )
        rows = [
            (visit.told(*words), count(effect["now"][key]), count(effect["what_if"][key]))
            for key, words in DAY_0.items()
        ]
        table(heads, rows, label=visit.told("効果", "effect"))
        for lines, ja, en in (
            (found["idle"], "当たる出品のない行", "lines that select nothing"),
            (found["over"], "期限が過ぎた行", "lines that are over"),
        ):
            if lines:
                named = ", ".join(map(str, lines[:20])) + (" …" if len(lines) > 20 else "")
                note(visit.told(f"{ja} {len(lines):,}: {named}", f"{en} {len(lines):,}: {named}"))
        if path != visit.settings.rules:
            save = ui.button(visit.told("保存して使う", "Save and use it"))
            save.props("no-caps unelevated").on_click(lambda: self._save(found, path))

    async def _save(self, found: dict[str, Any], path: Path) -> None:
        visit, effect = self._visit, found["effect"]["what_if"]
        effects = [visit.told(f"{ja}: {effect[key]:,}件", f"{en}: {effect[key]:,}") for key, (ja, en) in DAY_0.items()]
        question = visit.told(
            "このファイルを今の規則の代わりに使いますか？", "Use this file instead of the rules in force?"
        )
        if not await sure(visit, question, effects, visit.told("採用する", "Take it in")):
            return
        who = visit.office.who
        words = ("rules", "import", str(path), "--instead-of", found["instead_of"], "--who", who, "--json")
        command = visit.start(*words)
        if isinstance(command, Unknown):
            tell_refused(visit, command)
            return
        LOG.info("a file of %s rules taken in by %s", found["rules"], who)
        self._wait(command, visit.told("保存しています…", "saving ..."), lambda: self._saved(command))

    def _saved(self, command: Command) -> None:
        visit = self._visit
        assert self.body is not None
        self.body.clear()
        if command.code == 0:
            tell(visit, "保存しました。次の同期から使われます。", "Saved; the next sync goes by it.")
            ui.navigate.to(visit.link("/rules"))
            return
        with self.body:
            banner(short(command.last_line()) or visit.told("保存できませんでした", "it could not be saved"), "bad")
