"""What the shops earned: orders with what is left of them, by day and month; what edits spared; what still slips by.

Orders of the last 40 days stand in state.db, older ones in history. What could not be bought or was never asked has no
profit: it is counted apart, never as zero. Not for: how losses are counted (domain/losses_avoided.py).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import cast

from ecauto_pipeline.clock import JST, jst
from ecauto_pipeline.domain.losses_avoided import Avoided, Edit, Expected, Sale, avoided, expected_wrong_orders
from ecauto_pipeline.domain.model import ListingKey
from ecauto_pipeline.domain.selling.fees import profit_jpy
from ecauto_pipeline.state import demand, journal
from ecauto_pipeline.state import orders as kept_orders
from ecauto_pipeline.sync.context import Tools
from ecauto_pipeline.sync.people.goods import titles_of
from ecauto_pipeline.sync.selling_terms import TermsOfShops
from ecauto_pipeline.views.kept_past import MOST_MB

WINDOW = timedelta(days=30)
"""Over which losses avoided are counted."""
_IN_STATE_DAYS = 39
_MOST_ORDERS = 100_000


@dataclass(frozen=True, slots=True)
class Earned:
    """A day ("2026-11-26") or a month ("2026-11"). `profit_jpy`: of the `known` rows alone; `losses`: of those, rows
    below zero; `unknown`: rows of which nobody knows what is left."""

    period: str
    rows: int = 0
    pieces: int = 0
    sales_jpy: int = 0
    profit_jpy: int = 0
    losses: int = 0
    unknown: int = 0

    @property
    def known(self) -> int:
        return self.rows - self.unknown


@dataclass(frozen=True, slots=True)
class Order:
    """One item row. `cost_then_jpy`: what the price sold at was made from; None = unknown."""

    sold_at: datetime
    key: ListingKey
    asin: str
    title: str
    amount: int
    price_jpy: int | None
    cost_then_jpy: int | None
    cost_at_sale_jpy: int | None
    profit_jpy: int | None
    status: str


@dataclass(frozen=True, slots=True)
class Spared:
    """Over the last `days`: what edits spared; what is to be expected now (None: no orders to reckon with).

    `never_answered`: ASINs on sale of which no answer is known: they are not in `expected`.
    """

    days: int
    avoided: Avoided
    expected: Expected | None
    never_answered: int


def earned_by_day(tools: Tools, days: int) -> list[Earned]:
    """Days in Japanese time, newest first; a day without an order is left out."""
    return _earned(_rows(tools, _midnight(tools, days - 1)), "%Y-%m-%d")


def earned_by_month(tools: Tools, months: int) -> list[Earned]:
    """Months in Japanese time, newest first, the current one as far as it has gone. Raises HistoryError."""
    first = jst(tools.clock.now()).date().replace(day=1)
    for _ in range(months - 1):
        first = (first - timedelta(days=1)).replace(day=1)
    return _earned(_rows(tools, datetime.combine(first, time.min, JST)), "%Y-%m")


def latest_orders(tools: Tools, most: int) -> list[Order]:
    """The newest item rows, with what people call them."""
    since = _midnight(tools, _IN_STATE_DAYS)
    with tools.state.read() as connection:
        rows = kept_orders.recent(connection, since, most)
    titles = titles_of(tools, {row.found.asin for row in rows if row.found.asin})
    return [
        Order(
            sold_at=row.found.sold_at,
            key=row.found.key,
            asin=row.found.asin,
            title=titles.get(row.found.asin, ""),
            amount=row.found.amount,
            price_jpy=row.found.price_jpy,
            cost_then_jpy=row.cost_then_jpy,
            cost_at_sale_jpy=row.asked.cost_at_sale_jpy,
            profit_jpy=row.asked.profit_jpy,
            status=row.asked.status,
        )
        for row in rows
    ]


def spared(tools: Tools) -> Spared:
    """What edits of the last 30 days spared, and what is to be expected of what is on sale now."""
    now = tools.clock.now()
    since = now - WINDOW
    with tools.state.read() as connection:
        done = journal.done_since(connection, since)
        sold = kept_orders.recent(connection, since, _MOST_ORDERS)
        on_sale = demand.on_sale(connection, now)
        demand_of = demand.orders_a_day(connection, {edit.key for edit in done}, now)
    edits = [
        Edit(one.key, one.kind, one.before, one.after, one.completed_at or one.attempted_at or one.intent_at)
        for one in done
    ]
    sales = [
        Sale(row.found.key, row.found.sold_at, row.found.price_jpy, row.asked.cost_at_sale_jpy, row.found.amount)
        for row in sold
    ]
    terms = TermsOfShops(tools.settings)

    def left(key: ListingKey, price_jpy: int, cost_jpy: int) -> int:
        of_shop = terms.of(key.account)
        return profit_jpy(price_jpy, cost_jpy, of_shop.fees, of_shop.extra_cost_jpy)

    found = avoided(edits, sales, left, demand_of, since, now)
    shown = sum(len(one.listings) for one in on_sale)
    known = [one for one in on_sale if one.stock_at is not None]
    expected = None
    if shown:
        began = min((edit.at for edit in edits), default=now)
        days = max(1.0, (now - max(since, began)).total_seconds() / 86_400)
        turns = found.hides / days / shown
        ages = [(now - one.stock_at).total_seconds() for one in known if one.stock_at is not None]
        expected = expected_wrong_orders([one.orders_a_day for one in known], ages, turns)
    return Spared(WINDOW.days, found, expected, len(on_sale) - len(known))


@dataclass(frozen=True, slots=True)
class _Row:
    sold_at: datetime
    amount: int
    price_jpy: int | None
    profit_jpy: int | None


def _rows(tools: Tools, since: datetime) -> Iterable[_Row]:
    boundary = _midnight(tools, _IN_STATE_DAYS)
    if since < boundary:
        from ecauto_pipeline.history.questions import HistoryReader  # DuckDB: not for the days that state.db knows

        for row in HistoryReader(tools.history, most_mb=MOST_MB).orders(since, boundary):
            if cast(int, row["amount"] or 0) > 0:
                yield _Row(
                    cast(datetime, row["sold_at"]),
                    cast(int, row["amount"]),
                    cast("int | None", row["price_jpy"]),
                    cast("int | None", row["profit_jpy"]),
                )
    with tools.state.read() as connection:
        found = kept_orders.recent(connection, max(since, boundary), _MOST_ORDERS)
    for one in found:
        yield _Row(one.found.sold_at, one.found.amount, one.found.price_jpy, one.asked.profit_jpy)


def _earned(rows: Iterable[_Row], period: str) -> list[Earned]:
    by_period: dict[str, list[_Row]] = defaultdict(list)
    for row in rows:
        by_period[f"{jst(row.sold_at):{period}}"].append(row)
    return [
        Earned(
            period=name,
            rows=len(of_it),
            pieces=sum(row.amount for row in of_it),
            sales_jpy=sum((row.price_jpy or 0) * row.amount for row in of_it),
            profit_jpy=sum(row.profit_jpy for row in of_it if row.profit_jpy is not None),
            losses=sum(row.profit_jpy is not None and row.profit_jpy < 0 for row in of_it),
            unknown=sum(row.profit_jpy is None for row in of_it),
        )
        for name, of_it in sorted(by_period.items(), reverse=True)
    ]


def _midnight(tools: Tools, days_ago: int) -> datetime:
    day: date = jst(tools.clock.now()).date() - timedelta(days=days_ago)
    return datetime.combine(day, time.min, JST)
