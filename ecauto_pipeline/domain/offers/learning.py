"""What one answer changes in what we believe about an ASIN.

`api_error` moves nothing but the error's own fields. A detail or confirm answer counts at once, but for two: a zero
where we did not believe in one, and a price that moved too far; those raise a doubt, and count when a second opinion,
another operation or a later pass agrees. A sweep only ever confirms "unchanged" or asks for detail.
Not for: what a second opinion says (second_opinion.py), reading answers (amazon/), storage (state/asins.py), or what a
belief means for a shop (diffs, visibility).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from ecauto_pipeline.domain.freshness import change_rates
from ecauto_pipeline.domain.model import Answer, Role, Status
from ecauto_pipeline.domain.selling.ratios import exact

ZERO = frozenset({Status.OUT_OF_STOCK, Status.NOT_FOUND})

CONTRADICTION_STANDS = timedelta(hours=24)
"""So long after a second opinion's contradiction no answer of the first source's settles the doubt."""

# What a sweep may be told of one ASIN that neither confirms nor denies; detail has to look.
UNKNOWN_TO_SWEEP = frozenset(
    {"client_error", "no_competitive_pricing", "bad_price", "too_soon", "unknown_status", "contradiction"}
)


@dataclass(frozen=True, slots=True)
class AsinRow:
    """What is believed of one ASIN and what is owed; the columns of `asins` that answers move. None = never, unknown.

    `wants_detail`: new | changed | zero | doubtful | audit | "". `doubt`: zero | jump | "".
    `error_*`: the questions in a row without an answer, whoever was to blame. `failures`: those of them that were about
    this ASIN alone, the last `failed_at`, with `failing_reason` without a break since `failing_since`. A sweep's answer
    ends no such row: what fails is the look at the offers.
    `contradict*`: how often a second opinion said no to the doubt that stands, the last time, the first, and both
    answers as JSON. `audited_at`: when a second opinion last checked an unchanged answer.
    `changes`, `watched_days`: faded counts as of `detail_at`: how often it went, came back or moved its price much, in
    how many days (domain/freshness/change_rates.py).
    """

    asin: str
    status: Status | None = None
    reason: str = ""
    price_jpy: int | None = None
    in_stock: bool | None = None
    offer_count: int | None = None
    ship_hours_max: int | None = None
    is_prime: bool | None = None
    is_fba: bool | None = None
    snapshot_id: str = ""
    price_at: datetime | None = None
    stock_at: datetime | None = None
    detail_at: datetime | None = None
    filtered_since: datetime | None = None
    filtered_count: int = 0
    doubt: str = ""
    doubt_price_jpy: int | None = None
    doubt_at: datetime | None = None
    doubt_operation: str = ""
    doubt_snapshot_id: str = ""
    probe_price_jpy: int | None = None
    probe_offer_count: int | None = None
    probe_at: datetime | None = None
    wants_detail: str = ""
    error_count: int = 0
    error_at: datetime | None = None
    error_reason: str = ""
    failures: int = 0
    failed_at: datetime | None = None
    failing_since: datetime | None = None
    failing_reason: str = ""
    merged_into: str = ""
    contradictions: int = 0
    contradicted_at: datetime | None = None
    contradicted_since: datetime | None = None
    contradiction: str = ""
    audited_at: datetime | None = None
    changes: float = 0.0
    watched_days: float = 0.0


@dataclass(frozen=True, slots=True)
class LearnRules:
    """`max_move_ratio`: a move beyond this share of the believed price is doubted. `confirm_after`: how far apart two
    filtered_out answers must be to count as two. `second_look_after`: when the same operation counts as a later pass.
    A sweep calls a Buy Box price changed at `sweep_jpy` yen or `sweep_ratio` of it, whichever is less. `opinion`:
    another source is asked about doubts, so no later detail settles one."""

    max_move_ratio: float = 0.5
    confirm_after: timedelta = timedelta(minutes=60)
    second_look_after: timedelta = timedelta(seconds=60)
    sweep_jpy: int = 100
    sweep_ratio: float = 0.03
    opinion: bool = False


def learn(row: AsinRow, answer: Answer, role: Role, snapshot_id: str, now: datetime, rules: LearnRules) -> AsinRow:
    """The row after this answer, which came at `now` and is kept as `snapshot_id`. `role`: of who answered. Total."""
    if not answer.status.authoritative:
        return _failed(row, answer, role, now)
    row = replace(row, error_count=0, error_at=None, error_reason="")
    if role is Role.SWEEP:
        return _swept(row, answer, now, rules)
    changes, watched_days = _followed(row, now)
    row = replace(
        row,
        detail_at=now,
        changes=changes,
        watched_days=watched_days,
        wants_detail="",
        failures=0,
        failed_at=None,
        failing_since=None,
        failing_reason="",
        merged_into="",
    )
    doubt = _doubt(row, answer, rules)
    waits = (rules.opinion and role is Role.DETAIL) or _contradicted(row, now)
    if doubt and (waits or not _agreed(row, answer, doubt, now, rules)):
        return _doubted(row, answer, doubt, snapshot_id, now)
    return believed(row, answer, snapshot_id, now, rules)


def learn_all(
    before: Mapping[str, AsinRow],
    answers: Iterable[tuple[str, Answer]],
    role: Role,
    now: datetime,
    rules: LearnRules,
) -> dict[str, AsinRow]:
    """ASIN -> its row after all of these answers, each with its snapshot id, one after the other."""
    after: dict[str, AsinRow] = {}
    for snapshot_id, answer in answers:
        row = after.get(answer.asin, before[answer.asin])
        after[answer.asin] = learn(row, answer, role, snapshot_id, now, rules)
    return after


def got_worse(before: AsinRow, after: AsinRow) -> bool:
    """Whether selling it may be wrong from now on: it is gone, or said once more to have no offer that fits, or dearer
    than was known."""
    if after.status in ZERO:
        return (before.status, before.filtered_count) != (after.status, after.filtered_count)
    return before.price_jpy is not None and after.price_jpy is not None and after.price_jpy > before.price_jpy


def sweep_finding(row: AsinRow, answer: Answer, rules: LearnRules) -> str:
    """What a sweep's authoritative answer asks for: "" = unchanged, else the reason why detail has to look."""
    if row.wants_detail:
        return row.wants_detail
    if row.doubt:
        return "doubtful"
    if row.status is None:
        return "new"
    if answer.status in ZERO:
        return "" if row.status in ZERO else "zero"
    if row.status in ZERO:
        return "changed"
    if row.probe_price_jpy is None and row.probe_offer_count is None:
        return "doubtful"
    return "changed" if moved(row.probe_price_jpy, answer.probe_price_jpy, rules) else ""


def _failed(row: AsinRow, answer: Answer, role: Role, now: datetime) -> AsinRow:
    row = replace(row, error_count=row.error_count + 1, error_at=now, error_reason=answer.reason)
    if role is not Role.SWEEP and not answer.of_call:
        same = row.failures > 0 and row.failing_reason == answer.reason
        row = replace(
            row,
            failures=row.failures + 1,
            failed_at=now,
            failing_since=row.failing_since if same else now,
            failing_reason=answer.reason,
            merged_into=answer.merged_into,
        )
    if role is Role.SWEEP and answer.reason in UNKNOWN_TO_SWEEP and not row.wants_detail:
        return replace(row, wants_detail="doubtful")
    return row


def _followed(row: AsinRow, now: datetime) -> tuple[float, float]:
    """The counts of changes, faded to this look at the offers; the first look begins the count."""
    if row.detail_at is None or now <= row.detail_at:
        return row.changes, row.watched_days
    return change_rates.followed(row.changes, row.watched_days, (now - row.detail_at) / timedelta(days=1))


def _changed(before: AsinRow, answer: Answer) -> bool:
    """Whether this answer, which counts, says of it what its rate of change is counted by."""
    if before.status is None:
        return False
    if (before.status is Status.SUCCESS) != (answer.status is Status.SUCCESS):
        return True
    if before.price_jpy is None or answer.price_jpy is None:
        return False
    return change_rates.is_large(before.price_jpy, answer.price_jpy)


def _swept(row: AsinRow, answer: Answer, now: datetime, rules: LearnRules) -> AsinRow:
    finding = sweep_finding(row, answer, rules)
    if finding:
        return replace(row, wants_detail=finding, probe_at=now)
    return replace(row, stock_at=now, probe_at=now)


def moved(before_jpy: int | None, now_jpy: int | None, rules: LearnRules) -> bool:
    """Whether two prices are apart by more than a sweep overlooks; unknown differs from every price."""
    if before_jpy is None or now_jpy is None:
        return before_jpy is not now_jpy
    move = abs(now_jpy - before_jpy)
    return move > 0 and (move >= rules.sweep_jpy or move >= exact(rules.sweep_ratio) * before_jpy)


def _doubt(row: AsinRow, answer: Answer, rules: LearnRules) -> str:
    """Why this answer should not count alone: zero | jump | ""."""
    if answer.status in ZERO:
        return "" if row.status in ZERO else "zero"
    if answer.status is not Status.SUCCESS or answer.price_jpy is None or row.price_jpy is None:
        return ""
    move = abs(answer.price_jpy - row.price_jpy)
    return "jump" if move > exact(rules.max_move_ratio) * row.price_jpy else ""


def _agreed(row: AsinRow, answer: Answer, doubt: str, now: datetime, rules: LearnRules) -> bool:
    """Whether this answer is the second one that says so."""
    if row.doubt != doubt or row.doubt_at is None:
        return False
    if doubt == "jump" and moved(row.doubt_price_jpy, answer.price_jpy, rules):
        return False
    return answer.operation != row.doubt_operation or abs(now - row.doubt_at) >= rules.second_look_after


def _contradicted(row: AsinRow, now: datetime) -> bool:
    return row.contradicted_at is not None and abs(now - row.contradicted_at) < CONTRADICTION_STANDS


def _doubted(row: AsinRow, answer: Answer, doubt: str, snapshot_id: str, now: datetime) -> AsinRow:
    """The facts stand; a second look is owed. The same doubt again keeps its first time, so that it can age."""
    if row.doubt == doubt == "zero":
        return row
    return replace(
        row,
        doubt=doubt,
        doubt_price_jpy=answer.price_jpy,
        doubt_at=now,
        doubt_operation=answer.operation,
        doubt_snapshot_id=snapshot_id,
    )


def believed(row: AsinRow, answer: Answer, snapshot_id: str, now: datetime, rules: LearnRules) -> AsinRow:
    """The row once this authoritative answer of a detail or confirm counts: no doubt is left."""
    since, count = _filtered(row, answer, now, rules)
    row = replace(
        row,
        changes=row.changes + _changed(row, answer),
        status=answer.status,
        reason=answer.reason,
        in_stock=answer.in_stock,
        offer_count=answer.offer_count,
        ship_hours_max=answer.ship_hours_max,
        is_prime=answer.is_prime,
        is_fba=answer.is_fba,
        snapshot_id=snapshot_id,
        stock_at=now,
        filtered_since=since,
        filtered_count=count,
        doubt="",
        doubt_price_jpy=None,
        doubt_at=None,
        doubt_operation="",
        doubt_snapshot_id="",
        contradictions=0,
        contradicted_at=None,
        contradicted_since=None,
        contradiction="",
        probe_price_jpy=answer.probe_price_jpy,
        probe_offer_count=answer.probe_offer_count,
        probe_at=now,
    )
    if answer.status is Status.SUCCESS and answer.price_jpy is not None:
        row = replace(row, price_jpy=answer.price_jpy, price_at=now)
    return row


def _filtered(row: AsinRow, answer: Answer, now: datetime, rules: LearnRules) -> tuple[datetime | None, int]:
    """Since when, and how often, nothing fitted the rule; each counted answer `confirm_after` after the one before."""
    if answer.status is not Status.FILTERED_OUT:
        return None, 0
    if row.filtered_since is None or row.filtered_count < 1 or now < row.filtered_since:
        return now, 1
    counts = now - row.filtered_since >= rules.confirm_after * row.filtered_count
    return row.filtered_since, row.filtered_count + int(counts)
