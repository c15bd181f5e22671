"""Rows of a damaged Parquet file that the database took while it was sound: written in its place once more.

The database is but an image, and the only one of such rows: with the file gone, the next rebuild would lose them.
Not for: telling that a file is damaged (loading.py), or rows that are still in state.db (sync/publish.py).
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from ecauto_pipeline.atomic_file import replacing
from ecauto_pipeline.history.chunks import conformed
from ecauto_pipeline.history.damage import Damage, DamagedFile
from ecauto_pipeline.history.database import column_list, quoted
from ecauto_pipeline.history.duckdb_without_pandas import with_values
from ecauto_pipeline.history.listing import list_table, place_of_damaged_name
from ecauto_pipeline.history.parquet import full_disk_as_error, identity_of_name
from ecauto_pipeline.history.tables import TABLES, Table

_ROWS_AT_ONCE = 200_000


def rescue(connection: duckdb.DuckDBPyConnection, directory: Path, damage: Damage) -> Damage:
    """Write what `connection` holds of these files, each under its own name, which the next load takes in.

    So too of files that were set aside by somebody who did not come to this. Returns the damage as it is then. Raises
    DiskFull.
    """
    for name in all_set_aside(directory):
        place = place_of_damaged_name(name)
        if place not in damage.files:
            _rescued(connection, directory, DamagedFile(place, None))
    return replace(damage, of=tuple(_rescued(connection, directory, one) for one in damage.of))


def all_set_aside(directory: Path) -> tuple[str, ...]:
    """The damaged files of every table in whose place no other stands, as paths below the directory."""
    return tuple(name for table in TABLES.values() for name in list_table(directory, table).unreplaced())


def _rescued(connection: duckdb.DuckDBPyConnection, directory: Path, damaged: DamagedFile) -> DamagedFile:
    table, path = TABLES[damaged.name.split("/", 1)[0]], directory / damaged.name
    if damaged.again or path.exists():
        return damaged
    ((held, run_id, runs),) = connection.execute(
        f"SELECT count(*), min(run_id), count(DISTINCT run_id) {_held(table, damaged.name)}"
    ).fetchall()
    if held:
        _write(connection, table, damaged.name, path, run_id if runs == 1 else "")
    return replace(damaged, again=held)


def _write(connection: duckdb.DuckDBPyConnection, table: Table, name: str, path: Path, run_id: str) -> None:
    schema = table.schema.with_metadata(identity_of_name(path, run_id))
    rows = connection.execute(f"SELECT {column_list(table)} {_held(table, name)} ORDER BY {quoted(table.time)}")
    with (
        full_disk_as_error(path.parent),
        replacing(path) as temporary,
        pq.ParquetWriter(temporary, schema, compression="zstd", write_page_checksum=True) as writer,
    ):
        for batch in rows.to_arrow_reader(_ROWS_AT_ONCE):
            writer.write_table(
                conformed(table, pa.Table.from_batches([batch])).replace_schema_metadata(schema.metadata)
            )


def _held(table: Table, name: str) -> str:
    files = with_values("SELECT file_id FROM loaded_files WHERE path = ?", [name])
    return f"FROM {quoted(table.name)} WHERE loaded_file IN ({files})"
