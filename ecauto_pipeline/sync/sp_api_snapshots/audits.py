"""Which unchanged answers of a batch are put to the second opinion, to see how often the first source is wrong unseen.

The same share of the ASINs all day, by hash and day, each once a day: whoever runs again asks nothing twice.
Not for: what the second opinion makes of them (domain/offers/second_opinion.py) or when it is asked (queues.py).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import numpy as np

from ecauto_pipeline.clock import jst
from ecauto_pipeline.domain.freshness.slots import second_checked
from ecauto_pipeline.domain.model import Answer, Role, Status
from ecauto_pipeline.domain.offers.learning import ZERO, AsinRow, LearnRules, moved


def to_check(
    role: Role, answers: Iterable[tuple[Answer, AsinRow, AsinRow]], now: datetime, share: float, rules: LearnRules
) -> list[str]:
    """ASINs of these answers (each with its row before and after) that are to be checked, in their order."""
    today = jst(now).date()
    unchanged = [
        after.asin
        for answer, before, after in answers
        if _unchanged(role, answer, before, after, rules)
        and (before.audited_at is None or jst(before.audited_at).date() != today)
    ]
    if not unchanged or not share:
        return []
    chosen = second_checked(np.array(unchanged), today, share)
    return [asin for asin, wanted in zip(unchanged, chosen.tolist(), strict=True) if wanted]


def _unchanged(role: Role, answer: Answer, before: AsinRow, after: AsinRow, rules: LearnRules) -> bool:
    """Whether the answer says what was believed: of an offer that fits, or of none at all."""
    if not answer.status.authoritative or after.doubt or after.wants_detail:
        return False
    if before.status is not Status.SUCCESS and before.status not in ZERO:
        return False
    if role is Role.SWEEP:
        return after.stock_at == after.probe_at
    if (before.status in ZERO) != (answer.status in ZERO) or answer.status is Status.FILTERED_OUT:
        return False
    return answer.status in ZERO or not moved(before.price_jpy, answer.price_jpy, rules)
