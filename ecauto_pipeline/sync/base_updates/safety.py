"""A correction that failed ends in safety: the run whose price edit failed hides the listing, not only the next one.

A run of prices alone hides these too, and what earlier runs could not correct: a loss does not wait for the next hour.
No more of them than the guard on a mass of hides lets pass; the rest is the next run's, whose guard holds them.
Not for: what counts as failed (domain/selling/corrections.py) or sending the hide (shop_worker.py).
"""

from __future__ import annotations

from sqlalchemy import Connection

from ecauto_pipeline.domain.model import AccountKey, Decision, Kind
from ecauto_pipeline.domain.selling.corrections import FAILED_CORRECTIONS
from ecauto_pipeline.domain.selling.guards import hides_allowed
from ecauto_pipeline.state import decisions, journal, locks
from ecauto_pipeline.state.decisions import Decided
from ecauto_pipeline.state.shop_listings import count_public
from ecauto_pipeline.sync.context import Context
from ecauto_pipeline.sync.diffs.evaluate import SAID_SO, Rules
from ecauto_pipeline.sync.diffs.judge_again import JudgedAgain
from ecauto_pipeline.sync.run_record import read_record


class SafetyHides:
    """The hides of one shop that a run decides while it pushes."""

    def __init__(self, context: Context, account: AccountKey) -> None:
        self._context, self._account = context, account
        self._rules = Rules(context.settings)
        self._left: int | None = None

    def instead_of(self, price: Decided) -> tuple[Decided, Decision | None] | None:
        """The stored decision to hide the listing whose price failed, and what this run had decided of it before.

        None where nothing asks for a hide, something about it waits already, or the hide is for the next run. The
        earlier decision is None where this run has judged no visibility: the target is a new one.
        """
        run, key = self._context.run, price.diff.key
        if run.dry_run or not (run.include_visibility or run.hide_failed_prices):
            return None
        now = self._context.clock.now()
        with self._context.state.write(locks.shop(key.account)) as connection:
            again = JudgedAgain(self._rules, connection, key.account, (key.item_id,), now)
            verdict, _ = again.verdict(key, Kind.VISIBILITY, priced=False)
            if verdict is None or verdict.decision is not Decision.PUSH or verdict.reason not in FAILED_CORRECTIONS:
                return None
            if decisions.waits(connection, key, Kind.VISIBILITY) or not self._may_hide(connection):
                return None
            before = self._before(connection, price)
            decisions.store(connection, run.run_id, run.partition_key, [verdict], now, closed=False)
            decided = decisions.by_id(connection, decisions.diff_id(run.run_id, verdict))
        return (decided, before) if decided is not None and decided.state == "open" else None

    def resting(self) -> list[Decided]:
        """The prices that rest because an earlier edit failed, where this run judges no visibility of its own."""
        run = self._context.run
        if run.include_visibility:
            return []
        with self._context.state.read() as connection:
            return decisions.skipped_for(connection, run.run_id, self._account, FAILED_CORRECTIONS)

    def _may_hide(self, connection: Connection) -> bool:
        if self._left is None:
            guards = self._context.settings.guards
            lately = journal.hidden_since(connection, self._context.clock.now() - guards.hide_window, SAID_SO)
            public = count_public(connection, self._account)
            self._left = hides_allowed(public, guards, lately.get(self._account, 0))
        self._left -= 1
        return self._left >= 0

    def _before(self, connection: Connection, price: Decided) -> Decision | None:
        run_id, judged = self._context.run.run_id, self._context.run.include_visibility
        record = read_record(connection, run_id) if judged and price.run_id == run_id else None
        if record is None or record.visibility_diffs is None:
            return None
        stored = decisions.of_target(connection, run_id, price.diff.key, Kind.VISIBILITY)
        return stored.diff.decision if stored is not None else Decision.UNCHANGED
