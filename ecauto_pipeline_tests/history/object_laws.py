"""Laws of a history in object storage, each a function of a place to keep it: a folder here, S3 in proofs/fleet.

Not for: laws of one folder (test_store.py, test_crashes.py), which hold for the copy of every machine.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path

from ecauto_pipeline.clock import ManualClock
from ecauto_pipeline.history.objects import ObjectMark, ObjectStorageAway, ObjectStore, open_objects
from ecauto_pipeline.history.past_runs import PastRuns
from ecauto_pipeline.history.questions import HistoryReader
from ecauto_pipeline.history.store import HistoryStore
from ecauto_pipeline_tests.history.rows import NOON, asked, ids, snapshot, snapshots

OCTOBER = datetime(2026, 10, 5, 3, 0, tzinfo=UTC)
NOVEMBER = date(2026, 11, 1)


class Cut(BaseException):
    """The power goes: no handler of ours catches it."""


class Watched(ObjectStore):
    """The real thing, until the power of its machine is cut after `left` puts and removals."""

    left = 1_000_000

    @classmethod
    def of(cls, url: str) -> Watched:
        """Of an `s3://bucket/prefix`, with AWS's variables of this process."""
        opened = open_objects(url)
        return cls(opened.filesystem, opened.root)

    def put(self, source: Path, name: str) -> ObjectMark:
        self._cut()
        return super().put(source, name)

    def remove(self, name: str) -> None:
        self._cut()
        super().remove(name)

    def _cut(self) -> None:
        if self.left <= 0:
            raise Cut
        self.left -= 1


@dataclass(frozen=True)
class Place:
    """One bucket and prefix. `open` gives a new connection to it; machines have folders of their own below `folder`."""

    open: Callable[[], Watched]
    folder: Path

    def machine(self, name: str, objects: Callable[[], ObjectStore] | None = None) -> HistoryStore:
        own = self.folder / name
        own.mkdir(exist_ok=True)
        clock = ManualClock(NOON)
        return HistoryStore(
            own / "copy", own / "history.duckdb", clock, lock_timeout_s=1.0, objects=objects or self.open
        )

    def names(self) -> list[str]:
        return sorted(self.open().listing())


def write(store: HistoryStore, run: int, numbers: list[int]) -> Path:
    """Of one ASIN, in an hour of October of the run's own."""
    rows = [snapshot(number, at=OCTOBER, asin="B1") for number in numbers]
    path = store.write("snapshots", f"run{run}", rows, OCTOBER + timedelta(hours=run))
    assert path is not None
    return path


def seen_by(store: HistoryStore) -> list[str]:
    found = HistoryReader(store).snapshots_of("B1", OCTOBER, OCTOBER + timedelta(days=1))
    return [str(row["snapshot_id"]) for row in found]


def named(*numbers: int) -> list[str]:
    return [f"s{number:08d}" for number in numbers]


def what_one_machine_wrote_another_finds(place: Place) -> None:
    """Loaded, asked for without a load of its own, and by a load with nothing new nothing."""
    one, other, third = (place.machine(name) for name in ("one", "other", "third"))
    write(one, 1, [1, 2])
    assert 2 == other.load().rows
    assert (0, False) == (other.load().files, other.load().deferred)
    assert named(1, 2) == ids(other) == seen_by(third)
    write(other, 2, [3])
    assert 3 == one.load().rows
    assert named(1, 2, 3) == ids(one)
    assert 1 == other.load().rows
    assert other.verify().ok


def the_same_rows_put_twice_are_one_object(place: Place) -> None:
    """By whichever machine; and rows that two publishers cut differently are there once each."""
    one, other = place.machine("one"), place.machine("other")
    write(one, 1, [1, 2])
    write(other, 1, [1, 2])
    assert 1 == len(place.names())
    rows = snapshots(range(10), at=NOON)
    one.write("snapshots", "r", rows[:6], NOON, part="0_6")
    other.write("snapshots", "r", rows, NOON, part="0_10")
    third = place.machine("third")
    third.load()
    assert [*named(*range(10))] == ids(third)
    assert third.verify().ok


def a_rewrite_gives_exactly_the_rewritten_rows(place: Place) -> None:
    """Under the same run and part, whoever writes them again, at whatever hour."""
    one, other = place.machine("one"), place.machine("other")
    write(one, 1, [1, 2])
    other.load()
    again = snapshots([2, 4], at=OCTOBER)
    path = other.write("snapshots", "run1", again, OCTOBER + timedelta(hours=9))
    assert path is not None
    assert "hour=13" == path.parent.name
    assert 1 == len(place.names())
    for store in (one, other):
        store.load()
        assert named(2, 4) == ids(store)
        assert store.verify().ok


def a_later_word_stands_whoever_puts_it(place: Place) -> None:
    """A publisher that was paused and puts what was settled since brings nothing back, loaded or built anew."""
    one, other = place.machine("one"), place.machine("other")
    row = {"update_id": "u1", "run_id": "r1", "outcome": "unknown", "attempted_at": NOON}
    done = row | {"outcome": "done", "completed_at": NOON + timedelta(minutes=1)}
    one.write("updates", "r1", [done], NOON, part="a_1")
    one.load()
    other.write("updates", "r1", [row], NOON, part="b_1")
    for work in (one.load, one.rebuild):
        work()
        assert [("done",)] == asked(one, "SELECT outcome FROM updates")
    assert ["done"] == [found["outcome"] for found in PastRuns(place.machine("third")).updates_of_run("r1", 9)]


def a_compaction_cut_anywhere_loses_and_doubles_nothing(place: Place, cuts: Sequence[int] = (1, 3, 9)) -> None:
    """After every put and removal: to a machine that reads at once, after a load, and once the next one finished it."""
    one = place.machine("one")
    for run in range(3):
        write(one, run, [run, run + 1])
    one.load()
    reader = place.machine("reader")
    reader.load()
    expected = named(0, 1, 2, 3)
    for left in cuts:
        objects = place.open()
        objects.left = left
        dying = place.machine("one", partial(_the, objects))
        try:
            done = dying.compact(NOVEMBER)
        except Cut:
            done = None
        assert expected == seen_by(place.machine(f"new{left}"))
        reader.load()
        assert expected == ids(reader) == seen_by(reader)
        assert reader.verify().ok
        if done is not None:
            break
    assert done is not None
    place.machine("last").compact(NOVEMBER)
    assert ["snapshots/month=2026-10"] == [name.rpartition("/")[0] for name in place.names()]
    last = place.machine("last")
    assert expected == sorted(ids(last))
    assert (6, expected) == (last.rebuild().rows, ids(last))


def _the(objects: ObjectStore) -> ObjectStore:
    return objects


def overwrite(objects: ObjectStore, folder: Path, name: str, content: bytes) -> None:
    file = folder / "other bytes"
    file.write_bytes(content)
    objects.put(file, name)


def torn(objects: ObjectStore, folder: Path, name: str) -> None:
    """Its pages are no longer what they were; the footer is whole."""
    file = folder / "torn"
    objects.get(name, file)
    content = bytearray(file.read_bytes())
    content[60:400] = b"\x00\xff" * 170
    before = objects.listing()[name]
    while objects.listing()[name] == before:  # S3 says the second
        overwrite(objects, folder, name, bytes(content))


def a_torn_object_costs_no_row_that_was_loaded(place: Place) -> None:
    """The publisher sets it aside in the store and writes its rows again; who only reads names it and leaves it."""
    one, reader = place.machine("one"), place.machine("reader")
    path = write(one, 1, [1, 2])
    write(one, 2, [3])
    one.load()
    name = path.relative_to(one.directory).as_posix()
    torn(place.open(), place.folder, name)
    found = reader.load(keeper=False)
    assert (f"unreadable: {name}", (), 1) == (found.reason, found.damaged, found.rows)
    assert name in place.names()
    kept = one.load()
    assert ((name,), 2, 0) == (kept.damaged, kept.damage.again, kept.damage.lost)
    assert {name, f"{name}.damaged"} <= set(place.names())
    for store in (reader, place.machine("new")):
        store.load()
        assert named(1, 2, 3) == ids(store)
        assert store.verify().ok


def a_torn_object_that_nobody_had_loaded_is_told(place: Place) -> None:
    """As a file: named, counted as lost, set aside, and everything else is there."""
    one = place.machine("one")
    name = write(one, 1, [1, 2]).relative_to(one.directory).as_posix()
    write(one, 2, [3])
    torn(place.open(), place.folder, name)
    found = one.load()
    assert ((name,), 0, 2) == (found.damaged, found.damage.again, found.damage.lost)
    assert (f"{name}.damaged",) == one.load().set_aside
    assert named(3) == ids(one)
    assert not one.verify().ok


def a_damaged_copy_is_fetched_again(place: Place) -> None:
    """The disk of one machine is no reason to set an object aside: nothing is told, nothing changes in the store."""
    one = place.machine("one")
    path = write(one, 1, [1, 2])
    other = place.machine("other")
    other.load()
    copy = other.directory / path.relative_to(one.directory)
    before = copy.stat()
    content = bytearray(copy.read_bytes())
    content[60:400] = b"\x00\xff" * 170
    copy.write_bytes(content)
    os.utime(copy, ns=(before.st_atime_ns, before.st_mtime_ns))
    found = other.rebuild()
    assert ((), 2) == (found.damaged, len(ids(other)))
    assert 1 == len(place.names())
    assert other.verify().ok


def a_missing_object_is_named(place: Place) -> None:
    """It was loaded and is gone, and nobody merged it: verify says which one."""
    one = place.machine("one")
    name = write(one, 1, [1]).relative_to(one.directory).as_posix()
    write(one, 2, [2])
    one.load()
    place.open().remove(name)
    (found,) = (table for table in one.verify().tables if table.table == "snapshots")
    assert ((name,), 1) == (found.missing_files, found.extra_rows)


def a_folder_that_was_copied_there_goes_on(place: Place) -> None:
    """Files of one machine need no other name: what was loaded of them is not loaded twice, and they compact."""
    own = place.folder / "was"
    local = HistoryStore(own / "copy", own / "history.duckdb", ManualClock(NOON), lock_timeout_s=1.0)
    for run in range(3):
        write(local, run, [run])
    local.load()
    for file in sorted((own / "copy").rglob("*.parquet")):
        place.open().put(file, file.relative_to(own / "copy").as_posix())
    moved = place.machine("was")
    assert 0 == moved.load().rows
    assert named(0, 1, 2) == ids(moved)
    assert (1, 3) == (lambda done: (done.made, done.files))(moved.compact(NOVEMBER))
    assert named(0, 1, 2) == seen_by(place.machine("new"))


def away(work: Callable[[], object]) -> bool:
    try:
        work()
    except ObjectStorageAway:
        return True
    return False


LAWS = (
    what_one_machine_wrote_another_finds,
    the_same_rows_put_twice_are_one_object,
    a_rewrite_gives_exactly_the_rewritten_rows,
    a_later_word_stands_whoever_puts_it,
    a_compaction_cut_anywhere_loses_and_doubles_nothing,
    a_torn_object_costs_no_row_that_was_loaded,
    a_torn_object_that_nobody_had_loaded_is_told,
    a_damaged_copy_is_fetched_again,
    a_missing_object_is_named,
    a_folder_that_was_copied_there_goes_on,
)
