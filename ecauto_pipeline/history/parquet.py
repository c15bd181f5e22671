"""Immutable Parquet files: where they lie, how one is written so that a crash leaves all of it or nothing.

A file appears under its final name only when it is whole and on the disk. Not for: which files there are (listing.py),
what the rows mean, or the database.
"""

from __future__ import annotations

import errno
import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from ecauto_pipeline.atomic_file import rename, replacing
from ecauto_pipeline.clock import jst
from ecauto_pipeline.history.damage import DamagedFile
from ecauto_pipeline.history.errors import DiskFull, RowRefused
from ecauto_pipeline.history.listing import DAMAGED, plain_name
from ecauto_pipeline.history.tables import Table

_RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,119}")
_PART = re.compile(r"[A-Za-z0-9_.]{1,60}")
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
MERGED_KEY = b"ecauto.merged_from"
"""Where a compacted file names the files it was made of (JSON list of paths below the directory)."""
WRONG_ROWS = (pa.ArrowException, OverflowError, UnicodeDecodeError)
"""What a damaged file makes Arrow raise about what it read; a name in a footer may be no text any more."""
UNREADABLE = (*WRONG_ROWS, OSError)
_RUN_KEY, _PART_KEY = b"ecauto.run_id", b"ecauto.part"


def file_of(directory: Path, table: Table, run_id: str, part: str, at: datetime) -> Path:
    """Where the rows of (table, run_id, part) go: the hour of `at` in JST, or where they went the first time.

    Raises RowRefused on a run id or part that can't be a file name, or a naive `at`.
    """
    if not _RUN_ID.fullmatch(run_id):
        raise RowRefused(f"{table.name}: run id {run_id!r} can't name a file")
    if part and not _PART.fullmatch(part):
        raise RowRefused(f"{table.name}: part {part!r} can't name a file (letters, digits, _ and .)")
    if at.tzinfo is None:
        raise RowRefused(f"{table.name}: `at` is a naive time")
    name = f"{run_id}-{part}.parquet" if part else f"{run_id}.parquet"
    earlier = sorted((directory / table.name).glob(f"dt=*/hour=*/{name}"))
    if earlier:
        return earlier[0]
    hour = jst(at)
    return directory / table.name / f"dt={hour:%Y-%m-%d}" / f"hour={hour:%H}" / name


def write_file(path: Path, content: pa.Table, run_id: str, part: str) -> None:
    """Write `content` to `path` whole (atomic_file).

    Raises DiskFull, or RowRefused when `path` belongs to another (run_id, part). An existing file stays as it was
    until the new one takes its place.
    """
    if path.exists():
        refuse_strangers(path, run_id, part)
    with full_disk_as_error(path.parent), replacing(path) as temporary:
        write_rows(temporary, content, run_id, part)


def write_rows(path: Path, content: pa.Table, run_id: str, part: str) -> None:
    """The same rows make the same bytes."""
    marked = content.replace_schema_metadata({_RUN_KEY: run_id.encode(), _PART_KEY: part.encode()})
    pq.write_table(marked, path, compression="zstd", write_page_checksum=True)


def batches(file: pq.ParquetFile, rows: int, columns: list[str] | None = None) -> Iterator[pa.RecordBatch]:
    """All rows of `file` (of these columns), so many at a time; one row group after another, since Arrow keeps what it
    has read of all that it was asked for.

    Raises one of UNREADABLE, also where fewer or more come than the footer says: of a column that a harmed footer makes
    an empty one Arrow reads no row, and raises nothing.
    """
    read = 0
    for number in range(file.num_row_groups):
        for part in file.iter_batches(batch_size=rows, row_groups=[number], columns=columns):
            read += part.num_rows
            yield part
    if read != file.metadata.num_rows:
        raise pa.ArrowInvalid(f"{read} rows were read of {file.metadata.num_rows}")


def refuse_strangers(path: Path, run_id: str, part: str) -> None:
    """Raises RowRefused where the file at `path` holds another run's and part's rows."""
    there = _identity(path)
    given = {_RUN_KEY: run_id.encode(), _PART_KEY: part.encode()}
    if any(there.get(name, wanted) != wanted for name, wanted in given.items()):
        raise RowRefused(f"{path.name} belongs to another run and part")


def _identity(path: Path) -> dict[bytes, bytes]:
    try:
        return pq.read_schema(path).metadata or {}
    except UNREADABLE:
        return {}  # unreadable: whatever it was, the new content is better


@contextmanager
def full_disk_as_error(folder: Path) -> Iterator[None]:
    """Turn a full disk met while writing into `folder` into DiskFull; any other OSError passes."""
    try:
        yield
    except OSError as wrong:
        if wrong.errno in _FULL:
            raise DiskFull(
                f"no room to write {folder}: {wrong.strerror or wrong}", ja=f"{folder.name} に書き込めません"
            ) from wrong
        raise


def identity_of_name(path: Path, run_id: str) -> dict[bytes, bytes]:
    """The mark of a file that holds rows of this run alone, by its name; none where the name says something else."""
    stem = plain_name(path.name).removesuffix(".parquet")
    rest = stem.removeprefix(run_id)
    if not run_id or rest == stem or (rest and not rest.startswith("-")):
        return {}
    return {_RUN_KEY: run_id.encode(), _PART_KEY: rest.removeprefix("-").encode()}


def put_aside(directory: Path, path: Path) -> DamagedFile:
    """Set a damaged file of `directory` aside (`set_file_aside`), and say how many rows it held."""
    damaged = DamagedFile(path.relative_to(directory).as_posix(), _rows_of(path))
    set_file_aside(path)
    return damaged


def _rows_of(path: Path) -> int | None:
    """By the footer; None where that can't be read, or contradicts itself."""
    try:
        footer = pq.read_metadata(path)
        counted = sum(footer.row_group(number).num_rows for number in range(footer.num_row_groups))
    except UNREADABLE:
        return None
    return counted if 0 <= counted == footer.num_rows else None


def set_file_aside(path: Path) -> str:
    """Rename a damaged file to `<name>.damaged` beside its place, where nobody reads it; returns its new name."""
    aside = path.with_name(f"{path.name}{DAMAGED}")
    number = 1
    while aside.exists():
        number += 1
        aside = path.with_name(f"{path.name}-{number}{DAMAGED}")
    rename(path, aside)
    return aside.name


def merged_from(path: Path) -> list[str]:
    """The files that a compacted file was made of, as paths below the directory; none for others."""
    if not path.parent.name.startswith("month="):
        return []
    names: list[str] = json.loads((pq.read_schema(path).metadata or {}).get(MERGED_KEY, b"[]"))
    return names


def sha256_of(path: Path) -> str:
    """The content of `path` in 64 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
