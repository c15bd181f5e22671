"""Plans: what is to be asked of Amazon, in order, by whoever gets to it.

`stale_asins` makes a plan; it belongs to an hour (partition), a lane and a scope (which listings), not to a run: a run
that was killed leaves it unfinished, and the next one takes it up. Not for: what is due (domain/freshness/ages.py),
what a plan still holds (sync/stale_asins/take_up.py), or what was answered (asins.py).
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, Row, bindparam, delete, insert, select, update

from ecauto_pipeline.clock import from_ms, to_ms
from ecauto_pipeline.domain.model import AccountKey
from ecauto_pipeline.state.database import to_json
from ecauto_pipeline.state.schema_runs import plan_targets, plans
from ecauto_pipeline.state.upsert import add_rows

PLAN_LIFE = timedelta(days=3)
FINISHED_LIFE = timedelta(days=1)
"""Of the list of a plan of which nothing is left to ask: a run that works on its own plan is over long before."""


@dataclass(frozen=True, slots=True)
class Target:
    """One thing that a plan asks: `operation` is detail or sweep, `reason` and `tier` say why and how urgent."""

    seq: int
    asin: str
    operation: str
    reason: str
    tier: str


@dataclass(frozen=True, slots=True)
class Plan:
    """One plan without its list. `run_id`: who made it; `left_over`: ASINs due that did not fit into it.

    `finished_at` None: something of it may still be unasked.
    """

    plan_id: str
    run_id: str
    partition_key: str
    lane: str
    scope: str
    made_at: datetime
    left_over: int
    finished_at: datetime | None = None


def scope_of(accounts: Sequence[AccountKey], max_items: int | None) -> str:
    """Which listings a plan speaks of, as comparable text; () and None = all."""
    return to_json({"accounts": [str(account) for account in sorted(accounts)], "max_items": max_items})


def write_plan(
    connection: Connection,
    run_id: str,
    partition_key: str,
    lane: str,
    scope: str,
    made_at: datetime,
    targets: Sequence[Target],
    left_over: int,
) -> Plan:
    """A new plan with its list; one that this run made before is replaced. An empty one is finished at once.

    Unfinished ones of the same hour, lane and scope are finished by it: it was made of all that is due now.
    """
    for drop in _DROP_OF_RUN:
        connection.execute(drop, {"of_run": run_id})
    alike = {"key": partition_key, "of_lane": lane, "of_scope": scope}
    connection.execute(_FINISH_ALIKE, {**alike, "now": to_ms(made_at)})
    finished = None if targets else made_at
    plan = Plan(uuid.uuid4().hex, run_id, partition_key, lane, scope, made_at, left_over, finished)
    connection.execute(
        insert(plans).values(
            plan_id=plan.plan_id,
            run_id=run_id,
            partition_key=partition_key,
            lane=lane,
            scope=scope,
            made_at=to_ms(made_at),
            left_over=left_over,
            finished_at=None if finished is None else to_ms(finished),
        )
    )
    _insert_targets(connection, plan.plan_id, targets)
    return plan


_OF_RUN = plans.c.run_id == bindparam("of_run")
_DROP_OF_RUN = (
    delete(plan_targets).where(plan_targets.c.plan_id.in_(select(plans.c.plan_id).where(_OF_RUN))),
    delete(plans).where(_OF_RUN),
)
_ALIKE = (
    plans.c.partition_key == bindparam("key"),
    plans.c.lane == bindparam("of_lane"),
    plans.c.scope == bindparam("of_scope"),
    plans.c.finished_at.is_(None),
)
_FINISH_ALIKE = update(plans).where(*_ALIKE).values(finished_at=bindparam("now"))
_NEWEST_ALIKE = select(plans).where(*_ALIKE).order_by(plans.c.made_at.desc(), plans.c.plan_id).limit(1)


def add_targets(connection: Connection, plan_id: str, targets: Iterable[Target], left_over: int) -> None:
    """Put these on the plan's list too; `left_over` is what does not fit even now."""
    _insert_targets(connection, plan_id, targets)
    connection.execute(update(plans).where(plans.c.plan_id == plan_id).values(left_over=left_over))


def of_run(connection: Connection, run_id: str) -> Plan | None:
    """The plan that this run made, None where it made none."""
    row = connection.execute(select(plans).where(plans.c.run_id == run_id)).first()
    return _plan(row) if row is not None else None


def by_id(connection: Connection, plan_id: str) -> Plan | None:
    """The plan as it stands now, None where it is gone."""
    row = connection.execute(select(plans).where(plans.c.plan_id == plan_id)).first()
    return _plan(row) if row is not None else None


def newest_unfinished(connection: Connection, partition_key: str, lane: str, scope: str) -> Plan | None:
    """The newest plan of this hour, lane and scope of which something may still be unasked."""
    row = connection.execute(_NEWEST_ALIKE, {"key": partition_key, "of_lane": lane, "of_scope": scope}).first()
    return _plan(row) if row is not None else None


def unfinished_of_hour(connection: Connection, partition_key: str) -> Plan | None:
    """The newest plan of this hour, of whatever lane and scope, of which something may still be unasked."""
    query = select(plans).where(plans.c.partition_key == partition_key, plans.c.finished_at.is_(None))
    row = connection.execute(query.order_by(plans.c.made_at.desc(), plans.c.plan_id).limit(1)).first()
    return _plan(row) if row is not None else None


def targets_of(connection: Connection, plan_id: str) -> list[Target]:
    """What the plan asks, in order."""
    query = select(plan_targets).where(plan_targets.c.plan_id == plan_id).order_by(plan_targets.c.seq)
    return [Target(row.seq, row.asin, row.operation, row.reason, row.tier) for row in connection.execute(query)]


def targets_of_run(connection: Connection, run_id: str) -> list[Target]:
    """What this run's own plan asks, in order; nothing where it made none."""
    plan = of_run(connection, run_id)
    return targets_of(connection, plan.plan_id) if plan is not None else []


def finish(connection: Connection, plan_id: str, now: datetime) -> None:
    """Nothing of it is left to ask; the first word stands."""
    open_one = update(plans).where(plans.c.plan_id == plan_id, plans.c.finished_at.is_(None))
    connection.execute(open_one.values(finished_at=to_ms(now)))


def forget(connection: Connection, made_before: datetime) -> None:
    """Remove plans made before then, finished or not: whatever they held and is still due has been planned again.

    The list of one that is finished goes a day after its making: nobody takes it up any more.
    """
    finished = select(plans.c.plan_id).where(
        plans.c.finished_at.is_not(None), plans.c.made_at < to_ms(made_before + (PLAN_LIFE - FINISHED_LIFE))
    )
    connection.execute(delete(plan_targets).where(plan_targets.c.plan_id.in_(finished)))
    old = select(plans.c.plan_id).where(plans.c.made_at < to_ms(made_before))
    connection.execute(delete(plan_targets).where(plan_targets.c.plan_id.in_(old)))
    connection.execute(delete(plans).where(plans.c.made_at < to_ms(made_before)))


def _insert_targets(connection: Connection, plan_id: str, targets: Iterable[Target]) -> None:
    rows = [
        {"plan_id": plan_id, "seq": t.seq, "asin": t.asin, "operation": t.operation, "reason": t.reason, "tier": t.tier}
        for t in targets
    ]
    add_rows(connection, plan_targets, rows)


def _plan(row: Row[tuple[object, ...]]) -> Plan:
    return Plan(
        plan_id=row.plan_id,
        run_id=row.run_id,
        partition_key=row.partition_key,
        lane=row.lane,
        scope=row.scope,
        made_at=from_ms(row.made_at),
        left_over=row.left_over,
        finished_at=None if row.finished_at is None else from_ms(row.finished_at),
    )
