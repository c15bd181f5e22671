"""商品 / One item: what it is, what each listing shows and leaves now, its past, its rules.

Not for: finding any of it out (views/item.py, views/item_series.py, explain/).
"""

from __future__ import annotations

from nicegui import ui

from ecauto_pipeline.desk.page import Page
from ecauto_pipeline.desk.pages.item_past import Past
from ecauto_pipeline.desk.pages.item_rule import rules_of_item
from ecauto_pipeline.desk.parts.cards import cannot_know, card, chip
from ecauto_pipeline.desk.parts.pictures import picture
from ecauto_pipeline.desk.parts.tables import Cell, Column, table
from ecauto_pipeline.desk.parts.text import heading, moment, note, short, yen
from ecauto_pipeline.desk.visit import Unknown, Visit
from ecauto_pipeline.domain.words import HIDDEN_BY, STATUSES, worded
from ecauto_pipeline.views.item import ItemNow, ListingNow, item_now
from ecauto_pipeline.views.item_titles import without_title

MOST_LETTERS = 64
"""No item id or ASIN is longer."""


async def draw(visit: Visit) -> None:
    named, shop = visit.named.strip()[:MOST_LETTERS], visit.query.get("shop", "")
    found = await visit.read(lambda tools: item_now(tools, named, shop))
    if isinstance(found, Unknown):
        cannot_know(visit, found)
        gone = Past(visit, named, {})  # history may know what no shop has any more
        await gone.chart()
        await gone.story()
        return
    _what_it_is(visit, found)
    _listings(visit, found)
    past = Past(visit, found.asin or named, {tuple(one.key): one.shop for one in found.listings})
    await past.chart()

    @ui.refreshable
    async def rules(item: ItemNow) -> None:
        rules_of_item(visit, item, again)

    async def again() -> None:
        item = await visit.read(lambda tools: item_now(tools, named, shop))
        if not isinstance(item, Unknown):
            await rules.refresh(item)

    await rules(found)
    await past.story()


def _what_it_is(visit: Visit, item: ItemNow) -> None:
    with card(), ui.element("div").classes("desk-item-head"):
        title = short(item.title) or without_title(item.title, visit.language)
        picture(visit, item.asin, title, 120)
        with ui.element("div"):
            heading(title)
            ui.label(f"ASIN {item.asin}" if item.asin else visit.told("ASINは不明", "no ASIN is known"))
            with ui.element("div").classes("desk-buttons"):
                if item.amazon:
                    _outside(visit, visit.told("Amazonで見る", "At Amazon"), item.amazon)
                for one in item.listings:
                    if one.sold_at:
                        _outside(visit, visit.told(f"{one.shop} で見る", f"At {one.shop}"), one.sold_at)
                    if one.page:
                        name = visit.told(f"{one.shop} で編集", f"Edit at {one.shop}")
                        _outside(visit, name, one.page)
            status = (
                worded(STATUSES, item.status, visit.language)
                if item.status
                else visit.told("まだ回答なし", "no answer yet")
            )
            price = yen(item.cost_jpy, visit.language)
            ui.label(visit.told(f"Amazon: {status}、{price}", f"Amazon: {status}, {price}"))
            if item.cost_at is not None:
                note(visit.told(f"価格の確認 {moment(item.cost_at)}", f"price confirmed {moment(item.cost_at)}"))


def _outside(visit: Visit, name: str, address: str) -> None:
    made = ui.link(name, address, new_tab=True).props('rel="noopener noreferrer"')
    made._props["aria-label"] = visit.told(f"{name}（新しいタブ）", f"{name} (new tab)")


def _listings(visit: Visit, item: ItemNow) -> None:
    heads = [
        Column(visit.told("ショップ", "shop")),
        Column(visit.told("商品ID", "item id")),
        Column(visit.told("状態", "state")),
        Column(visit.told("価格", "price"), number=True),
        Column(visit.told("仕入値", "cost"), number=True),
        Column(visit.told("利益", "profit"), number=True),
        Column(visit.told("在庫", "stock"), number=True),
        Column(visit.told("確認", "read")),
    ]
    with card(visit.told("出品", "Listings")):
        table(heads, [_row(visit, item, one) for one in item.listings], label=visit.told("出品", "listings"))


def _row(visit: Visit, item: ItemNow, one: ListingNow) -> list[Cell]:
    known = one.known

    def profit() -> None:
        made = ui.label(yen(one.profit_jpy, visit.language))
        if one.profit_jpy is not None and one.profit_jpy < 0:
            made.classes("desk-loss")
            chip(visit.told("赤字", "loss"), "bad")

    return [
        short(one.shop),
        short(one.key.item_id),
        lambda: _state(visit, one),
        yen(known.shown_price_jpy, visit.language),
        yen(item.cost_jpy, visit.language),
        profit,
        "—" if known.shown_stock is None else str(known.shown_stock),
        moment(known.read_at),
    ]


def _state(visit: Visit, one: ListingNow) -> None:
    known = one.known
    if known.gone:
        chip(visit.told("ショップにありません", "gone from the shop"), "bad")
    elif known.shown_visible is None:
        chip(visit.told("未確認", "not read yet"), "doubtful")
    elif known.shown_visible:
        chip(visit.told("公開中", "on show"), "good")
    else:
        who = f": {worded(HIDDEN_BY, known.hidden_by, visit.language)}" if known.hidden_by else ""
        chip(visit.told("非公開", "hidden") + who, "bad")
    if not known.listed:
        chip(visit.told("同期の対象外", "takes no part"), "doubtful")


PAGE = Page("/items/{named}", ("商品", "Item"), "", draw)
