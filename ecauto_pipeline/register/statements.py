"""What the register is asked through, whichever database it lies in. Not for: what is asked (master.py)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Protocol


class Statements(Protocol):
    """One connection; `?` stands for a value. sqlite3's own is one."""

    @property
    def in_transaction(self) -> bool:
        """Whether a BEGIN still waits for its end."""

    def execute(self, statement: str, values: Sequence[Any] = ..., /) -> Any:
        """Rows to walk through, with `fetchone()` and `rowcount`."""

    def executemany(self, statement: str, values: Iterable[Sequence[Any]], /) -> Any:
        """`rowcount` of all of them together."""


class Streaming(Statements, Protocol):
    """One that a whole table can be read through."""

    def stream(self, statement: str, /) -> Iterator[Sequence[Any]]:
        """Rows as they are read, never all of them in memory."""
