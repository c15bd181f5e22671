"""Pushing while a run still asks Amazon: what it has decided so far leaves, through the same gate, lease and journal.

Not for: deciding it (sync/diffs/answered.py), when (sync/push_while_asking.py) or the rest of the run (push.py).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection

from ecauto_pipeline.domain.model import AccountKey
from ecauto_pipeline.state import decisions
from ecauto_pipeline.state.decisions import Decided
from ecauto_pipeline.state.early_edits import edited
from ecauto_pipeline.sync.base_updates.push import push
from ecauto_pipeline.sync.base_updates.recheck import Look, RulesGate
from ecauto_pipeline.sync.context import Context
from ecauto_pipeline.sync.push_section import PushReport


def push_early(context: Context, accounts: Collection[AccountKey]) -> PushReport:
    """Push what this run has decided so far of these accounts; the report is of what has ended for good.

    What the last look refuses, or its shop can't take now, stays open: the steps to come judge it, send it and count
    it. Raises Stopped; item errors are rows.
    """
    context = context.allowing(accounts=tuple(sorted(accounts)))
    gate = RulesGate(context)

    def rows_of(account: AccountKey) -> Sequence[Decided]:
        with context.state.read() as connection:
            rows = decisions.to_push(connection, context.run.run_id, [account], dry_run=False)
        return [row for row in rows if row.run_id == context.run.run_id]

    def look_again(connection: Connection, rows: Sequence[Decided], now: datetime) -> Look:
        look = gate(connection, rows, now)
        return lambda decided, priced: replace(look(decided, priced), final=False)

    def over() -> Collection[str]:
        with context.state.read() as connection:
            made = edited(connection, context.run.run_id, context.accounts)
        return {one.diff_id for of_target in made.values() for one in of_target}

    return replace(push(context, rows_of, look_again, over=over), planned_s=0.0)
