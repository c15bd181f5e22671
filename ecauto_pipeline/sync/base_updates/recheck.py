"""The last look before an edit: whether a decision made earlier is still what the rules want, as things stand now.

Asked inside the transaction that writes the intent. Not for: making decisions (sync/diffs/decide.py).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from sqlalchemy import Connection

from ecauto_pipeline.domain.model import Decision, Diff, Kind
from ecauto_pipeline.domain.offers.second_opinion import DISAGREE
from ecauto_pipeline.domain.selling.corrections import UNCORRECTED
from ecauto_pipeline.domain.selling.diffs import NEVER_SELL
from ecauto_pipeline.state import decisions
from ecauto_pipeline.state.decisions import Decided
from ecauto_pipeline.state.edit_groups import unsettled_targets
from ecauto_pipeline.state.held import hold_behind
from ecauto_pipeline.state.known_asins import KnownAsin
from ecauto_pipeline.sync.context import Tools
from ecauto_pipeline.sync.diffs.evaluate import Rules
from ecauto_pipeline.sync.diffs.judge_again import JudgedAgain

End = Literal["pushed", "unchanged", "blocked", "skipped", "failed"]
APPROVED = "approved"
_SAID_SO = ("blocklist", NEVER_SELL, DISAGREE)
"""A person has said so, or the owner's list or rules."""


@dataclass(frozen=True, slots=True)
class RecheckResult:
    """`end` "" = may leave; else where the target ended and why. `final`: the decision is over, not just for now.

    `data_age_s` / `allowed_s`: how old the data behind it is and may be; None where none is behind it (blocklist).
    """

    end: End | Literal[""] = ""
    reason: str = ""
    final: bool = True
    data_age_s: float | None = None
    allowed_s: float | None = None


Look = Callable[[Decided, bool], RecheckResult]
"""Says whether one decision may leave now; and: this run's price push of the listing is done."""


class Gate(Protocol):
    """Looks at decisions about one shop (1 to 500) as they stand in this transaction, and says it of each."""

    def __call__(self, connection: Connection, rows: Sequence[Decided], now: datetime) -> Look: ...


class RulesGate:
    """The gate of decisions that the rules made."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools
        self._rules = Rules(tools.settings)

    def __call__(self, connection: Connection, rows: Sequence[Decided], now: datetime) -> Look:
        account, items = rows[0].diff.key.account, [row.diff.key.item_id for row in rows]
        free = FreeTargets(connection, rows)
        again = JudgedAgain(self._rules, connection, account, items, now)

        def look(decided: Decided, priced: bool) -> RecheckResult:
            refused = free.refusal(decided)
            if refused is not None:
                return refused
            if decided.diff.reason == APPROVED and _taken_back(connection, decided):
                return RecheckResult("skipped", "rejected")
            return self._judged(decided.diff, *again.verdict(decided.diff.key, decided.diff.kind, priced), now)

        return look

    def _judged(self, diff: Diff, verdict: Diff | None, known: KnownAsin | None, now: datetime) -> RecheckResult:
        if verdict is None:
            return RecheckResult("skipped", "not_listed")
        if verdict.shown is not None and verdict.shown == diff.wanted:
            return RecheckResult("unchanged", "shown_already")
        if verdict.decision is Decision.SKIPPED:
            return RecheckResult("skipped", verdict.reason)
        if verdict.decision is Decision.BLOCKED:
            return RecheckResult("blocked", verdict.reason)
        allowed = verdict.decision is Decision.PUSH or (verdict.decision is Decision.HELD and diff.reason == APPROVED)
        if not allowed or verdict.wanted != diff.wanted or verdict.shown != diff.shown:
            return RecheckResult("skipped", "changed_since")
        return self._clear(verdict, known, now)

    def _clear(self, verdict: Diff, known: KnownAsin | None, now: datetime) -> RecheckResult:
        if known is None or verdict.reason in _SAID_SO:
            return RecheckResult()
        if verdict.kind is Kind.PRICE:
            stamp, allowed = known.facts.price_at, self._tools.settings.ttl.price
        elif verdict.reason in (*UNCORRECTED, "price_excluded", "unconfirmed"):
            return RecheckResult()
        else:
            stamp, allowed = known.facts.stock_at, self._rules.max_age(known, now)
        age = (now - stamp).total_seconds() if stamp is not None else None
        return RecheckResult(data_age_s=age, allowed_s=allowed.total_seconds())


def _taken_back(connection: Connection, decided: Decided) -> bool:
    """Whether the yes that let this change pass was taken back since."""
    hold = decisions.by_id(connection, hold_behind(decided))
    return hold is not None and hold.state == "rejected"


class FreeTargets:
    """Of decisions about one shop, those whose way is free."""

    def __init__(self, connection: Connection, rows: Sequence[Decided]) -> None:
        self._current = decisions.by_ids(connection, [row.diff_id for row in rows])
        account, items = rows[0].diff.key.account, [row.diff.key.item_id for row in rows]
        self._unsettled = unsettled_targets(connection, account, items)

    def refusal(self, decided: Decided) -> RecheckResult | None:
        """An edit of this target that is still to be settled, or a later decision; None where the way is free."""
        current = self._current.get(decided.diff_id)
        if current is None or current.state != decided.state:
            return RecheckResult("skipped", "superseded", final=False)
        if (decided.diff.key.item_id, decided.diff.kind) in self._unsettled:
            return RecheckResult("skipped", "unsettled", final=False)
        return None
