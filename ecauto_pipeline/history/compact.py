"""Closed months: many small files become one per table and month, safely against a kill at any moment.

    1. the merged rows are written under a temporary name and synced
    2. a manifest naming the merged file and its sources is put beside it: from here on the merged file counts
    3. the merged file gets its name; `loaded_files` is told; the sources go; the manifest goes

Whoever finds a manifest finishes step 3; without one nothing happened. Not for: the order in which files are loaded.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from ecauto_pipeline.atomic_file import make_folder, rename, replace_file, sync_file, sync_folder
from ecauto_pipeline.history.damage import NO_DAMAGE, Damage
from ecauto_pipeline.history.loading import Candidate, conformed, is_damage, loaded_marks, record_file
from ecauto_pipeline.history.parquet import (
    MERGED_KEY,
    UNREADABLE,
    FileMark,
    full_disk_as_error,
    period_of,
    present_files,
    put_aside,
    sha256_of,
)
from ecauto_pipeline.history.rescue import rescue
from ecauto_pipeline.history.tables import TABLES, Table

LoadedMove = Callable[[duckdb.DuckDBPyConnection, datetime], None]

_GROUP_ROWS = 200_000


@dataclass(frozen=True, slots=True)
class CompactReport:
    """Months merged (a table each), small files that went, rows they held; `deferred`: the database was held.

    `damage`: files that can't be read to the end, set aside beside their place; their month waits for the next time.
    `set_aside`: damaged files, of whatever day, in whose place no sound one stands.
    """

    months: int
    files: int
    rows: int
    deferred: bool
    damage: Damage = NO_DAMAGE
    set_aside: tuple[str, ...] = ()

    @property
    def damaged(self) -> tuple[str, ...]:
        """The damaged files, as paths below the directory."""
        return self.damage.files


def compact_all(directory: Path, before: date, change_loaded_files: Callable[[LoadedMove], None]) -> CompactReport:
    """Merge every closed month. `change_loaded_files` runs a change of `loaded_files`; if it can't,
    the next load finds out.

    Call under the lock, with everything loaded. Raises DiskFull; the month under way is then as it was.
    """
    months = files = rows = 0
    damage = NO_DAMAGE
    for table in TABLES.values():
        for leftover in (directory / table.name).glob("month=*/.*.tmp"):
            leftover.unlink()  # no manifest names it: finish_all has run
        for month, sources in sorted(_closed(directory, table, before).items()):
            try:
                merged = _merge_month(directory, table, month, sources, change_loaded_files)
            except Exception as error:
                if not is_damage(error):
                    raise
                damage += _set_damaged_aside(directory, table, sources, change_loaded_files)
                continue  # the month is merged the next time, without them
            rows, months, files = rows + merged, months + 1, files + len(sources)
    return CompactReport(months, files, rows, deferred=False, damage=damage)


def _set_damaged_aside(
    directory: Path, table: Table, sources: list[Path], change_loaded_files: Callable[[LoadedMove], None]
) -> Damage:
    """The sources that can't be read to the end, set aside; their rows stay in the database, and come from there."""
    met = NO_DAMAGE
    for path in sources:
        try:
            with pq.ParquetFile(path, page_checksum_verification=True) as file:
                for part in file.iter_batches(batch_size=_GROUP_ROWS):
                    conformed(table, pa.Table.from_batches([part]))
        except UNREADABLE as error:
            if not is_damage(error):
                raise
            met += Damage((put_aside(directory, path),))
    known = [met]
    change_loaded_files(lambda connection, _now: known.append(rescue(connection, directory, met)))
    return known[-1]


def finish_all(directory: Path) -> None:
    """Bring every compaction that has a manifest to its end. Call under the lock."""
    for table in TABLES:
        for manifest in (directory / table).glob("month=*/*.manifest.json"):
            _name_merged(directory / table, manifest)
            _remove_sources(directory / table, manifest)


def _closed(directory: Path, table: Table, before: date) -> dict[str, list[Path]]:
    """Month -> its files in load order, for months that ended and have small files."""
    months: dict[str, list[Path]] = {}
    for path in present_files(directory, table):
        month = period_of(path)[:7]
        if month < f"{before:%Y-%m}":
            months.setdefault(month, []).append(path)
    return {month: paths for month, paths in months.items() if any(_is_small(path) for path in paths)}


def _is_small(path: Path) -> bool:
    return path.parent.name.startswith("hour=")


def _merge_month(
    directory: Path, table: Table, month: str, sources: list[Path], change_loaded_files: Callable[[LoadedMove], None]
) -> int:
    root = directory / table.name
    folder = root / f"month={month}"
    make_folder(folder)
    number = 1 + max((int(path.stem.split("-")[1]) for path in sources if not _is_small(path)), default=0)
    final = folder / f"compacted-{number:04d}.parquet"
    temporary = final.with_name(f".{final.name}.tmp")
    manifest = folder / f"{final.stem}.manifest.json"
    with full_disk_as_error(folder), _removed_on_error(temporary):
        marks, rows = _write_merged(directory, table, sources, temporary)
        plan = {
            "merged": final.relative_to(root).as_posix(),
            "temporary": temporary.relative_to(root).as_posix(),
            "sources": [
                {"path": path.relative_to(root).as_posix(), "size": mark.size, "mtime_ns": mark.mtime_ns}
                | {"inode": mark.inode}
                for path, mark in marks
            ],
        }
        replace_file(manifest, json.dumps(plan, ensure_ascii=False))
    _name_merged(root, manifest)
    change_loaded_files(_move(directory, table, final, sources, rows))
    _remove_sources(root, manifest)
    return rows


def _write_merged(
    directory: Path, table: Table, sources: list[Path], temporary: Path
) -> tuple[list[tuple[Path, FileMark]], int]:
    """All rows of `sources`, one after another, so that of two rows of a key the later stays the later."""
    names = json.dumps([path.relative_to(directory).as_posix() for path in sources], ensure_ascii=False)
    marks, rows = [], 0
    with pq.ParquetWriter(
        temporary,
        table.schema.with_metadata({MERGED_KEY: names.encode()}),
        compression="zstd",
        write_page_checksum=True,
    ) as writer:
        waiting: list[pa.Table] = []
        for path in sources:
            marks.append((path, FileMark.of(path)))
            with pq.ParquetFile(path, page_checksum_verification=True) as file:
                for part in file.iter_batches(batch_size=_GROUP_ROWS):
                    waiting.append(conformed(table, pa.Table.from_batches([part])))
                    rows += part.num_rows
                    if sum(map(len, waiting)) >= _GROUP_ROWS:
                        writer.write_table(pa.concat_tables(waiting))
                        waiting = []
        if waiting:
            writer.write_table(pa.concat_tables(waiting))
    sync_file(temporary)
    return marks, rows


@contextmanager
def _removed_on_error(temporary: Path) -> Iterator[None]:
    try:
        yield
    except Exception:
        temporary.unlink(missing_ok=True)
        raise


def _name_merged(root: Path, manifest: Path) -> None:
    plan = json.loads(manifest.read_text(encoding="utf-8"))
    temporary, final = root / plan["temporary"], root / plan["merged"]
    if temporary.exists():
        rename(temporary, final)


def _remove_sources(root: Path, manifest: Path) -> None:
    plan = json.loads(manifest.read_text(encoding="utf-8"))
    folders = set()
    if (root / plan["merged"]).exists():
        for source in plan["sources"]:
            path = root / source["path"]
            known = FileMark(source["size"], source["mtime_ns"], source["inode"])
            if path.exists() and FileMark.of(path) == known:  # written again since: it counts by itself
                path.unlink()
                folders.add(path.parent)
    for folder in sorted(folders):
        _drop_empty(folder)
    manifest.unlink()
    sync_folder(manifest.parent)


def _drop_empty(folder: Path) -> None:
    sync_folder(folder)
    while folder.name.startswith(("hour=", "dt=")) and not any(folder.iterdir()):
        folder.rmdir()
        folder = folder.parent


def _move(directory: Path, table: Table, final: Path, sources: list[Path], rows: int) -> LoadedMove:
    """The rows are in the database already: one entry of `loaded_files` takes the place of many.

    If a source is not entered as it is on the disk, nothing is done and the next load reads the merged file.
    """
    relative = final.relative_to(directory).as_posix()
    candidate = Candidate(final, relative, FileMark.of(final), sha256_of(final), rows, None)

    def move(connection: duckdb.DuckDBPyConnection, now: datetime) -> None:
        known = loaded_marks(connection, table)
        names = [path.relative_to(directory).as_posix() for path in sources]
        if any(name not in known for name in names):
            return
        if any(
            path.exists() and known[name][1] != FileMark.of(path) for name, path in zip(names, sources, strict=True)
        ):
            return
        connection.execute("BEGIN TRANSACTION")
        record_file(connection, table, candidate, now)
        connection.executemany("DELETE FROM loaded_files WHERE file_id = ?", [[known[name][0]] for name in names])
        connection.execute("COMMIT")

    return move
