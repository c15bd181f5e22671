"""What a question about the past is asked of, in SQL: the rows that are loaded and those of files that are not yet.

Not for: the questions (questions.py), or which files there are (listing.py).
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

import duckdb

from ecauto_pipeline.history.database import column_list, later_first, quoted
from ecauto_pipeline.history.duckdb_without_pandas import with_values
from ecauto_pipeline.history.tables import Table

Row = dict[str, object]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def rows_once(table: Table, where: str) -> str:
    """Every row of `table` for which this holds, whole: a key may be met again in a file that is not loaded yet, then
    the later one stands, as it will after the load."""
    columns = ", ".join(as_number(name) if name in table.times else quoted(name) for name in table.names)
    return (
        f"SELECT {columns} FROM <source> WHERE {where} QUALIFY row_number() OVER (PARTITION BY {quoted(table.key)} "
        f"ORDER BY {later_first(table, 'load_order', 'load_position')}) = 1"
    )


def rows_of_query(connection: duckdb.DuckDBPyConnection, query: str, source: str, values: list[object]) -> list[Row]:
    """What `query` finds with `source` in the place of `<source>` and `values` in that of its question marks.

    Moments come as numbers (as_number): for them too DuckDB would import pandas, in a process that may not need it.
    """
    found = connection.execute(with_values(query, values).replace("<source>", source))
    names = [column[0] for column in found.description or ()]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def as_number(name: str) -> str:
    """A moment as microseconds, under its own name."""
    return f"epoch_us({quoted(name)}) AS {quoted(name)}"


def loaded_rows(table: Table) -> str:
    """All rows of `table` in the database, older than those of any file."""
    return f"SELECT {column_list(table)}, '' AS load_order, 0 AS load_position FROM {quoted(table.name)}"


def rows_in_files(table: Table, files: list[Path]) -> str:
    """All rows of `files` in the columns of today; `load_order` sorts as the files are loaded."""
    nothing = ", ".join(f"CAST(NULL AS {kind}) AS {quoted(name)}" for name, kind in table.columns)
    shape = f"SELECT {nothing}, '' AS load_order, 0 AS load_position WHERE false"
    if not files:
        return shape
    paths = ", ".join("'" + path.as_posix().replace("'", "''") + "'" for path in files)
    return (
        f"{shape} UNION ALL BY NAME SELECT * EXCLUDE (filename, file_row_number), "
        "replace(regexp_replace(filename, '.*/(dt|month)=', ''), '/', ' ') AS load_order, "
        "file_row_number AS load_position "
        f"FROM read_parquet([{paths}], union_by_name = true, filename = true, file_row_number = true, "
        "hive_partitioning = false)"
    )


def is_readable(table: Table, path: Path) -> bool:
    """Whether a file of Parquet can be read to its end: a damaged page shows only then."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from ecauto_pipeline.history.chunks import CHUNK_ROWS, conformed
    from ecauto_pipeline.history.parquet import UNREADABLE, batches

    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            for part in batches(file, CHUNK_ROWS):
                conformed(table, pa.Table.from_batches([part]))
    except UNREADABLE:
        return False
    return True


def with_moments(table: Table, row: Row) -> Row:
    """`row` with aware UTC where the columns of `table`, or `at`, are moments, in microseconds until now."""
    moments = table.times | {"at"}
    return {name: _moment(value) if name in moments else value for name, value in row.items()}


def _moment(microseconds: object) -> datetime | None:
    return None if microseconds is None else _EPOCH + timedelta(microseconds=cast(int, microseconds))
