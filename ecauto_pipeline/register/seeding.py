"""Rows into a new register. Not for: rows of one that is in use (master.py writes narrowly)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ecauto_pipeline.errors import RegisterError
from ecauto_pipeline.register.statements import Statements


def insert(database: Statements, table: str, known: Sequence[str], entries: Iterable[Mapping[str, Any]]) -> None:
    """Rows by column name, all with the same keys; `known`: the table's columns. Raises RegisterError for others."""
    entries = iter(entries)
    first = next(entries, None)
    if first is None:
        return
    names = [name for name in known if name in first]
    unknown = sorted(set(first) - set(known))
    if unknown:
        raise RegisterError(
            f"{table} has no column {', '.join(unknown)}", ja=f"表 {table} に列がありません: {', '.join(unknown)}"
        )
    statement = f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"
    database.execute(statement, [first[name] for name in names])
    database.executemany(statement, ([entry[name] for name in names] for entry in entries))
