"""What can go wrong with the history as such, before anybody looks at a database (database.py has what is about that).

Not for: damage that was found and set aside (damage.py).
"""

from __future__ import annotations

import errno

from ecauto_pipeline.errors import EcautoError


class HistoryError(EcautoError):
    """The history can't be written or asked; the message says which file and why."""


class DiskFull(HistoryError, OSError):
    """No room for the history. Nothing half-written stays; make room and do it again."""

    errno = errno.ENOSPC


class RowRefused(HistoryError, ValueError):
    """A row does not fit its table: a mistake of the caller's; the message names table, column and row."""

    def __init__(self, message: str) -> None:
        super().__init__(message, ja="履歴の表に合わない行がありました（プログラムの不具合です）")
