"""The owner says from whom he buys: prices follow those offers alone, and what only others offer is taken off sale."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from ecauto_pipeline.clock import ManualClock
from ecauto_pipeline.emulator.server import EmulatorServer
from ecauto_pipeline_tests.scenarios.picking import Listed, cost_of, item_of, selling, sound
from ecauto_pipeline_tests.scenarios.shop_day import ShopDay

_HOUR = 3600.0
_RULE = {"sellers_never": ["A0BARRED"], "min_rating_percent": 90, "min_offers": 2}


@dataclass
class Day:
    """Three listings: one whose cheapest seller is barred, one too thinly offered, one offered by nobody rated."""

    day: ShopDay
    barred: Listed
    thin: Listed
    unrated: Listed


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Day]:
    clock = ManualClock(datetime(2026, 6, 8, 1, 0, tzinfo=UTC))
    with EmulatorServer(clock=clock, seed=9, listings=40, accounts=2, speed=100.0) as emulator:
        day = ShopDay(tmp_path_factory.mktemp("offers"), emulator, clock, {"offers": _RULE}, loads_when_asked=True)
        play = Day(day, *sound(day, 3))
        for listed, offers in (
            (play.barred, [_offer("A0BARRED", 0.7), _offer("A1", 1.1), _offer("A2", 1.2)]),
            (play.thin, [_offer("A1", 1.0), _offer("A0BARRED", 1.0)]),
            (play.unrated, [_offer("A1", 1.0, feedback_percent=89), _offer("A2", 1.0, feedback_count=0)]),
        ):
            cost = cost_of(listed.price_jpy)
            priced = [{**one, "price_jpy": int(cost * one["price_jpy"])} for one in offers]
            day.control.set_truth(listed.asin, offers=priced)
        day.run()
        clock.advance(1.1 * _HOUR)
        day.run()
        clock.advance(24 * _HOUR)  # of what is in the low tier, the second look a day later
        day.run()
        yield play


def _offer(seller: str, share: float, **more: Any) -> dict[str, Any]:
    return {"seller_id": seller, "price_jpy": share, "max_hours": 24, **more}


def test_the_price_is_made_from_the_offers_that_count(played: Day) -> None:
    """The barred seller is the cheapest; the price follows the cheapest of the others."""
    listed = played.barred
    shown = item_of(played.day, listed)
    assert (True, selling(int(cost_of(listed.price_jpy) * 1.1))) == (shown["visible"], shown["price_jpy"])


def test_what_only_refused_sellers_offer_goes_off_sale(played: Day) -> None:
    """Too thin, or offered by nobody rated well enough: hidden after the second such answer, its price left alone."""
    for listed in (played.thin, played.unrated):
        shown = item_of(played.day, listed)
        assert (False, listed.price_jpy) == (shown["visible"], shown["price_jpy"])


def test_the_reason_is_kept(played: Day) -> None:
    """What was wrong with the offers is in the answer's row, as with every other filtered answer."""
    rows = played.day.history("select asin, status, reason from asin_latest")
    found = {row["asin"]: (row["status"], row["reason"]) for row in rows}
    assert ("filtered_out", "thin") == found[played.thin.asin]
    assert ("filtered_out", "rating_low") == found[played.unrated.asin]
