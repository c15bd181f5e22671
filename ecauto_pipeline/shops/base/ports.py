"""What the BASE client needs from the rest of the program, handed in by its constructor.

Not for: implementations (state/windows.py, state/oauth.py and the call ledger; wiring joins them).
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal, Protocol


class Budget(Protocol):
    """The hour and day windows of one shop."""

    def reserve(self, kind: str) -> float:
        """Count one call; seconds to wait before sending it. Raises BudgetSpent."""

    def exhausted(self, span: Literal["hour", "day"], called_at: datetime) -> datetime:
        """BASE says that the window of a call sent then is over. Returns its end."""


class Ledger(Protocol):
    """One row a call, whatever became of it. Never holds secrets or anything about a buyer."""

    def record(
        self,
        *,
        api: str,
        operation: str,
        account: str,
        started_at: datetime,
        duration_ms: int,
        items: int | None,
        http_status: int | None,
        outcome: str,
        error: str,
    ) -> None:
        """`outcome`: ok | refused | failed | unknown; `error`: one word, "" when ok; `items`: rows asked or got."""


class WriteAhead(Protocol):
    """Where a rotated token stands before the token file is touched."""

    def load(self, account_id: str) -> str | None:
        """The document written last."""

    def save(self, account_id: str, document: str, obtained_at: datetime) -> None:
        """Committed and on the disk when this returns."""
