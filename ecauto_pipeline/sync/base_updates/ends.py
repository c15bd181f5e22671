"""Where a shop's decisions ended, as its worker hands it over.

Not for: the report of the whole step (sync/sections.py).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ecauto_pipeline.domain.model import Decision
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
class TakenIn:
    """An edit that the shop has taken in and that leaves with the others; its intent is journalled."""

    decided: Decided
    update_id: str
    rechecked: RecheckResult


@dataclass(slots=True)
class ShopReport:
    """What one worker did.

    `instead`: hides of listings whose price failed, by diff_id, with what the run had decided of them before.
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
