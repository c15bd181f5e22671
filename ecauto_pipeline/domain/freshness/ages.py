"""How old each figure of an ASIN may get, and what therefore has to be asked again (docs/freshness.md).

The rule is written once, over columns (one element an ASIN), so that a plan over a million ASINs, the replay and a
single `due()` are the same code. Times are milliseconds since the epoch, 0 = never. An hourly run finds the data of
the run before it 59 minutes old; so an age counts as reached a little early (`slack_ms`), or an hourly tier would be
checked every second hour.
Not for: which operation asks, or in what order (planning.py), or reading state (state/targets.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt

from ecauto_pipeline.clock import jst, to_ms
from ecauto_pipeline.domain.freshness import slots as hour_slots
from ecauto_pipeline.domain.freshness.failing import DAY_MS, waits
from ecauto_pipeline.domain.model import Tier
from ecauto_pipeline.settings import Offers, Tiers, Ttl

Rows = npt.NDArray[np.void]
Ints = npt.NDArray[np.int64]

ROW = np.dtype(
    [
        ("asin", "U16"),
        ("price_at", np.int64),
        ("stock_at", np.int64),
        ("detail_at", np.int64),
        ("probe_at", np.int64),
        ("error_at", np.int64),
        ("sold_at", np.int64),
        ("viewed_at", np.int64),
        ("filtered_since", np.int64),  # only where one such answer was seen and the second is owed
        ("orders", np.float64),  # 30-day decayed counts as of demand_at
        ("views", np.float64),
        ("demand_at", np.int64),
        ("changes", np.float64),  # faded counts as of detail_at (change_rates.py)
        ("watched_days", np.float64),
        ("wants", np.int8),  # code of REASONS that an earlier answer left behind, 0 = none
        ("fetched", np.int8),  # 1 = at least one authoritative answer
        ("probed", np.int8),  # 1 = there is something that a sweep can be compared with
        ("out", np.int8),  # 1 = believed out of stock
        ("failures", np.int8),  # in a row, of this ASIN alone; without any, the next three columns are 0
        ("failed_at", np.int64),
        ("unanswerable", np.int8),  # 1 = a person has to look
        ("public", np.int8),  # 1 = a listing of it is on show
    ]
)
"""One row per distinct ASIN that takes part, ascending by ASIN."""

REASONS = (
    "",
    "second_look",
    "error",
    "changed",
    "filtered_look",
    "new",
    "price_due",
    "stock_due",
    "audit",
    "cadence",
)
"""Why an ASIN is asked about; the first that holds is given. The code is the place in this tuple."""
SECOND_LOOK, ERROR, CHANGED, FILTERED_LOOK, NEW, PRICE_DUE, STOCK_DUE, AUDIT, CADENCE = range(1, 10)

TIERS = (Tier.HIGH, Tier.MEDIUM, Tier.LOW)
"""Tier codes are places in this tuple."""

MAX_SLACK = timedelta(minutes=5)
SLACK_SHARE = 0.1


def tier_of(last_sold_at: datetime | None, last_viewed_at: datetime | None, now: datetime, tiers: Tiers) -> Tier:
    """High when sold lately, medium when viewed lately, else low; never sold or viewed is None."""
    if last_sold_at is not None and now - last_sold_at <= tiers.high_sold_within:
        return Tier.HIGH
    if last_viewed_at is not None and now - last_viewed_at <= tiers.medium_viewed_within:
        return Tier.MEDIUM
    return Tier.LOW


def stock_max_age(tier: Tier, tiers: Tiers, ttl: Ttl) -> timedelta:
    """The age that stock of this tier may reach: its tier's period, and never less than the stock TTL itself."""
    every = {Tier.HIGH: tiers.high_every, Tier.MEDIUM: tiers.medium_every, Tier.LOW: tiers.low_every}[tier]
    return max(every, ttl.stock)


def slack_ms(max_age_ms: Ints | int) -> Ints:
    """How early an age counts as reached: 5 minutes, or a tenth of short ages."""
    return np.minimum(_ms(MAX_SLACK), (np.asarray(max_age_ms) * SLACK_SHARE).astype(np.int64))


@dataclass(frozen=True, slots=True)
class Policy:
    """The owner's ages, in milliseconds. `max_age_ms` by tier code."""

    max_age_ms: tuple[int, int, int]
    price_ms: int
    sold_within_ms: int
    viewed_within_ms: int
    confirm_after_ms: int
    second_filtered_look: bool = True
    low_early_ms: int = 0

    @classmethod
    def of(cls, ttl: Ttl, tiers: Tiers, offers: Offers) -> Policy:
        high, medium, low = (_ms(stock_max_age(tier, tiers, ttl)) for tier in TIERS)
        return cls(
            max_age_ms=(high, medium, low),
            price_ms=_ms(ttl.price),
            sold_within_ms=_ms(tiers.high_sold_within),
            viewed_within_ms=_ms(tiers.medium_viewed_within),
            confirm_after_ms=_ms(offers.confirm_after),
            second_filtered_look=offers.filtered_out == "hide",
            low_early_ms=_ms(tiers.low_may_come_early),
        )


@dataclass(frozen=True, slots=True)
class RowFreshness:
    """What the rule says of each row: `reason` and `tier` codes, and the facts that counting and ordering need."""

    reason: Ints
    tier: Ints
    max_age_ms: Ints
    stock_due: npt.NDArray[np.bool_]
    price_due: npt.NDArray[np.bool_]
    price_nearly_due: npt.NDArray[np.bool_]  # would run out before the next look at the stock
    checked_at: Ints  # of any kind
    waits: npt.NDArray[np.bool_]  # due, and not asked now: it failed too often of late (failing.py)

    @property
    def due(self) -> npt.NDArray[np.bool_]:
        return self.reason > 0


def tier_codes(rows: Rows, now_ms: int, policy: Policy) -> Ints:
    """`tier_of` for every row."""
    sold = (rows["sold_at"] > 0) & (now_ms - rows["sold_at"] <= policy.sold_within_ms)
    viewed = (rows["viewed_at"] > 0) & (now_ms - rows["viewed_at"] <= policy.viewed_within_ms)
    return np.where(sold, 0, np.where(viewed, 1, 2)).astype(np.int64)


def evaluate_freshness(rows: Rows, now: datetime, policy: Policy) -> RowFreshness:
    """Which rows are due, and why.

    Due at once: a second look owed, an answer that was none, a change that a sweep saw, filtered_out once seen whose
    time of confirmation has come, never fetched. Then: price or stock older than it may be. Then 1% of what a sweep
    called unchanged today. A stamp that lies further in the future than the maximum age (the clock was set back) is
    no proof of freshness.
    """
    now_ms = to_ms(now)
    tier = tier_codes(rows, now_ms, policy)
    max_age = np.array(policy.max_age_ms, np.int64)[tier]
    stock_age = now_ms - rows["stock_at"]
    price_age = now_ms - np.maximum(rows["price_at"], rows["detail_at"])  # "out of stock" answers for the price too
    stock_due = (stock_age >= max_age - slack_ms(max_age)) | (stock_age < -max_age)
    if policy.low_early_ms:
        home = hour_slots.slots(rows["asin"])
        stock_due |= (tier == 2) & (
            hour_slots.due_at(rows["stock_at"], home, policy.max_age_ms[2], policy.low_early_ms) <= now_ms
        )
    price_due = (price_age >= policy.price_ms - slack_ms(policy.price_ms)) | (price_age < -policy.price_ms)
    answered_at = np.maximum(rows["stock_at"], rows["detail_at"])
    filtered = policy.second_filtered_look & (rows["filtered_since"] > 0)
    failing = rows["failures"] > 0
    reason = np.select(
        [
            failing,
            rows["wants"] == SECOND_LOOK,
            rows["error_at"] > answered_at,
            rows["wants"] == CHANGED,
            filtered & (now_ms - rows["filtered_since"] >= policy.confirm_after_ms),
            (rows["fetched"] == 0) | (rows["wants"] == NEW),
            price_due,
            (rows["wants"] == AUDIT) | _to_audit(rows, now),
            stock_due,
        ],
        [ERROR, SECOND_LOOK, ERROR, CHANGED, FILTERED_LOOK, NEW, PRICE_DUE, AUDIT, STOCK_DUE],
        default=0,
    ).astype(np.int64)
    return RowFreshness(
        reason=reason,
        tier=tier,
        max_age_ms=max_age,
        stock_due=stock_due,
        price_due=price_due,
        price_nearly_due=price_age + max_age > policy.price_ms,
        checked_at=answered_at,
        waits=waits(rows, now_ms, np.where((rows["public"] == 1) & stock_due, max_age, DAY_MS)),
    )


def _to_audit(rows: Rows, now: datetime) -> npt.NDArray[np.bool_]:
    """Picked for today, and the last word since the day began is a sweep's: it confirmed, the offers were not seen."""
    day = jst(now).date()
    day_start = to_ms(jst(now).replace(hour=0, minute=0, second=0, microsecond=0))
    swept = (rows["probe_at"] >= day_start) & (rows["stock_at"] >= day_start) & (rows["detail_at"] < day_start)
    chosen = np.zeros(rows.size, np.bool_)
    if swept.any():
        chosen[swept] = hour_slots.audited(rows["asin"][swept], day)
    return chosen


def due(row: Rows, now: datetime, policy: Policy) -> str:
    """Why this one row (an array of one) is due, "" when it is not."""
    return REASONS[int(evaluate_freshness(row, now, policy).reason[0])]


def _ms(span: timedelta) -> int:
    return round(span.total_seconds() * 1000)
