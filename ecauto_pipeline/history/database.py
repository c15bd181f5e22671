"""One connection to `history.duckdb`: opened, given its tables, and its errors told apart.

DuckDB reports a file held by somebody else, a torn file and a full disk by the same class of exception; only the text
differs, and what has to be done differs most of all. Not for: what is loaded, or which questions are asked.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from ecauto_pipeline.history.duckdb_without_pandas import with_values
from ecauto_pipeline.history.errors import DiskFull, HistoryError
from ecauto_pipeline.history.tables import AUTHORITATIVE, SNAPSHOTS, TABLES, Table

LOADED_FILES = (
    ("file_id", "BIGINT"),
    ("table_name", "VARCHAR"),
    ("path", "VARCHAR"),
    ("size", "BIGINT"),
    ("mtime_ns", "BIGINT"),
    ("inode", "BIGINT"),
    ("sha256", "VARCHAR"),
    ("row_count", "BIGINT"),
    ("loaded_at", "TIMESTAMP WITH TIME ZONE"),
)

MOST_MB = 96
"""What DuckDB itself may hold while rows are compared, or moved: what does not fit goes to `<database>.tmp` beside it,
instead of four fifths of the machine's memory. What it has freed and keeps comes on top, as much again."""

QUIET = "SET enable_progress_bar = false"
"""After two seconds DuckDB would draw a bar of its own into whatever a person or a program reads."""
OFFLINE: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
}
"""A file of another database under our name must not make DuckDB fetch the extension that could open it."""

_HELD = (
    "could not set lock",
    "conflicting lock",
    "different configuration than existing connections",
    "file is already open in",  # DuckDB's own words; on Windows a sentence in the system's language stands before them
)
_FULL = (
    "no space left",
    "disk full",
    "disk quota",
    "file too large",
    "not enough disk space",
    "max_temp_directory_size",
)
_TORN = (
    "corrupt",
    "not a valid duckdb database",
    "version number",
    "could not read enough bytes",
    "checksum",
    "replaying wal",
    "wal file",
    "has been invalidated",
    "deserialize",
    "install it first",
)


class DatabaseHeld(HistoryError):
    """Somebody has the file open: come back later, the Parquet files keep the rows meanwhile."""


class DatabaseTorn(HistoryError):
    """The file can't be read any more: set it aside and build it anew from Parquet."""


def quoted(name: str) -> str:
    """`name` as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def column_list(table: Table) -> str:
    """The columns of `table`, quoted, in order; without `loaded_file`."""
    return ", ".join(quoted(name) for name in table.names)


def later_first(table: Table, *load_columns: str) -> str:
    """What orders the rows of one key in SQL, the one that stands first; `load_columns` say when each was loaded."""
    settled = (f"{quoted(table.settled)} DESC NULLS LAST",) if table.settled else ()
    return ", ".join((*settled, *(f"{column} DESC" for column in load_columns)))


@contextmanager
def database(path: Path, *, read_only: bool = False) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to `path` in UTC, closed at the end; one that may write is held to MOST_MB.

    Raises DatabaseHeld, DatabaseTorn, DiskFull or PermissionError (a right is missing), also for what goes wrong inside
    the block. Other errors pass.
    """
    with duckdb_errors_as_ours(path):
        connection = duckdb.connect(str(path), read_only=read_only, config=OFFLINE)
        try:
            connection.execute(QUIET)
            connection.execute("SET TimeZone = 'UTC'")
            if not read_only:
                hold_to_limit(connection)
            kinds = connection.execute("SELECT type FROM duckdb_databases() WHERE NOT internal").fetchall()
            if set(kinds) != {("duckdb",)}:
                raise DatabaseTorn(
                    f"{path.name} is another kind of database", ja=f"{path.name} は別の種類のデータベースです"
                )
            yield connection
        finally:
            connection.close()


def hold_to_limit(connection: duckdb.DuckDBPyConnection) -> None:
    """To MOST_MB."""
    connection.execute(f"SET memory_limit = '{MOST_MB}MB'")
    connection.execute("SET preserve_insertion_order = false")
    connection.execute("SET threads = 1")  # each holds buffers of its own


@contextmanager
def duckdb_errors_as_ours(path: Path) -> Iterator[None]:
    """Turn DuckDB's exceptions about the file itself into ours."""
    try:
        yield
    except duckdb.Error as wrong:
        text = " ".join(str(wrong).split())
        low = text.lower()
        if any(sign in low for sign in _HELD):
            raise DatabaseHeld(
                f"{path.name} is open elsewhere", ja=f"{path.name} は別のプログラムが開いています"
            ) from wrong
        if any(sign in low for sign in _FULL):
            raise DiskFull(f"no room to write {path}: {text[:200]}", ja=f"{path.name} に書き込めません") from wrong
        fatal = (duckdb.FatalException, duckdb.InternalException, duckdb.SerializationException)
        if isinstance(wrong, fatal) or (isinstance(wrong, duckdb.IOException) and any(sign in low for sign in _TORN)):
            raise DatabaseTorn(f"{path.name} is damaged: {text[:200]}", ja=f"{path.name} が壊れています") from wrong
        if place := _closed(path):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(place)) from wrong
        raise


def _closed(path: Path) -> Path | None:
    """The file, or the folder of its log, where this process may not read and write it."""
    places = (path, path.parent)
    return next((one for one in places if one.exists() and not os.access(one, os.R_OK | os.W_OK)), None)


def loaded_names(connection: duckdb.DuckDBPyConnection, table: Table) -> set[str]:
    """The loaded files of `table`, as paths below the directory."""
    query = with_values("SELECT path FROM loaded_files WHERE table_name = ?", [table.name])
    return {path for (path,) in connection.execute(query).fetchall()}


def ensure_schema(connection: duckdb.DuckDBPyConnection) -> None:
    """Create what is missing: the public tables, `loaded_files`, columns added since, the view `asin_latest`.

    Writes nothing when all is there. Each public table ends with `loaded_file`, the `file_id` its row came from.
    """
    wanted = {name: [*table.columns, ("loaded_file", "BIGINT")] for name, table in TABLES.items()}
    wanted["loaded_files"] = list(LOADED_FILES)
    there = {name for (name,) in connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()}
    have = {name: _columns(connection, name) for name in wanted if name in there}
    latest = _columns(connection, "asin_latest") if there else set[str]()
    if all({column for column, _ in columns} <= have.get(name, set()) for name, columns in wanted.items()) and (
        set(SNAPSHOTS.names) <= latest
    ):
        return
    connection.execute("BEGIN TRANSACTION")
    for name, columns in wanted.items():
        typed = ", ".join(f"{quoted(column)} {kind}" for column, kind in columns)
        connection.execute(f"CREATE TABLE IF NOT EXISTS {quoted(name)} ({typed})")
        for column, kind in columns:
            if name in have and column not in have[name]:
                connection.execute(f"ALTER TABLE {quoted(name)} ADD COLUMN {quoted(column)} {kind}")
    connection.execute(f"CREATE OR REPLACE VIEW asin_latest AS {_ASIN_LATEST}")
    connection.execute("COMMIT")


def _columns(connection: duckdb.DuckDBPyConnection, name: str) -> set[str]:
    """Of a table or view; none where there is no such, or a view whose table has changed beneath it. Asked one by one:
    information_schema looks through all that DuckDB has of its own, which took a third of opening a database."""
    try:
        found = connection.execute(with_values("SELECT name FROM pragma_table_info(?)", [name])).fetchall()
    except (duckdb.CatalogException, duckdb.BinderException):
        return set()
    return {column for (column,) in found}


_STATUSES = ", ".join(f"'{status}'" for status in AUTHORITATIVE)
# The newest moment first, over two narrow columns; only its rows are then compared by snapshot_id.
_ASIN_LATEST = f"""
    SELECT {", ".join("s." + quoted(name) for name in SNAPSHOTS.names)}
    FROM snapshots AS s
    JOIN (
        SELECT asin, max(observed_at) AS newest FROM snapshots WHERE status IN ({_STATUSES}) GROUP BY asin
    ) AS n ON s.asin = n.asin AND s.observed_at = n.newest
    WHERE s.status IN ({_STATUSES})
    QUALIFY row_number() OVER (PARTITION BY s.asin ORDER BY s.snapshot_id DESC) = 1
"""
