"""How a price was worked out, step by step, for people.

Not for: working it out (pricing.py), or the words of a step (explain/labels.py).
"""

from __future__ import annotations

from ecauto_pipeline.domain.selling.fees import payment_fee_jpy, profit_jpy, service_fee_jpy
from ecauto_pipeline.domain.selling.pricing import Price, selling_price
from ecauto_pipeline.domain.selling.terms import SellingTerms

Steps = tuple[tuple[str, str], ...]


def price_steps(cost_jpy: int | None, terms: SellingTerms) -> Steps:
    """(label, value) in order, from the cost to the price, what is left of it, and the limits it was held against."""
    price = selling_price(cost_jpy, terms)
    steps = [("cost_jpy", str(cost_jpy))]
    if price.blocked == "no_cost" or cost_jpy is None:
        return tuple(steps)
    steps.append(("strategy", price.origin))
    if price.ratio is not None:
        steps.append(("markup_ratio", price.ratio_text))
    if price.price_jpy is not None:
        steps += _to_the_price(cost_jpy, price, price.price_jpy, terms)
    if price.blocked:
        steps.append(("blocked", price.blocked))
    return tuple(steps)


def _to_the_price(cost_jpy: int, price: Price, price_jpy: int, terms: SellingTerms) -> Steps:
    guards, rounded, limited = terms.guards, price.rounded_jpy, price.limited_jpy
    lines = terms.rule.answers() if terms.rule is not None else {}
    return (
        *((("truncated_jpy", str(price.truncated_jpy)),) if price.truncated_jpy is not None else ()),
        *(((f"rounded_to_{terms.pricing.round_to_jpy}_jpy", str(rounded)),) if rounded is not None else ()),
        *((("own_limit_jpy", str(limited)),) if limited is not None and limited != rounded else ()),
        *_ending(price, terms),
        *((("rule_lines", ", ".join(f"{name}: {line}" for name, line in lines.items())),) if lines else ()),
        *_left(price_jpy, cost_jpy, terms),
        *((f"floor_{name}_jpy", str(least)) for name, least in terms.floor_parts(cost_jpy) if least),
        ("limits_jpy", f"{guards.min_price_jpy}..{guards.max_price_jpy}"),
        ("limits_ratio", f"{guards.min_markup_ratio}..{guards.max_markup_ratio}"),
    )


def _ending(price: Price, terms: SellingTerms) -> Steps:
    if not terms.pricing.endings or price.limited_jpy is None:
        return ()
    return (("ending_jpy", f"{price.price_jpy} ({', '.join(map(str, terms.pricing.endings))})"),)


def _left(price_jpy: int, cost_jpy: int, terms: SellingTerms) -> Steps:
    """The fees of a sale at this price, and what is left."""
    extra = terms.extra_cost_jpy
    return (
        ("payment_fee_jpy", str(payment_fee_jpy(price_jpy, terms.fees))),
        ("service_fee_jpy", str(service_fee_jpy(price_jpy, terms.fees))),
        *((("extra_cost_jpy", str(extra)),) if extra else ()),
        ("profit_jpy", str(profit_jpy(price_jpy, cost_jpy, terms.fees, extra))),
    )
