"""What makes an ASIN quiet (domain/freshness/quiet.py), in words of its row of `asins`.

Not for: reading or counting them (targets.py).
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Case, ColumnElement, and_, case, func, or_

from ecauto_pipeline.domain.freshness.quiet import QuietBounds
from ecauto_pipeline.state.schema import asins


def since(stamp: ColumnElement[int], at_ms: int) -> ColumnElement[bool]:
    """Whether it is that late; of never, false, and so never unknown."""
    return func.coalesce(stamp, 0) >= at_ms


def _by_tier(quiet: QuietBounds, values: Sequence[int]) -> Case[int]:
    """The value of the row's tier, given by tier code: high, medium, low."""
    high, medium, low = values
    return case(
        (since(asins.c.last_sold_at, quiet.sold_since_ms), high),
        (since(asins.c.last_viewed_at, quiet.viewed_since_ms), medium),
        else_=low,
    )


def is_quiet(quiet: QuietBounds) -> ColumnElement[bool]:
    """True or false; false also where there is no row."""
    known = asins.c
    price_at, stock_at, detail_at, probe_at = (
        func.coalesce(known[name], 0) for name in ("price_at", "stock_at", "detail_at", "probe_at")
    )
    return and_(
        known.status.is_not(None),
        known.failures == 0,
        known.wants_detail == "",
        known.doubt == "",
        stock_at > _by_tier(quiet, [span.after_ms for span in quiet.stock]),
        stock_at <= _by_tier(quiet, [span.until_ms for span in quiet.stock]),
        or_(price_at > quiet.price.after_ms, detail_at > quiet.price.after_ms),
        and_(price_at <= quiet.price.until_ms, detail_at <= quiet.price.until_ms),
        or_(known.error_at.is_(None), known.error_at <= stock_at, known.error_at <= detail_at),
        or_(
            known.status != "filtered_out",
            known.filtered_count >= 2,
            func.coalesce(known.filtered_since, 0) > quiet.filtered_after_ms,
        ),
        or_(probe_at < quiet.day_ms, stock_at < quiet.day_ms, detail_at >= quiet.day_ms),
    )
