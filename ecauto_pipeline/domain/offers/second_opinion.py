"""What a second source's answer makes of a doubt: it agrees, it contradicts, or it can't say.

The source knows offers and what they cost, not when they ship, and shipping only where it says so. So it can tell that
a zero or a jump is false, or that it is true; a selling price never comes of it: what is believed is the doubted answer
or what was believed before. Where its facts do not suffice it can't say, and the old way is taken.
Not for: which answers are doubted at all (learning.py) or who asks (sync/sp_api_snapshots).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from ecauto_pipeline.domain.model import Answer, OfferSeen, Status
from ecauto_pipeline.domain.offers.learning import (
    CONTRADICTION_STANDS,
    ZERO,
    AsinRow,
    LearnRules,
    believed,
    moved,
)

DISAGREE = "sources_disagree"
"""The reason of ASINs about which two of Amazon's sources disagree, and of rows held for it."""
HELD_AFTER = 3
"""Contradictions within CONTRADICTION_STANDS after which a person has to look."""
_KEPT_OFFERS = 5


ENOUGH_AUDITED = 100
"""Unchanged answers that a second source could speak of, below which the share of contradictions says nothing."""


class Verdict(StrEnum):
    """What the second source says of a doubted answer."""

    AGREES = "agrees"
    CONTRADICTS = "contradicts"
    CANT_SAY = "cant_say"


def judge(row: AsinRow, claim: Answer, opinion: Answer, rules: LearnRules) -> Verdict:
    """Whether `opinion` bears out `claim`, the doubted answer, against what is believed (`row`). Total."""
    if not opinion.status.authoritative:
        return Verdict.CANT_SAY
    if claim.status in ZERO:
        return Verdict.AGREES if opinion.status in ZERO else Verdict.CONTRADICTS
    if claim.price_jpy is None or row.price_jpy is None or not opinion.seen or opinion.status is not Status.SUCCESS:
        return Verdict.CANT_SAY
    return _of_jump(row.price_jpy, claim.price_jpy, opinion.seen, rules)


@dataclass(frozen=True, slots=True)
class Audited:
    """Unchanged answers that a second source could speak of, and those of them that it contradicted."""

    compared: int = 0
    contradicted: int = 0

    @property
    def share(self) -> float | None:
        """Share of contradictions, None where too few were compared to tell."""
        return self.contradicted / self.compared if self.compared >= ENOUGH_AUDITED else None


def audit(row: AsinRow, opinion: Answer, rules: LearnRules) -> Verdict:
    """Whether `opinion` bears out what is believed of an ASIN whose answer has not changed. It changes nothing. Total.

    Contradicted is a price below which every offer lies that is seen: cheaper ones may ship too late for the owner.
    """
    if not opinion.status.authoritative or row.status is None or row.status is Status.FILTERED_OUT:
        return Verdict.CANT_SAY
    if (row.status in ZERO) or (opinion.status in ZERO):
        return Verdict.AGREES if (row.status in ZERO) == (opinion.status in ZERO) else Verdict.CONTRADICTS
    if row.price_jpy is None or not opinion.seen:
        return Verdict.CANT_SAY
    if any(not moved(row.price_jpy, one.listing_price_jpy + (one.shipping_jpy or 0), rules) for one in opinion.seen):
        return Verdict.AGREES
    least = min(one.listing_price_jpy for one in opinion.seen)
    return Verdict.CONTRADICTS if least > row.price_jpy else Verdict.CANT_SAY


def settled(
    row: AsinRow, claim: Answer, snapshot_id: str, verdict: Verdict, opinion: Answer, now: datetime, rules: LearnRules
) -> AsinRow:
    """The row after the second source has spoken: the doubted answer is believed, or a contradiction is noted."""
    if verdict is Verdict.AGREES:
        return believed(row, claim, snapshot_id, now, rules)
    if verdict is Verdict.CANT_SAY:
        return row
    going_on = row.contradicted_since is not None and now - row.contradicted_since <= CONTRADICTION_STANDS
    count = row.contradictions + 1 if going_on or row.contradictions >= HELD_AFTER else 1
    since = row.contradicted_since if count > 1 and row.contradicted_since is not None else now
    return replace(
        row,
        contradictions=count,
        contradicted_at=now,
        contradicted_since=since,
        contradiction=_evidence(row, claim, snapshot_id, opinion),
        failures=count,  # asked again as one that fails: later each time
        failed_at=now,
        failing_since=since,
        failing_reason=DISAGREE,
    )


def _of_jump(old_jpy: int, new_jpy: int, seen: tuple[OfferSeen, ...], rules: LearnRules) -> Verdict:
    """An offer whose shipping is not said may cost its listing price or more: it can match, and it can be too dear."""
    matches = any(not moved(new_jpy, one.listing_price_jpy + (one.shipping_jpy or 0), rules) for one in seen)
    if new_jpy < old_jpy:
        if matches:
            return Verdict.AGREES
        least = min(one.listing_price_jpy for one in seen)
        return Verdict.CONTRADICTS if least > new_jpy else Verdict.CANT_SAY
    old_stands = any(one.cost_jpy is not None and not moved(old_jpy, one.cost_jpy, rules) for one in seen)
    if matches == old_stands:
        return Verdict.CANT_SAY
    return Verdict.AGREES if matches else Verdict.CONTRADICTS


def _evidence(row: AsinRow, claim: Answer, snapshot_id: str, opinion: Answer) -> str:
    """Both answers and what was believed, for the person who has to decide."""
    document = {
        "believed": {"status": str(row.status), "cost_jpy": row.price_jpy, "snapshot_id": row.snapshot_id},
        "doubted": {
            "operation": claim.operation,
            "status": str(claim.status),
            "cost_jpy": claim.price_jpy,
            "snapshot_id": snapshot_id,
            "request_id": claim.request_id,
        },
        "second": {
            "operation": opinion.operation,
            "status": str(opinion.status),
            "offers": [
                {"listing_price_jpy": one.listing_price_jpy, "shipping_jpy": one.shipping_jpy}
                for one in opinion.seen[:_KEPT_OFFERS]
            ],
            "request_id": opinion.request_id,
        },
    }
    return json.dumps(document, ensure_ascii=False)
