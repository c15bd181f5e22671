"""Amounts from outside."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecauto_pipeline.domain.selling.money import MOST_JPY, yen


@pytest.mark.parametrize("amount", [2980, 2980.0, "2980", "2980.00", Decimal("2980.00")])
def test_whole_yen_is_yen_however_it_is_written(amount: object) -> None:
    """An amount is judged by its value: JSON turns 2980.00 into a float, and that is still 2,980 yen."""
    assert 2980 == yen(amount, "JPY")


@pytest.mark.parametrize("text", ["2980", "2980.0", "2980.00", "2.98e3"])
def test_yen_survives_json(text: str) -> None:
    """Whatever form a JSON number takes on its way, it comes out as the same integer."""
    assert 2980 == yen(json.loads(text), "JPY")


@pytest.mark.parametrize(
    "amount",
    [
        *(None, True, False, 0, -1, 0.0, -5.0, 29.8, "29.8", Decimal("0.5")),
        *(float("nan"), float("inf"), float("-inf"), "NaN", "Infinity", "", " 12", "1_000", "1,000", "１２", "abc"),
        *([2980], {"Amount": 2980}, 1e300, 10**400, MOST_JPY + 1, Decimal("sNaN")),
    ],
)
def test_what_is_no_price_is_unknown(amount: object) -> None:
    """Missing, zero, negative, fractional, absurd or foreign to numbers: refused, never rounded or guessed."""
    assert yen(amount, "JPY") is None


@pytest.mark.parametrize("currency", ["USD", "jpy", "", None, 392, ["JPY"]])
def test_only_jpy_is_yen(currency: object) -> None:
    """The currency must be said, and be JPY."""
    assert yen(2980, currency) is None


def test_shipping_may_be_nothing() -> None:
    """Free shipping is an amount of 0, which is no price."""
    assert 0 == yen(0, "JPY", least=0)
    assert 0 == yen(-0.0, "JPY", least=0)
    assert yen(-1, "JPY", least=0) is None


@given(st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.decimals()), st.text() | st.none())
def test_yen_is_total(amount: object, currency: object) -> None:
    """No input raises, and what comes out is None or a positive int (never a bool)."""
    for money in (yen(amount, currency), yen(amount, "JPY")):
        assert money is None or (type(money) is int and 1 <= money <= MOST_JPY)
