"""Does the database hold what the Parquet files hold? Counted key by key, table by table; nothing is changed.

Not for: repairing (a load adds what is missing, a rebuild does everything).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from ecauto_pipeline.history.arrow_columns import of_type
from ecauto_pipeline.history.database import QUIET, DatabaseTorn, database, ensure_schema, quoted
from ecauto_pipeline.history.duckdb_without_pandas import rows_as
from ecauto_pipeline.history.listing import list_table, present_files
from ecauto_pipeline.history.loading import loaded_marks
from ecauto_pipeline.history.parquet import UNREADABLE
from ecauto_pipeline.history.tables import TABLES, Table

_KEYS_AT_ONCE = 200_000


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


def verify_all(directory: Path, path: Path) -> VerifyReport:
    """Compare all tables. Raises DatabaseHeld. A missing database counts as an empty one."""
    try:
        if not path.exists():
            with duckdb.connect() as empty:
                empty.execute(QUIET)
                ensure_schema(empty)
                return VerifyReport(True, "", "no database yet", tuple(_compare(empty, directory)))
        with database(path) as connection:
            ensure_schema(connection)
            return VerifyReport(True, "", "", tuple(_compare(connection, directory)))
    except DatabaseTorn as torn:
        return VerifyReport(True, str(torn), "", ())


def _compare(connection: duckdb.DuckDBPyConnection, directory: Path) -> list[TableReport]:
    return [_compare_table(connection, directory, table) for table in TABLES.values()]


def _compare_table(connection: duckdb.DuckDBPyConnection, directory: Path, table: Table) -> TableReport:
    files = present_files(directory, table)
    known = loaded_marks(connection, table)
    connection.execute("CREATE OR REPLACE TEMP TABLE parquet_keys (k VARCHAR)")
    unreadable = []
    waiting: list[pa.Table] = []
    for relative in files:
        try:
            for keys in _keys(directory / relative, table):
                waiting.append(keys)
                if sum(map(len, waiting)) > _KEYS_AT_ONCE:
                    waiting = _add(connection, waiting)
        except (*UNREADABLE, KeyError):
            unreadable.append(relative)
    _add(connection, waiting)
    name, key = quoted(table.name), quoted(table.key)
    distinct, repeated, held, missing, extra, doubled = connection.execute(
        f"""
        WITH p AS (SELECT k, count(*) AS n FROM parquet_keys GROUP BY k),
             d AS (SELECT {key} AS k, count(*) AS n FROM {name} GROUP BY {key})
        SELECT count(p.k), CAST(coalesce(sum(p.n - 1), 0) AS BIGINT), CAST(coalesce(sum(d.n), 0) AS BIGINT),
               count(*) FILTER (WHERE d.k IS NULL), count(*) FILTER (WHERE p.k IS NULL), count(*) FILTER (WHERE d.n > 1)
        FROM p FULL JOIN d ON p.k = d.k
        """
    ).fetchall()[0]
    connection.execute("DROP TABLE parquet_keys")
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


def _keys(path: Path, table: Table) -> list[pa.Table]:
    """The keys of one file, all of them before any is counted: one that can't be read to the end counts for nothing."""
    with pq.ParquetFile(path) as file:
        parts = list(file.iter_batches(batch_size=_KEYS_AT_ONCE, columns=[table.key]))
    return [pa.table({"k": of_type(part.column(table.key), pa.string())}) for part in parts]


def _add(connection: duckdb.DuckDBPyConnection, waiting: list[pa.Table]) -> list[pa.Table]:
    if waiting:
        with rows_as(connection, "incoming_keys", pa.concat_tables(waiting)):
            connection.execute("INSERT INTO parquet_keys SELECT k FROM incoming_keys")
    return []
