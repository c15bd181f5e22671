"""How far a run under way has come, counted from what is committed: what its plan asks, what it has to send.

Not for: runs that ended (their sections say more, sync/run_record.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, or_, select

from ecauto_pipeline.clock import AHEAD, to_ms
from ecauto_pipeline.domain.model import Decision
from ecauto_pipeline.state import plans
from ecauto_pipeline.state.runs import RunRow
from ecauto_pipeline.state.schema import asins
from ecauto_pipeline.state.schema_decisions import diffs, journal
from ecauto_pipeline.state.schema_runs import plan_targets


@dataclass(frozen=True, slots=True)
class RunProgress:
    """ASINs: `asked` of `to_ask` on the plan have been answered, or tried, since it was made. Edits: `sent` of
    `to_send` that the run decided have left (in a dry run: would have). None = there is no such list (yet)."""

    asked: int | None = None
    to_ask: int | None = None
    sent: int | None = None
    to_send: int | None = None


def progress_of(connection: Connection, run: RunRow, now: datetime) -> RunProgress:
    """Of one run, as far as is known `now`; the plan is its own, or the unfinished one of its hour that it took up."""
    asked, to_ask = _asking(connection, run, now)
    decided = select(func.count()).where(diffs.c.run_id == run.run_id, diffs.c.decision == Decision.PUSH)
    to_send = int(connection.execute(decided).scalar_one())
    left = select(func.count()).where(journal.c.run_id == run.run_id, journal.c.outcome.is_not(None))
    sent = int(connection.execute(left).scalar_one()) if to_send else 0
    return RunProgress(asked, to_ask, *((min(sent, to_send), to_send) if to_send else (None, None)))


def _asking(connection: Connection, run: RunRow, now: datetime) -> tuple[int | None, int | None]:
    plan = plans.of_run(connection, run.run_id) or plans.unfinished_of_hour(connection, run.partition_key)
    if plan is None:
        return None, None
    mine = plan_targets.c.plan_id == plan.plan_id
    total = int(connection.execute(select(func.count()).where(mine)).scalar_one())
    since, latest = to_ms(plan.made_at), to_ms(now + AHEAD)
    stamps = [asins.c[name].between(since, latest) for name in ("detail_at", "stock_at", "probe_at", "error_at")]
    known = select(func.count()).select_from(plan_targets.join(asins, asins.c.asin == plan_targets.c.asin))
    return int(connection.execute(known.where(mine, or_(*stamps))).scalar_one()), total
