"""The selling price: one function, integers only, and the floor below which nothing may be shown.

A price outside the limits is blocked, never clamped; every way to ask (strategy of the house, of one shop, a ratio
from the command line) passes through the same limits. Not for: whether a price is sent (diffs.py), or its working out
in words (price_steps.py).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from ecauto_pipeline.domain.selling.endings import around, nearest
from ecauto_pipeline.domain.selling.item_rules import ItemRule
from ecauto_pipeline.domain.selling.ratios import exact
from ecauto_pipeline.domain.selling.terms import SellingTerms
from ecauto_pipeline.settings import Guards


@dataclass(frozen=True, slots=True)
class Price:
    """A selling price and how it came about.

    `blocked`: "" where it may leave, else `min_price`, `max_price`, `min_markup`, `min_profit`, `item_floor`,
    `item_ceiling`, `max_markup`, `no_tier`, `no_cost`; a blocked price is for showing only. `price_jpy` is None where
    none could be worked out (no_tier, no_cost). `ratio`: the markup, and `origin` where it comes from; `truncated_jpy`:
    before it was rounded; `rounded_jpy`: before it was moved to the item's own floor or ceiling; `limited_jpy`: before
    it was moved to an ending. A fixed price has none of the three.
    """

    price_jpy: int | None
    blocked: str
    ratio: float | None = None
    origin: str = ""
    truncated_jpy: int | None = None
    rounded_jpy: int | None = None
    limited_jpy: int | None = None

    @property
    def ratio_text(self) -> str:
        """The markup as it was written; "" = there is none."""
        return "" if self.ratio is None else str(self.ratio)


def selling_price(cost_jpy: int | None, terms: SellingTerms) -> Price:
    """What to ask for goods that cost `cost_jpy`: cost x ratio, truncated to yen, rounded half up to round_to_jpy.

    1984 -> 2580, 3459 -> 4500 at 1.3 and 10 yen. The item's own rule may fix it, or give the ratio, or a floor and a
    ceiling that the price is moved to: these are what the owner wants to ask, not alarms. Every limit holds for all.
    """
    if cost_jpy is None or isinstance(cost_jpy, bool) or cost_jpy <= 0:
        return Price(None, "no_cost")
    rule = terms.rule
    if rule is not None and rule.fixed_price_jpy is not None:
        fixed = rule.fixed_price_jpy
        return Price(fixed, outside(fixed, cost_jpy, terms), origin="fixed")
    ratio, origin = _ratio(cost_jpy, terms)
    if ratio is None:
        return Price(None, "no_tier", origin=origin)
    if not math.isfinite(ratio) or ratio <= 0:
        return Price(None, "min_markup", ratio, origin)
    share = exact(ratio)
    multiplied = cost_jpy * share.numerator // share.denominator
    step = terms.pricing.round_to_jpy
    rounded = (2 * multiplied + step) // (2 * step) * step
    limited = rounded if rule is None else _within(rounded, rule)
    price = _with_ending(limited, cost_jpy, terms)
    return Price(price, outside(price, cost_jpy, terms), ratio, origin, multiplied, rounded, limited)


def floor_jpy(cost_jpy: int, terms: SellingTerms) -> int:
    """The least price for goods that cost this: the highest of min_markup_ratio x cost, break-even plus the least
    profit, and the item's own floor."""
    return max(least for _, least in terms.floor_parts(cost_jpy))


def breaks_floor(shown_price_jpy: int | None, cost_jpy: int | None, terms: SellingTerms) -> bool:
    """Whether the price shown is below the floor, exactly. An unknown figure breaks nothing."""
    if shown_price_jpy is None or cost_jpy is None:
        return False
    return terms.breaks_floor_by(shown_price_jpy, cost_jpy) != ""


def outside(price_jpy: int, cost_jpy: int | None, terms: SellingTerms) -> str:
    """Which limit this price breaks, whoever wants it; "" = none. Of an unknown cost only the limits in yen count."""
    guards = terms.guards
    if price_jpy < guards.min_price_jpy:
        return "min_price"
    if price_jpy > guards.max_price_jpy:
        return "max_price"
    most = None if terms.rule is None else terms.rule.max_price_jpy
    if most is not None and price_jpy > most:
        return "item_ceiling"
    if cost_jpy is None:
        return ""
    return terms.breaks_floor_by(price_jpy, cost_jpy) or _too_dear(price_jpy, cost_jpy, guards)


def _within(price_jpy: int, rule: ItemRule) -> int:
    """Moved to the item's own floor, then to its ceiling."""
    least, most = rule.min_price_jpy, rule.max_price_jpy
    if least and price_jpy < least:
        price_jpy = least
    return most if most and price_jpy > most else price_jpy


def _with_ending(price_jpy: int, cost_jpy: int, terms: SellingTerms) -> int:
    """The nearest price that ends as it should and breaks no limit, so never below the floor. A price that is blocked
    anyway stays as it is: no ending rescues it. Where no ending is within the limits the one above is blocked; of an
    item with a floor or ceiling of its own the price stays within them without an ending."""
    endings = terms.pricing.endings
    if not endings or outside(price_jpy, cost_jpy, terms):
        return price_jpy
    candidates, rule = around(price_jpy, endings), terms.rule
    fitting = [one for one in candidates if not outside(one, cost_jpy, terms)]
    if not fitting and rule is not None and (rule.min_price_jpy or rule.max_price_jpy):
        return price_jpy
    return nearest(price_jpy, fitting or candidates[-1:])


def _too_dear(price_jpy: int, cost_jpy: int, guards: Guards) -> str:
    ratio = exact(guards.max_markup_ratio)
    return "max_markup" if price_jpy * ratio.denominator > cost_jpy * ratio.numerator else ""


def _ratio(cost_jpy: int, terms: SellingTerms) -> tuple[float | None, str]:
    """The markup for this cost and where it comes from; None where no tier covers the cost."""
    pricing, rule = terms.pricing, terms.rule
    own = None if rule is None else rule.markup_ratio
    if own is not None:
        return own, "simple (of this item)"
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
