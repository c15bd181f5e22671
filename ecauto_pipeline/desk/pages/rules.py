"""規則 / Rules: the owner's file of rules as a table, another file in its place, and who changed it when.

Not for: one item's rules (item_rule.py) or the upload (rules_upload.py).
"""

from __future__ import annotations

from functools import partial

from nicegui import ui

from ecauto_pipeline.desk.page import Page
from ecauto_pipeline.desk.pages.rules_upload import upload_card
from ecauto_pipeline.desk.parts.cards import banner, cannot_know, card, chip, figure, nothing
from ecauto_pipeline.desk.parts.folded import folded
from ecauto_pipeline.desk.parts.tables import Cell, Column, table
from ecauto_pipeline.desk.parts.text import count, moment, note, short
from ecauto_pipeline.desk.visit import Unknown, Visit
from ecauto_pipeline.domain.selling.rule_lines import EMPTY
from ecauto_pipeline.state.rule_changes import RuleChange, changes
from ecauto_pipeline.sync.context import Tools
from ecauto_pipeline.views.rule_words import LABELS, about_said, cell_said, how_changed
from ecauto_pipeline.views.rules_table import ONLY, Only, RuleRow, RulesTable, rules_table

MOST_LETTERS = 100
CHANGES = 20
NARROWED = {
    "": ("すべて", "all"),
    "idle": ("当たる出品なし", "select nothing"),
    "over": ("期限切れ", "over"),
}


async def draw(visit: Visit) -> None:
    search = visit.query.get("q", "").strip()[:MOST_LETTERS]
    only: Only = next((one for one in ONLY if one == visit.query.get("only", "")), "")
    asked = visit.query.get("page", "")
    page = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 7 else 1
    found = await visit.read(lambda tools: rules_table(tools, search, only, page))
    if isinstance(found, Unknown):
        cannot_know(visit, found)
    else:
        _file(visit, found)
        _lines(visit, found, search, only)
    upload_card(visit)
    await _history(visit)


def _file(visit: Visit, found: RulesTable) -> None:
    if found.broken_since is not None:
        banner(
            visit.told(
                f"rules.csv に誤りがあり、採用していません（{moment(found.broken_since)} から）。"
                "前の規則が使われています。"
                "下の「ファイルを調べる」で誤りの行がわかります。",
                f"rules.csv has a mistake and is not in force (since {moment(found.broken_since)}); the rules before "
                "hold. Check the file below to see the lines.",
            ),
            "bad",
        )
    with card(), ui.element("div").classes("desk-figures"):
        figure(visit.told("使用中の規則", "rules in force"), count(found.rules))
        figure(
            visit.told("当たる出品のない行", "lines that select nothing"),
            count(found.idle),
            visit.link("/rules", only="idle"),
        )
        figure(
            visit.told("期限が過ぎた行", "lines whose last day is past"),
            count(found.over),
            visit.link("/rules", only="over"),
        )
        figure(visit.told("採用した時刻", "taken up"), moment(found.read_at))


def _lines(visit: Visit, found: RulesTable, search: str, only: str) -> None:
    with card(visit.told("使用中の規則", "The rules in force")):
        with ui.element("div").classes("desk-buttons"):
            field = ui.input(visit.told("商品ID・ASIN・語・メモで探す", "ids, words, notes"), value=search)
            field.props(f"dense outlined clearable type=search maxlength={MOST_LETTERS}").classes("desk-search")

            def go() -> None:
                ui.navigate.to(visit.link("/rules", q=str(field.value or "").strip(), only=only))

            field.on("keydown.enter", go)
            ui.button(visit.told("探す", "Search"), on_click=go).props("no-caps outline")
            for word, names in NARROWED.items():
                made = ui.link(visit.told(*names), visit.link("/rules", q=search, only=word)).classes("desk-narrow")
                if word == only:
                    made.props('aria-current="true"')
            _download(visit)
        if not found.rows:
            _none(visit, found)
            return
        heads = [
            Column(visit.told("行", "line"), number=True),
            Column(visit.told("対象", "about"), wide=True),
            Column(visit.told("内容", "decides"), wide=True),
            Column(visit.told("期限", "until")),
            Column(visit.told("当たる出品", "listings"), number=True),
            Column(visit.told("メモ", "note"), wide=True),
        ]
        table(heads, [_row(visit, one) for one in found.rows], label=visit.told("規則の表", "rules"))
        _pager(visit, found, search, only)


def _none(visit: Visit, found: RulesTable) -> None:
    if found.rules:
        nothing(visit.told("条件に合う行はありません。", "No line matches."))
        return
    nothing(
        visit.told(
            "規則はまだありません。商品のページで1件ずつ書くか、CSVファイルを取り込めます。",
            "There are no rules yet. Write one on an item's page, or take in a CSV file.",
        )
    )


def _row(visit: Visit, one: RuleRow) -> list[Cell]:
    language = visit.language

    def about() -> None:
        for piece in about_said(one.about, language):
            ui.label(short(piece, 120))
        named = one.about.get("item_id") or one.about.get("asin")
        if named:
            ui.link(visit.told("商品を見る", "the item"), visit.link(f"/items/{named}"))

    def decides() -> None:
        for column, value in one.decides.items():
            ui.label(f"{visit.told(*LABELS[column])}: {cell_said(column, value, language)}")

    def until() -> None:
        ui.label(one.until or "—")
        if one.over:
            chip(visit.told("期限切れ", "over"), "doubtful")

    def listings() -> None:
        ui.label(count(one.listings))
        if not one.listings:
            chip(visit.told("なし", "none"), "doubtful")

    def remark() -> None:
        ui.label(short(one.note, 120))
        if one.said_by:
            note(short(one.said_by, 80))

    return [str(one.line), about, decides, until, listings, remark]


def _pager(visit: Visit, found: RulesTable, search: str, only: str) -> None:
    with ui.element("nav").classes("desk-buttons").props(f'aria-label="{visit.told("ページ", "pages")}"'):
        for number, name in ((found.page - 1, visit.told("前へ", "Back")), (found.page + 1, visit.told("次へ", "On"))):
            if 1 <= number <= found.pages:
                ui.link(name, visit.link("/rules", q=search, only=only, page=number)).classes("desk-narrow")
        ui.label(
            visit.told(
                f"{found.page:,} / {found.pages:,} ページ（{found.total:,}行）",
                f"page {found.page:,} of {found.pages:,} ({found.total:,} lines)",
            )
        )


def _download(visit: Visit) -> None:
    def give() -> None:
        path = visit.settings.rules
        if path.is_file():
            ui.download.file(path, path.name)
        else:
            ui.download.content(EMPTY, path.name)

    made = ui.button(visit.told("ダウンロード", "Download"), icon="download", on_click=give).props("no-caps outline")
    made.tooltip(visit.told("rules.csv をそのまま保存します", "rules.csv as it is"))


async def _history(visit: Visit) -> None:
    def look(tools: Tools) -> list[RuleChange]:
        with tools.state.read() as connection:
            return changes(connection, CHANGES)

    found = await visit.read(look)
    with card(visit.told("変更の記録", "History of changes")):
        if isinstance(found, Unknown):
            cannot_know(visit, found)
            return
        if not found:
            nothing(visit.told("変更はまだありません。", "No change is on record."))
        for one in found:
            head = f"{moment(one.at)}  {how_changed(one, visit.language)}  " + visit.told(
                f"+{one.added:,}行 -{one.removed:,}行（全{one.rules:,}件）",
                f"+{one.added:,} -{one.removed:,} ({one.rules:,} rules)",
            )
            folded(head, partial(_change, visit, one))
        note(
            visit.told(
                "前のファイルは data/rules-history/ に新しいほうから100個残っています。",
                "The newest hundred files from before are in data/rules-history/.",
            )
        )


def _change(visit: Visit, one: RuleChange) -> None:
    for name, lines, all_of_them in (
        (visit.told("追加", "added"), one.added_lines, one.added),
        (visit.told("削除", "removed"), one.removed_lines, one.removed),
    ):
        for line in lines:
            ui.label(f"{name}: {short(line, 200)}").classes("desk-line")
        if all_of_them > len(lines):
            note(
                visit.told(
                    f"{name}: ほか{all_of_them - len(lines):,}行", f"{name}: and {all_of_them - len(lines):,} more"
                )
            )


PAGE = Page("/rules", ("規則", "Rules"), "rule", draw)
