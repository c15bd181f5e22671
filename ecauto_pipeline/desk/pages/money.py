"""お金 / Money: what is left of orders by day and month, losses avoided, orders still to fear.

Not for: counting any of it (views/money.py).
"""

from __future__ import annotations

from collections.abc import Sequence

from nicegui import ui

from ecauto_pipeline.desk.page import Page
from ecauto_pipeline.desk.parts.cards import cannot_know, card, figure, nothing
from ecauto_pipeline.desk.parts.tables import Cell, Column, table
from ecauto_pipeline.desk.parts.text import UNKNOWN, count, moment, note, short, yen
from ecauto_pipeline.desk.visit import Unknown, Visit
from ecauto_pipeline.domain.words import STATUSES, worded
from ecauto_pipeline.views import money
from ecauto_pipeline.views.money import Earned, Order, Spared
from ecauto_pipeline.views.money_words import spared_lines

DAYS, MONTHS, ORDERS = 31, 12, 50


async def draw(visit: Visit) -> None:
    days = await visit.read(lambda tools: money.earned_by_day(tools, DAYS))
    months = await visit.read(lambda tools: money.earned_by_month(tools, MONTHS))
    spared = await visit.read(money.spared)
    orders = await visit.read(lambda tools: money.latest_orders(tools, ORDERS))
    with card(visit.told("この31日", "These 31 days")):
        _summary(visit, days)
    with card(visit.told("避けた損失と、残る危険", "Losses avoided, and what is left to fear")):
        _spared(visit, spared)
    with card(visit.told("最近の注文", "Latest orders")):
        _orders(visit, orders)
    with card(visit.told("日ごと", "By day")):
        _earned(visit, days, visit.told("日ごとの売上と利益", "sales and what is left, by day"))
    with card(visit.told("月ごと", "By month")):
        _earned(visit, months, visit.told("月ごとの売上と利益", "sales and what is left, by month"))


def _summary(visit: Visit, days: list[Earned] | Unknown) -> None:
    if isinstance(days, Unknown):
        cannot_know(visit, days)
        return
    if not days:
        nothing(_no_orders(visit))
        return
    unknown = sum(one.unknown for one in days)
    with ui.element("div").classes("desk-figures"):
        figure(visit.told("注文", "orders"), count(sum(one.rows for one in days)))
        figure(visit.told("売上", "sales"), yen(sum(one.sales_jpy for one in days), visit.language))
        figure(
            visit.told("手数料後の利益", "left after fees"), yen(sum(one.profit_jpy for one in days), visit.language)
        )
        figure(visit.told("赤字の注文", "orders at a loss"), count(sum(one.losses for one in days)))
        figure(visit.told("利益不明", "unknown"), count(unknown))
    if unknown:
        note(
            visit.told(
                f"利益不明の {unknown:,}件は、売れた時に仕入れ値がわからなかった注文です。利益には含みません。",
                f"of {unknown:,} orders nobody knew the cost when they came; they are not in what is left",
            )
        )


def _spared(visit: Visit, spared: Spared | Unknown) -> None:
    if isinstance(spared, Unknown):
        cannot_know(visit, spared)
        return
    for line in spared_lines(spared, visit.language):
        ui.label(line)


def _earned(visit: Visit, found: Sequence[Earned] | Unknown, label: str) -> None:
    if isinstance(found, Unknown):
        cannot_know(visit, found)
        return
    if not found:
        nothing(_no_orders(visit))
        return
    columns = (
        Column(visit.told("期間", "period")),
        Column(visit.told("注文", "orders"), number=True),
        Column(visit.told("個数", "pieces"), number=True),
        Column(visit.told("売上", "sales"), number=True),
        Column(visit.told("利益", "left"), number=True),
        Column(visit.told("赤字", "losses"), number=True),
        Column(visit.told("利益不明", "unknown"), number=True),
    )
    table(
        columns,
        [
            (
                *(one.period, count(one.rows), count(one.pieces), yen(one.sales_jpy, visit.language)),
                yen(one.profit_jpy if one.known else None, visit.language),
                *(count(one.losses), count(one.unknown)),
            )
            for one in found
        ],
        label=label,
    )


def _orders(visit: Visit, orders: Sequence[Order] | Unknown) -> None:
    if isinstance(orders, Unknown):
        cannot_know(visit, orders)
        return
    if not orders:
        nothing(_no_orders(visit))
        return
    columns = (
        Column(visit.told("時刻", "when")),
        Column(visit.told("商品", "item"), wide=True),
        Column(visit.told("個数", "pieces"), number=True),
        Column(visit.told("販売価格", "sold at"), number=True),
        Column(visit.told("仕入れ", "cost"), number=True),
        Column(visit.told("利益", "left"), number=True),
    )
    table(columns, [_order(visit, one) for one in orders], label=visit.told("最近の注文", "latest orders"))


def _order(visit: Visit, one: Order) -> tuple[Cell, ...]:
    title = short(one.title, 80) or one.asin or one.key.item_id
    cost = yen(one.cost_at_sale_jpy, visit.language)
    if one.cost_at_sale_jpy is None and one.status:
        cost = worded(STATUSES, one.status, visit.language)

    def left() -> None:
        made = ui.label(yen(one.profit_jpy, visit.language))
        if one.profit_jpy is not None and one.profit_jpy < 0:
            made.classes("desk-loss").set_text(f"{visit.told('赤字', 'loss')} {yen(one.profit_jpy, visit.language)}")

    return (
        moment(one.sold_at),
        lambda: ui.link(title, visit.link(f"/items/{one.key.item_id}", shop=one.key.account_id)),
        count(one.amount),
        yen(one.price_jpy, visit.language),
        cost or UNKNOWN,
        left,
    )


def _no_orders(visit: Visit) -> str:
    return visit.told(
        "注文はまだありません。新しい注文は2分ごとに探します（本番モード）。",
        "no order yet; in live mode new ones are looked for every two minutes",
    )


PAGE = Page("/money", ("お金", "Money"), "payments", draw)
