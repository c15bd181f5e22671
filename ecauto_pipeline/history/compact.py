"""Many small files become few: one a table for the days that ended, and one for each month once that has ended.

Safely against a kill at any moment:

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
from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from ecauto_pipeline.atomic_file import make_folder, rename, replace_file, sync_file, sync_folder
from ecauto_pipeline.history.chunks import conformed
from ecauto_pipeline.history.damage import NO_DAMAGE, Damage
from ecauto_pipeline.history.listing import FileMark, is_small, period_of, present_files
from ecauto_pipeline.history.loading import Candidate, all_loaded_marks, is_damage, record_files
from ecauto_pipeline.history.parquet import MERGED_KEY, UNREADABLE, batches, full_disk_as_error, put_aside, sha256_of
from ecauto_pipeline.history.rescue import rescue
from ecauto_pipeline.history.tables import TABLES, Table

if TYPE_CHECKING:
    from ecauto_pipeline.history.mirror import Mirror

LoadedMove = Callable[[duckdb.DuckDBPyConnection, datetime], None]

_GROUP_ROWS = 50_000
"""Rows of a row group: what is in memory at once, here and wherever the file is read."""


@dataclass(frozen=True, slots=True)
class CompactReport:
    """Files made, files that went into them, rows they held; `deferred`: not now, `reason` says why.

    `damage`: files that can't be read to the end, set aside beside their place; the others wait for the next time.
    `set_aside`: damaged files, of whatever day, in whose place no sound one stands.
    """

    made: int
    files: int
    rows: int
    deferred: bool
    reason: str = ""
    damage: Damage = NO_DAMAGE
    set_aside: tuple[str, ...] = ()

    @property
    def damaged(self) -> tuple[str, ...]:
        """The damaged files, as paths below the directory."""
        return self.damage.files


def compact_all(
    directory: Path, before: date, change_loaded_files: Callable[[LoadedMove], None], mirror: Mirror | None = None
) -> CompactReport:
    """Merge what ended before `before`. `change_loaded_files` runs a change of `loaded_files`; if it can't,
    the next load finds out.

    Call under the lock, with everything loaded. Raises DiskFull, ObjectStorageAway; the files under way are then as
    they were. With a `mirror` the merged file is an object, which names its sources, and needs no manifest.
    """
    if mirror is not None:
        mirror.remove_merged_sources()
    made = files = rows = 0
    damage = NO_DAMAGE
    for table in TABLES.values():
        for leftover in (directory / table.name).glob("month=*/.*.tmp"):
            leftover.unlink()  # no manifest names it: finish_all has run
        for month, sources, number in _closed(directory, table, before):
            try:
                merged = _merge(directory, table, (month, number), sources, change_loaded_files, mirror)
            except Exception as error:
                if not is_damage(error):
                    raise
                damage += _set_damaged_aside(directory, table, sources, change_loaded_files)
                continue  # merged the next time, without them
            rows, made, files = rows + merged, made + 1, files + len(sources)
    return CompactReport(made, files, rows, deferred=False, damage=damage)


def _set_damaged_aside(
    directory: Path, table: Table, sources: list[Path], change_loaded_files: Callable[[LoadedMove], None]
) -> Damage:
    """The sources that can't be read to the end, set aside; their rows stay in the database, and come from there."""
    met = NO_DAMAGE
    for path in sources:
        try:
            with pq.ParquetFile(path, page_checksum_verification=True) as file:
                for part in batches(file, _GROUP_ROWS):
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


def _closed(directory: Path, table: Table, before: date) -> list[tuple[str, list[Path], int]]:
    """(month, files in load order, number of the file they become), oldest first.

    Of a month that ended all its files, unless it is one already; of the month under way the small files of the days
    that ended, where there are several: a run every minute would else leave a month of 200,000 files.
    """
    months: dict[str, list[str]] = {}
    for name in present_files(directory, table):
        months.setdefault(period_of(name)[:7], []).append(name)
    found = []
    for month, names in sorted(months.items()):
        merged = [name for name in names if not is_small(name)]
        if month < f"{before:%Y-%m}":
            sources = names if len(names) > len(merged) or len(merged) > 1 else []
        else:
            ended = [name for name in names if is_small(name) and period_of(name)[:10] < before.isoformat()]
            sources = ended if len(ended) > 1 else []
        if sources:
            number = 1 + max((_number_of(name) for name in merged), default=0)
            found.append((month, [directory / name for name in sources], number))
    return found


def _number_of(merged: str) -> int:
    return int(merged.rpartition("/")[2].split("-")[1].split(".")[0])


def _merge(
    directory: Path,
    table: Table,
    place: tuple[str, int],
    sources: list[Path],
    change_loaded_files: Callable[[LoadedMove], None],
    mirror: Mirror | None,
) -> int:
    (month, number), root = place, directory / table.name
    folder = root / f"month={month}"
    make_folder(folder)
    final = folder / f"compacted-{number:04d}.parquet"
    temporary = final.with_name(f".{final.name}.tmp")
    manifest = folder / f"{final.stem}.manifest.json"
    with full_disk_as_error(folder), _removed_on_error(temporary):
        marks, rows = _write_merged(directory, table, sources, temporary)
        if mirror is not None:
            named = folder / f"compacted-{number:04d}.{sha256_of(temporary)[:16]}.parquet"
            mirror.put(temporary, named.relative_to(directory).as_posix())
            change_loaded_files(_move(directory, table, named, sources, rows))
            mirror.remove(path.relative_to(directory).as_posix() for path in sources)
            return rows
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
                for part in batches(file, _GROUP_ROWS):
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
    candidate = Candidate(final, relative, FileMark.of(final), sha256_of(final), rows)

    def move(connection: duckdb.DuckDBPyConnection, now: datetime) -> None:
        known = all_loaded_marks(connection, table).get(table.name, {})
        names = [path.relative_to(directory).as_posix() for path in sources]
        if any(name not in known for name in names):
            return
        if any(
            path.exists() and known[name][1] != FileMark.of(path) for name, path in zip(names, sources, strict=True)
        ):
            return
        connection.execute("BEGIN TRANSACTION")
        record_files(connection, table, [candidate], now)
        replaced = ", ".join(str(known[name][0]) for name in names)
        connection.execute(f"DELETE FROM loaded_files WHERE file_id IN ({replaced})")
        connection.execute("COMMIT")

    return move
