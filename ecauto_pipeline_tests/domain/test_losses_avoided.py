"""What edits spared is counted from what happened, and what is to be feared from the shop's own figures."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from ecauto_pipeline.domain.losses_avoided import Avoided, Edit, Sale, avoided, expected_wrong_orders
from ecauto_pipeline.domain.model import Kind, ListingKey

NOW = datetime(2026, 1, 31, tzinfo=UTC)
SINCE = NOW - timedelta(days=30)
MUG, CUP = ListingKey("base", "shop", "1"), ListingKey("base", "shop", "2")


def day(number: float) -> datetime:
    return SINCE + timedelta(days=number)


def price(at: float, before: int | None, after: int, key: ListingKey = MUG) -> Edit:
    return Edit(key, Kind.PRICE, before, after, day(at))


def shown(at: float, after: int, key: ListingKey = MUG) -> Edit:
    return Edit(key, Kind.VISIBILITY, 1 - after, after, day(at))


def found(edits: list[Edit], sales: Sequence[Sale] = (), orders: dict[ListingKey, float] | None = None) -> Avoided:
    usual = orders or {}
    return avoided(iter(edits), sales, lambda _key, price, cost: price - cost - 100, lambda _keys: usual, SINCE, NOW)


@pytest.mark.parametrize(
    ("edits", "sale", "expected"),
    [
        ([price(1, 1000, 2000)], Sale(MUG, day(2), 2000, 1500, 1), (1, 600)),  # 1000 - 1500 - 100
        ([price(1, 1000, 2000)], Sale(MUG, day(2), 2000, 1500, 3), (1, 1800)),
        ([price(1, 1700, 2000)], Sale(MUG, day(2), 2000, 1500, 1), (0, 0)),  # it would have been a profit
        ([price(1, 2500, 2000)], Sale(MUG, day(2), 2000, 1500, 1), (0, 0)),  # it had fallen
        ([price(3, 1000, 2000)], Sale(MUG, day(2), 1000, 1500, 1), (0, 0)),  # the rise came after the sale
        ([price(1, 1000, 2000)], Sale(MUG, day(2), 1000, 1500, 1), (0, 0)),  # it did not sell at our price
        ([price(1, 1000, 2000), price(1.5, 2000, 1900)], Sale(MUG, day(2), 1900, 1500, 1), (0, 0)),
        ([price(1, 1000, 2000)], Sale(MUG, day(2), 2000, None, 1), (0, 0)),  # nobody knows the cost
        ([price(1, None, 2000)], Sale(MUG, day(2), 2000, 1500, 1), (0, 0)),
        ([price(1, 1000, 2000, CUP)], Sale(MUG, day(2), 2000, 1500, 1), (0, 0)),
    ],
)
def test_a_rise_spares_the_loss_that_the_price_before_would_have_made(
    edits: list[Edit], sale: Sale, expected: tuple[int, int]
) -> None:
    """To the yen, by the cost at the sale; what nobody knows is never a loss that was avoided."""
    spared = found(edits, [sale])
    assert expected == (spared.by_rises, spared.by_rises_jpy)


@pytest.mark.parametrize(
    ("edits", "days"),
    [
        ([shown(10, 0), shown(12, 1)], 2.0),
        ([shown(10, 0)], 20.0),  # until now
        ([shown(-5, 0), shown(3, 1)], 3.0),  # as far as it lies within the window
        ([shown(10, 0), shown(11, 0), shown(12, 1)], 2.0),  # hidden once more while hidden
        ([shown(10, 1)], 0.0),
        ([shown(10, 0), shown(12, 1), shown(20, 0), shown(21, 1)], 3.0),
    ],
)
def test_hidden_time_is_counted_once_and_within_the_window(edits: list[Edit], days: float) -> None:
    """What it spared is the item's own orders over that time."""
    spared = found(edits, orders={MUG: 0.5})
    assert (days, days * 0.5) == pytest.approx((spared.hidden_days, spared.orders_spared))
    assert int(days > 0) == spared.hides


def test_an_item_nobody_orders_spares_no_order() -> None:
    """It is counted as hidden all the same."""
    assert (1, 0.0) == ((spared := found([shown(10, 0)])).hides, spared.orders_spared)


def test_wrong_orders_are_orders_times_turns_times_age() -> None:
    """Ages weigh by orders: 3 a day known for 1 h and 1 a day for 9 h are 3 h old on the average."""
    expected = expected_wrong_orders([3.0, 1.0], [3600.0, 9 * 3600.0], 0.08)
    assert expected is not None
    assert (4.0, 0.08) == (expected.orders_a_day, expected.turns_a_day)
    assert [4 * 0.08 * 3 / 24, 3.0] == pytest.approx([expected.wrong_orders_a_day, expected.age_h])


def test_without_orders_nothing_is_expected() -> None:
    """It is unknown, not zero."""
    assert expected_wrong_orders([0.0, 0.0], [1.0, 2.0], 0.5) is None
    assert expected_wrong_orders([], [], 0.5) is None
