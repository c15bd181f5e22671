"""Does the database hold what the Parquet files hold? Counted key by key, table by table; nothing is changed.

Not for: repairing (a load adds what is missing, a rebuild does everything).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from ecauto_pipeline.history.arrow_columns import of_type, texts
from ecauto_pipeline.history.database import QUIET, DatabaseTorn, database, ensure_schema, hold_to_limit, quoted
from ecauto_pipeline.history.duckdb_without_pandas import Rows, literal, rows_as
from ecauto_pipeline.history.listing import list_table, present_files
from ecauto_pipeline.history.loading import Marks, all_loaded_marks
from ecauto_pipeline.history.parquet import UNREADABLE, batches
from ecauto_pipeline.history.tables import TABLES, Table

KEYS_AT_ONCE = 200_000
"""So many are read in one go; ten times as many are compared in one, those of the same remainder of their hash."""
_INCOMING = "incoming_keys"
_ADD = f"INSERT INTO parquet_keys SELECT k FROM {_INCOMING}"
_NONE = pa.table({"k": texts([])})


@dataclass(frozen=True, slots=True)
class TableReport:
    """One table compared.

    `parquet_rows` counts distinct keys (`parquet_repeated` more rows repeat one of them, which is harmless);
    `missing_rows` are keys of Parquet that the database lacks, `extra_rows` the reverse, `duplicated_keys` keys that
    the database holds more than once. `missing_files` were loaded and are gone, `unloaded_files` wait for a load,
    `unreadable_files` are damaged; `set_aside` were, no load reads them any more (`<name>.damaged`), and no sound file
    stands in their place.
    """

    table: str
    parquet_rows: int
    parquet_repeated: int
    duckdb_rows: int
    missing_rows: int
    extra_rows: int
    duplicated_keys: int
    missing_files: tuple[str, ...]
    unloaded_files: tuple[str, ...]
    unreadable_files: tuple[str, ...]
    set_aside: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Parquet and database agree, and no file is gone, damaged, or set aside for it."""
        wrong = (self.missing_rows, self.extra_rows, self.duplicated_keys, self.missing_files)
        return not any((*wrong, self.unreadable_files, self.set_aside))


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """`checked` False: the database was held (`reason`). `damage`: why it can't be read; the next load rebuilds it."""

    checked: bool
    damage: str
    reason: str
    tables: tuple[TableReport, ...]

    @property
    def ok(self) -> bool:
        """Checked, readable, and every table agrees with its files."""
        return self.checked and not self.damage and all(table.ok for table in self.tables)


def verify_all(directory: Path, path: Path, keys_at_once: int = KEYS_AT_ONCE) -> VerifyReport:
    """Compare all tables, so that memory depends on `keys_at_once`, not on the rows there are. Raises DatabaseHeld. A
    missing database counts as an empty one."""
    try:
        if not path.exists():
            with duckdb.connect() as empty:
                empty.execute(QUIET)
                empty.execute(f"SET temp_directory = {literal(f'{path}.tmp')}")
                hold_to_limit(empty)
                ensure_schema(empty)
                return VerifyReport(True, "", "no database yet", tuple(_compare(empty, directory, keys_at_once)))
        with database(path) as connection:
            ensure_schema(connection)
            return VerifyReport(True, "", "", tuple(_compare(connection, directory, keys_at_once)))
    except DatabaseTorn as torn:
        return VerifyReport(True, str(torn), "", ())


def _compare(connection: duckdb.DuckDBPyConnection, directory: Path, keys_at_once: int) -> list[TableReport]:
    marks = all_loaded_marks(connection)
    return [
        _compare_table(connection, directory, table, marks.get(table.name, {}), keys_at_once)
        for table in TABLES.values()
    ]


def _compare_table(
    connection: duckdb.DuckDBPyConnection, directory: Path, table: Table, known: Marks, keys_at_once: int
) -> TableReport:
    files = present_files(directory, table)
    unreadable = _gather(connection, directory, table, files, keys_at_once)
    ((rows,),) = connection.execute(
        f"SELECT greatest((SELECT count(*) FROM parquet_keys), (SELECT count(*) FROM {quoted(table.name)}))"
    ).fetchall()
    parts = 1 + rows // (10 * keys_at_once)
    counted = [_compare_part(connection, table, part, parts) for part in range(parts)]
    connection.execute("DROP TABLE parquet_keys")
    distinct, repeated, held, missing, extra, doubled = (sum(figures) for figures in zip(*counted, strict=True))
    return TableReport(
        table.name,
        distinct,
        repeated,
        held,
        missing,
        extra,
        doubled,
        tuple(sorted(known.keys() - set(files))),
        tuple(sorted(set(files) - known.keys())),
        tuple(unreadable),
        tuple(list_table(directory, table).unreplaced()),
    )


def _gather(
    connection: duckdb.DuckDBPyConnection, directory: Path, table: Table, files: list[str], keys_at_once: int
) -> list[str]:
    """The keys of `files` into the table parquet_keys. Returns those that can't be read to the end: none of theirs
    counts."""
    connection.execute("CREATE OR REPLACE TEMP TABLE parquet_keys (k VARCHAR)")
    unreadable, waiting = [], [_NONE]
    with rows_as(connection, _INCOMING, _NONE) as incoming:
        for relative in files:
            try:
                with pq.ParquetFile(directory / relative) as file:
                    if file.metadata.num_rows > keys_at_once:
                        _add_large(connection, incoming, _keys(file, table, keys_at_once))
                    else:
                        waiting += list(_keys(file, table, keys_at_once))
            except (*UNREADABLE, KeyError):
                unreadable.append(relative)
            if sum(map(len, waiting)) > keys_at_once:
                incoming.rows, waiting = pa.concat_tables(waiting), [_NONE]
                connection.execute(_ADD)
        incoming.rows = pa.concat_tables(waiting)
        connection.execute(_ADD)
    return unreadable


def _add_large(connection: duckdb.DuckDBPyConnection, incoming: Rows, parts: Iterator[pa.Table]) -> None:
    """All of one file or, where that raises, nothing; so many keys are never in memory together."""
    connection.execute("BEGIN TRANSACTION")
    try:
        for incoming.rows in parts:
            connection.execute(_ADD)
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _keys(file: pq.ParquetFile, table: Table, keys_at_once: int) -> Iterator[pa.Table]:
    for part in batches(file, keys_at_once, [table.key]):
        yield pa.table({"k": of_type(part.column(table.key), pa.string())})


def _compare_part(connection: duckdb.DuckDBPyConnection, table: Table, part: int, parts: int) -> tuple[int, ...]:
    """Of the keys that belong to one of so many parts: distinct and repeated in Parquet, rows of the database, missing
    and extra in it, keys that it holds more than once."""
    name, key = quoted(table.name), quoted(table.key)
    found: tuple[int, ...] = connection.execute(
        f"""
        WITH p AS (SELECT k, count(*) AS n FROM parquet_keys WHERE hash(k) % {parts} = {part} GROUP BY k),
             d AS (SELECT {key} AS k, count(*) AS n FROM {name} WHERE hash({key}) % {parts} = {part} GROUP BY {key})
        SELECT count(p.k), CAST(coalesce(sum(p.n - 1), 0) AS BIGINT), CAST(coalesce(sum(d.n), 0) AS BIGINT),
               count(*) FILTER (WHERE d.k IS NULL), count(*) FILTER (WHERE p.k IS NULL), count(*) FILTER (WHERE d.n > 1)
        FROM p FULL JOIN d ON p.k = d.k
        """
    ).fetchall()[0]
    return found
