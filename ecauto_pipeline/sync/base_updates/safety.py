"""A loss that can't be corrected ends in safety: the run that knows of it hides the listing, not only the next one.

A price edit that failed is followed by the hide. A run of prices alone also hides what it can't send: corrections that
wait for a person, break a limit, or failed in earlier runs; a loss does not wait for the next hour.
No more of them than the guard on a mass of hides lets pass; the rest is the next run's, whose guard holds them.
Not for: what counts as a loss (domain/selling/visibility.py) or sending the hide (shop_worker.py).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection

from ecauto_pipeline.domain.model import AccountKey, Decision, Diff, Kind, ListingKey
from ecauto_pipeline.domain.selling.corrections import FAILED_CORRECTIONS, UNCORRECTED
from ecauto_pipeline.domain.selling.guards import hides_allowed
from ecauto_pipeline.state import decisions, journal, locks, losses
from ecauto_pipeline.state.decisions import Decided
from ecauto_pipeline.state.shop_listings import count_public
from ecauto_pipeline.sync.context import Context, Run
from ecauto_pipeline.sync.diffs.evaluate import SAID_SO, Rules
from ecauto_pipeline.sync.diffs.judge_again import JudgedAgain
from ecauto_pipeline.sync.run_record import read_record


def hides_losses(run: Run) -> bool:
    """Whether this run judges prices and no visibility, and is to hide the losses that it can't correct."""
    return run.hide_failed_prices and not run.include_visibility and Kind.PRICE in run.kinds


def is_hide_of_loss(diff: Diff) -> bool:
    """Whether this decision takes off sale what can't be corrected; one left unsent is taken up by any such run."""
    return diff.kind is Kind.VISIBILITY and diff.wanted == 0 and diff.reason in UNCORRECTED


class SafetyHides:
    """The hides of one shop that a run decides while it pushes."""

    def __init__(self, context: Context, account: AccountKey) -> None:
        self._context, self._account = context, account
        self._rules = Rules(context.settings)
        self._left: int | None = None

    def of_losses(self) -> list[str]:
        """Decide to hide the losses that this run, of prices alone, can't correct. The diff_ids of what was stored.

        Where the run is killed right after, these hides wait to be sent, by the next run of whatever scope.
        """
        run, now = self._context.run, self._context.clock.now()
        if not hides_losses(run):
            return []
        with self._context.state.read() as connection:
            found = self._losses(connection, self._uncorrected(connection), now)
        if not found:
            return []
        with self._context.state.write(locks.shop(self._account)) as connection:
            named = {
                diff.key.item_id for diff in found
            }  # what a person has said, or Amazon, since the look above counts
            still = [item for item in self._uncorrected(connection) if item in named]
            hides = [diff for diff in self._losses(connection, still, now) if self._may_hide(connection)]
            decisions.store(connection, run.run_id, run.partition_key, hides, now, closed=run.dry_run)
        return [decisions.diff_id(run.run_id, diff) for diff in hides]

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
            hide = next(iter(self._losses(connection, [key.item_id], now, FAILED_CORRECTIONS)), None)
            if hide is None or not self._may_hide(connection):
                return None
            before = self._before(connection, price)
            decisions.store(connection, run.run_id, run.partition_key, [hide], now, closed=False)
            decided = decisions.by_id(connection, decisions.diff_id(run.run_id, hide))
        return (decided, before) if decided is not None and decided.state == "open" else None

    def _uncorrected(self, connection: Connection) -> list[str]:
        run = self._context.run
        runs = [run_id for run_id in (run.run_id, run.retries) if run_id]
        return losses.uncorrected(connection, self._account, runs, dry_run=run.dry_run)

    def _losses(
        self, connection: Connection, items: Sequence[str], now: datetime, reasons: Collection[str] = UNCORRECTED
    ) -> list[Diff]:
        """The hides, for one of these reasons, that the rules want of these items now and of which nothing waits."""
        if not items or Kind.VISIBILITY not in self._context.shops[self._account].abilities.edits:
            return []
        again, found = JudgedAgain(self._rules, connection, self._account, items, now), []
        for item in items:
            key = ListingKey(self._account.platform, self._account.account_id, item)
            verdict, known = again.verdict(key, Kind.VISIBILITY, priced=False)
            if verdict is None or verdict.decision is not Decision.PUSH or verdict.reason not in reasons:
                continue
            if not decisions.waits(connection, key, Kind.VISIBILITY):
                found.append(replace(verdict, tier=self._rules.tier(known, now)))
        return found

    def _may_hide(self, connection: Connection) -> bool:
        if self._left is None:
            guards = self._context.settings.guards
            lately = journal.hidden_since(connection, self._context.clock.now() - guards.hide_window, SAID_SO)
            waiting = losses.hides_to_send(connection, self._account, SAID_SO)
            public = count_public(connection, self._account)
            self._left = hides_allowed(public, guards, lately.get(self._account, 0)) - waiting
        self._left -= 1
        return self._left >= 0

    def _before(self, connection: Connection, price: Decided) -> Decision | None:
        run_id, judged = self._context.run.run_id, self._context.run.include_visibility
        record = read_record(connection, run_id) if judged and price.run_id == run_id else None
        if record is None or record.visibility_diffs is None:
            return None
        stored = decisions.of_target(connection, run_id, price.diff.key, Kind.VISIBILITY)
        return stored.diff.decision if stored is not None else Decision.UNCHANGED
