"""What is left behind in a project: every row of state.db but for who, when and which process.

Not for: laws.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from pathlib import Path

WHO_AND_WHEN = ("who", "owner", "since", "at", "made_at", "exported")
_PASSING = frozenset({"leases"})
"""Held only while something is done."""


def leavings(folder: Path) -> dict[str, list[tuple[str, ...]]]:
    """Rows of each table of data/state.db under `folder`, sorted, without the columns of who and when."""
    found = {}
    with sqlite3.connect(folder / "data" / "state.db") as state:
        for (table,) in state.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            columns = [name for _, name, *_ in state.execute(f"PRAGMA table_info({table})") if _stays(name)]
            if table not in _PASSING and columns:
                names = ", ".join(f'"{name}"' for name in columns)
                found[table] = sorted(_texts(row) for row in state.execute(f"SELECT {names} FROM {table}"))
    return found


def _stays(column: str) -> bool:
    return column not in WHO_AND_WHEN and not column.endswith(("_at", "_by"))


def _texts(row: Iterable[object]) -> tuple[str, ...]:
    return tuple(map(str, row))
