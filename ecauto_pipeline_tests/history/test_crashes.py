"""Laws under interruption: whatever is cut short where, no acknowledged row is lost and none is there twice."""

from __future__ import annotations

import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecauto_pipeline.history.errors import DiskFull
from ecauto_pipeline.history.questions import HistoryReader
from ecauto_pipeline.history.store import HistoryStore
from ecauto_pipeline_tests.examples import examples
from ecauto_pipeline_tests.history.rows import NOON, asked, ids, snapshot, snapshots, store_in

_OCTOBER = datetime(2026, 10, 5, 3, 0, tzinfo=UTC)


class _Cut(BaseException):
    """The power goes: no handler of ours catches it."""


@contextmanager
def _power_cut(after: int) -> Iterator[None]:
    """Let `after` renames, removals and syncs happen, then none: the next one raises before it does anything."""
    names = ("replace", "unlink", "fsync", "rmdir", "mkdir")
    originals = {name: getattr(os, name) for name in names}
    left = [after]

    def counted(name: str) -> Callable[..., object]:
        def call(*given: object, **more: object) -> object:
            if left[0] <= 0:
                raise _Cut
            left[0] -= 1
            return originals[name](*given, **more)

        return call

    try:
        for name in names:
            setattr(os, name, counted(name))
        yield
    except _Cut:
        pass
    finally:
        for name, original in originals.items():
            setattr(os, name, original)


_STEPS = st.lists(
    st.tuples(
        st.sampled_from(["write", "write", "load", "load", "compact", "rebuild", "tear"]),
        st.integers(0, 3),  # which run
        st.lists(st.integers(0, 6), min_size=1, max_size=3, unique=True),  # which rows
        st.integers(0, 24) | st.just(10_000),  # how many file operations before the power goes
    ),
    min_size=1,
    max_size=7,
)


@settings(max_examples=examples(4), deadline=None)
@given(_STEPS)
def test_no_sequence_of_steps_and_crashes_loses_or_doubles_a_row(
    steps: list[tuple[str, int, list[int], int]],
) -> None:
    """Every acknowledged write is there once after the next load, whichever of the steps the power cut.

    A write that was cut is there as a whole or not at all.
    """
    with tempfile.TemporaryDirectory() as folder:
        store = store_in(Path(folder))
        sure: dict[int, list[int]] = {}
        maybe: dict[int, list[list[int]]] = {}
        for step, run, numbers, power in steps:
            with _power_cut(power):
                if step == "write":
                    maybe.setdefault(run, []).append(numbers)
                    _write(store, run, numbers)
                    sure[run], maybe[run] = numbers, []
                elif step == "load":
                    store.load()
                elif step == "compact":
                    store.compact(date(2026, 11, 1))
                elif step == "rebuild":
                    store.rebuild()
                elif step == "tear" and store.database.exists():
                    _tear(store.database)
        store.load()
        held = ids(store)
        assert len(held) == len(set(held))
        report = store.verify()
        assert report.ok, report
        assert {f"s{n:08d}" for numbers in sure.values() for n in numbers} <= set(held) | _rewritten(sure, maybe)
        possible = {f"s{n:08d}" for _, _, numbers, _ in steps for n in numbers}
        assert set(held) <= possible
        reader = HistoryReader(store)
        seen = [str(row["snapshot_id"]) for row in reader.snapshots_of("B1", _OCTOBER, _OCTOBER + timedelta(days=1))]
        assert held == sorted(seen)


def _write(store: HistoryStore, run: int, numbers: list[int]) -> None:
    rows = [snapshot(number, at=_OCTOBER, asin="B1") for number in numbers]
    store.write("snapshots", f"run{run}", rows, _OCTOBER + timedelta(hours=run))


def _rewritten(sure: dict[int, list[int]], maybe: dict[int, list[list[int]]]) -> set[str]:
    """Rows of an acknowledged write that a later, cut write of the same run may have taken back."""
    return {f"s{n:08d}" for run, numbers in sure.items() if maybe.get(run) for n in numbers}


def _tear(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(12288)
        file.write(b"\xde\xad\xbe\xef" * 64)


@pytest.fixture(scope="module")
def two_runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a history that holds what two runs wrote, loaded."""
    folder = tmp_path_factory.mktemp("two_runs")
    store = store_in(folder)
    for run in range(2):
        _write(store, run, [run, run + 1])
    store.load()
    return folder


_OPERATIONS = 19
"""What a compaction of two runs does with files and folders."""


@pytest.mark.parametrize("power", range(_OPERATIONS + 1))
def test_a_compaction_cut_anywhere_is_finished_by_the_next_load(tmp_path: Path, two_runs: Path, power: int) -> None:
    """At every single point of a compaction the files say the same, to a reader at once and after a load."""
    shutil.copytree(two_runs, tmp_path, dirs_exist_ok=True)
    store, cut = store_in(tmp_path), True
    with _power_cut(power):
        store.compact(date(2026, 11, 1))
        cut = False
    assert power < _OPERATIONS or not cut
    expected = [f"s{n:08d}" for n in range(3)]
    found = HistoryReader(store).snapshots_of("B1", _OCTOBER, NOON)
    assert expected == [row["snapshot_id"] for row in found]
    store.load()
    assert expected == ids(store)
    report = store.verify()
    assert report.ok, report
    if power % 5:
        return
    store.compact(date(2026, 11, 1))
    assert 1 == len(list((tmp_path / "history").rglob("*.parquet")))
    assert [] == list((tmp_path / "history").rglob("*manifest*"))
    assert store.rebuild().rebuilt
    assert expected == ids(store)


def _make_torn(path: Path) -> None:
    _tear(path)


def _make_foreign(path: Path) -> None:
    path.write_bytes(b"SQLite format 3\0" * 1000)


def _make_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:20_000])


def _make_empty(path: Path) -> None:
    path.write_bytes(b"")


def _make_bad_log(path: Path) -> None:
    _tear(path)
    path.with_name(path.name + ".wal").write_bytes(b"\x01\x02garbage" * 100)


@pytest.mark.parametrize("damage", [_make_torn, _make_foreign, _make_short, _make_empty, _make_bad_log])
def test_a_damaged_database_is_rebuilt_by_itself(tmp_path: Path, damage: Callable[[Path], None]) -> None:
    """Whatever the damage, the next load sets the file aside, builds it anew and no row is missing."""
    store = store_in(tmp_path)
    for run in range(3):
        store.write("snapshots", f"r{run}", snapshots(range(run * 100, run * 100 + 100)), NOON)
    store.load()
    damage(store.database)
    assert store.verify().damage
    store.write("snapshots", "r3", snapshots([999]), NOON)
    report = store.load()
    assert (True, False, 4) == (report.rebuilt, report.deferred, report.files)
    assert "kept as history.duckdb.torn-20261123T030000Z" in report.reason
    assert 301 == len(ids(store))
    assert store.verify().ok
    assert (tmp_path / "history.duckdb.torn-20261123T030000Z").exists()
    assert not store.load().rebuilt


def test_a_rebuild_cut_short_is_done_again_and_said(tmp_path: Path) -> None:
    """Killed between setting aside and building, the next load builds and says so; an orphan log is not replayed."""
    store = store_in(tmp_path)
    store.write("snapshots", "r1", snapshots([1]), NOON)
    store.load()
    os.replace(store.database, tmp_path / "history.duckdb.new")
    (tmp_path / "history.duckdb.wal").write_bytes(b"from another life")
    assert (True, 1) == (lambda report: (report.rebuilt, report.files))(store.load())
    assert ["s00000001"] == ids(store)
    assert not (tmp_path / "history.duckdb.new").exists()


_LIVING = """
import os, sys
from datetime import timedelta
from pathlib import Path
import ecauto_pipeline.history.writer  # else every child would
from ecauto_pipeline_tests.history.rows import NOON, snapshots, store_in

def say(text):
    os.write(1, (text + "\\n").encode())

def live(number):
    store = store_in(Path(sys.argv[1]))
    while True:
        rows = snapshots(range(number * 50, number * 50 + 50))
        store.write("snapshots", f"run{number}", rows, NOON + timedelta(minutes=number))
        say(f"wrote {number}")
        store.load()
        number += 1

for line in sys.stdin:
    child = os.fork()
    if not child:
        live(int(line))
    say(f"child {child}")
    os.waitpid(child, 0)
    say("dead 0")
"""


KILLS = 6


def test_kill_9_in_the_middle_of_loading_loses_nothing(tmp_path: Path) -> None:
    """Half a dozen processes killed at random moments of write and load: every acknowledged row is there, once."""
    luck = random.Random(20261123)
    wrote = -1
    command = [sys.executable, "-c", _LIVING, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as mother:
        assert mother.stdin is not None
        assert mother.stdout is not None
        for _ in range(KILLS):
            mother.stdin.write(f"{wrote + 1}\n")
            mother.stdin.flush()
            child, told, word = 0, -1, ""
            while word != "dead":
                word, number = mother.stdout.readline().split()
                if word == "child":
                    child = int(number)
                if word == "wrote":
                    told = int(number)
                if child and told >= 0:
                    time.sleep(luck.uniform(0.0, 0.2))  # the moment of the kill is what is being tried
                    os.kill(child, signal.SIGKILL)
                    child = 0
            wrote = told
        mother.stdin.close()
    store = store_in(tmp_path)
    store.load()
    expected = {f"s{n:08d}" for n in range((wrote + 1) * 50)}
    held = ids(store)
    assert wrote >= KILLS - 1
    assert expected <= set(held)
    assert len(held) == len(set(held))
    assert store.verify().ok


def _small_disk(size: int) -> Callable[[], None]:
    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    return limit


_FULL = """
import sys
from pathlib import Path
from ecauto_pipeline.history.errors import DiskFull
from ecauto_pipeline_tests.history.rows import NOON, snapshot, store_in
store = store_in(Path(sys.argv[1]))
try:
    if sys.argv[2] == "write":
        import random
        rows = [snapshot(n, offers_json=random.randbytes(200).hex()) for n in range(5000)]
        store.write("snapshots", "big", rows, NOON)
    elif sys.argv[2] == "compact":
        from datetime import date
        store.compact(date(2027, 1, 1))
    else:
        store.load()
except DiskFull as full:
    print("full:", full)
"""


def _with_small_disk(folder: Path, what: str, size: int) -> str:
    done = subprocess.run(
        [sys.executable, "-c", _FULL, str(folder), what],
        preexec_fn=_small_disk(size),
        capture_output=True,
        text=True,
        timeout=500,
        check=True,
    )
    return done.stdout


def test_a_full_disk_leaves_no_half_file(tmp_path: Path) -> None:
    """No room for a Parquet file: DiskFull, the earlier files stay, no temporary file does."""
    store = store_in(tmp_path)
    store.write("snapshots", "r1", snapshots(range(10)), NOON)
    assert _with_small_disk(tmp_path, "write", 100_000).startswith("full: no room to write")
    assert ["r1.parquet"] == [path.name for path in (tmp_path / "history").rglob("*") if path.is_file()]


def test_a_full_disk_stops_a_load_cleanly(tmp_path: Path) -> None:
    """No room for the database: DiskFull, not a rebuild; with room again the next load has every row."""
    store = store_in(tmp_path)
    store.write("snapshots", "r1", snapshots(range(10)), NOON)
    store.load()
    size = store.database.stat().st_size
    rows = [snapshot(n, offers_json=random.Random(n).randbytes(300).hex()) for n in range(100, 6_100)]
    store.write("snapshots", "r2", rows, NOON)
    assert _with_small_disk(tmp_path, "load", size + 100_000).startswith("full: no room to write")
    assert not store.load().rebuilt
    assert 6_010 == len(ids(store))
    assert store.verify().ok


def test_disk_full_is_an_oserror_of_ours() -> None:
    """Who handles OSError and who handles our own errors both see it."""
    assert issubclass(DiskFull, OSError)


def test_leftovers_of_killed_writers_go_after_a_day(tmp_path: Path) -> None:
    """A temporary file is removed once nobody can be writing it any more, and never counts meanwhile."""
    store = store_in(tmp_path)
    path = store.write("snapshots", "r1", snapshots([1]), NOON)
    assert path is not None
    young, old = path.with_name(".r2.parquet.1.tmp"), path.with_name(".r3.parquet.1.tmp")
    for file, age in ((young, 60), (old, 90_000)):
        file.write_bytes(b"half")
        os.utime(file, (NOON.timestamp() - age, NOON.timestamp() - age))
    assert 1 == store.load().files
    assert (True, False) == (young.exists(), old.exists())


def test_compaction_keeps_every_row_and_the_open_month(tmp_path: Path) -> None:
    """Closed months become one file a table and month; rows, repeats' last word and the open month stay."""
    store = store_in(tmp_path)
    for hour in range(30):
        at = _OCTOBER + timedelta(hours=hour)
        store.write("snapshots", f"r{hour}", [snapshot(hour, at=_OCTOBER)], at)
    update = {"update_id": "u", "run_id": "r", "outcome": "unknown", "attempted_at": _OCTOBER}
    store.write("updates", "r1", [update], _OCTOBER)
    store.write("updates", "r2", [update | {"outcome": "done"}], _OCTOBER + timedelta(hours=1))
    store.write("snapshots", "now", [snapshot(100)], NOON)
    store.load()
    before = asked(store, "SELECT * EXCLUDE (loaded_file) FROM snapshots ORDER BY 1")
    report = store.compact(date(2026, 11, 20))
    assert (2, 32, 32, False) == (report.made, report.files, report.rows, report.deferred)
    assert [
        "snapshots/dt=2026-11-23/hour=12/now.parquet",
        "snapshots/month=2026-10/compacted-0001.parquet",
        "updates/month=2026-10/compacted-0001.parquet",
    ] == sorted(p.relative_to(store.directory).as_posix() for p in store.directory.rglob("*.parquet"))
    assert 0 == store.load().files
    assert store.verify().ok
    store.rebuild()
    assert before == asked(store, "SELECT * EXCLUDE (loaded_file) FROM snapshots ORDER BY 1")
    assert [("done",)] == asked(store, "SELECT outcome FROM updates")
    assert (0, 0) == (store.compact(date(2026, 11, 20)).made, store.load().files)


def test_the_days_that_ended_are_compacted_and_once_the_month_ended_the_month(tmp_path: Path) -> None:
    """A month under way never grows to a file a run: what ended yesterday is few files, today is left alone."""
    store = store_in(tmp_path)
    held: list[list[str]] = []
    for day in range(3):
        for hour in range(4):
            at = _OCTOBER + timedelta(days=day, hours=hour)
            store.write("snapshots", f"d{day}h{hour}", [snapshot(10 * day + hour, at=_OCTOBER)], at)
        report = store.compact(date(2026, 10, 5 + day))
        held.append(sorted(path.stem for path in store.directory.rglob("*.parquet")))
        assert (min(day, 1), 4 * min(day, 1)) == (report.made, report.files)
    today = [f"d2h{hour}" for hour in range(4)]
    assert [[f"d0h{hour}" for hour in range(4)], ["compacted-0001", *(f"d1h{hour}" for hour in range(4))]] == held[:2]
    assert ["compacted-0001", "compacted-0002", *today] == held[2]
    assert 1 == store.compact(date(2026, 11, 1)).made
    assert ["compacted-0003"] == [path.stem for path in store.directory.rglob("*.parquet")]
    assert [f"s{10 * day + hour:08d}" for day in range(3) for hour in range(4)] == ids(store)
    assert store.verify().ok


def test_a_straggler_joins_its_month(tmp_path: Path) -> None:
    """Rows that arrive for a compacted month are loaded, and merged by the next compaction."""
    store = store_in(tmp_path)
    _write(store, 0, [0])
    store.compact(date(2026, 11, 1))
    _write(store, 1, [1])
    assert 1 == store.load().files
    assert 1 == store.compact(date(2026, 11, 1)).made
    assert ["compacted-0002.parquet"] == [path.name for path in store.directory.rglob("*.parquet")]
    assert ["s00000000", "s00000001"] == ids(store)
    assert store.verify().ok


def test_a_lock_held_by_a_writer_in_the_checkpoint_is_not_damage(tmp_path: Path) -> None:
    """Another thread of ours with an open transaction defers the load; it is never taken for a torn file."""
    store = store_in(tmp_path)
    store.load()
    with duckdb.connect(str(store.database)) as other:
        other.execute("BEGIN TRANSACTION")
        other.execute("INSERT INTO snapshots (snapshot_id) VALUES ('x')")
        report = store.load()
    assert not report.rebuilt
