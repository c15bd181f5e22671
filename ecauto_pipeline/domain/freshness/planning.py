"""From what is due to what is asked: by which operation, in what order, as much as a slice can ask.

Order: what is owed (second looks, errors, changes seen, confirmations of filtered_out) first; then whatever is latest
in proportion to its own maximum age, best sellers first, oldest first. The proportion is taken in doublings, so that
within one the best sellers lead, and yet no overload makes anybody wait for ever.
Not for: what is due (ages.py), periods (cadence.py), I/O (sync/stale_asins/plan.py).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from ecauto_pipeline.domain.freshness import cadence, change_rates
from ecauto_pipeline.domain.freshness.ages import CADENCE, FILTERED_LOOK, NEW, STOCK_DUE, Policy, RowFreshness, Rows
from ecauto_pipeline.domain.freshness.failing import SLICE_SHARE

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

FEW = 20
"""Fewer stale stocks than fill one sweep call are asked about in detail straight away."""

MARGIN = 1.2
"""A slice is handed this much more than the measured rates say it can ask, in case they rise meanwhile."""

BLIND_ANSWERS, BLIND_UNKNOWN_SHARE = 100, 0.5
BLIND_AUDITS, BLIND_MISS_RATE = 50, 0.3


@dataclass(frozen=True, slots=True)
class Channel:
    """What the operations of one role can do, all accounts together: ASINs a second, ASINs of the largest call."""

    asins_per_s: float
    batch: int = 20
    burst_asins: float = 20.0

    def slice_size(self, slice_s: float) -> int:
        """ASINs that a slice may be handed, whole calls."""
        return int(np.ceil((self.burst_asins + self.asins_per_s * slice_s) * MARGIN / self.batch)) * self.batch

    def seconds_for(self, asins: int) -> float:
        """Time that asking about so many takes."""
        if self.asins_per_s <= 0:  # nobody answers, but for a call that tries
            return 0.0
        calls = -(-asins // self.batch)
        return max(0.0, calls * self.batch - self.burst_asins) / self.asins_per_s if asins else 0.0


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of the sweep's sight, lately: answers, those that said nothing, audits, changes it missed."""

    answers: int = 0
    unknown: int = 0
    audited: int = 0
    missed: int = 0

    @property
    def blind(self) -> str:
        """Why the sweep is not to be used, "" when it may be."""
        if self.answers >= BLIND_ANSWERS and self.unknown > BLIND_UNKNOWN_SHARE * self.answers:
            return f"{self.unknown} of {self.answers} sweep answers said nothing"
        if self.audited >= BLIND_AUDITS and self.missed > BLIND_MISS_RATE * self.audited:
            return f"the sweep missed {self.missed} of {self.audited} audited changes"
        return ""


@dataclass(frozen=True, slots=True)
class CallRates:
    """What there is to ask with. `blind`: why the sweep must not be used, "" when it may."""

    detail: Channel
    sweep: Channel
    blind: str = ""


@dataclass(frozen=True, slots=True)
class Choice:
    """Row numbers in the order in which they are asked, by operation, with the reason's code of every row.

    `left_over`: due, and not settled by this slice. `tau_s`, `full_tau_s`: the solved periods of any check and of a
    full look, where the budget is to be spent; `short_by`: by how many times the tiers ask for more than it.
    """

    detail: Ints
    sweep: Ints
    reason: Ints
    left_over: int
    tau_s: Floats | None = None
    full_tau_s: Floats | None = None
    short_by: float = 0.0


def row_weights(rows: Rows, now_ms: int) -> Floats:
    """Expected orders a day of every row."""
    age_s = (now_ms - rows["demand_at"]) / 1000
    views = cadence.decayed(rows["views"], age_s)
    return cadence.weights(cadence.decayed(rows["orders"], age_s), views, rows["out"] == 1)


def asking_order(rows: Rows, judged: RowFreshness, weight: Floats, now_ms: int) -> Ints:
    """All due rows that do not wait, in the order in which they are asked; ties fall to the ASIN: rows ascend by it."""
    due = np.flatnonzero(judged.due & ~judged.waits)
    age = np.maximum(1, now_ms - judged.checked_at[due]) / judged.max_age_ms[due]
    late = np.floor(np.log2(np.maximum(1.0, age)))
    new = judged.reason[due] == NEW
    late[new] = late[~new].max(initial=0.0)
    sells = np.floor(np.log2(np.maximum(weight[due], 1e-9)) / 2)
    owed = judged.reason[due] <= FILTERED_LOOK
    return due[np.lexsort((judged.checked_at[due], -sells, judged.tier[due], -late, ~owed))]


def choose_due(rows: Rows, judged: RowFreshness, now_ms: int, slice_s: float, call_rates: CallRates) -> Choice:
    """What one slice asks when nothing that is fresh is asked about (spend = "due").

    A stale stock goes to the sweep where its price stays fresh until the next look, there is a baseline to compare
    with, the sweep can see and there are enough to fill a call. What no longer fits into the slice's details but
    could at least have its stock confirmed goes to the sweep too.
    """
    weight = row_weights(rows, now_ms)
    order = asking_order(rows, judged, weight, now_ms)
    can_sweep = _can_sweep(rows, call_rates)
    sweepable = can_sweep & (judged.reason == STOCK_DUE) & ~judged.price_nearly_due
    if np.count_nonzero(sweepable) < FEW:
        sweepable = np.zeros(rows.size, np.bool_)
    detail_room, sweep_room = call_rates.detail.slice_size(slice_s), call_rates.sweep.slice_size(slice_s)
    asked = without_too_many_failing(order, rows, judged, weight, detail_room)
    to_detail, to_sweep = asked[~sweepable[asked]], asked[sweepable[asked]]
    spilled = to_detail[detail_room:]
    spilled = spilled[can_sweep[spilled] & judged.stock_due[spilled]]
    to_detail, to_sweep = to_detail[:detail_room], np.concatenate((to_sweep, spilled))[:sweep_room]
    reason = judged.reason.copy()
    reason[to_sweep] = STOCK_DUE
    served = to_detail.size + np.count_nonzero(judged.reason[to_sweep] == STOCK_DUE)
    return Choice(to_detail, to_sweep, reason, int(order.size - served))


def choose_budget(
    rows: Rows, judged: RowFreshness, now_ms: int, slice_s: float, call_rates: CallRates, policy: Policy
) -> Choice:
    """What one slice asks when no call is left idle (spend = "budget").

    What is owed goes into the details first. The rest follows its period: the sweep takes those whose next check comes
    first, also early ones, the details those whose next full look comes first. Nothing is asked twice in half a slice.
    """
    weight = row_weights(rows, now_ms)
    risk = weight * change_rates.relative_rates(rows["changes"], rows["watched_days"])
    answers = rows["failures"] == 0
    longest_s = np.array(policy.max_age_ms, np.float64)[judged.tier] / 1000
    sweep_rate = call_rates.detail.asins_per_s if call_rates.blind else call_rates.sweep.asins_per_s
    periods = _solved(risk, longest_s, answers, sweep_rate, slice_s)
    price_s = np.full(rows.size, policy.price_ms / 1000)
    full = periods if call_rates.blind else _solved(risk, price_s, answers, call_rates.detail.asins_per_s, slice_s)

    order = asking_order(rows, judged, weight, now_ms)
    detail_room, sweep_room = call_rates.detail.slice_size(slice_s), call_rates.sweep.slice_size(slice_s)
    owed = without_too_many_failing(order, rows, judged, weight, detail_room)
    owed = owed[judged.reason[owed] <= FILTERED_LOOK]
    free = (now_ms - judged.checked_at >= slice_s * 500) | judged.due
    free[owed] = False
    free &= answers
    full_at = rows["detail_at"] + full.tau_s * 1000
    check_at = judged.checked_at + periods.tau_s * 1000
    in_time = int(call_rates.detail.asins_per_s * slice_s) - owed.size
    looks = _full_looks(full_at, check_at, free, in_time, detail_room - owed.size, now_ms + slice_s * 1000)
    to_detail = np.concatenate((owed, looks))[:detail_room]
    free[to_detail] = False
    to_sweep = _soonest(check_at, free & _can_sweep(rows, call_rates), sweep_room)

    reason = np.where(judged.due, judged.reason, CADENCE)
    reason[to_sweep] = np.where(judged.stock_due[to_sweep], STOCK_DUE, CADENCE)
    price_waits = np.count_nonzero(judged.due[to_sweep] & (judged.reason[to_sweep] != STOCK_DUE))
    served = np.count_nonzero(judged.due[to_detail]) + np.count_nonzero(judged.due[to_sweep]) - price_waits
    return Choice(to_detail, to_sweep, reason, int(order.size - served), periods.tau_s, full.tau_s, periods.short_by)


def _solved(weight: Floats, longest_s: Floats, answers: Mask, budget_per_s: float, slice_s: float) -> cadence.Cadence:
    """Periods that spend the budget on the rows that `answers` marks; what fails follows its own waits (failing.py)."""
    solved = cadence.solve(weight[answers], longest_s[answers], budget_per_s, shortest_s=slice_s)
    tau_s = longest_s.copy()
    tau_s[answers] = solved.tau_s
    return replace(solved, tau_s=tau_s)


def without_too_many_failing(order: Ints, rows: Rows, judged: RowFreshness, weight: Floats, detail_room: int) -> Ints:
    """The order without the failing ASINs that exceed their share of a slice's details; the best sellers stay."""
    failing = order[rows["failures"][order] > 0]
    room = max(1, int(detail_room * SLICE_SHARE))
    if failing.size <= room:
        return order
    ranked = failing[np.lexsort((failing, -weight[failing], judged.tier[failing]))]
    return order[~np.isin(order, ranked[room:])]


def _can_sweep(rows: Rows, call_rates: CallRates) -> Mask:
    able: Mask = (rows["probed"] == 1) & (rows["wants"] == 0) & (rows["fetched"] == 1) & (not call_rates.blind)
    return able


def _full_looks(full_at: Floats, check_at: Floats, free: Mask, in_time: int, room: int, ends_at: float) -> Ints:
    """Who gets a full look: the `in_time` rows whose next one comes first, in the order of their next checks of any
    kind, because no sweep asks about them meanwhile; then, to fill the `room` in case there is time for more, rows
    whose next check comes after the slice has ended (`ends_at`): they lose none by waiting in vain."""
    first = _soonest(full_at, free, min(in_time, room))
    first = first[np.argsort(check_at[first], kind="stable")]
    others = free.copy()
    others[first] = False
    later = check_at > ends_at
    spare = _soonest(full_at, others & later, room - first.size)
    return np.concatenate((first, spare, _soonest(full_at, others & ~later, room - first.size - spare.size)))


def _soonest(due_at: Floats, among: Mask, count: int) -> Ints:
    """The `count` rows of `among` whose time comes first, also those whose time has not come."""
    candidates = np.flatnonzero(among)
    if count <= 0 or candidates.size == 0:
        return np.zeros(0, np.int64)
    times = due_at[candidates]
    if candidates.size > count:  # all that are no later than the last one to be taken: ties fall to the ASIN
        within = times <= np.partition(times, count - 1)[count - 1]
        candidates, times = candidates[within], times[within]
    return candidates[np.argsort(times, kind="stable")][:count]
