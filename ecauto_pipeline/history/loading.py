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

from ecauto_pipeline.history.chunks import chunks, no_rows
from ecauto_pipeline.history.damage import NO_DAMAGE, Damage
from ecauto_pipeline.history.database import column_list, quoted
from ecauto_pipeline.history.duckdb_without_pandas import Rows, literal, rows_as, with_values
from ecauto_pipeline.history.listing import FileMark, is_small, plain_name, present_files
from ecauto_pipeline.history.load_memory import LOAD_MB, held_to
from ecauto_pipeline.history.merging import INCOMING, merge
from ecauto_pipeline.history.parquet import UNREADABLE, WRONG_ROWS, merged_from, put_aside, sha256_of
from ecauto_pipeline.history.tables import TABLES, Table
from ecauto_pipeline.process_memory import give_back

BATCH_ROWS = 25_000
"""Rows of one transaction, unless a single file is larger: DuckDB keeps some of what it took in until it commits."""
_ENTERED_AT_ONCE = 200
"""Files of one statement, which is text that DuckDB has in memory whole."""


Marks = dict[str, tuple[int, FileMark, str]]
"""Relative path -> (file_id, mark, sha256) of every loaded file of a table."""


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


def load_all(
    connection: duckdb.DuckDBPyConnection,
    directory: Path,
    now: datetime,
    done: Loaded | None = None,
    most_mb: int = LOAD_MB,
) -> Loaded:
    """Load whatever of the tables is not in the database yet. A kill in between costs the batch under way. `done`: is
    added to. `most_mb`: what DuckDB has for it; raises MemoryTooSmall, after which the connection is of no use."""
    done = Loaded() if done is None else done
    done.unreadable = ()  # all are looked at again
    with held_to(connection, most_mb):
        _load_tables(connection, directory, now, done)
    return done


def _load_tables(connection: duckdb.DuckDBPyConnection, directory: Path, now: datetime, done: Loaded) -> None:
    marks = all_loaded_marks(connection)
    for table in TABLES.values():
        for batch in _batches(_candidates(connection, directory, table, marks.get(table.name, {}), done)):
            for loaded in _whole_ones(connection, directory, table, batch, now, done):
                done.files += 1
                done.rows += loaded.rows


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


def all_loaded_marks(connection: duckdb.DuckDBPyConnection, only: Table | None = None) -> dict[str, Marks]:
    """Of every table of which a file is loaded, by its name; or of one."""
    query = "SELECT table_name, path, file_id, size, mtime_ns, inode, sha256 FROM loaded_files"
    if only is not None:
        query += f" WHERE table_name = {literal(only.name)}"
    marks: dict[str, Marks] = {}
    for name, path, file_id, size, mtime, inode, sha in connection.execute(query).fetchall():
        marks.setdefault(name, {})[path] = (file_id, FileMark(size, mtime, inode), sha)
    return marks


def record_files(
    connection: duckdb.DuckDBPyConnection, table: Table, batch: list[Candidate], now: datetime
) -> list[int]:
    """Enter those of `batch` into `loaded_files` under numbers larger than every earlier one; returns them in order."""
    first = int(connection.execute("SELECT coalesce(max(file_id), 0) + 1 FROM loaded_files").fetchall()[0][0])
    numbers = list(range(first, first + len(batch)))
    entered = []
    for file_id, one in zip(numbers, batch, strict=True):
        values = (file_id, table.name, one.relative, one.mark.size, one.mark.mtime_ns, one.mark.inode, one.sha256)
        entered.append(f"({', '.join(map(literal, (*values, one.rows, now)))})")
    for start in range(0, len(entered), _ENTERED_AT_ONCE):
        connection.execute(f"INSERT INTO loaded_files VALUES {', '.join(entered[start : start + _ENTERED_AT_ONCE])}")
    return numbers


def _candidates(
    connection: duckdb.DuckDBPyConnection, directory: Path, table: Table, known: Marks, done: Loaded
) -> list[Candidate]:
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
    with rows_as(connection, INCOMING, no_rows(table)) as incoming:
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
    numbers = record_files(connection, table, batch, now)
    numbered = [(candidate.path, number) for candidate, number in zip(batch, numbers, strict=True)]
    for incoming.rows in chunks(table, numbered):
        merge(connection, table)
        give_back()  # what the chunk was read with; the commit too takes more than all before it
    for candidate in batch:
        for name in merged_from(candidate.path):
            if not (directory / name).exists():
                _forget(connection, name)
    if gone:
        _restore_shadowed(connection, directory, table, incoming)
    connection.execute("COMMIT")


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
    """As chunks(); a file that is gone or rotted has nothing to give: not the fault of what is being loaded."""
    try:
        yield from chunks(table, [(path, file_id)])
    except FileNotFoundError:
        return
    except Exception as error:
        if not is_damage(error):
            raise
