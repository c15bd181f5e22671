"""What makes an ASIN quiet (domain/freshness/quiet.py), in words of its row of `asins`.

The words are made once; the bounds, which change with every moment, are their parameters: `bound_to`.
Not for: reading or counting them (targets.py).
"""

from __future__ import annotations

from functools import cache

from sqlalchemy import BigInteger, BindParameter, Case, ColumnElement, and_, bindparam, case, func, or_

from ecauto_pipeline.domain.freshness.quiet import QuietBounds
from ecauto_pipeline.state.schema import asins


def _bound(name: str) -> BindParameter[int]:
    return bindparam(f"quiet_{name}", type_=BigInteger())


SOLD_SINCE, VIEWED_SINCE = _bound("sold_since"), _bound("viewed_since")
_STOCK_AFTER = tuple(_bound(f"stock_after_{tier}") for tier in range(3))
_STOCK_UNTIL = tuple(_bound(f"stock_until_{tier}") for tier in range(3))
LOW_AFTER = _STOCK_AFTER[-1]


def bound_to(quiet: QuietBounds) -> dict[str, int]:
    """The values of a statement with any of these words."""
    return {
        "quiet_sold_since": quiet.sold_since_ms,
        "quiet_viewed_since": quiet.viewed_since_ms,
        **{f"quiet_stock_after_{tier}": span.after_ms for tier, span in enumerate(quiet.stock)},
        **{f"quiet_stock_until_{tier}": span.until_ms for tier, span in enumerate(quiet.stock)},
        "quiet_price_after": quiet.price.after_ms,
        "quiet_price_until": quiet.price.until_ms,
        "quiet_filtered_after": quiet.filtered_after_ms,
        "quiet_day": quiet.day_ms,
    }


def since(stamp: ColumnElement[int], at_ms: BindParameter[int]) -> ColumnElement[bool]:
    """Whether it is that late; of never, false, and so never unknown."""
    return func.coalesce(stamp, 0) >= at_ms


def _by_tier(values: tuple[BindParameter[int], ...]) -> Case[int]:
    """The value of the row's tier, given by tier code: high, medium, low."""
    high, medium, low = values
    return case(
        (since(asins.c.last_sold_at, SOLD_SINCE), high),
        (since(asins.c.last_viewed_at, VIEWED_SINCE), medium),
        else_=low,
    )


@cache
def is_quiet() -> ColumnElement[bool]:
    """True or false; false also where there is no row."""
    known = asins.c
    price_at, stock_at, detail_at, probe_at = (
        func.coalesce(known[name], 0) for name in ("price_at", "stock_at", "detail_at", "probe_at")
    )
    price_after, price_until, day = _bound("price_after"), _bound("price_until"), _bound("day")
    return and_(
        known.status.is_not(None),
        known.failures == 0,
        known.wants_detail == "",
        known.doubt == "",
        stock_at > _by_tier(_STOCK_AFTER),
        stock_at <= _by_tier(_STOCK_UNTIL),
        or_(price_at > price_after, detail_at > price_after),
        and_(price_at <= price_until, detail_at <= price_until),
        or_(known.error_at.is_(None), known.error_at <= stock_at, known.error_at <= detail_at),
        or_(
            known.status != "filtered_out",
            known.filtered_count >= 2,
            func.coalesce(known.filtered_since, 0) > _bound("filtered_after"),
        ),
        or_(probe_at < day, stock_at < day, detail_at >= day),
    )
