"""The history as its writers see it: write a run's rows, load them, check, rebuild, compact.

`write` makes the rows safe; everything else may be late, refused or interrupted and costs nothing but time. One
process at a time works on the database, under a lock file. The work itself (writer.py) is imported at its first use:
Arrow and DuckDB take long to load, and most of what a person asks is in state.db. Not for: questions (questions.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from ecauto_pipeline.clock import Clock
from ecauto_pipeline.history.listing import PULLED
from ecauto_pipeline.history.load_report import LoadReport

CATCH_UP_EVERY_S = 60.0

if TYPE_CHECKING:
    from ecauto_pipeline.history.compact import CompactReport
    from ecauto_pipeline.history.objects import ObjectStore
    from ecauto_pipeline.history.verify import VerifyReport
    from ecauto_pipeline.history.writer import HistoryWriter


class HistoryStore:
    """The Parquet files under `directory` and their image in `database`.

    Safe to share between threads and processes. `lock_timeout_s` bounds how long a load waits for another holder.
    `objects`: where the files lie in truth, `directory` being this machine's copy of it; then only one publisher at a
    time may write, load as the `keeper`, rebuild or compact (sync/publisher.py). None: in `directory` itself.
    """

    def __init__(
        self,
        directory: Path,
        database: Path,
        clock: Clock,
        *,
        lock_timeout_s: float = 10.0,
        objects: Callable[[], ObjectStore] | None = None,
    ) -> None:
        self.directory = directory
        self.database = database
        self._clock = clock
        self._lock_timeout_s = lock_timeout_s
        self._objects = objects
        self._caught_up_at: float | None = None

    @property
    def shared(self) -> bool:
        """Whether the files lie in object storage, which other machines write to as well."""
        return self._objects is not None

    @property
    def asked_here(self) -> bool:
        """Whether this machine has a whole copy, as one that is asked questions has; one that publishes alone has none
        and makes none: a worker in a container would fetch all of history for each publishing."""
        return self._objects is None or (self.directory / PULLED).exists()

    def write(
        self, table: str, run_id: str, rows: Sequence[Mapping[str, object]], at: datetime, part: str = ""
    ) -> Path | None:
        """Make `rows` durable as the file of (table, run_id, part); returns its path, None for no rows.

        Writing again replaces what the same (table, run_id, part) held, wherever `at` says. `at` (aware) names the
        hour's folder, in JST.

        Raises RowRefused for rows that do not fit (nothing is written), DiskFull when there is no room,
        ObjectStorageAway.
        """
        return self._writer.write(table, run_id, rows, at, part)

    def load(self, *, keeper: bool = True) -> LoadReport:
        """Take every file into the database that it does not hold yet. One row a key, whatever happened before.

        Never raises because somebody has the database open or object storage is away (`deferred`), nor because it is
        damaged (`rebuilt`). `keeper` False: a damaged object is named as unreadable and left to the publisher.
        Raises DiskFull when there is no room; what was loaded stays, the rest comes with the next load.
        """
        return self._writer.load(keeper)

    def catch_up(self) -> None:
        """Before a question: of object storage, what others have put since is loaded here, at most once a minute.

        While that is away, or the database is held, questions are answered from what this machine has. Raises
        HistoryError where it never had a whole copy: an answer would call unknown what is only not here.
        """
        if self._objects is None:
            return
        now = self._clock.monotonic()
        if self._caught_up_at is None or now - self._caught_up_at >= CATCH_UP_EVERY_S:
            self._writer.load(keeper=False)
            self._caught_up_at = now
        self._writer.require_copy()

    def rebuild(self) -> LoadReport:
        """Build the database anew from all Parquet files; the old one serves until the new one takes its place.

        `deferred` when somebody has the old one open. Raises DiskFull (the old one stays).
        """
        return self._writer.rebuild()

    def verify(self) -> VerifyReport:
        """Compare Parquet and database table by table; changes neither. Not checked while somebody holds the file."""
        return self._writer.verify()

    def absent(self, table: str, keys: Sequence[str]) -> list[str] | None:
        """Those of `keys` that the database does not hold, in their order; None while it can't be asked."""
        return self._writer.absent(table, keys)

    def compact(self, before: date) -> CompactReport:
        """Merge the small files of the days that ended before `before` (JST), and of months that ended all, by table.

        Loads first; does nothing (`deferred`) while somebody holds the database. Killed at any moment it neither loses
        nor doubles a row: the next load, verify or compact finishes it. Raises DiskFull, ObjectStorageAway (sources
        untouched).
        """
        return self._writer.compact(before)

    @cached_property
    def _writer(self) -> HistoryWriter:
        from ecauto_pipeline.history.writer import HistoryWriter

        mirror = None
        if self._objects is not None:
            from ecauto_pipeline.history.mirror import Mirror

            mirror = Mirror(self.directory, self._objects())
        return HistoryWriter(self.directory, self.database, self._clock, self._lock_timeout_s, mirror)
