"""Parquet into DuckDB, in bulk: which files are new or changed, and one transaction a batch of them.

The law: after a load every distinct key found in the Parquet files is one row of its table, whatever was interrupted
before. Where two files hold the same key, the later word stands (merging.py).
Not for: locks, damaged databases (store.py), or the files themselves (parquet.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from ecauto_pipeline.history.arrow_columns import counted, of_type, repeated
from ecauto_pipeline.history.damage import NO_DAMAGE, Damage
from ecauto_pipeline.history.database import column_list, quoted
from ecauto_pipeline.history.duckdb_without_pandas import Rows, literal, rows_as, with_values
from ecauto_pipeline.history.listing import FileMark, is_small, plain_name, present_files
from ecauto_pipeline.history.merging import INCOMING, merge
from ecauto_pipeline.history.parquet import UNREADABLE, WRONG_ROWS, batches, merged_from, put_aside, sha256_of
from ecauto_pipeline.history.tables import TABLES, Table
from ecauto_pipeline.process_memory import give_back

BATCH_ROWS = 500_000
"""Rows of one transaction, unless a single file is larger."""
LOAD_MB = 48
"""What DuckDB itself may hold meanwhile: a run loads what it leaves, beside all that it has in memory itself."""
CHUNK_ROWS = 25_000
CHUNK_BYTES = 4 * 2**20
"""Rows held in memory at once: DuckDB needs several times what they take to put them in order, and has LOAD_MB;
each chunk looks for its keys in all that is there, so that smaller ones cost time."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A file that is not loaded, or is loaded with another content (`replaces`: the earlier file_ids)."""

    path: Path
    relative: str
    mark: FileMark
    sha256: str
    rows: int
    replaces: tuple[int, ...] = ()


@dataclass(slots=True)
class Loaded:
    """What one load did; files with `damage` were set aside (`<name>.damaged`), `unreadable` can't be opened now."""

    files: int = 0
    rows: int = 0
    unreadable: tuple[str, ...] = ()
    damage: Damage = NO_DAMAGE


def load_all(connection: duckdb.DuckDBPyConnection, directory: Path, now: datetime) -> Loaded:
    """Load whatever of the five tables is not in the database yet. A kill in between costs the batch under way."""
    done = Loaded()
    connection.execute(f"SET memory_limit = '{LOAD_MB}MB'")
    for table in TABLES.values():
        for batch in _batches(_candidates(connection, directory, table, now, done)):
            for loaded in _whole_ones(connection, directory, table, batch, now, done):
                done.files += 1
                done.rows += loaded.rows
    return done


def is_damage(error: Exception) -> bool:
    """Whether this is what reading a damaged file raises, as against one that is gone, locked or forbidden."""
    if isinstance(error, OSError):
        return error.errno is None  # Arrow's words about what it read
    return isinstance(error, (*WRONG_ROWS, duckdb.DataError, duckdb.InvalidInputException))


def _whole_ones(
    connection: duckdb.DuckDBPyConnection,
    directory: Path,
    table: Table,
    batch: list[Candidate],
    now: datetime,
    done: Loaded,
) -> list[Candidate]:
    """Load `batch`; where that fails over a damaged file, one by one, and the damaged are set aside."""
    try:
        _load_batch(connection, directory, table, batch, now)
    except Exception as error:
        if not is_damage(error):
            raise
        if len(batch) == 1:
            _set_aside(directory, batch[0].path, done)
            return []
        return [one for each in batch for one in _whole_ones(connection, directory, table, [each], now, done)]
    return batch


def _set_aside(directory: Path, path: Path, done: Loaded) -> None:
    """What the database holds of an earlier content of the file stays there."""
    done.damage += Damage((put_aside(directory, path),))


def loaded_marks(connection: duckdb.DuckDBPyConnection, table: Table) -> dict[str, tuple[int, FileMark, str]]:
    """Relative path -> (file_id, mark, sha256) of every loaded file of `table`."""
    query = "SELECT path, file_id, size, mtime_ns, inode, sha256 FROM loaded_files WHERE table_name = ?"
    found = connection.execute(with_values(query, [table.name])).fetchall()
    return {path: (file_id, FileMark(size, mtime, inode), sha) for path, file_id, size, mtime, inode, sha in found}


def record_file(connection: duckdb.DuckDBPyConnection, table: Table, candidate: Candidate, now: datetime) -> int:
    """Enter `candidate` into `loaded_files` under a number larger than every earlier one; returns it."""
    file_id = int(connection.execute("SELECT coalesce(max(file_id), 0) + 1 FROM loaded_files").fetchall()[0][0])
    mark = candidate.mark
    values = (file_id, table.name, candidate.relative, mark.size, mark.mtime_ns, mark.inode, candidate.sha256)
    query = "INSERT INTO loaded_files VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
    connection.execute(with_values(query, [*values, candidate.rows, now]))
    return file_id


def _candidates(
    connection: duckdb.DuckDBPyConnection, directory: Path, table: Table, now: datetime, done: Loaded
) -> list[Candidate]:
    known = loaded_marks(connection, table)
    found = []
    present = present_files(directory, table)
    gone = known.keys() - set(present)
    earlier: dict[str, tuple[int, ...]] = {}
    for name in sorted(gone):  # another content of a file that is named after it
        earlier[plain_name(name)] = (*earlier.get(plain_name(name), ()), known[name][0])
    if gone:
        _forget_merged(connection, directory, [name for name in present if name in known], gone)
    for relative in present:
        try:  # taken before reading: a change in between is seen by the next load
            mark = FileMark.of(f"{directory}/{relative}")
        except FileNotFoundError:
            continue  # somebody took it away since it was listed
        before = known.get(relative)
        if before is not None and before[1] == mark:
            continue
        path = directory / relative
        try:
            sha = sha256_of(path)
        except OSError:
            done.unreadable += (relative,)
            continue
        if before is not None and before[2] == sha:
            query = "UPDATE loaded_files SET size = ?, mtime_ns = ?, inode = ? WHERE file_id = ?"
            connection.execute(with_values(query, [mark.size, mark.mtime_ns, mark.inode, before[0]]))
            continue
        replaced = earlier.get(plain_name(relative), ()) if before is None else (before[0],)
        candidate = Candidate(path, relative, mark, sha, 0, replaced)
        try:
            found.append(replace(candidate, rows=pq.read_metadata(path).num_rows))
        except UNREADABLE as error:
            if is_damage(error):
                _set_aside(directory, path, done)
            else:
                done.unreadable += (relative,)
    return found


def _forget_merged(connection: duckdb.DuckDBPyConnection, directory: Path, loaded: list[str], gone: set[str]) -> None:
    """Files that are gone because a merged file, loaded while they were still there, holds their rows."""
    for name in loaded:
        try:
            sources = [] if is_small(name) else merged_from(directory / name)
        except UNREADABLE:
            continue
        for source in gone.intersection(sources):
            _forget(connection, source)


def _forget(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    connection.execute(with_values("DELETE FROM loaded_files WHERE path = ?", [name]))


def _batches(candidates: list[Candidate]) -> Iterator[list[Candidate]]:
    batch: list[Candidate] = []
    rows = 0
    for candidate in candidates:
        if batch and rows + candidate.rows > BATCH_ROWS:
            yield batch
            batch, rows = [], 0
        batch.append(candidate)
        rows += candidate.rows
    if batch:
        yield batch


def _load_batch(
    connection: duckdb.DuckDBPyConnection, directory: Path, table: Table, batch: list[Candidate], now: datetime
) -> None:
    with rows_as(connection, INCOMING, _none(table)) as incoming:
        try:
            _take_in(connection, directory, table, batch, now, incoming)
        except BaseException:
            with suppress(duckdb.Error):  # none stands, or the database broke
                connection.execute("ROLLBACK")
            raise


def _take_in(
    connection: duckdb.DuckDBPyConnection,
    directory: Path,
    table: Table,
    batch: list[Candidate],
    now: datetime,
    incoming: Rows,
) -> None:
    connection.execute("BEGIN TRANSACTION")
    gone = [file_id for candidate in batch for file_id in candidate.replaces]
    for file_id in gone:
        connection.execute(f"DELETE FROM {quoted(table.name)} WHERE loaded_file = {file_id}")
        connection.execute(f"DELETE FROM loaded_files WHERE file_id = {file_id}")
    numbered = [(candidate.path, record_file(connection, table, candidate, now)) for candidate in batch]
    for incoming.rows in _chunks(table, numbered):
        merge(connection, table)
    for candidate in batch:
        for name in merged_from(candidate.path):
            if not (directory / name).exists():
                _forget(connection, name)
    if gone:
        _restore_shadowed(connection, directory, table, incoming)
    give_back()  # the commit takes more than all before it
    connection.execute("COMMIT")


def _chunks(table: Table, files: list[tuple[Path, int]]) -> Iterator[pa.Table]:
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


def _none(table: Table) -> pa.Table:
    """As _chunks, without a row."""
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


def _restore_shadowed(connection: duckdb.DuckDBPyConnection, directory: Path, table: Table, incoming: Rows) -> None:
    """Bring back rows that a replaced file had overwritten and its new content no longer holds.

    Only files with fewer rows in the table than in Parquet can own such rows; nothing but absent keys is added.
    """
    name, key = quoted(table.name), quoted(table.key)
    shadowed = connection.execute(
        f"SELECT f.path, f.file_id FROM loaded_files AS f LEFT JOIN "
        f"(SELECT loaded_file, count(*) AS held FROM {name} GROUP BY loaded_file) AS h ON h.loaded_file = f.file_id "
        f"WHERE f.table_name = {literal(table.name)} AND f.row_count > coalesce(h.held, 0) ORDER BY f.file_id DESC"
    ).fetchall()
    for relative, file_id in shadowed:
        for incoming.rows in _sound_chunks(table, directory / relative, file_id):
            connection.execute(
                f"INSERT INTO {name} ({column_list(table)}, loaded_file) "
                f"SELECT {column_list(table)}, loaded_file FROM {INCOMING} AS i "
                f"WHERE NOT EXISTS (SELECT 1 FROM {name} AS t WHERE t.{key} = i.{key}) "
                f"QUALIFY row_number() OVER (PARTITION BY {key} ORDER BY load_position DESC) = 1"
            )


def _sound_chunks(table: Table, path: Path, file_id: int) -> Iterator[pa.Table]:
    """As _chunks; a file that is gone or rotted has nothing to give, which is not the fault of what is being loaded."""
    try:
        yield from _chunks(table, [(path, file_id)])
    except FileNotFoundError:
        return
    except Exception as error:
        if not is_damage(error):
            raise
