"""What the shops earned: orders with what is left of them, by day and month; what edits spared; what still slips by.

Orders of the last 40 days stand in state.db, older ones in history. What could not be bought or was never asked has no
profit: it is counted apart, never as zero. Not for: how losses are counted (domain/losses_avoided.py).
"""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from sqlalchemy import Connection

from ecauto_pipeline.clock import JST, jst, to_ms
from ecauto_pipeline.domain.day_sales import DaySales
from ecauto_pipeline.domain.losses_avoided import Avoided, Edit, Expected, Sale, avoided, expected_wrong_orders
from ecauto_pipeline.domain.model import ListingKey
from ecauto_pipeline.domain.selling.fees import profit_jpy
from ecauto_pipeline.state import demand
from ecauto_pipeline.state import orders as kept_orders
from ecauto_pipeline.state.day_edits import each_done, first_done
from ecauto_pipeline.state.sold import each_sold, sales_by_day
from ecauto_pipeline.sync.context import Tools
from ecauto_pipeline.sync.people.goods import titles_of
from ecauto_pipeline.sync.selling_terms import TermsOfShops
from ecauto_pipeline.views.kept_past import MOST_MB

WINDOW = timedelta(days=30)
"""Over which losses avoided are counted."""
_IN_STATE_DAYS = 39


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
    return _earned(_sales(tools, _midnight(tools, days - 1)), "%Y-%m-%d")


def earned_by_month(tools: Tools, months: int) -> list[Earned]:
    """Months in Japanese time, newest first, the current one as far as it has gone. Raises HistoryError."""
    first = jst(tools.clock.now()).date().replace(day=1)
    for _ in range(months - 1):
        first = (first - timedelta(days=1)).replace(day=1)
    return _earned(_sales(tools, datetime.combine(first, time.min, JST)), "%Y-%m")


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
    terms = TermsOfShops(tools.settings)

    def left(key: ListingKey, price_jpy: int, cost_jpy: int) -> int:
        of_shop = terms.of(key.account)
        return profit_jpy(price_jpy, cost_jpy, of_shop.fees, of_shop.extra_cost_jpy)

    with tools.state.read() as connection:
        first = first_done(connection, since) or now
        found = avoided(
            (Edit(*one) for one in each_done(connection, since)),
            (Sale(*one) for one in each_sold(connection, since)),
            left,
            lambda keys: demand.orders_a_day(connection, keys, now),
            since,
            now,
        )
        on_sale = _on_sale(connection, now)
    expected = None
    if on_sale.listings:
        days = max(1.0, (now - max(since, first)).total_seconds() / 86_400)
        expected = expected_wrong_orders(on_sale.orders_a_day, on_sale.ages_s, found.hides / days / on_sale.listings)
    return Spared(WINDOW.days, found, expected, on_sale.never_answered)


@dataclass(frozen=True, slots=True)
class _OnSale:
    """`orders_a_day`, `ages_s`: of each ASIN on sale that was ever answered, in one order."""

    listings: int
    never_answered: int
    orders_a_day: array[float]
    ages_s: array[float]


def _on_sale(connection: Connection, now: datetime) -> _OnSale:
    listings, never, orders, ages, now_ms = 0, 0, array("d"), array("d"), to_ms(now)
    for one in demand.on_sale(connection, now):
        listings += one.listings
        if one.stock_at is None:
            never += 1
        else:
            orders.append(one.orders_a_day)
            ages.append((now_ms - one.stock_at) / 1000)
    return _OnSale(listings, never, orders, ages)


def _sales(tools: Tools, since: datetime) -> list[DaySales]:
    boundary = _midnight(tools, _IN_STATE_DAYS)
    past: list[DaySales] = []
    if since < boundary:
        from ecauto_pipeline.history.summaries import HistorySummaries  # DuckDB: not for the days that state.db knows

        past = HistorySummaries(tools.history, most_mb=MOST_MB).sales_by_day(since, boundary)
    with tools.state.read() as connection:
        return past + sales_by_day(connection, max(since, boundary))


def _earned(days: Iterable[DaySales], period: str) -> list[Earned]:
    by_period: dict[str, list[DaySales]] = defaultdict(list)
    for one in days:
        by_period[f"{one.date:{period}}"].append(one)
    return [
        Earned(name, *(sum(figures) for figures in zip(*(one[1:] for one in of_it), strict=True)))
        for name, of_it in sorted(by_period.items(), reverse=True)
    ]


def _midnight(tools: Tools, days_ago: int) -> datetime:
    day: date = jst(tools.clock.now()).date() - timedelta(days=days_ago)
    return datetime.combine(day, time.min, JST)
