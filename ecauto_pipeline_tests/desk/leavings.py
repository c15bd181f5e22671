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


_OF_A_RUN = frozenset(
    {"run_id", "update_id", "diff_id", "plan_id", "snapshot_id", "doubt_snapshot_id", "call_id", "request_id", "key"}
    | {"seq", "rollback_of", "document", "register_counts", "register_look", "filtered_since", "orders_30d"}
    | {"terms", "price_holds_until", "visibility_holds_until"}
)
"""Columns that each run fills anew with names, seconds and moments; `document`: what a step reports of itself;
`register_look`: as which file, made when, its register was joined; `terms`:
of settings, in which the address of each world's emulator stands."""
_OF_A_WORLD = frozenset({"buckets", "oauth", "salts"})
"""Tables of secrets, and of the time that has gone by."""


def leavings(folder: Path, *, after_runs: bool = False) -> dict[str, list[tuple[str, ...]]]:
    """Rows of each table of data/state.db under `folder`, sorted, without the columns of who and when.

    `after_runs`: nor what no two runs of the same have in common."""
    without = _OF_A_RUN if after_runs else frozenset[str]()
    found = {}
    with sqlite3.connect(folder / "data" / "state.db") as state:
        for (table,) in state.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            columns = [
                name
                for _, name, *_ in state.execute(f"PRAGMA table_info({table})")
                if _stays(name) and name not in without
            ]
            if table not in _PASSING and not (after_runs and table in _OF_A_WORLD) and columns:
                names = ", ".join(f'"{name}"' for name in columns)
                found[table] = sorted(_texts(row) for row in state.execute(f"SELECT {names} FROM {table}"))
    return found


def _stays(column: str) -> bool:
    return column not in WHO_AND_WHEN and not column.endswith(("_at", "_by"))


def _texts(row: Iterable[object]) -> tuple[str, ...]:
    return tuple(map(str, row))
