"""Costs that rise through a week: written into the emulator's world at its beginning, each at a minute of its own.

Many small rises, which only together come to a loss; some large ones, each a loss at the price on show; stairs, of
which no step is too much to be believed and all of a day together are. Not for: what comes of them (losses.py).
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import datetime, timedelta

from ecauto_pipeline_tests.scenarios.expectation import cost_jpy
from ecauto_pipeline_tests.scenarios.shop_day import ShopDay

SMALL, LARGE, STAIRS = 40, 24, 8  # ASINs of each kind
Rises = dict[str, list[tuple[datetime, int]]]


def offer(cost: int) -> dict[str, object]:
    """The one offer of goods at this cost, which suits the owner's rule."""
    return {"seller_id": "A1SELLER", "price_jpy": cost, "max_hours": 24}


def write_rises(
    day: ShopDay, chance: random.Random, asins: Sequence[str], start: datetime, hours: int, busy: int
) -> Rises:
    """Let the costs of some of `asins` rise within `hours` of `start`; every third large rise falls into hour `busy`.

    When each rises, and to what. An ASIN that can't be bought at the start is passed over.
    """
    written: Rises = {}
    for asin in chance.sample(list(asins), len(asins)):
        cost = cost_jpy(day.control.truth(asin, start))
        number = len(written)
        if cost is None:
            continue
        if number < SMALL:
            at = [chance.uniform(2, 8)]
            while at[-1] < hours:
                at.append(at[-1] + chance.uniform(6, 14))
            steps = [(hour, chance.uniform(1.01, 1.06)) for hour in at[:-1]]
        elif number < SMALL + LARGE:
            second = busy + chance.random() if number % 3 == 0 else chance.uniform(80, hours)
            steps = [(chance.uniform(2, busy - 30), chance.uniform(1.2, 1.45)), (second, chance.uniform(1.2, 1.45))]
        elif number < SMALL + LARGE + STAIRS:
            first = chance.uniform(2, hours - 14)
            steps = [(first + 2.2 * step, chance.uniform(1.15, 1.2)) for step in range(6)]
        else:
            break
        written[asin] = []
        day.control.set_truth(asin, since=start, offers=[offer(cost)])
        for hour, times in steps:
            cost, moment = round(cost * times), start + timedelta(hours=hour)
            day.control.set_truth(asin, since=moment, offers=[offer(cost)])
            written[asin].append((moment, cost))
    return written
