"""What is left of a sale."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecauto_pipeline.domain.selling.fees import NO_FEES, Fees, Rounding, break_even_jpy, profit_jpy

STANDARD = Fees(payment_ratio=0.036, payment_fixed_jpy=40, service_ratio=0.03)
GROWTH = Fees(payment_ratio=0.029)
DEARER = Fees(payment_ratio=0.046, payment_fixed_jpy=40, service_ratio=0.03)  # a means of payment at a point more
CART = Fees(payment_ratio=0.0325, service_ratio=0.015)

any_fees = st.builds(
    Fees,
    payment_ratio=st.sampled_from([0.0, 0.029, 0.036, 0.046, 0.25]),
    payment_fixed_jpy=st.sampled_from([0, 40, 250]),
    service_ratio=st.sampled_from([0.0, 0.015, 0.03, 0.25]),
    rounding=st.sampled_from(["up", "nearest", "down"]),
)
least_profits = st.tuples(st.sampled_from([0, 1, 100, 2000]), st.sampled_from([0.0, 0.05, 0.4]))


@pytest.mark.parametrize(
    ("price", "cost", "standard", "growth"),
    [
        (500, 384, 43, 101),
        (500, 500, -73, -15),
        (1050, 1000, -60, 19),
        (1300, 1000, 174, 262),
        (1500, 1300, 61, 156),
        (2580, 1984, 385, 521),
        (4500, 3459, 704, 910),
        (10_500, 10_000, -233, 195),
        (13_000, 10_000, 2102, 2623),
        (99_990, 76_915, 16_435, 20_175),
        (100_000, 95_000, -1640, 2100),
        (1114, 1000, -1, 81),
    ],
)
def test_what_is_left_at_either_plan(price: int, cost: int, standard: int, growth: int) -> None:
    """BASE's two plans side by side, to the yen."""
    assert (standard, growth) == (profit_jpy(price, cost, STANDARD), profit_jpy(price, cost, GROWTH))


@pytest.mark.parametrize(
    ("fees", "price", "cost", "extra", "left"),
    [
        (STANDARD, 1, 1, 0, -42),  # 3.6% = 0.036 -> 1, + 40 = 41; 3% = 0.03 -> 1: 1 - 41 - 1 - 1
        (STANDARD, 100, 50, 0, 3),  # 3.6% = 3.6 -> 4, + 40 = 44; 3% = 3: 100 - 44 - 3 - 50
        (STANDARD, 166, 115, 0, 0),  # 3.6% = 5.976 -> 6, + 40 = 46; 3% = 4.98 -> 5: 166 - 46 - 5 - 115
        (STANDARD, 167, 115, 0, -1),  # 3.6% = 6.012 -> 7, + 40 = 47; 3% = 5.01 -> 6: 167 - 47 - 6 - 115
        (STANDARD, 500, 427, 0, 0),  # 3.6% = 18, + 40 = 58; 3% = 15: 500 - 58 - 15 - 427
        (STANDARD, 500, 428, 0, -1),  # the same fees: 500 - 58 - 15 - 428
        (STANDARD, 1000, 894, 0, 0),  # 3.6% = 36, + 40 = 76; 3% = 30: 1,000 - 76 - 30 - 894
        (STANDARD, 1000, 895, 0, -1),  # the same fees: 1,000 - 76 - 30 - 895
        (STANDARD, 1980, 1500, 0, 308),  # 3.6% = 71.28 -> 72, + 40 = 112; 3% = 59.4 -> 60: 1,980 - 112 - 60 - 1,500
        (STANDARD, 1980, 1500, 300, 8),  # the same fees, 300 for the parcel: 1,980 - 112 - 60 - 1,500 - 300
        (STANDARD, 2500, 1900, 0, 395),  # 3.6% = 90, + 40 = 130; 3% = 75: 2,500 - 130 - 75 - 1,900
        (STANDARD, 2501, 1900, 0, 394),  # 90.036 -> 91, + 40 = 131; 75.03 -> 76: 2,501 - 131 - 76 - 1,900
        (STANDARD, 3000, 2762, 0, 0),  # 3.6% = 108, + 40 = 148; 3% = 90: 3,000 - 148 - 90 - 2,762
        (STANDARD, 9980, 7600, 520, 1160),  # 359.28 -> 360, + 40 = 400; 299.4 -> 300: 9,980 - 400 - 300 - 7,600 - 520
        (STANDARD, 29_800, 24_000, 0, 3793),  # 1072.8 -> 1073, + 40 = 1113; 894: 29,800 - 1,113 - 894 - 24,000
        (STANDARD, 50_000, 46_660, 0, 0),  # 3.6% = 1,800, + 40; 3% = 1,500: 50,000 - 1,840 - 1,500 - 46,660
        (STANDARD, 99_999, 93_000, 0, 359),  # 3,599.964 -> 3,600, + 40; 2,999.97 -> 3,000: 99,999 - 6,640 - 93,000
        (GROWTH, 1000, 971, 0, 0),  # 2.9% = 29: 1,000 - 29 - 971
        (GROWTH, 1000, 970, 0, 1),  # 2.9% = 29: 1,000 - 29 - 970
        (GROWTH, 1980, 1500, 300, 122),  # 2.9% = 57.42 -> 58: 1,980 - 58 - 1,500 - 300
        (GROWTH, 9980, 9690, 0, 0),  # 2.9% = 289.42 -> 290: 9,980 - 290 - 9,690
        (GROWTH, 100_000, 97_100, 0, 0),  # 2.9% = 2,900: 100,000 - 2,900 - 97,100
        (DEARER, 1000, 800, 0, 84),  # 4.6% = 46, + 40 = 86; 3% = 30: 1,000 - 86 - 30 - 800
        (DEARER, 12_800, 9800, 150, 1837),  # 588.8 -> 589, + 40 = 629; 384: 12,800 - 629 - 384 - 9,800 - 150
        (DEARER, 2580, 1984, 0, 359),  # 118.68 -> 119, + 40 = 159; 77.4 -> 78: 2,580 - 159 - 78 - 1,984
        (CART, 800, 600, 0, 162),  # 3.25% = 26; 1.5% = 12: 800 - 26 - 12 - 600
        (CART, 2000, 1905, 0, 0),  # 3.25% = 65; 1.5% = 30: 2,000 - 65 - 30 - 1,905
        (NO_FEES, 1234, 1000, 34, 200),  # 1,234 - 1,000 - 34
    ],
)
def test_what_is_left_to_the_yen(fees: Fees, price: int, cost: int, extra: int, left: int) -> None:
    """Price - payment - service - cost - extra cost, each fee rounded up by itself; the sum stands beside each case."""
    assert left == profit_jpy(price, cost, fees, extra)


@pytest.mark.parametrize(
    ("rounding", "left"),
    [
        ("up", 385),  # 92.88 -> 93, 77.4 -> 78: 2,580 - 133 - 78 - 1,984
        ("nearest", 386),  # 92.88 -> 93, 77.4 -> 77: 2,580 - 133 - 77 - 1,984
        ("down", 387),  # 92.88 -> 92, 77.4 -> 77: 2,580 - 132 - 77 - 1,984
    ],
)
def test_fees_are_rounded_as_said(rounding: Rounding, left: int) -> None:
    """Up unless the owner knows better: of 2,580 yen the fees are 92.88 and 77.4 yen."""
    fees = Fees(payment_ratio=0.036, payment_fixed_jpy=40, service_ratio=0.03, rounding=rounding)
    assert left == profit_jpy(2580, 1984, fees)


@pytest.mark.parametrize(
    ("cost", "price"), [(384, 455), (500, 579), (1000, 1115), (3000, 3256), (10_000, 10_750), (115, 168)]
)
def test_break_even_at_the_standard_plan(cost: int, price: int) -> None:
    """The least price from which on nothing is lost: goods of 115 yen break even at 166, lose a yen at 167."""
    assert price == break_even_jpy(cost, STANDARD)


@pytest.mark.parametrize(
    ("least", "share", "price"),
    [
        (0, 0.0, 1115),  # 40.14 -> 41, + 40 = 81; 33.45 -> 34: 1,115 - 81 - 34 - 1,000 = 0
        (100, 0.0, 1221),  # 43.956 -> 44, + 40 = 84; 36.63 -> 37: 1,221 - 84 - 37 - 1,000 = 100
        (0, 0.1, 1248),  # 44.928 -> 45, + 40 = 85; 37.44 -> 38: 1,248 - 85 - 38 - 1,000 = 125 >= 124.8
    ],
)
def test_break_even_with_a_least_profit(least: int, share: float, price: int) -> None:
    """The least profit in yen, or as a share of the price, comes on top."""
    found = break_even_jpy(1000, STANDARD, min_profit_jpy=least, min_profit_ratio=share)
    assert price == found


@given(st.integers(1, 3000), any_fees, st.sampled_from([0, 300]), least_profits)
def test_from_break_even_on_no_price_leaves_too_little(
    cost: int, fees: Fees, extra: int, least: tuple[int, float]
) -> None:
    """Every price from there on leaves both least profits; the one before it does not."""
    jpy, ratio = least
    price = break_even_jpy(cost, fees, extra, min_profit_jpy=jpy, min_profit_ratio=ratio)

    def enough(at: int) -> bool:
        left = profit_jpy(at, cost, fees, extra)
        return left >= jpy and left >= Fraction(str(ratio)) * at

    assert all(enough(at) for at in range(price, price + 200))
    assert not enough(price - 1)


def test_shares_that_leave_nothing_are_refused() -> None:
    """Fees of half the price and a least profit of half the price have no price that does."""
    with pytest.raises(ValueError, match="leave nothing"):
        break_even_jpy(1000, Fees(payment_ratio=0.5), min_profit_ratio=0.5)
