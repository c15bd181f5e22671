"""The rows of files, so few at a time as DuckDB can take in with little memory, each with its file and its place in it.

Not for: which files are loaded (loading.py), or what becomes of rows that have the same key (merging.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from ecauto_pipeline.history.arrow_columns import counted, of_type, repeated
from ecauto_pipeline.history.parquet import batches
from ecauto_pipeline.history.tables import Table

CHUNK_ROWS = 25_000
CHUNK_BYTES = 4 * 2**20
"""Rows held in memory at once: DuckDB needs several times what they take to put them in order, and has little
(load_memory.py); each chunk looks for its keys in all that is there, so that smaller ones cost time."""


def chunks(table: Table, files: list[tuple[Path, int]]) -> Iterator[pa.Table]:
    """The rows of `files` with their file's number and position, <= CHUNK_ROWS at a time."""
    waiting: list[pa.Table] = []
    for path, file_id in files:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            for part in batches(file, CHUNK_ROWS):
                rows = conformed(table, pa.Table.from_batches([part]))
                rows = rows.append_column("loaded_file", repeated(file_id, rows.num_rows))
                for few in _few(rows):
                    if waiting and not _is_chunk([*waiting, few]):
                        yield _positioned(waiting)
                        waiting = []
                    waiting.append(few)
    if waiting:
        yield _positioned(waiting)


def _is_chunk(parts: list[pa.Table]) -> bool:
    return sum(map(len, parts)) <= CHUNK_ROWS and sum(part.nbytes for part in parts) <= CHUNK_BYTES


def _few(rows: pa.Table) -> Iterator[pa.Table]:
    """The same rows in parts of <= CHUNK_BYTES, as far as they are all about as large."""
    most = max(1, len(rows) // (rows.nbytes // CHUNK_BYTES + 1))
    return (rows.slice(start, most) for start in range(0, len(rows), most))


def no_rows(table: Table) -> pa.Table:
    """As chunks(), without a row."""
    none = pa.nulls(0, pa.int64())
    columns = [*(pa.nulls(0, field.type) for field in table.schema), none, none]
    return pa.Table.from_arrays(columns, names=[*table.schema.names, "loaded_file", "load_position"])


def _positioned(parts: list[pa.Table]) -> pa.Table:
    rows = pa.concat_tables(parts)
    return rows.append_column("load_position", counted(0, rows.num_rows))


def conformed(table: Table, rows: pa.Table) -> pa.Table:
    """`rows` of a file of any age under today's schema: columns it does not know yet are null.

    Raises pa.ArrowInvalid (or another ArrowException) for what is no row of this table.
    """
    columns = [
        of_type(rows.column(field.name), field.type)
        if field.name in rows.column_names
        else pa.nulls(rows.num_rows, field.type)
        for field in table.schema
    ]
    found = pa.Table.from_arrays(columns, schema=table.schema)
    found.validate(full=True)  # text that is none, offsets that lead nowhere: a database would take or choke on it
    if found.column(table.key).null_count:
        raise pa.ArrowInvalid(f"{table.name}: rows without {table.key}")
    return found
