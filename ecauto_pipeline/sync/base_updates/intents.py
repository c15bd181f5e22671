"""The journal's side of pushing to one shop: outcomes, last looks and intents of several edits in one transaction.

An intent is committed before its call; the outcome of a call is written with the next intents, or by itself when none
follow. Where the process dies between, the edit is read back. Not for: making calls (shop_worker.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import Connection

from ecauto_pipeline.domain.model import Kind, ListingKey
from ecauto_pipeline.shops.protocol import Shop, key_of
from ecauto_pipeline.state import decisions, journal, locks, stops
from ecauto_pipeline.state.decisions import Decided
from ecauto_pipeline.state.stops import PAUSED
from ecauto_pipeline.sync.base_updates.ends import Answered, Intended
from ecauto_pipeline.sync.base_updates.outcomes import note_answers, take_back
from ecauto_pipeline.sync.base_updates.recheck import End, Gate, Look, RecheckResult
from ecauto_pipeline.sync.context import Context


@dataclass(frozen=True, slots=True)
class Looked:
    """One row after its last look; `update_id` "" = no call of it may leave."""

    decided: Decided
    rechecked: RecheckResult
    update_id: str = ""


class Intents:
    """The intents of one shop's worker, and the outcomes that are still to be written. One thread uses it."""

    def __init__(self, context: Context, shop: Shop, gate: Gate, rollback_of: str) -> None:
        self._context, self._shop, self._gate, self._rollback_of = context, shop, gate, rollback_of
        self._lock = locks.shop(key_of(shop))
        self._answered: list[Answered] = []

    def begin(self, rows: Sequence[Decided], price_ends: Mapping[ListingKey, End]) -> list[Looked]:
        """Look at these rows once more, each of another listing, and write the intents of those that may leave.

        `price_ends`: how this run's price pushes ended, by listing. Where it raises nothing was written, and the
        outcomes wait on.
        """
        now, run = self._context.clock.now(), self._context.run
        with self._context.state.write(self._lock) as connection:
            note_answers(connection, self._answered)
            paused = self._paused(connection)
            look = None if paused else self._gate(connection, rows, now)
            looked = [(row, _result(row, look, price_ends.get(row.diff.key))) for row in rows]
            leaving = [row for row, rechecked in looked if not rechecked.end]
            if run.dry_run:
                names = self._intend(connection, leaving, now)
            else:
                decisions.move(connection, [row.diff_id for row in leaving], "send", now)
                names = self._intend(connection, leaving, now)
                over = [row.diff_id for row, rechecked in looked if rechecked.end and rechecked.final]
                decisions.move(connection, over, "drop", now)
        self._answered = []
        update_ids = dict(zip([row.diff_id for row in leaving], names, strict=True))
        return [Looked(row, rechecked, update_ids.get(row.diff_id, "")) for row, rechecked in looked]

    def answered(self, one: Answered) -> None:
        """The shop has answered; its outcome is written with what is written next."""
        self._answered.append(one)

    def keep_outcomes(self) -> None:
        """Write the outcomes that wait."""
        if self._answered:
            with self._context.state.write(self._lock) as connection:
                note_answers(connection, self._answered)
            self._answered = []

    def take_back(self, rows: Sequence[Intended], *, for_good: bool = False) -> None:
        """No edit of these has left: their intents go, and the decisions wait again; `for_good`: those of a rollback
        end."""
        if rows:
            with self._context.state.write(self._lock) as connection:
                for one in rows:
                    ends = for_good and bool(self._rollback_of)
                    take_back(connection, one.decided, one.update_id, self._context.clock.now(), ends=ends)

    def stopped_meanwhile(self) -> bool:
        """Whether a person has stopped the pushing since the last look."""
        return self._heeds_stops and stops.is_stopped(self._context.state, key_of(self._shop))

    def _paused(self, connection: Connection) -> bool:
        """Whether a person lets nothing leave now: it holds for other processes' runs too, and for one under way."""
        return self._heeds_stops and stops.stop_of(connection, key_of(self._shop)) is not None

    @property
    def _heeds_stops(self) -> bool:
        """What a person takes back leaves all the same, and a dry run sends nothing anyway."""
        return not (self._rollback_of or self._context.run.dry_run)

    def _intend(self, connection: Connection, rows: Sequence[Decided], now: datetime) -> list[str]:
        run = self._context.run
        event: Literal["rehearse", "intend"] = "rehearse" if run.dry_run else "intend"
        return journal.intend_all(connection, run.run_id, rows, now, event=event, rollback_of=self._rollback_of)


def _result(decided: Decided, look: Look | None, price_end: End | None) -> RecheckResult:
    if look is None:
        return RecheckResult("skipped", PAUSED, final=False)
    diff = decided.diff
    if diff.kind is Kind.VISIBILITY and diff.wanted == 1 and price_end not in (None, "pushed", "unchanged"):
        return RecheckResult("skipped", "price_failed")
    return look(decided, price_end == "pushed")
