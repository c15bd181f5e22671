"""商品 / Items: every listing, to be searched, filtered, sorted and taken along as a file.

Not for: finding them (views/items.py) or one item's page.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from nicegui import events, ui

from ecauto_pipeline.desk.page import Page
from ecauto_pipeline.desk.pages.items_address import PAGE_ROWS, Asked
from ecauto_pipeline.desk.pages.items_rows import draw_rows
from ecauto_pipeline.desk.parts.cards import cannot_know, card, nothing
from ecauto_pipeline.desk.parts.text import count, note
from ecauto_pipeline.desk.visit import Unknown, Visit
from ecauto_pipeline.domain.account_names import name_of
from ecauto_pipeline.domain.model import AccountKey
from ecauto_pipeline.sync.context import Tools
from ecauto_pipeline.views.item_filters import FILTERS, kinds_of
from ecauto_pipeline.views.items import Found, find_items
from ecauto_pipeline.wiring.accounts import shop_accounts

_ALWAYS = ("on_sale", "hidden", "loss", "held")
"""Filters that are offered though nothing passes them; the others only when something does."""
_SORTS: Mapping[str, tuple[str, str]] = {
    "-changed": ("変更が新しい順", "last changed first"),
    "-age": ("Amazonの情報が古い順", "oldest facts first"),
    "profit": ("利益が少ない順", "least profit first"),
    "-profit": ("利益が多い順", "most profit first"),
    "price": ("価格が安い順", "cheapest first"),
    "-price": ("価格が高い順", "dearest first"),
    "title": ("商品名順", "by title"),
    "shop": ("ショップ順", "by shop"),
    "state": ("状態順", "by state"),
}


async def draw(visit: Visit) -> None:
    asked = Asked.of(visit.query)
    shops = await visit.read(_shops)
    await _List(visit, asked, {} if isinstance(shops, Unknown) else shops).draw()


def _shops(tools: Tools) -> dict[AccountKey, str]:
    named = shop_accounts(tools.settings)
    return {key: name_of(key, named) for key, shop in named.items() if shop.active}


class _List:
    """The page of one visitor. Typing draws the rows anew in place; everything else is a link."""

    def __init__(self, visit: Visit, asked: Asked, shops: Mapping[AccountKey, str]) -> None:
        self._visit, self._asked, self._shops = visit, asked, shops

    async def draw(self) -> None:
        visit = self._visit
        with ui.element("div").classes("desk-search").props('role="search"'):
            label = visit.told("商品名・ASIN・商品ID・商品コード", "title, ASIN, item id, code")
            search = ui.input(label, value=self._asked.text, on_change=self._typed)
            search.props('type="search" debounce="400" clearable outlined dense maxlength="200"').classes("desk-grow")
            sorts = {name: visit.told(*words) for name, words in _SORTS.items()}
            chosen = self._asked.sort if self._asked.sort in sorts else None
            sort = ui.select(sorts, value=chosen, label=visit.told("並べ替え", "sort by"), on_change=self._chose)
            sort.props("outlined dense").classes("desk-sort")
        self._results = ui.element("div")
        await self._show()

    async def _typed(self, event: events.ValueChangeEventArguments[str | None]) -> None:
        text = (event.value or "").strip()
        if text == self._asked.text:
            return
        self._asked = replace(self._asked, text=text, page=1)
        ui.navigate.history.replace(self._asked.link(self._visit))
        await self._show()

    def _chose(self, event: events.ValueChangeEventArguments[str]) -> None:
        ui.navigate.to(replace(self._asked, sort=event.value, page=1).link(self._visit))

    async def _show(self) -> None:
        asked = self._asked
        wanted, first = asked.wanted(self._shops), (asked.page - 1) * PAGE_ROWS
        found = await self._visit.read(lambda tools: find_items(tools, wanted, first, PAGE_ROWS))
        if asked is not self._asked:  # somebody typed on meanwhile
            return
        self._results.clear()
        with self._results:
            if isinstance(found, Unknown):
                cannot_know(self._visit, found)
            else:
                self._draw_found(found)

    def _draw_found(self, found: Found) -> None:
        visit, asked = self._visit, self._asked
        self._filters(found)
        with card():
            if not found.of:
                nothing(visit.told("まだ商品を読み込んでいません。最初の同期のあとに表示されます。",
                                   "No item has been read yet; they come with the first sync."))  # fmt: skip
                return
            self._total(found)
            if found.items:
                draw_rows(visit, found, asked, several_shops=len(self._shops) > 1)
                self._pages(found)
                return
            nothing(visit.told("条件に合う商品はありません。", "No item fits."))
            if asked.text or asked.filters or asked.shop or asked.page > 1:
                ui.link(visit.told("条件をすべて外す", "Show all"), visit.link("/items"))

    def _filters(self, found: Found) -> None:
        visit, asked = self._visit, self._asked
        with ui.element("nav").classes("desk-filters") as bar:
            bar._props["aria-label"] = visit.told("絞り込み", "filters")
            for name in FILTERS:
                if ":" not in name and (name in _ALWAYS or found.counts[name] or asked.has(name)):
                    self._chip(name, found)
            for name in ("hidden", "unwatched"):
                kinds = [one for one in kinds_of(name) if found.counts[one] or one in asked.filters]
                if asked.has(name) and kinds:
                    with ui.element("div").classes("desk-filter-kinds"):
                        ui.label(visit.told(*_KINDS[name])).classes("desk-note")
                        for kind in kinds:
                            self._chip(kind, found)
            if len(self._shops) > 1:
                with ui.element("div").classes("desk-filter-kinds"):
                    ui.label(visit.told("ショップ:", "shop:")).classes("desk-note")
                    for key, name in self._shops.items():
                        on = asked.shop in (key.account_id, str(key))
                        short = (
                            key.account_id
                            if [one.account_id for one in self._shops].count(key.account_id) == 1
                            else str(key)
                        )
                        _chip(visit, name, asked.of_shop("" if on else short).link(visit), on)

    def _chip(self, name: str, found: Found) -> None:
        text = f"{self._visit.told(*FILTERS[name])} {count(found.counts[name])}"
        on = name in self._asked.filters or (":" not in name and self._asked.has(name))
        _chip(self._visit, text, self._asked.toggled(name).link(self._visit), on)

    def _total(self, found: Found) -> None:
        visit, first = self._visit, (self._asked.page - 1) * PAGE_ROWS
        with ui.element("div").classes("desk-list-head"):
            shown = f"{count(first + 1)}–{count(first + len(found.items))}" if found.items else "0"
            text = visit.told(f"{count(found.total)}件のうち {shown}", f"{shown} of {count(found.total)}")
            ui.label(text).props('role="status"').classes("desk-total")
            if found.total:
                save = ui.link(
                    visit.told("CSVで保存", "Save as CSV"), self._asked.link(visit, "/items.csv", paged=False)
                )
                save.props('download="items.csv"')

    def _pages(self, found: Found) -> None:
        visit, asked = self._visit, self._asked
        last = -(-found.total // PAGE_ROWS)
        if last < 2:
            return
        with ui.element("nav").classes("desk-pages") as bar:
            bar._props["aria-label"] = visit.told("ページ", "pages")
            near = {1, last, *range(max(1, asked.page - 2), min(last, asked.page + 2) + 1)}
            if asked.page > 1:
                ui.link(visit.told("前へ", "Previous"), asked.at(asked.page - 1).link(visit))
            before = 0
            for page in sorted(near):
                if page > before + 1:
                    ui.label("…")
                if page == asked.page:
                    ui.label(str(page)).props('aria-current="page"').classes("desk-page-here")
                else:
                    made = ui.link(f"{page:,}", asked.at(page).link(visit))
                    made._props["aria-label"] = visit.told(f"{page}ページ", f"page {page}")
                before = page
            if asked.page < last:
                ui.link(visit.told("次へ", "Next"), asked.at(asked.page + 1).link(visit))
        if asked.page > last:
            note(visit.told("このページには商品がありません。", "There is nothing on this page."))


_KINDS = {"hidden": ("非公開にした者:", "hidden by:"), "unwatched": ("同期されていない理由:", "not watched because:")}


def _chip(visit: Visit, text: str, href: str, on: bool) -> None:
    made = ui.link(f"✓ {text}" if on else text, href).classes("desk-filter" + (" desk-filter-on" if on else ""))
    if on:
        made._props["aria-label"] = visit.told(f"{text}（選択中。押すと外れます）", f"{text} (on; takes it off)")
        made._props["aria-current"] = "true"


PAGE = Page("/items", ("商品", "Items"), "inventory_2", draw)
