"""What edits spared the shop, and what still slips through: counted from edits, orders and ages, nothing supposed.

* A rise before a sale: an order came at a price that we had raised; at the price before it, with what the goods cost at
  the sale, it would have been a loss. The loss that was not made is that sum, to the yen.
* A hide: while an item was hidden nobody could order what could not be bought. How many orders that would have been is
  expected from its own orders (a mean over the hidden time), never from what did not happen.
* Wrong orders still to be expected: each ASIN on sale, its orders a day, times the share of goods that become
  unsellable in a day, times the age of what is known of it. The same model as the replay's (benchmarks/freshness).

Not for: reading any of it (views/money.py).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from ecauto_pipeline.domain.model import Kind, ListingKey

RISE_COUNTS_FOR = timedelta(days=30)
"""A rise further back than this has nothing to do with a sale: the price would have been another by then."""
_DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Edit:
    """One edit of ours that took place. `before`, `after`: yen, or 0/1 for visibility."""

    key: ListingKey
    kind: Kind
    before: int | None
    after: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Sale:
    """One item row of an order; `cost_jpy` of one piece at the sale, None = it could not be bought or nobody knows."""

    key: ListingKey
    sold_at: datetime
    price_jpy: int | None
    cost_jpy: int | None
    amount: int


@dataclass(frozen=True, slots=True)
class Avoided:
    """`by_rises`: sales that a rise kept from being a loss, and the losses that were not made (yen, >= 0).

    `hides`: items that were hidden; `hidden_days`: for how long together; `orders_spared`: expected orders meanwhile.
    """

    by_rises: int = 0
    by_rises_jpy: int = 0
    hides: int = 0
    hidden_days: float = 0.0
    orders_spared: float = 0.0


def avoided(
    edits: Iterable[Edit],
    sales: Iterable[Sale],
    profit_jpy: Callable[[ListingKey, int, int], int],
    orders_a_day: Callable[[Collection[ListingKey]], Mapping[ListingKey, float]],
    since: datetime,
    now: datetime,
) -> Avoided:
    """What the edits since then spared. `edits`: in the order of time, also older ones of the same listings; they are
    gone through once, however many. `profit_jpy(listing, price, cost)` of one piece; `orders_a_day(listings)`: of each,
    missing = nobody knows, counts 0."""
    sold: dict[ListingKey, list[Sale]] = defaultdict(list)
    for sale in sales:
        if sale.sold_at >= since and sale.cost_jpy is not None:
            sold[sale.key].append(sale)
    prices: dict[ListingKey, list[Edit]] = defaultdict(list)
    hidden_at: dict[ListingKey, datetime] = {}
    hidden_s: dict[ListingKey, float] = defaultdict(float)
    for edit in edits:
        if edit.kind is Kind.PRICE and edit.key in sold:
            prices[edit.key].append(edit)
        elif edit.kind is Kind.VISIBILITY and edit.after == 0:
            hidden_at.setdefault(edit.key, edit.at)
        elif edit.kind is Kind.VISIBILITY and edit.after == 1 and edit.key in hidden_at:
            hidden_s[edit.key] += _seconds(hidden_at.pop(edit.key), edit.at, since, now)
    for key, start in hidden_at.items():
        hidden_s[key] += _seconds(start, now, since, now)
    hidden_s = {key: seconds for key, seconds in hidden_s.items() if seconds > 0}
    losses = [
        loss for of_it in sold.values() for one in of_it if (loss := _loss_at_the_price_before(one, prices, profit_jpy))
    ]
    usual = orders_a_day(hidden_s.keys())
    return Avoided(
        by_rises=len(losses),
        by_rises_jpy=sum(losses),
        hides=len(hidden_s),
        hidden_days=sum(hidden_s.values()) / _DAY_S,
        orders_spared=sum(seconds / _DAY_S * usual.get(key, 0.0) for key, seconds in hidden_s.items()),
    )


def _seconds(start: datetime, end: datetime, since: datetime, now: datetime) -> float:
    """So much of this time lies within the window."""
    return max(0.0, (min(end, now) - max(start, since)).total_seconds())


def _loss_at_the_price_before(
    sale: Sale, prices: Mapping[ListingKey, Sequence[Edit]], profit_jpy: Callable[[ListingKey, int, int], int]
) -> int:
    """Yen that the sale would have lost at the price before the last rise; 0 where none, or where nobody can say."""
    if sale.cost_jpy is None:
        return 0
    last = next((edit for edit in reversed(prices.get(sale.key, ())) if edit.at <= sale.sold_at), None)
    if last is None or last.before is None or last.after <= last.before or last.after != sale.price_jpy:
        return 0
    if sale.sold_at - last.at > RISE_COUNTS_FOR:
        return 0
    return max(0, -profit_jpy(sale.key, last.before, sale.cost_jpy)) * sale.amount


@dataclass(frozen=True, slots=True)
class Expected:
    """Orders a day that can't be filled, to be expected of what is on sale now. None = nothing to reckon with.

    `orders_a_day`: of all ASINs on sale; `turns_a_day`: share of them that becomes unsellable in a day;
    `age_h`: age of what is known of them, weighted by their orders.
    """

    wrong_orders_a_day: float
    orders_a_day: float
    turns_a_day: float
    age_h: float


def expected_wrong_orders(
    orders_a_day: Sequence[float], ages_s: Sequence[float], turns_a_day: float
) -> Expected | None:
    """`orders_a_day` and `ages_s` of each ASIN on sale, in one order; an age that is not known is no age: leave it out
    and say so beside it."""
    total = sum(orders_a_day)
    if total <= 0:
        return None
    weighted_s = sum(orders * age for orders, age in zip(orders_a_day, ages_s, strict=True)) / total
    return Expected(total * turns_a_day * weighted_s / _DAY_S, total, turns_a_day, weighted_s / 3600)
