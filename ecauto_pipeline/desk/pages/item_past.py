"""The past of one item: the chart with the table that says the same, and the story of any moment.

Each part is read by itself: torn or locked history leaves the rest of the page. Not for: what is now, or rules
(item.py, item_rule.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from nicegui import ui

from ecauto_pipeline.clock import JST, jst
from ecauto_pipeline.desk.parts.asking import tell
from ecauto_pipeline.desk.parts.cards import cannot_know, card, nothing
from ecauto_pipeline.desk.parts.folded import folded
from ecauto_pipeline.desk.parts.item_chart import edit_said, item_chart
from ecauto_pipeline.desk.parts.tables import Cell, Column, pairs, table
from ecauto_pipeline.desk.parts.text import heading, moment, note, short, yen
from ecauto_pipeline.desk.visit import Unknown, Visit
from ecauto_pipeline.explain.model import Explanation
from ecauto_pipeline.explain.story import explain
from ecauto_pipeline.explain.words import Section, sections
from ecauto_pipeline.sync.context import Tools
from ecauto_pipeline.views.item_series import ItemSeries, series_of
from ecauto_pipeline.views.kept_past import KeptPast, kept_past

DAYS = (1, 7, 30, 90)
MOST_ROWS = 120
SMALL_ROWS = 5
Names = Mapping[tuple[str, ...], str]


class _Kept:
    """History is opened at the first look and asked through the same reader from then on."""

    def __init__(self) -> None:
        self._past: KeptPast | None = None

    def of(self, tools: Tools) -> KeptPast:
        if self._past is None:
            self._past = kept_past(tools.history)
        return self._past

    def left_out(self, visit: Visit) -> None:
        """What was shown may lack something, and what to do; nothing where all could be read."""
        files = 0 if self._past is None else len(self._past.left_out)
        if files:
            unknown = Unknown(
                f"履歴のファイル{files}個が壊れているため、ここには過去の一部がありません（ecauto history rebuild）",
                f"{files} files of history are damaged: some of the past is missing here (ecauto history rebuild)",
            )
            cannot_know(visit, unknown)


class Past:
    """Chart and story of one item on one visit. `asin`: or the id of an item that nobody can place."""

    def __init__(self, visit: Visit, asin: str, names: Names) -> None:
        self._visit, self._asin, self._names, self._kept = visit, asin, names, _Kept()
        asked = visit.query.get("days", "")
        self._days = next((days for days in DAYS if str(days) == asked), DAYS[1])
        self._at: datetime | None = None
        self._field: ui.input | None = None

    async def chart(self) -> None:
        """What was when, over as many days as somebody wants."""
        visit = self._visit
        with card(visit.told("推移", "Over time")):
            choice = ui.toggle(
                {number: visit.told(f"{number}日", f"{number} d") for number in DAYS},
                value=self._days,
                on_change=lambda event: self._over(event.value),
            )
            choice.props(f'no-caps unelevated aria-label="{visit.told("期間", "span of time")}"')
            await self._drawn()

    async def story(self) -> None:
        """Why it is so, now or at the moment that somebody names."""
        visit = self._visit
        with card(visit.told("なぜこうなっているか", "Why it is so")):
            with ui.element("div").classes("desk-buttons"):
                self._field = ui.input(visit.told("日時（日本時間）", "moment (Japanese time)"))
                self._field.props("type=datetime-local dense outlined stack-label")
                ui.button(visit.told("この時刻の説明", "As of then"), on_click=self._typed).props("no-caps outline")
                ui.button(visit.told("今に戻る", "Now"), on_click=lambda: self._as_of(None)).props("no-caps flat")
            with ui.element("div").classes("desk-story"):
                await self._told()

    async def _over(self, days: int) -> None:
        self._days = days
        await self._drawn.refresh()

    async def _as_of(self, at: datetime | None) -> None:
        self._at = at
        if self._field is not None:
            self._field.value = "" if at is None else f"{jst(at):%Y-%m-%dT%H:%M}"
        await self._told.refresh()

    async def _typed(self) -> None:
        try:
            at = datetime.fromisoformat(str(self._field.value if self._field else "")).replace(tzinfo=JST)
        except ValueError:
            tell(self._visit, "日時を入れてください", "enter a date and a time", "warning")
            return
        await self._as_of(at)

    @ui.refreshable_method
    async def _drawn(self) -> None:
        await _chart(self._visit, self._kept, self._asin, self._days, self._names, self._as_of)
        self._kept.left_out(self._visit)

    @ui.refreshable_method
    async def _told(self) -> None:
        await _story(self._visit, self._kept, self._asin, self._at)
        self._kept.left_out(self._visit)


async def _chart(
    visit: Visit, kept: _Kept, asin: str, days: int, names: Names, as_of: Callable[[datetime], object]
) -> None:
    series = await visit.read(lambda tools: series_of(tools, kept.of(tools), asin, days))
    if isinstance(series, Unknown):
        cannot_know(visit, series)
        return
    if series.empty:
        nothing(visit.told("この期間の記録はありません。", "Nothing is on record of this time."))
        return
    item_chart(visit, series, names, _in_a_sentence(visit, series), as_of)
    note(
        visit.told(
            "図を押すと、その時刻の説明を下に表示します。線が切れている所は、わからなかった時間です。",
            "Click into the chart for the story of that moment. Where a line is broken nobody knew.",
        )
    )
    folded(visit.told("表で見る", "The same as a table"), lambda: _as_table(visit, series, names))


def _in_a_sentence(visit: Visit, series: ItemSeries) -> str:
    prices = [step.value for one in series.listings for step in one.price if step.value is not None]
    costs = [step.value for step in series.cost if step.value is not None]
    edits = sum(len(one.edits) for one in series.listings)
    hidden = sum(len(one.hidden) for one in series.listings)

    def span(values: list[int], ja: str, en: str) -> str:
        if not values:
            return visit.told(f"{ja}は不明", f"{en} unknown")
        least, most = (yen(value, visit.language) for value in (min(values), max(values)))
        return visit.told(f"{ja}は{least}から{most}", f"{en} from {least} to {most}")

    parts = (
        span(costs, "Amazonの価格", "Amazon's price"),
        span(prices, "売価", "our price"),
        visit.told(f"変更{edits}回", f"{edits} edits"),
        visit.told(f"非公開の期間{hidden}回", f"hidden {hidden} times"),
    )
    return visit.told("価格の推移のグラフ。", "Chart of prices over time. ") + visit.told("、", ", ").join(parts)


def _as_table(visit: Visit, series: ItemSeries, names: Names) -> None:
    amazon = visit.told("Amazonの価格", "Amazon's price")
    unknown = visit.told("不明・買えない", "unknown or not to be had")
    rows: list[tuple[datetime, str, str]] = [
        (step.at, amazon, unknown if step.value is None else yen(step.value, visit.language)) for step in series.cost
    ]
    for one in series.listings:
        name = short(names.get(tuple(one.key), one.key.item_id), 40)
        for label, line in ((visit.told("売価", "price"), one.price), (visit.told("利益", "profit"), one.profit)):
            rows += [
                (
                    step.at,
                    f"{label} {name}",
                    visit.told("不明", "unknown") if step.value is None else yen(step.value, visit.language),
                )
                for step in line
            ]
        rows += [
            (edit.at, visit.told(f"変更 {name}", f"edit {name}"), edit_said(edit, visit.language)) for edit in one.edits
        ]
        rows += [
            (
                span.start,
                visit.told(f"非公開 {name}", f"hidden {name}"),
                visit.told(f"{moment(span.end)} まで", f"until {moment(span.end)}"),
            )
            for span in one.hidden
        ]
    rows.sort(key=lambda row: row[0], reverse=True)
    heads = (
        Column(visit.told("時刻", "time")),
        Column(visit.told("項目", "what")),
        Column(visit.told("値", "value"), number=True),
    )
    table(
        heads,
        [(moment(at), what, value) for at, what, value in rows[:MOST_ROWS]],
        label=visit.told("推移の表", "over time"),
    )
    if len(rows) > MOST_ROWS:
        note(visit.told(f"新しいほうから{MOST_ROWS}件（全{len(rows)}件）", f"the newest {MOST_ROWS} of {len(rows)}"))


async def _story(visit: Visit, kept: _Kept, asin: str, at: datetime | None) -> None:
    def look(tools: Tools) -> Explanation:
        return explain(kept.of(tools), tools.settings, asin, tools.clock.now(), as_of=at, state=tools.state)

    found = await visit.read(look)
    if isinstance(found, Unknown):
        cannot_know(visit, found)
        return
    if at is not None:
        note(visit.told(f"{jst(at):%Y-%m-%d %H:%M} の時点", f"as of {jst(at):%Y-%m-%d %H:%M}"))
    for one in sections(found, visit.language):
        _section(visit, one)


def _section(visit: Visit, one: Section) -> None:
    """Tables of more than a few rows are folded; of a listing the steps of its price are."""
    if one.columns and len(one.rows) > SMALL_ROWS:
        folded(f"{short(one.title)} ({len(one.rows)})", lambda: _table(one))
        return
    heading(short(one.title), 3)
    if one.columns:
        _table(one)
        return
    steps = [row for row in one.rows if row[0].startswith("  ")]
    pairs([(row[0], short(row[1])) for row in one.rows if row not in steps])
    if one.note:
        note(short(one.note))
    if steps:
        title = visit.told("価格の計算", "How its price is worked out")
        folded(title, lambda: pairs([(row[0].strip(), short(row[1])) for row in steps]))


def _table(one: Section) -> None:
    if one.rows:
        cells: list[list[Cell]] = [[short(cell, 160) for cell in row] for row in one.rows]
        table([Column(name) for name in one.columns], cells, label=short(one.title))
    if one.note:
        note(short(one.note))
