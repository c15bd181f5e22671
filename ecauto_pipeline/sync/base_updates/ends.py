"""Where a shop's decisions ended, as its worker hands it over.

Not for: the report of the whole step (sync/push_section.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime

from ecauto_pipeline.domain.model import Decision, Kind, ListingKey
from ecauto_pipeline.state.decisions import Decided
from ecauto_pipeline.sync.base_updates.recheck import End, RecheckResult
from ecauto_pipeline.sync.sections import Fault


@dataclass(frozen=True, slots=True)
class RowOutcome:
    """Where one decision ended. `data_age_s`, `allowed_s`: of the data behind a push."""

    decided: Decided
    end: End
    reason: str = ""
    data_age_s: float | None = None
    allowed_s: float | None = None


@dataclass(frozen=True, slots=True)
class Intended:
    """An edit whose intent is journalled: it leaves next, or the shop has taken it in and it leaves with the others."""

    decided: Decided
    update_id: str
    rechecked: RecheckResult


@dataclass(frozen=True, slots=True)
class Answered:
    """An edit to which the shop has answered. `value`: what it shows now; `left_at`, `ended_at`: of the call."""

    decided: Decided
    update_id: str
    value: int | None
    left_at: datetime
    ended_at: datetime


@dataclass(slots=True)
class ShopReport:
    """What one worker did.

    `instead`: hides of losses that pushing decided, by diff_id, with what the run had decided of them before.
    `alerts`: (account, reason) of breakers that opened here, or `shop_unreachable`; `faults`: what nobody foresaw;
    `crash`: what concerns every shop, to be raised.
    """

    ended: list[RowOutcome] = field(default_factory=list)
    instead: dict[str, Decision | None] = field(default_factory=dict)
    edits: int = 0
    unknown: int = 0
    settled_done: int = 0
    settled_not_done: int = 0
    alerts: list[tuple[str, str]] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    crash: BaseException | None = None


class Ends:
    """Collects them, tells `say` of each, and knows how this run's price pushes ended, by listing."""

    def __init__(self, say: Callable[[RowOutcome], None]) -> None:
        self._say = say
        self.report = ShopReport()
        self.of_prices: dict[ListingKey, End] = {}

    def end(self, decided: Decided, end: End, reason: str, rechecked: RecheckResult | None = None) -> None:
        age, allowed = (rechecked.data_age_s, rechecked.allowed_s) if rechecked is not None else (None, None)
        ended = RowOutcome(decided, end, reason, age, allowed)
        self.report.ended.append(ended)
        self.note_price(decided, end)
        self._say(ended)

    def note_price(self, decided: Decided, end: End) -> None:
        if decided.diff.kind is Kind.PRICE:
            self.of_prices[decided.diff.key] = end

    def is_last(self, decided: Decided) -> bool:
        """Whether this is the row that ended last."""
        return bool(self.report.ended) and self.report.ended[-1].decided is decided

    def rest(self, rows: Iterable[Decided], reason: str) -> None:
        """Those of them that have not ended are skipped."""
        seen = {ended.decided.diff_id for ended in self.report.ended}
        for decided in rows:
            if decided.diff_id not in seen:
                self.end(decided, "skipped", reason)
