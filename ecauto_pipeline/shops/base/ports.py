"""What the BASE client needs from the rest of the program, handed in by its constructor.

Not for: implementations (token_file_home.py, fleet/sealed_tokens.py, state/windows.py, state/oauth.py and the call
ledger; wiring joins them).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Literal, Protocol

from ecauto_pipeline.shops.base.tokens import Tokens


class Budget(Protocol):
    """The hour and day windows of one shop."""

    def reserve(self, kind: str) -> float:
        """Count one call; seconds to wait before sending it. Raises BudgetSpent."""

    def ahead(self, kinds: Sequence[str]) -> AbstractContextManager[None]:
        """`reserve` of these kinds follows within it: as many as the windows have left are counted at once, and those
        that did not follow are given back at its end."""

    def exhausted(self, span: Literal["hour", "day"], called_at: datetime) -> datetime:
        """BASE says that the window of a call sent then is over. Returns until when all wait: its end, or for a minute
        where BASE still means the window before."""


class Ledger(Protocol):
    """One row a call, whatever became of it. Never keeps secrets or anything about a buyer."""

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

    def held(self) -> AbstractContextManager[None]:
        """Rows may wait a moment within it, to be written together."""


class WriteAhead(Protocol):
    """Where a rotated token stands before the token file is touched."""

    def load(self, account_id: str) -> str | None:
        """The document written last."""

    def save(self, account_id: str, document: str, obtained_at: datetime) -> None:
        """Committed and on the disk when this returns."""


class TokenHome(Protocol):
    """Where the tokens of one shop live, and whose turn it is to change them."""

    @property
    def problem(self) -> str:
        """What keeps the home from being all it should be, though no token is lost; "" = nothing."""

    def turn(self) -> AbstractContextManager[Callable[[], bool]]:
        """One at a time, of all who share this home. Raises Transport `token_lock` where the turn does not come.

        What it gives tells whether the turn still has the time that one call takes.
        """

    def current(self) -> Tokens | None:
        """What is kept, whoever's turn it is; None = nothing yet. Raises AccountBlocked for what can't be used."""

    def at_hand(self) -> Tokens | None:
        """What may be used without a turn; None where only a turn tells (there may be something to put right)."""

    def load(self) -> Tokens | None:
        """`current` with the turn in hand; what a crash left behind is put right."""

    def keep(self, tokens: Tokens) -> None:
        """Durable when this returns, and never lost by a death before. The turn is in hand."""
