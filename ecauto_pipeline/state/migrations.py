"""The tables of state as numbered steps: what brings an earlier version's to this one, and who may open which.

SQLite takes the steps at opening, as it always did: one question where nothing is missing. In PostgreSQL, which others
use meanwhile, they are a step of their own (`ecauto fleet migrate`). Tables of a later version than this program's are
opened by nobody: what it would not keep, it would lose. A step is numbered when the tables change; it may only add.
Not for: the tables (schema.py) or transactions (database.py). Why no alembic: docs/decisions/state-by-named-locks.md.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Index, inspect
from sqlalchemy.dialects import sqlite
from sqlalchemy.schema import CreateColumn, CreateIndex, CreateTable

from ecauto_pipeline.errors import SettingsError
from ecauto_pipeline.state import revisions
from ecauto_pipeline.state.every_table import every_table

RETIRED = ("run_targets",)
"""Tables of earlier versions that hold nothing any more: what a run was to ask is planned anew (plans.py)."""
RETIRED_INDEXES = ("ix_listings_hidden",)
"""Of earlier versions; another answers what they were for."""
COMMAND = "ecauto fleet migrate"
_Objects = frozenset[tuple[Any, ...]]
_COMPLETE: set[_Objects] = set()
"""Tables and indexes, as SQLite itself writes them down, of databases in which this process found nothing missing."""


def complete(connection: Connection) -> None:
    """Every table, column, index and trigger of this version is there afterwards, whatever wrote the database."""
    every_table.create_all(connection)
    _add_missing_columns(connection)
    revisions.complete(connection)
    for name in RETIRED:
        connection.exec_driver_sql(f"DROP TABLE IF EXISTS {name}")
    for name in RETIRED_INDEXES:
        connection.exec_driver_sql(f"DROP INDEX IF EXISTS {name}")


@dataclass(frozen=True, slots=True)
class Migration:
    """One step. `shape`: shape_of_tables() of the program that brought it; `apply` may run again and change nothing."""

    number: int
    what: str
    shape: str
    apply: Callable[[Connection], None] = complete


MIGRATIONS = (
    Migration(1, "the tables of every version before there were numbers", "26562726d029"),
    Migration(2, "what history and master.db lack is found by indexes", "d1cf5dbe4658"),
    Migration(3, "who works on a lane of a fleet", "cc352b2f37bb"),
    Migration(4, "what decisions read of a row has a revision; what was decided of a listing last", "709df1c310ea"),
    Migration(5, "what master.db was told of an answer last", "7f160ea22c57"),
    Migration(6, "which listings were joined with which master.db", "b2930fa97958"),
    Migration(7, "what has changed, and what is counted, is found by indexes", "269590d16796"),
    Migration(8, "how often each ASIN has changed", "f327abbadf5c"),
)
"""In order. Who changes a table adds one, with the shape that the test then names."""
VERSION = MIGRATIONS[-1].number


def shape_of_tables() -> str:
    """A name for the tables, columns, types, indexes and triggers that this program declares; 12 hexadecimal digits."""
    said = [
        f"{table.name}.{column.name} {column.type} {column.primary_key} {column.nullable}"
        for table in every_table.sorted_tables
        for column in table.columns
    ]
    said += [
        f"{index.name} {[column.name for column in index.columns]}"
        for table in every_table.sorted_tables
        for index in table.indexes
    ]
    said += revisions.described()
    return hashlib.sha256("\n".join(sorted(said)).encode()).hexdigest()[:12]


def complete_sqlite(connection: Connection) -> None:
    """An SQLite file is of this version afterwards; by one question where it was found so before: sensors, questions
    and pages open state.db all the time, and to look through its tables one by one is most of what that takes.

    Raises SettingsError where a later version has written it.
    """
    found = _objects(connection)
    if found in _COMPLETE:
        return
    (version,) = (int(name) for kind, name, _ in found if kind == _VERSION)
    if version > VERSION:
        raise _newer(version)
    if len(found) > 1:
        _apply(connection, version)
    else:
        for statement in _statements():
            connection.exec_driver_sql(statement)
    if version != VERSION:
        connection.exec_driver_sql(f"PRAGMA user_version = {VERSION}")
    _COMPLETE.add(_objects(connection))


def version_in_postgresql(connection: Connection) -> int | None:
    """The version of the tables there; None where nobody has made them yet, 0 where they had no number."""
    asked = "SELECT to_regclass('schema_version') IS NOT NULL, to_regclass('asins') IS NOT NULL"
    numbered, there = connection.exec_driver_sql(asked).one()
    if not numbered:
        return 0 if there else None
    return int(connection.exec_driver_sql("SELECT max(version) FROM schema_version").scalar_one() or 0)


def check_postgresql(connection: Connection) -> None:
    """Raises SettingsError, which names the command, where the tables are not of this version."""
    version = version_in_postgresql(connection)
    if version is not None and version > VERSION:
        raise _newer(version)
    if version is None or version < VERSION:
        has = "has no tables yet" if version is None else f"has tables of version {version}, not {VERSION}"
        ja = "まだ表がありません" if version is None else f"表はバージョン {version} です（このプログラムは {VERSION}）"
        raise SettingsError(
            f"the state in PostgreSQL {has}; run: {COMMAND}",
            ja=f"PostgreSQL の状態データベース: {ja}。{COMMAND} を実行してください",
        )


def migrate_postgresql(connection: Connection) -> tuple[int | None, int]:
    """Take the steps that are missing; (version before, version now). The caller holds the lock of the schema.

    Raises SettingsError where a later version is there.
    """
    before = version_in_postgresql(connection)
    if before is not None and before > VERSION:
        raise _newer(before)
    if before is None or before < VERSION:
        _apply(connection, before or 0)
        connection.exec_driver_sql("CREATE TABLE IF NOT EXISTS schema_version (version INTEGER PRIMARY KEY)")
        connection.exec_driver_sql("DELETE FROM schema_version")
        connection.exec_driver_sql(f"INSERT INTO schema_version (version) VALUES ({VERSION})")
    return before, VERSION


def _apply(connection: Connection, before: int) -> None:
    """`complete` also where no step is missing: another program may have done something to the file."""
    for apply in dict.fromkeys((complete, *(one.apply for one in MIGRATIONS if one.number > before))):
        apply(connection)


def _newer(version: int) -> SettingsError:
    return SettingsError(
        f"the state has tables of version {version}, this program knows {VERSION}: a newer program wrote it;"
        " update this one",
        ja=f"状態データベースの表はバージョン {version} で、このプログラムが扱えるのは {VERSION} までです。"
        "新しいプログラムが書いたものなので、このプログラムを更新してください",
    )


_VERSION = "version"


def _objects(connection: Connection) -> _Objects:
    asked = (
        "SELECT type, name, sql FROM sqlite_master UNION ALL"
        f" SELECT '{_VERSION}', CAST(user_version AS TEXT), NULL FROM pragma_user_version"
    )
    return frozenset(tuple(row) for row in connection.exec_driver_sql(asked))


@lru_cache(maxsize=1)
def _statements() -> tuple[str, ...]:
    """What makes an empty SQLite file a database of this version."""
    made: list[str] = []
    dialect = sqlite.dialect()
    for table in every_table.sorted_tables:
        made.append(str(CreateTable(table).compile(dialect=dialect)))
        made += [str(CreateIndex(index).compile(dialect=dialect)) for index in sorted(table.indexes, key=_name)]
    return (*made, *revisions.sqlite_triggers().values())


def _name(index: Index) -> str:
    return str(index.name)


def _add_missing_columns(connection: Connection) -> None:
    """What a later version keeps besides; such columns are nullable or have a default, rows stay as they are."""
    present = inspect(connection)
    for table in every_table.sorted_tables:
        known = {column["name"] for column in present.get_columns(table.name)}
        missing = [column for column in table.columns if column.name not in known]
        for column in missing:
            ddl = CreateColumn(column).compile(connection)
            connection.exec_driver_sql(f"ALTER TABLE {table.name} ADD COLUMN {ddl}")
        indexed = {index["name"] for index in present.get_indexes(table.name)}
        for index in table.indexes:
            if index.name not in indexed:
                index.create(connection, checkfirst=True)
