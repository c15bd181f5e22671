"""The owner's master.db as one side of carrying the register: read whole, or written to in one transaction.

Its schema stays the owner's: what it lacks is not added, what else is in it is left alone. A file that is not there yet
is made, whole or not at all. Not for: what a run reads and writes (master.py).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from functools import partial
from typing import Any

from ecauto_pipeline.atomic_file import replacing
from ecauto_pipeline.register.failures import failure
from ecauto_pipeline.register.master import Register
from ecauto_pipeline.register.statements import Statements
from ecauto_pipeline.register.tables import CREATE, REQUIRED

_AS_IT_IS = partial(str, encoding="utf-8", errors="surrogateescape")  # bytes that are no UTF-8 are found again


class OwnerFile(Register):
    """One SQLite file."""

    @contextmanager
    def reading(self) -> Iterator[AskedSqlite]:
        """As of one moment. Raises RegisterError, RegisterMissing, RegisterBusy."""
        with self._open("ro") as database:
            assert isinstance(database, sqlite3.Connection)
            database.text_factory = _AS_IT_IS
            database.execute("BEGIN")
            yield AskedSqlite(database)

    @contextmanager
    def writing(self) -> Iterator[AskedSqlite]:
        """One transaction, committed at its end; nothing of it is kept where it was rolled back or anything is raised.

        Raises RegisterError, RegisterBusy.
        """
        if self.path.is_file():
            with self._open("rw") as found:
                assert isinstance(found, sqlite3.Connection)
                yield from _in_one(found)
            return
        try:
            with replacing(self.path) as temporary, closing(sqlite3.connect(temporary, isolation_level=None)) as made:
                made.executescript(CREATE)
                yield from _in_one(made)
                if made.execute(
                    "SELECT NOT EXISTS (SELECT 1 FROM products UNION ALL SELECT 1 FROM listings)"
                ).fetchone()[0]:
                    raise _NothingWanted
        except sqlite3.Error as error:
            raise failure(self.path.name, error) from error
        except _NothingWanted:
            return

    def make_tables(self, database: Statements) -> None:
        """They are there, or this is not the register. Raises RegisterError."""
        for table in REQUIRED:
            self._columns(database, table)

    def other_tables(self, database: Statements) -> list[tuple[str, int]]:
        """What else is in the file, and how many rows of it."""
        found = database.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY name"
        )
        names = [str(row[0]) for row in found if row[0] not in REQUIRED]
        asked = [(name, name.replace('"', '""')) for name in names]
        return [(name, int(database.execute(f'SELECT count(*) FROM "{one}"').fetchone()[0])) for name, one in asked]

    def column_kinds(self, database: Statements, table: str) -> list[tuple[str, str]]:
        """Name, and text | whole | number, as it was declared."""
        return [(str(row[1]), _kind(str(row[2]))) for row in database.execute(f"PRAGMA table_info({table})")]

    def add_columns(self, database: Statements, table: str, kinds: Mapping[str, str]) -> None:
        """The owner's schema stays as it is."""

    def go_on_counting(self, database: Statements) -> None:
        """SQLite sees to it itself."""


class _NothingWanted(Exception):
    """It was only looked at, or there is nothing: no file is made."""


def _in_one(database: sqlite3.Connection) -> Iterator[AskedSqlite]:
    database.execute("BEGIN IMMEDIATE")
    yield AskedSqlite(database)
    if database.in_transaction:
        database.execute("COMMIT")


class AskedSqlite:
    """sqlite3's connection, which streams as it is."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database

    @property
    def in_transaction(self) -> bool:
        return self._database.in_transaction

    def execute(self, statement: str, values: Sequence[Any] = ()) -> sqlite3.Cursor:
        return self._database.execute(statement, values)

    def executemany(self, statement: str, values: Iterable[Sequence[Any]]) -> sqlite3.Cursor:
        return self._database.executemany(statement, values)

    def stream(self, statement: str) -> Iterator[Sequence[Any]]:
        return iter(self._database.execute(statement))


def _kind(declared: str) -> str:
    """SQLite's own rules of affinity; a date is text there, a truth value a number."""
    word = declared.upper()
    if "INT" in word or "BOOL" in word:
        return "whole"
    if any(name in word for name in ("REAL", "FLOA", "DOUB", "NUM", "DEC")):
        return "number"
    return "text"
