"""What has been answered since a plan was made: asking about it again would be waste.

Not for: what is held by another (state/leases.py) or doubted (standing_doubts.py).
"""

from __future__ import annotations

from datetime import datetime

from ecauto_pipeline.clock import AHEAD
from ecauto_pipeline.domain.model import Role
from ecauto_pipeline.domain.offers.learning import AsinRow


def settled(row: AsinRow, role: Role, since: datetime, now: datetime, *, waits: bool, handed_over: bool) -> bool:
    """Whether this ASIN needs no look of this role any more, as far as is known `now`.

    `waits`: its doubt is still owed to somebody; `handed_over`: its error was of the account, another asks again.
    """
    detailed = reached(row.detail_at, since, now)
    erred = reached(row.error_at, since, now) and not handed_over
    if role is Role.SWEEP:
        return detailed or erred or reached(row.stock_at, since, now) or reached(row.probe_at, since, now)
    if role is Role.DETAIL:
        return (detailed and not waits) or (erred and not row.wants_detail)
    return detailed and not row.doubt


def reached(stamp: datetime | None, moment: datetime, now: datetime) -> bool:
    """Whether something was stamped at this moment or later; stamps are kept in whole milliseconds.

    One from the future (the clock was set back since) says nothing of it: till that day no plan would be asked.
    """
    return stamp is not None and moment.replace(microsecond=moment.microsecond // 1000 * 1000) <= stamp <= now + AHEAD
