"""The selling price: one function, integers only, and the floor below which nothing may be shown.

A price outside the limits is blocked, never clamped; every way to ask (strategy of the house, of one shop, a ratio
from the command line) passes through the same limits. Not for: whether a price is sent (diffs.py).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from ecauto_pipeline.domain.selling.terms import SellingTerms
from ecauto_pipeline.settings import Guards


@dataclass(frozen=True, slots=True)
class Price:
    """A selling price and how it came about.

    `blocked`: "" where it may leave, else `min_price`, `max_price`, `min_markup`, `max_markup`, `no_tier`, `no_cost`;
    a blocked price is for showing only. `price_jpy` is None where none could be worked out (no_tier, no_cost).
    `ratio_text` is the markup as it was written. `steps`: (label, value) in order, for people.
    """

    price_jpy: int | None
    blocked: str
    ratio_text: str
    steps: tuple[tuple[str, str], ...]


def selling_price(cost_jpy: int | None, terms: SellingTerms) -> Price:
    """What to ask for goods that cost `cost_jpy`: cost x ratio, truncated to yen, rounded half up to round_to_jpy.

    1984 -> 2580, 3459 -> 4500 at 1.3 and 10 yen.
    """
    if cost_jpy is None or isinstance(cost_jpy, bool) or cost_jpy <= 0:
        return Price(None, "no_cost", "", (("cost_jpy", str(cost_jpy)),))
    steps = [("cost_jpy", str(cost_jpy))]
    ratio, origin = _ratio(cost_jpy, terms)
    if ratio is None:
        return Price(None, "no_tier", "", (*steps, ("strategy", origin), ("blocked", "no_tier")))
    steps += [("strategy", origin), ("markup_ratio", str(ratio))]
    if not math.isfinite(ratio) or ratio <= 0:
        return Price(None, "min_markup", str(ratio), (*steps, ("blocked", "min_markup")))
    share = exact(ratio)
    multiplied = cost_jpy * share.numerator // share.denominator
    step, guards = terms.pricing.round_to_jpy, terms.guards
    price = (2 * multiplied + step) // (2 * step) * step
    steps += [("truncated_jpy", str(multiplied)), (f"rounded_to_{step}_jpy", str(price))]
    blocked = _outside(price, cost_jpy, guards)
    steps.append(("limits_jpy", f"{guards.min_price_jpy}..{guards.max_price_jpy}"))
    steps.append(("limits_ratio", f"{guards.min_markup_ratio}..{guards.max_markup_ratio}"))
    if blocked:
        steps.append(("blocked", blocked))
    return Price(price, blocked, str(ratio), tuple(steps))


def breaks_floor(shown_price_jpy: int | None, cost_jpy: int | None, terms: SellingTerms) -> bool:
    """Whether the price shown is below min_markup_ratio x cost, exactly. An unknown figure breaks nothing."""
    if shown_price_jpy is None or cost_jpy is None:
        return False
    return _below(shown_price_jpy, cost_jpy, terms.guards.min_markup_ratio)


@lru_cache(maxsize=256)
def exact(ratio: float) -> Fraction:
    """The ratio as it was written: 1.3 is 13/10, not the nearest binary fraction."""
    return Fraction(str(ratio))


def _ratio(cost_jpy: int, terms: SellingTerms) -> tuple[float | None, str]:
    """The markup for this cost and where it comes from; None where no tier covers the cost."""
    pricing = terms.pricing
    if terms.markup_ratio is not None and terms.strategy != "tiered":
        return terms.markup_ratio, "simple (of this shop)"
    if (terms.strategy or pricing.strategy) == "simple":
        return pricing.markup_ratio, "simple"
    for tier in pricing.tiers:
        if tier.max_price_jpy is None:
            return tier.markup_ratio, "tiered (the rest)"
        if cost_jpy <= tier.max_price_jpy:
            return tier.markup_ratio, f"tiered (up to {tier.max_price_jpy})"
    return None, "tiered"


def _outside(price_jpy: int, cost_jpy: int, guards: Guards) -> str:
    if price_jpy < guards.min_price_jpy:
        return "min_price"
    if price_jpy > guards.max_price_jpy:
        return "max_price"
    if _below(price_jpy, cost_jpy, guards.min_markup_ratio):
        return "min_markup"
    ratio = exact(guards.max_markup_ratio)
    if price_jpy * ratio.denominator > cost_jpy * ratio.numerator:
        return "max_markup"
    return ""


def _below(price_jpy: int, cost_jpy: int, ratio: float) -> bool:
    """price < ratio x cost, in integers (a Fraction apiece would cost seconds over 100,000 listings)."""
    share = exact(ratio)
    return price_jpy * share.denominator < cost_jpy * share.numerator
