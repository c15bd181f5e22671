"""What a plan that somebody else began still holds: less what has been answered since it was made, and what no longer
matters. Nothing that was answered is asked again; what an answer asked for (detail after a sweep, a second look after a
doubt) is still owed.

Not for: whose plan it is (sync/stale_asins/take_up.py) or what is due at all (ages.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ecauto_pipeline.clock import AHEAD
from ecauto_pipeline.domain.freshness.ages import AUDIT, CADENCE, REASONS, SECOND_LOOK, RowFreshness, Rows

OPTIONAL = frozenset({REASONS[AUDIT], REASONS[CADENCE]})
"""Reasons that no age decides: such a target stays as long as nobody has answered it."""


@dataclass(frozen=True, slots=True)
class StillToAsk:
    """One target that is left: its place in the plan, which operation asks it now, and why."""

    place: int
    operation: str
    reason: str


def remaining(
    asins: Sequence[str],
    operations: Sequence[str],
    reasons: Sequence[str],
    rows: Rows,
    judged: RowFreshness,
    made_at_ms: int,
    now_ms: int,
) -> list[StillToAsk]:
    """The targets (parallel sequences, in the plan's order) that are still to be asked, in the same order.

    `rows` and `judged` are what is known now of the ASINs that take part, ascending by ASIN. An ASIN that takes part no
    longer is gone from the list.
    """
    places = np.searchsorted(rows["asin"], np.asarray(asins, rows["asin"].dtype)) if rows.size else np.zeros(0, int)
    left = []
    for number, (asin, operation, reason) in enumerate(zip(asins, operations, reasons, strict=True)):
        place = int(places[number]) if rows.size else 0
        if place >= rows.size or rows["asin"][place] != asin:
            continue
        if judged.waits[place]:
            continue  # it failed since: its turn comes again by itself
        found = _still(operation, reason, rows[place], int(judged.reason[place]), made_at_ms, now_ms)
        if found is not None:
            left.append(StillToAsk(number, *found))
    return left


def _still(operation: str, reason: str, row: np.void, due: int, made_at_ms: int, now_ms: int) -> tuple[str, str] | None:
    """(operation, reason) of what is owed, None where nothing is."""
    wants = int(row["wants"])
    latest = now_ms + round(AHEAD.total_seconds() * 1000)
    if made_at_ms <= row["detail_at"] <= latest:  # all that a plan can ask has been answered, but for a doubt
        return ("detail", REASONS[SECOND_LOOK]) if wants == SECOND_LOOK else None
    if wants:  # a sweep's answer, or an earlier one, asked for detail
        return "detail", REASONS[due] if due else reason
    if made_at_ms <= row["error_at"] <= latest:  # asked, and no answer came: the next plan's first
        return None
    swept = any(made_at_ms <= row[stamp] <= latest for stamp in ("probe_at", "stock_at"))
    if swept and operation == "sweep":
        return None
    if reason in OPTIONAL or due:
        return operation, reason
    return None
