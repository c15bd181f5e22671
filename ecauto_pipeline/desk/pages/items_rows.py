"""The rows of the list of items: picture, title and ids, money, age of the facts, how it stands.

Not for: search, filters and pages (items.py).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from nicegui import ui

from ecauto_pipeline.desk.pages.items_address import Asked
from ecauto_pipeline.desk.parts.cards import chip
from ecauto_pipeline.desk.parts.pictures import picture
from ecauto_pipeline.desk.parts.tables import Cell, Column, table
from ecauto_pipeline.desk.parts.text import ago, short, yen
from ecauto_pipeline.desk.visit import Visit
from ecauto_pipeline.domain.reasons import WORDS
from ecauto_pipeline.domain.words import HIDDEN_BY
from ecauto_pipeline.views.item_filters import FILTERS, STATES
from ecauto_pipeline.views.item_titles import without_title
from ecauto_pipeline.views.items import Found, Item

_TITLE_CHARACTERS = 110


def draw_rows(visit: Visit, found: Found, asked: Asked, *, several_shops: bool) -> None:
    """A table; on a phone each row is a card. The shop is a column where there is more than one."""
    told = visit.told
    columns = [
        Column(told("商品", "item"), wide=True, sort="title"),
        *([Column(told("ショップ", "shop"), sort="shop")] if several_shops else []),
        Column(told("価格", "price"), number=True, sort="price"),
        Column(told("Amazon", "at Amazon"), number=True, sort="cost"),
        Column(told("利益", "profit"), number=True, sort="profit"),
        Column(told("Amazonの情報", "facts"), number=True, sort="age"),
        Column(told("状態", "state"), sort="state"),
        Column(told("最後の変更", "last change"), number=True, sort="changed"),
    ]
    rows = [_row(visit, found.now, item, several_shops) for item in found.items]
    table(
        columns,
        rows,
        label=told("商品の一覧", "items"),
        sorted_by=(asked.sort.removeprefix("-"), asked.sort.startswith("-") != asked.sort.endswith("age")),
        on_sort=lambda key: ui.navigate.to(asked.sorted_by(key).link(visit)),
    )


def _row(visit: Visit, now: datetime, item: Item, several_shops: bool) -> list[Cell]:
    language = visit.language
    profit: Cell = yen(item.profit_jpy, language)
    if item.standing.loss:
        profit = _loss(visit, yen(item.profit_jpy, language))
    return [
        lambda: _title(visit, item, several_shops),
        *([lambda: ui.label(short(item.shop, 40)).classes("desk-shop")] if several_shops else []),
        yen(item.price_jpy, language),
        yen(item.cost_jpy, language),
        profit,
        ago(_seconds(now, item.confirmed_at), language),
        lambda: _standing(visit, item),
        ago(_seconds(now, item.changed_at), language),
    ]


def _title(visit: Visit, item: Item, several_shops: bool) -> None:
    with ui.element("div").classes("desk-item"):
        picture(visit, item.asin, item.title or item.asin, size=48)
        with ui.element("div").classes("desk-item-words"):
            name = short(item.title, _TITLE_CHARACTERS) or without_title(item.title, visit.language)
            ui.link(name, visit.link(f"/items/{item.key.item_id}", shop=item.key.account_id if several_shops else ""))
            ids = dict.fromkeys(one for one in (item.asin, item.key.item_id, item.code) if one)
            with ui.element("div").classes("desk-ids"):
                for one in ids:
                    ui.label(short(one, 40)).classes("desk-note")


def _loss(visit: Visit, amount: str) -> Callable[[], object]:
    return lambda: ui.label(f"{visit.told('赤字', 'loss')} {amount}").classes("desk-loss")


def _standing(visit: Visit, item: Item) -> None:
    standing, told = item.standing, visit.told
    with ui.element("div").classes("desk-chips"):
        words = told(*STATES[standing.state])
        if standing.state == "hidden" and standing.hidden_by in HIDDEN_BY:
            words = told(
                f"{words}（{HIDDEN_BY[standing.hidden_by][0]}）", f"{words} ({HIDDEN_BY[standing.hidden_by][1]})"
            )
        chip(words, "good" if standing.state == "on_sale" else "plain")
        for name in ("held", "blocked", "unconfirmed"):
            if getattr(standing, name):
                chip(told(*FILTERS[name]), "doubtful")
        if standing.rule:
            lines = ", ".join(map(str, item.rule_lines))
            chip(told(f"規則 {lines}行目", f"rule, line {lines}"))
        if standing.unwatched:
            chip(told(*FILTERS["unwatched"]), "bad")
            ui.label(told(*WORDS.get(standing.unwatched, (standing.unwatched,) * 2))).classes("desk-note")


def _seconds(now: datetime, at: datetime | None) -> float | None:
    return None if at is None else max(0.0, (now - at).total_seconds())
