"""Does what store.py promises: rows into files, files into the database, by one process at a time under a lock file.

Not for: callers (they hold a HistoryStore), or questions (questions.py).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import TypeVar

import duckdb
import filelock
import pyarrow as pa

from ecauto_pipeline.atomic_file import make_folder
from ecauto_pipeline.clock import Clock
from ecauto_pipeline.history.arrow_columns import texts
from ecauto_pipeline.history.casting import to_arrow
from ecauto_pipeline.history.compact import CompactReport, LoadedMove, compact_all, finish_all
from ecauto_pipeline.history.database import DatabaseHeld, DatabaseTorn, database, ensure_schema, quoted
from ecauto_pipeline.history.duckdb_without_pandas import rows_as
from ecauto_pipeline.history.errors import HistoryError, RowRefused
from ecauto_pipeline.history.listing import Listing, is_small, list_table
from ecauto_pipeline.history.load_memory import with_enough_memory
from ecauto_pipeline.history.load_report import LoadReport
from ecauto_pipeline.history.loading import Loaded, load_all
from ecauto_pipeline.history.look import (
    files_digest,
    forget_torn,
    note_torn,
    nothing_to_load,
    remember,
    was_found_torn,
)
from ecauto_pipeline.history.mirror import Mirror
from ecauto_pipeline.history.object_files import write_object
from ecauto_pipeline.history.objects import ObjectStorageAway
from ecauto_pipeline.history.parquet import file_of, write_file
from ecauto_pipeline.history.rebuild import Built, build, set_aside
from ecauto_pipeline.history.rescue import all_set_aside, rescue
from ecauto_pipeline.history.tables import TABLES, table_of
from ecauto_pipeline.history.verify import VerifyReport, verify_all

_T = TypeVar("_T")
_POLL_S = 0.05
_STALE_TEMPORARY_S = 86_400.0


class HistoryWriter:
    """The work of one HistoryStore, whose methods say what each of these promises."""

    def __init__(
        self, directory: Path, database: Path, clock: Clock, lock_timeout_s: float, mirror: Mirror | None = None
    ) -> None:
        """`mirror`: `directory` is a copy of object storage, and kept equal to it."""
        self.directory = directory
        self.database = database
        self._clock = clock
        self._lock_timeout_s = lock_timeout_s
        self._mirror = mirror
        self._looked = False

    def write(
        self, table: str, run_id: str, rows: Sequence[Mapping[str, object]], at: datetime, part: str = ""
    ) -> Path | None:
        shape, mirror = table_of(table), self._mirror
        file_of(self.directory, shape, run_id, part, at)
        if not rows:
            return None
        content = to_arrow(shape, rows)
        keys = content.column(shape.key).to_pylist()
        if len(set(keys)) < len(keys):
            raise RowRefused(f"{table}: {len(keys) - len(set(keys))} rows repeat the {shape.key} of another")
        if mirror is None:
            path = file_of(self.directory, shape, run_id, part, at)
            write_file(path, content, run_id, part)
            return path
        if not self._looked:  # what stands for the same run and part may be another machine's
            mirror.look()
            self._looked = True
        return write_object(mirror, file_of(self.directory, shape, run_id, part, at), content, run_id, part)

    def load(self, keeper: bool = True) -> LoadReport:
        try:
            with self._exclusive():
                self._pull()
                found = self._tidy()
                files = files_digest(self.directory, found)
                if nothing_to_load(self.database, files) and not was_found_torn(self.database):
                    aside = tuple(name for listing in found for name in listing.unreplaced())
                    return LoadReport(0, 0, deferred=False, rebuilt=False, reason="", set_aside=aside)
                try:
                    done, how = self._retried_while_held(self._load_once), ""
                except DatabaseTorn as torn:
                    kept = set_aside(self.database, self._clock.now())
                    forget_torn(self.database)
                    done, how = self._build(), f"{torn}; kept as {kept.name}"
                if self._told_to_objects(done, keeper):
                    again = self._retried_while_held(self._load_once).loaded
                    done.loaded.files, done.loaded.rows = done.loaded.files + again.files, done.loaded.rows + again.rows
                if not done.loaded.unreadable:
                    remember(self.database, files)
        except (DatabaseHeld, ObjectStorageAway) as held:
            return self._deferred(held)
        if done.interrupted:
            how = how or "an interrupted rebuild was done again"
        notes = [how] if how else []
        notes += _about_files(done.loaded)
        rows, damage = done.loaded.rows, done.loaded.damage
        aside = all_set_aside(self.directory)
        return LoadReport(done.loaded.files, rows, False, bool(how), "; ".join(notes), damage, aside)

    def rebuild(self) -> LoadReport:
        try:
            with self._exclusive():
                self._pull()
                self._tidy()
                try:
                    self._retried_while_held(self._touch)
                except DatabaseTorn:
                    set_aside(self.database, self._clock.now())
                done = self._build()
                if self._told_to_objects(done, keeper=True):
                    done = self._build()
        except (DatabaseHeld, ObjectStorageAway) as held:
            return self._deferred(held)
        reason = "; ".join(["asked for", *_about_files(done.loaded)])
        damage, aside = done.loaded.damage, all_set_aside(self.directory)
        return LoadReport(done.loaded.files, done.loaded.rows, False, True, reason, damage, aside)

    def require_copy(self) -> None:
        """Raises HistoryError where this machine never had a whole copy of object storage."""
        if self._mirror is not None and not self._mirror.ever_pulled:
            raise ObjectStorageAway(
                "object storage can't be reached, and this machine has no copy of the history yet",
                ja="オブジェクトストレージに接続できず、このコンピューターには履歴の写しがまだありません",
            )

    def _pull(self) -> None:
        if self._mirror is not None:
            make_folder(self.directory)
            self._mirror.pull()
            self._looked = True

    def _told_to_objects(self, done: Built, keeper: bool) -> bool:
        """What a load set aside here is set right in object storage, or left to the publisher; whether files came back
        that are to be loaded: then it was only the copy that was damaged."""
        if self._mirror is None:
            return False
        damage = done.loaded.damage
        mended, damaged = self._mirror.examine(damage.files)
        if keeper:
            self._mirror.set_objects_aside(damaged)
            self._mirror.put_rescued()
        else:
            self._mirror.give_up(damaged)
            done.loaded.unreadable += tuple(damaged)
        kept = damaged if keeper else []
        done.loaded.damage = replace(damage, of=tuple(one for one in damage.of if one.name in kept))
        return bool(mended)

    def _deferred(self, held: HistoryError) -> LoadReport:
        aside = all_set_aside(self.directory)
        return LoadReport(0, 0, deferred=True, rebuilt=False, reason=str(held), set_aside=aside)

    def verify(self) -> VerifyReport:
        try:
            with self._exclusive():
                self._pull()
                report = self._retried_while_held(lambda: verify_all(self.directory, self.database))
                if report.damage:
                    note_torn(self.database)
                return report
        except (DatabaseHeld, ObjectStorageAway) as held:
            return VerifyReport(checked=False, damage="", reason=str(held), tables=())

    def absent(self, table: str, keys: Sequence[str]) -> list[str] | None:
        shape = table_of(table)
        if not self.database.exists():
            return None
        try:
            with self._exclusive(), database(self.database, read_only=True) as connection:
                held = f"SELECT k FROM asked SEMI JOIN {quoted(shape.name)} AS t ON asked.k = t.{quoted(shape.key)}"
                with rows_as(connection, "asked", pa.table({"k": texts(keys)})):
                    known = {row[0] for row in connection.execute(held).fetchall()}
        except (DatabaseHeld, DatabaseTorn, duckdb.CatalogException):
            return None
        return [key for key in keys if key not in known]

    def compact(self, before: date) -> CompactReport:
        loaded = self.load()
        if loaded.deferred:
            return CompactReport(0, 0, 0, deferred=True, reason=loaded.reason, set_aside=loaded.set_aside)
        try:
            with self._exclusive():
                self._tidy()
                done = compact_all(self.directory, before, self._settle_loaded, self._mirror)
                return replace(done, damage=loaded.damage + done.damage, set_aside=all_set_aside(self.directory))
        except (DatabaseHeld, ObjectStorageAway) as held:
            return CompactReport(0, 0, 0, deferred=True, reason=str(held), damage=loaded.damage)

    def _load_once(self) -> Built:
        if not self.database.exists():
            return self._build()
        if was_found_torn(self.database):
            raise DatabaseTorn(f"{self.database.name} is damaged", ja=f"{self.database.name} が壊れています")
        loaded = Loaded()

        def load(most_mb: int) -> None:
            with database(self.database) as connection:
                ensure_schema(connection)
                load_all(connection, self.directory, self._clock.now(), loaded, most_mb)
                loaded.damage = rescue(connection, self.directory, loaded.damage)

        with_enough_memory(load)
        return Built(loaded, interrupted=False)

    def _build(self) -> Built:
        return build(self.directory, self.database, self._clock.now())

    def _touch(self) -> Loaded:
        if self.database.exists():
            with database(self.database) as connection:
                connection.execute("SELECT 1")
        return Loaded()

    def _settle_loaded(self, move: LoadedMove) -> None:
        try:
            with database(self.database) as connection:
                move(connection, self._clock.now())
        except (DatabaseHeld, DatabaseTorn):
            return  # the next load reads the merged file as a new one, or rebuilds

    def _tidy(self) -> list[Listing]:
        """Finish what a killed compaction began, drop what killed writers left; what lies there then, by table."""
        make_folder(self.directory)
        found = [list_table(self.directory, table) for table in TABLES.values()]
        if any(listing.manifests for listing in found):
            finish_all(self.directory)
            found = [list_table(self.directory, table) for table in TABLES.values()]
        oldest = self._clock.now().timestamp() - _STALE_TEMPORARY_S
        for temporary in (self.directory / name for listing in found for name in listing.temporaries if is_small(name)):
            with suppress(FileNotFoundError):
                if temporary.stat().st_mtime < oldest:
                    temporary.unlink()
        return found

    @contextmanager
    def _exclusive(self) -> Iterator[None]:
        """The lock file, fair between processes where DuckDB's own lock is not. Raises DatabaseHeld."""
        make_folder(self.database.parent)
        lock = filelock.FileLock(self.database.with_name(self.database.name + ".lock"))
        deadline = self._clock.monotonic() + self._lock_timeout_s
        while True:
            try:
                lock.acquire(timeout=0)
                break
            except filelock.Timeout:
                if self._clock.monotonic() >= deadline:
                    name = os.path.basename(lock.lock_file)
                    raise DatabaseHeld(
                        f"{name} is held by another load", ja=f"{name} は別の読み込みが使っています"
                    ) from None
                self._clock.sleep(_POLL_S)
        try:
            yield
        finally:
            lock.release()

    def _retried_while_held(self, work: Callable[[], _T]) -> _T:
        deadline = self._clock.monotonic() + self._lock_timeout_s
        while True:
            try:
                return work()
            except DatabaseHeld:
                if self._clock.monotonic() >= deadline:
                    raise
                self._clock.sleep(_POLL_S)


def _about_files(loaded: Loaded) -> list[str]:
    return [f"unreadable: {name}" for name in (*loaded.damage.files, *loaded.unreadable)]
