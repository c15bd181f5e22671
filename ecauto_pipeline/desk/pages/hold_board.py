"""The list of held changes: narrowed, sorted, a page at a time; rows are chosen and decided, one or many.

Not for: one hold alone (holds.py), its card (hold_card.py), or what is done (hold_acts.py).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from nicegui import ui

from ecauto_pipeline.desk.pages.hold_acts import WORDS, effects_before, give, keep, keep_button, tell_said, word_button
from ecauto_pipeline.desk.pages.hold_approved import approved_link
from ecauto_pipeline.desk.pages.hold_card import amazon_link, draw_card, title_of
from ecauto_pipeline.desk.pages.hold_words import (
    FALLING,
    SORT_LABELS,
    if_approved,
    if_kept,
    if_rejected,
    kind_words,
    meanwhile,
    reason_words,
)
from ecauto_pipeline.desk.parts.asking import sure, tell_refused
from ecauto_pipeline.desk.parts.cards import cannot_know, nothing
from ecauto_pipeline.desk.visit import Unknown, Visit
from ecauto_pipeline.domain.model import Kind
from ecauto_pipeline.sync.people.holds import Said, Word
from ecauto_pipeline.views.holds import Asked, HeldPage, HeldRow, held_page, matching_ids


class Board:
    """What one visitor looks at, and which rows he has chosen."""

    def __init__(self, visit: Visit, asked: Asked) -> None:
        self._visit, self._asked = visit, asked
        self._chosen: dict[str, None] = {}
        self._ticks: dict[str, ui.checkbox] = {}
        self._page: HeldPage | None = None
        self._filters: dict[str, ui.select] = {}

    async def show(self) -> None:
        """Draw all of it."""
        self._outcome = ui.element("div")
        page = await self._read()
        if isinstance(page, Unknown):
            cannot_know(self._visit, page)
            return
        self._draw_filters(page)
        self._bar = ui.element("div").classes("desk-card desk-hold-bar")
        self._bar._props["aria-label"] = self._visit.told("選んだ変更", "chosen changes")
        self._list = ui.element("div")
        self._draw(page)

    async def _read(self) -> HeldPage | Unknown:
        asked = self._asked
        return await self._visit.read(lambda tools: held_page(tools, asked))

    async def _again(self, asked: Asked | None = None) -> None:
        """Show what is so now; `asked`: something else is looked for, and nothing is chosen any more."""
        if asked is not None:
            self._asked, self._chosen = asked, {}
            query = {"shop": asked.shop, "kind": asked.kind, "reason": asked.reason, "q": asked.text}
            more = {"sort": "" if asked.sort == "age" else asked.sort, "page": "" if asked.page == 1 else asked.page}
            ui.navigate.history.replace(self._visit.link("/holds", **query, **more))
        page = await self._read()
        if isinstance(page, Unknown):
            tell_refused(self._visit, page)
            return
        for name, options in self._options(page).items():
            self._filters[name].set_options(options)
        self._draw(page)

    def _draw_filters(self, page: HeldPage) -> None:
        visit = self._visit
        labels = {"shop": ("ショップ", "Shop"), "kind": ("種類", "Kind"), "reason": ("理由", "Reason")}
        with ui.element("div").classes("desk-filters"):
            search = ui.input(visit.told("商品名・ASIN・商品ID", "Title, ASIN, item id"), value=self._asked.text)
            search.props("outlined dense clearable").classes("desk-search")
            search.on("keydown.enter", lambda: self._narrow("text", search.value))
            search.on("clear", lambda: self._narrow("text", ""))
            ui.button(visit.told("探す", "Search"), on_click=lambda: self._narrow("text", search.value)).props(
                "no-caps outline"
            )
            for name, options in self._options(page).items():
                value = getattr(self._asked, name)
                made = ui.select(
                    options,
                    label=visit.told(*labels[name]),
                    value=value if value in options else "",
                    on_change=lambda event, name=name: self._narrow(name, event.value),
                )
                self._filters[name] = made.props("outlined dense options-dense").classes("desk-select")
            sorts = {name: visit.told(*words) for name, words in SORT_LABELS.items()}
            ui.select(
                sorts,
                label=visit.told("並び順", "Order"),
                value=self._asked.sort,
                on_change=lambda event: self._narrow("sort", event.value),
            ).props("outlined dense options-dense").classes("desk-select")

    def _options(self, page: HeldPage) -> dict[str, dict[str, str]]:
        """What there is to narrow by, each with how many rows of it wait."""
        visit, shops = self._visit, Counter[str]()
        kinds, reasons = Counter[str](), Counter[str]()
        for group in page.groups:
            shops[page.shops[group.account]] += group.count
            kinds[group.kind.value] += group.count
            reasons[group.reason] += group.count
        every = {"": visit.told("すべて", "All")}
        found = {
            "shop": {name: name for name in sorted(shops)},
            "kind": {name: kind_words(visit, Kind(name)) for name in sorted(kinds)},
            "reason": {name: reason_words(visit, name) for name in sorted(reasons)},
        }
        counts = {"shop": shops, "kind": kinds, "reason": reasons}
        options = {}
        for name, known in found.items():
            now = getattr(self._asked, name)
            if now and now not in known:  # nothing of it waits any more
                known[now] = kind_words(visit, Kind(now)) if now in tuple(Kind) else reason_words(visit, now)
            options[name] = every | {one: f"{words} ({counts[name][one]:,})" for one, words in known.items()}
        return options

    async def _narrow(self, name: str, value: Any) -> None:
        value = (value or "").strip()
        if value == getattr(self._asked, name):
            return
        asked = replace(self._asked, page=1, **{name: value})
        await self._again(replace(asked, descending=asked.sort in FALLING))

    def _draw(self, page: HeldPage) -> None:
        self._page, self._ticks = page, {}
        visit = self._visit
        self._draw_bar()
        self._list.clear()
        with self._list:
            if not page.rows and not page.waiting:
                nothing(visit.told("確認を待っている変更はありません。", "No change waits for a person."))
            elif not page.rows:
                nothing(visit.told("この条件に合う変更はありません。", "No held change fits this."))
            for row in page.rows:
                draw_card(visit, row, partial(self._buttons, row), tick=partial(self._tick, row))
            if page.pages > 1:
                self._draw_pager(page)
            approved_link(visit, page)

    def _draw_pager(self, page: HeldPage) -> None:
        visit = self._visit
        with ui.element("nav").classes("desk-buttons") as made:
            made._props["aria-label"] = visit.told("ページ", "Pages")
            for words, number in ((("前のページ", "Previous"), page.page - 1), (("次のページ", "Next"), page.page + 1)):
                button = ui.button(visit.told(*words), on_click=partial(self._turn, number))
                button.props("no-caps outline").set_enabled(1 <= number <= page.pages)
            ui.label(f"{page.page:,} / {page.pages:,}")

    async def _turn(self, number: int) -> None:
        chosen = self._chosen
        await self._again(replace(self._asked, page=number))
        self._chosen = chosen
        for name, tick in self._ticks.items():
            tick.value = name in chosen
        self._draw_bar()

    def _draw_bar(self) -> None:
        page, visit = self._page, self._visit
        assert page is not None
        self._bar.clear()
        chosen, total = len(self._chosen), page.total
        with self._bar:
            head = visit.told(f"{total:,}件", f"{total:,} rows")
            if total != page.waiting:
                head += visit.told(f"（確認待ちは全部で {page.waiting:,}件）", f" of {page.waiting:,} that wait")
            ui.label(head + visit.told(f" · 選択中 {chosen:,}件", f" · {chosen:,} chosen")).props('role="status"')
            with ui.element("div").classes("desk-buttons"):
                if page.pages > 1:
                    here = len(page.rows)
                    words = visit.told(f"このページの{here:,}件を選ぶ", f"Choose the {here:,} of this page")
                    ui.button(words, on_click=lambda: self._choose(row.hold.diff_id for row in page.rows)).props(
                        "flat dense no-caps"
                    )
                if total:
                    words = visit.told(f"{total:,}件すべてを選ぶ", f"Choose all {total:,}")
                    ui.button(words, on_click=self._choose_all).props("flat dense no-caps")
                if chosen:
                    none = ui.button(visit.told("選択を解除", "Choose none"), on_click=self._choose_none)
                    none.props("flat dense no-caps")
                    ids = list(self._chosen)
                    for word, (ja, en) in WORDS.items():
                        text = visit.told(f"選んだ{chosen:,}件を{ja}", f"{en} {chosen:,} chosen")
                        word_button(visit, word, partial(self._many, word, ids), text)

    def _tick(self, row: HeldRow) -> None:
        name = row.hold.diff_id
        made = ui.checkbox(value=name in self._chosen, on_change=lambda event: self._ticked(name, event.value))
        made._props["aria-label"] = self._visit.told("選ぶ: ", "choose ") + title_of(self._visit, row)
        self._ticks[name] = made

    def _ticked(self, name: str, on: bool) -> None:
        if on == (name in self._chosen):
            return
        if on:
            self._chosen[name] = None
        else:
            self._chosen.pop(name, None)
        self._draw_bar()

    def _choose(self, names: Iterable[str]) -> None:
        self._chosen |= dict.fromkeys(names)
        for name, tick in self._ticks.items():
            tick.value = name in self._chosen
        self._draw_bar()

    async def _choose_all(self) -> None:
        asked = self._asked
        names = await self._visit.read(lambda tools: matching_ids(tools, asked))
        if isinstance(names, Unknown):
            tell_refused(self._visit, names)
            return
        self._choose(names)

    def _choose_none(self) -> None:
        self._chosen = {}
        self._choose(())

    def _buttons(self, row: HeldRow) -> None:
        visit = self._visit
        with ui.element("div").classes("desk-buttons desk-hold-buttons"):
            for word in WORDS:
                made = word_button(visit, word, partial(self._one, word, row))
                made._props["aria-label"] = f"{made.text}: {title_of(visit, row)}"
            if row.keepable:
                made = keep_button(visit, partial(self._keep, row))
                made._props["aria-label"] = f"{made.text}: {title_of(visit, row)}"
            if row.same_asin > 1:
                for word, (ja, en) in WORDS.items():
                    text = visit.told(f"このASINの{row.same_asin}件を{ja}", f"{en} all {row.same_asin} of this ASIN")
                    made = ui.button(text, on_click=partial(self._everywhere, word, row)).props("flat no-caps")
                    made._props["aria-label"] = f"{text}: {title_of(visit, row)}"
            amazon_link(visit, row)
            ui.link(visit.told("くわしく", "Details"), visit.link("/holds", id=row.hold.diff_id[:12]))

    async def _one(self, word: Word, row: HeldRow) -> None:
        effect = (if_approved if word == "approve" else if_rejected)(self._visit, row)
        await self._asked_and_given(
            word, [row.hold.diff_id], [title_of(self._visit, row), effect, meanwhile(self._visit, row)]
        )

    async def _keep(self, row: HeldRow) -> None:
        visit, question = self._visit, ("この価格のままにしますか", "Keep this price?")
        effects = [title_of(visit, row), if_kept(visit, row), meanwhile(visit, row)]
        if await sure(visit, visit.told(*question), effects, visit.told("固定する", "Keep")):
            await self._tell("reject", await keep(visit, row), kept=True)

    async def _everywhere(self, word: Word, row: HeldRow) -> None:
        asked = Asked(text=row.hold.asin)
        names = await self._visit.read(lambda tools: matching_ids(tools, asked))
        if isinstance(names, Unknown):
            tell_refused(self._visit, names)
            return
        await self._many(word, names)

    async def _many(self, word: Word, ids: Sequence[str]) -> None:
        effects = await effects_before(self._visit, word, ids)
        if isinstance(effects, Unknown):
            tell_refused(self._visit, effects)
            return
        await self._asked_and_given(word, ids, effects)

    async def _asked_and_given(self, word: Word, ids: Sequence[str], effects: Sequence[str]) -> None:
        visit, count = self._visit, len(ids)
        if word == "approve":
            question, yes = (
                visit.told(f"{count:,}件を承認しますか", f"Approve {count:,}?"),
                visit.told("承認する", "Approve"),
            )
        else:
            question, yes = (
                visit.told(f"{count:,}件を却下しますか", f"Reject {count:,}?"),
                visit.told("却下する", "Reject"),
            )
        if not await sure(visit, question, effects, yes, danger=word == "reject"):
            return
        await self._tell(word, await give(visit, word, ids))

    async def _tell(self, word: Word, said: Said | Unknown, *, kept: bool = False) -> None:
        self._outcome.clear()
        if isinstance(said, Unknown):
            tell_refused(self._visit, said)
            return
        with self._outcome:
            await tell_said(self._visit, word, said, kept=kept)
        for hold in (*said.done, *said.late):
            self._chosen.pop(hold.diff_id, None)
        await self._again()
