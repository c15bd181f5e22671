"""The synthetic market: what Amazon has at which price, minute by minute, and who would buy.

Everything here is assumed, not measured: stock is a two-state process (15% of the time out, mean one flip in 7.5 days,
lognormal), prices jump (mean one in 2 days, lognormal) around a level (AR(1), Laplace), 1% of the goods are hot, sales
follow Zipf-Mandelbrot, and what sells much changes more (correlation 0.3). Trust ratios, not absolute figures.
The same seed gives the same market to every policy. Not for: asking or selling (replay.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Value = TypeVar("Value", Floats, Ints)

ORDERS_PER_SKU_DAY = 0.003
VIEWS_PER_ORDER = 50.0
OUT_SHARE = 0.15
UNSEEN_SHARE = 0.1
MINUTES_A_DAY = 1440


@dataclass(frozen=True, slots=True)
class Market:
    """Start state, and every change in order of time: (minute, article, new stock or -1, new price or 0, unseen)."""

    orders_a_day: Floats
    views_a_day: Floats
    in_stock: npt.NDArray[np.bool_]
    price: Floats
    minute: Floats
    article: Ints
    stock: Ints
    new_price: Floats
    unseen: npt.NDArray[np.bool_]  # a sweep does not see this change until the offers are looked at


def market(articles: int, days: int, seed: int) -> Market:
    """A market of so many articles over so many days."""
    luck = np.random.default_rng(seed)
    sales, change = luck.standard_normal((2, articles))
    change = 0.3 * sales + np.sqrt(1 - 0.09) * change
    rank = np.argsort(np.argsort(-sales))
    orders = 1 / (1 + rank / (articles / 1000)) ** 1.2
    orders *= ORDERS_PER_SKU_DAY * articles / orders.sum()
    hot = luck.random(articles) < 0.01
    flips = np.where(hot, 2.0, _lognormal(1 / 7.5, 1.2, change))
    jumps = np.where(hot, 24.0, _lognormal(0.5, 1.2, change))
    in_stock = luck.random(articles) >= OUT_SHARE
    level = 3000 * np.exp(0.7 * luck.standard_normal(articles))
    stock_events = _stock(luck, in_stock, flips, days)
    price_events = _prices(luck, level, np.where(hot, 0.02, 0.05), jumps, days)
    minute = np.concatenate((stock_events[0], price_events[0]))
    order = np.argsort(minute, kind="stable")
    nothing = np.full(stock_events[0].size, 0.0), np.full(price_events[0].size, -1)
    return Market(
        orders_a_day=orders,
        views_a_day=orders * VIEWS_PER_ORDER * np.exp(0.8 * luck.standard_normal(articles) - 0.32),
        in_stock=in_stock,
        price=level,
        minute=minute[order],
        article=np.concatenate((stock_events[1], price_events[1]))[order],
        stock=np.concatenate((stock_events[2], nothing[1]))[order],
        new_price=np.concatenate((nothing[0], price_events[2]))[order],
        unseen=luck.random(minute.size) < UNSEEN_SHARE,
    )


def _lognormal(mean: float, sigma: float, normal: Floats) -> Floats:
    return mean * np.exp(sigma * normal - sigma**2 / 2)


def _stock(
    luck: np.random.Generator, in_stock: npt.NDArray[np.bool_], flips: Floats, days: int
) -> tuple[Floats, Ints, Ints]:
    """Flips as (minute, article, new state). Rates such that flips a day and the share of time out are as given."""
    leave = {True: flips / (2 * (1 - OUT_SHARE)), False: flips / (2 * OUT_SHARE)}
    now, state, going = np.zeros(flips.size), in_stock.copy(), np.arange(flips.size)
    found: list[tuple[Floats, Ints, Ints]] = []
    while going.size:
        rate = np.where(state[going], leave[True][going], leave[False][going])
        now[going] += luck.exponential(1.0, going.size) / rate
        going = going[now[going] < days]
        state[going] = ~state[going]
        found.append((now[going] * MINUTES_A_DAY, going, state[going].astype(np.int64)))
    return _joined(found)


def _prices(
    luck: np.random.Generator, level: Floats, width: Floats, jumps: Floats, days: int
) -> tuple[Floats, Ints, Floats]:
    """Jumps as (minute, article, new price)."""
    now, log_price, going = np.zeros(level.size), np.zeros(level.size), np.arange(level.size)
    found: list[tuple[Floats, Ints, Floats]] = []
    while going.size:
        now[going] += luck.exponential(1.0, going.size) / jumps[going]
        going = going[now[going] < days]
        log_price[going] = 0.7 * log_price[going] + luck.laplace(0.0, width[going])
        found.append((now[going] * MINUTES_A_DAY, going, level[going] * np.exp(log_price[going])))
    return _joined(found)


def _joined(parts: Sequence[tuple[Floats, Ints, Value]]) -> tuple[Floats, Ints, Value]:
    minutes, articles, values = zip(*parts, strict=True)
    return np.concatenate(minutes), np.concatenate(articles), np.concatenate(values)
