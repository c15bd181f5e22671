"""Which ASINs no rule of ages.py can call due now, as bounds of their stamps: those are counted and not read.

A few comparisons, which a database makes where the rows lie. They err on one side alone: who lies beyond a bound is
read and judged, and may turn out not to be due. Who lies within them all is judged by nobody, so whatever a rule looks
at needs its bound here. Times are milliseconds since the epoch, 0 = never.
Not for: the rule itself (ages.py), or which columns say so (state/quiet_asins.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ecauto_pipeline.clock import jst, to_ms
from ecauto_pipeline.domain.freshness.ages import Policy, slack_ms


@dataclass(frozen=True, slots=True)
class Span:
    """A stamp after `after_ms`, and at `until_ms` at the latest: later than that lies no clock that is right."""

    after_ms: int
    until_ms: int


@dataclass(frozen=True, slots=True)
class QuietBounds:
    """Quiet is who has answered, fails and owes nothing, and has its stamps within these.

    `sold_since_ms`, `viewed_since_ms`: who was sold since is of the high tier, else who was viewed since of the medium
    one. `stock`: when it was last confirmed, by tier code. `price`: the newer of price and detail. A second look at
    `filtered_out` that is owed since `filtered_after_ms` or before is due; a sweep since `day_ms` of which no detail
    is newer than that may be audited.
    """

    sold_since_ms: int
    viewed_since_ms: int
    stock: tuple[Span, Span, Span]
    price: Span
    filtered_after_ms: int
    day_ms: int

    @classmethod
    def of(cls, policy: Policy, now: datetime) -> QuietBounds:
        """The bounds at this moment."""
        now_ms = to_ms(now)
        high, medium, low = policy.max_age_ms
        early = policy.low_early_ms + 1 if policy.low_early_ms else 0  # how much of it is by its hash
        return cls(
            sold_since_ms=max(1, now_ms - policy.sold_within_ms),
            viewed_since_ms=max(1, now_ms - policy.viewed_within_ms),
            stock=(_young(now_ms, high), _young(now_ms, medium), _young(now_ms, low, early)),
            price=_young(now_ms, policy.price_ms),
            filtered_after_ms=now_ms - policy.confirm_after_ms if policy.second_filtered_look else -1,
            day_ms=to_ms(jst(now).replace(hour=0, minute=0, second=0, microsecond=0)),
        )


def _young(now_ms: int, max_age_ms: int, early_ms: int = 0) -> Span:
    """Stamps whose age is neither reached nor further in the future than itself."""
    return Span(now_ms - max_age_ms + max(int(slack_ms(max_age_ms)), early_ms), now_ms + max_age_ms)


@dataclass(frozen=True, slots=True)
class QuietOnes:
    """How many ASINs of a tier are quiet, and the oldest stamp of stock among them; None where there are none."""

    asins: int = 0
    oldest_stock_ms: int | None = None
