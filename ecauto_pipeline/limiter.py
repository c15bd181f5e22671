"""How fast one operation of one account may be called: a token bucket that follows what the API says.

Pure: a `Bucket` is a value and every event gives the next one. Tokens may be negative: that many calls have a slot
reserved ahead. A slot is given only once; when a call turns out late, or is refused, the slots behind it would come too
early, so the `generation` rises and whoever waits reserves again, in the order of the old slots.
The pace starts at the documented or configured rate, goes straight to what a 200 advertises, pauses after a 429 (no
hint comes with one), is halved by the next, and creeps back.
Not for: waiting or sharing (state/buckets.py), limits as data (amazon/).
Source: usage plans of the Selling Partner API (token buckets per account and operation); 429 carries no wait hint.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

SLACK_SHARE = 0.010  # of an interval, kept free for jitter on the way
SLACK_S = 0.010
MOST_SLACK_SHARE = 0.018  # both together, until a refusal teaches more
MOST_LEARNED_SHARE = 0.10
WAY_S = 0.05  # the way to the API may delay a call by so much; slower answers were slow to be made
LATE_SHARE = 0.25  # of the slack; what is later than that moves the slots behind it
CREEP = 0.25  # of the target rate per answered call, halved by every refusal not yet forgotten
LEARN = 0.01  # slack added, as a share of an interval, when keeping to the advertised rate is refused again
FORGET_AFTER = 20  # answered calls that make up for one refusal
LOWEST_SHARE = 1 / 64  # of the target rate; no run of refusals goes below
_HIGHEST_RATE_PER_S = 10_000.0


@dataclass(frozen=True, slots=True)
class RateLimit:
    """The start of a bucket: calls a second, and calls at once."""

    rate_per_s: float
    burst: float


@dataclass(frozen=True, slots=True)
class Bucket:
    """One bucket as of `at_s` (seconds of a clock that only the holder knows).

    `start_per_s`: the rate before anything was advertised. `learned_slack`: share of an interval added after refusals
    that came although we kept to the advertised rate. `refusals`: not yet forgotten. `answered` counts towards that.
    """

    rate_per_s: float
    burst: float
    tokens: float
    at_s: float
    start_per_s: float
    advertised_per_s: float | None = None
    learned_slack: float = 0.0
    refusals: int = 0
    answered: int = 0
    generation: int = 0

    @property
    def target_per_s(self) -> float:
        """The rate to be had when nobody refuses."""
        return self.start_per_s if self.advertised_per_s is None else self.advertised_per_s

    @property
    def slack_s(self) -> float:
        """Time kept free between two calls on top of what the rate asks for."""
        exact_s = 1 / self.rate_per_s
        return min(exact_s * SLACK_SHARE + SLACK_S, exact_s * MOST_SLACK_SHARE) + exact_s * self.learned_slack

    @property
    def interval_s(self) -> float:
        """Seconds from slot to slot."""
        return 1 / self.rate_per_s + self.slack_s

    @property
    def late_after_s(self) -> float:
        """How much later than its slot a call may leave before the slots behind it have to move."""
        return LATE_SHARE * self.slack_s


def full(limit: RateLimit, now_s: float) -> Bucket:
    """A bucket nobody has drawn from."""
    return Bucket(limit.rate_per_s, limit.burst, limit.burst, now_s, limit.rate_per_s)


def brought_to(bucket: Bucket, now_s: float) -> Bucket:
    """The bucket at `now_s`. A clock that went back adds nothing and takes nothing away."""
    passed_s = max(0.0, now_s - bucket.at_s)
    return replace(bucket, tokens=min(bucket.burst, bucket.tokens + passed_s / bucket.interval_s), at_s=now_s)


def reserve(bucket: Bucket, now_s: float) -> tuple[Bucket, float]:
    """The bucket with one more slot given, and the seconds until that slot (0 = now)."""
    taken = brought_to(bucket, now_s)
    taken = replace(taken, tokens=taken.tokens - 1)
    return taken, max(0.0, -taken.tokens * taken.interval_s)


def wait_s(bucket: Bucket, now_s: float) -> float:
    """What `reserve` would give, without taking it."""
    return reserve(bucket, now_s)[1]


def delayed(bucket: Bucket, now_s: float, by_s: float) -> Bucket:
    """A call came `by_s` later than its slot: the slots behind it move by as much, and whoever holds one asks again."""
    bucket = brought_to(bucket, now_s)
    phase = bucket.tokens if bucket.tokens >= 0 else bucket.tokens % 1.0  # without the reservations
    return replace(bucket, tokens=phase - by_s / bucket.interval_s, generation=bucket.generation + 1)


def arrival_delay_s(bucket: Bucket, left_late_s: float, took_s: float, usual_s: float) -> float:
    """By how much the slots behind a call have to move; half the slack covers what is less. 0 = not at all.

    It left `left_late_s` after its slot, and its answer took `took_s` where the quickest take `usual_s`: up to `WAY_S`
    of the difference may have been lost on the way there.
    """
    return max(0.0, left_late_s + min(took_s - usual_s, WAY_S) - bucket.slack_s / 2)


def answered(bucket: Bucket, advertised_per_s: float | None, now_s: float) -> Bucket:
    """A call was let through. `advertised_per_s`: what its answer said the rate is, None where it said nothing.

    A rate other than the one last advertised is taken at once; back to the same one the pace creeps.
    """
    bucket = brought_to(bucket, now_s)
    heard = advertised_per_s if advertised_per_s and 0 < advertised_per_s <= _HIGHEST_RATE_PER_S else None
    if heard is not None and heard != bucket.advertised_per_s:
        slower, faster = heard < bucket.rate_per_s, heard > bucket.rate_per_s
        bucket = replace(bucket, advertised_per_s=heard, rate_per_s=heard, refusals=0, answered=0)
        return _void(bucket) if slower or (faster and bucket.tokens < 0) else bucket
    if bucket.rate_per_s == bucket.target_per_s and not bucket.refusals:
        return bucket if not bucket.learned_slack else replace(bucket, learned_slack=_less(bucket.learned_slack))
    counted = bucket.answered + 1
    step = max(0.02, CREEP / 2 ** max(0, bucket.refusals - 1)) * bucket.target_per_s
    back = min(bucket.target_per_s, bucket.rate_per_s + step)
    if counted >= FORGET_AFTER:
        return replace(bucket, rate_per_s=back, answered=0, refusals=max(0, bucket.refusals - 1))
    return replace(bucket, rate_per_s=back, answered=counted)


def refused(bucket: Bucket, generation: int, now_s: float) -> Bucket:
    """A call was refused (429). `generation`: the bucket's when that call got its slot.

    The first refusal while we keep to the advertised rate costs a pause of two intervals, as long as half the rate
    would: it was an accident on the way, or the rate is another one now and the next answer will say so. A second one
    halves the pace. A refusal of a call that left before the last one says nothing new.
    """
    bucket = brought_to(bucket, now_s)
    if generation != bucket.generation:
        return replace(bucket, tokens=min(0.0, bucket.tokens))
    in_line = bucket.rate_per_s == bucket.target_per_s
    rate_per_s, learned = bucket.rate_per_s, bucket.learned_slack
    if bucket.refusals or not in_line:
        rate_per_s = max(bucket.target_per_s * LOWEST_SHARE, rate_per_s / 2)
        learned = min(MOST_LEARNED_SHARE, learned + LEARN) if in_line else learned
    paused = replace(
        bucket, rate_per_s=rate_per_s, refusals=bucket.refusals + 1, answered=0, learned_slack=learned, tokens=-1.0
    )
    return replace(paused, generation=bucket.generation + 1)


def _void(bucket: Bucket) -> Bucket:
    """No tokens and no reservations: the next slot is one interval away."""
    return replace(bucket, tokens=0.0, generation=bucket.generation + 1)


def _less(share: float) -> float:
    return 0.0 if share < 0.001 else share * 0.995
