"""Prices that end as the owner likes them to: 980, 80.

An ending is the last digits of a price: 980 is met by 980, 1,980, 2,980; 80 by these and by 1,080 too.
Not for: whether such a price may leave (pricing.py).
"""

from __future__ import annotations

from collections.abc import Sequence


def ends_in(price_jpy: int, ending: int) -> bool:
    """Whether these are the last digits of the price."""
    return price_jpy % int(10 ** len(str(ending))) == ending


def around(price_jpy: int, endings: Sequence[int]) -> tuple[int, ...]:
    """The nearest prices above zero with one of these endings: at or below, and at or above. One where they are the
    same, or where nothing is below; none without endings.
    """
    below, above = [], []
    for ending in endings:
        every = int(10 ** len(str(ending)))
        down = price_jpy - (price_jpy - ending) % every
        below += [down] if down > 0 else []
        above.append(down if down == price_jpy else down + every)
    return tuple(sorted({*([max(below)] if below else []), *([min(above)] if above else [])}))


def nearest(price_jpy: int, candidates: Sequence[int]) -> int:
    """The candidate nearest to the price, of two equally near the higher one."""
    return min(candidates, key=lambda one: (abs(one - price_jpy), -one))
