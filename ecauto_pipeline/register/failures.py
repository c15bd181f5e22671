"""What an error of SQLite means for whoever reads or writes master.db, in words.

Not for: the next step, which is the same for every file (doctor/disk_errors.py).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping

from ecauto_pipeline.errors import RegisterBusy, RegisterError

_FAILURES: Mapping[int, str] = {
    sqlite3.SQLITE_CORRUPT: "が壊れています",
    sqlite3.SQLITE_NOTADB: "はデータベースではありません",
    sqlite3.SQLITE_CANTOPEN: "を開く権限がありません",
    sqlite3.SQLITE_PERM: "を開く権限がありません",
    sqlite3.SQLITE_READONLY: "に書き込む権限がありません",
    sqlite3.SQLITE_FULL: "の入ったディスクがいっぱいです",
    sqlite3.SQLITE_IOERR: "をディスクから読めません",
}
"""What SQLite's own codes mean, for a Japanese reader; English readers get its own words."""


def failure(name: str, error: sqlite3.Error | UnicodeDecodeError) -> RegisterError:
    """The error as ours; `name`: of the file. Told apart by SQLite's own code, never by its words, which may quote what
    is no text of a damaged file: Python can't say them then, and raises UnicodeDecodeError in its place."""
    if isinstance(error, UnicodeDecodeError):
        return RegisterError(f"{name}: malformed, its own words are no text", ja=f"{name} が壊れています")
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return RegisterBusy(
            f"{name}: another program holds it",
            ja=f"{name} をほかのプログラムが使っています。次の実行でもう一度試します",
        )
    unnamed = getattr(error, "sqlite_errorname", type(error).__name__)  # SQLite's own words are English
    return RegisterError(f"{name}: {error}", ja=f"{name} {_FAILURES.get(code, f'を読み書きできません（{unnamed}）')}")
