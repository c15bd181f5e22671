"""Which plan a run works on: its own, that of the run it retries, or the newest unfinished one of its hour and lane.

What was answered since a plan was made, or is no longer due, is not asked again (domain/freshness/remaining.py). Where
there is no plan, one is made: any asset can be materialized alone. Not for: asking (sync/sp_api_snapshots/fetch.py).
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from ecauto_pipeline.clock import to_ms
from ecauto_pipeline.domain.freshness.ages import evaluate_freshness
from ecauto_pipeline.domain.freshness.remaining import remaining
from ecauto_pipeline.state import locks, plans, targets
from ecauto_pipeline.state.plans import Plan, Target
from ecauto_pipeline.sync.context import Context
from ecauto_pipeline.sync.stale_asins import plan as stale_asins


@dataclass(frozen=True, slots=True)
class WorkInHand:
    """A plan and what of it is left to ask, in order. `continues`: the run that made it, "" where it is our own."""

    plan: Plan
    targets: list[Target]
    continues: str = ""


def work_in_hand(context: Context) -> WorkInHand:
    """The plan this run works on; makes one where there is none with anything left. Writes plans, nothing else."""
    with context.state.read() as connection:
        own = plans.of_run(connection, context.run.run_id)
        if own is not None:
            return WorkInHand(own, plans.targets_of(connection, own.plan_id))
    while True:
        with context.state.read() as connection:
            other = _of_others(context, connection)
            left = _left(context, connection, other) if other is not None else []
        if other is None:
            break
        if left:
            return WorkInHand(other, left, other.run_id)
        with context.state.write(locks.plan(other.partition_key, other.lane)) as connection:
            plans.finish(connection, other.plan_id, context.clock.now())
    made = stale_asins.make_plan(context)
    with context.state.read() as connection:
        return WorkInHand(made, plans.targets_of(connection, made.plan_id))


def _of_others(context: Context, connection: Connection) -> Plan | None:
    run = context.run
    if run.retries:
        retried = plans.of_run(connection, run.retries)
        if retried is not None and retried.finished_at is None:
            return retried
    return plans.newest_unfinished(connection, run.partition_key, run.lane, stale_asins.scope_of(run))


def _left(context: Context, connection: Connection, plan: Plan) -> list[Target]:
    listed = plans.targets_of(connection, plan.plan_id)
    rows = targets.read_rows(connection, context.clock.now(), context.run.accounts, context.run.max_items)
    judged = evaluate_freshness(rows, context.clock.now(), stale_asins.policy_of(context))
    left = remaining(
        [target.asin for target in listed],
        [target.operation for target in listed],
        [target.reason for target in listed],
        rows,
        judged,
        to_ms(plan.made_at),
        to_ms(context.clock.now()),
    )
    return [
        Target(listed[one.place].seq, listed[one.place].asin, one.operation, one.reason, listed[one.place].tier)
        for one in left
    ]
