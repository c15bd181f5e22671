"""Laws of a damaged Parquet file: it is named and set aside, everything else is loaded, nobody stops."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecauto_pipeline.history.database import DatabaseHeld, duckdb_errors_as_ours
from ecauto_pipeline.history.loading import is_damage
from ecauto_pipeline.history.parquet import UNREADABLE, batches, set_file_aside, write_rows
from ecauto_pipeline.history.questions import HistoryReader
from ecauto_pipeline.history.rescue import all_set_aside
from ecauto_pipeline.history.store import HistoryStore
from ecauto_pipeline_tests.examples import examples
from ecauto_pipeline_tests.history.rows import NOON, ids, snapshots, store_in

SOUND = [f"s{number:08d}" for number in range(100, 110)]


def with_a_damaged_file(folder: Path) -> tuple[HistoryStore, Path]:
    """Two files of ten rows each, a month old; nothing is loaded yet. The path is that of the file to harm."""
    store, month_ago = store_in(folder), NOON - timedelta(days=31)
    path = store.write("snapshots", "harmed", snapshots(range(10), at=month_ago), month_ago)
    store.write("snapshots", "sound", snapshots(range(100, 110), at=month_ago), month_ago)
    assert path is not None
    return store, path


def overwrite(path: Path, start: int, noise: bytes) -> None:
    content = bytearray(path.read_bytes())
    content[start : start + len(noise)] = noise
    path.write_bytes(content)


def harm(path: Path) -> None:
    """Random bytes inside its pages; the footer is whole."""
    overwrite(path, 60, b"\x00\xff" * 200)


def test_a_harmed_footer_hides_no_rows(tmp_path: Path) -> None:
    """Whichever byte of it is another: every row is read, or it is said that the file is damaged. Arrow alone reads no
    row, and raises nothing, where it takes a column for an empty one."""
    _, path = with_a_damaged_file(tmp_path)
    one_of_each_type = ["snapshot_id", "observed_at", "price_jpy", "in_stock", "offers_json"]
    write_rows(path, pq.read_table(path, columns=one_of_each_type, partitioning=None), "harmed", "")
    content = path.read_bytes()
    hidden = []
    for place in range(len(content) - 8 - int.from_bytes(content[-8:-4], "little"), len(content) - 8):
        harmed = pa.BufferReader(content[:place] + bytes([content[place] ^ 0x08]) + content[place + 1 :])
        try:
            with pq.ParquetFile(harmed, page_checksum_verification=True) as file:
                told = sum(len(part) for part in batches(file, 4)) == 10
        except UNREADABLE as error:
            told = is_damage(error)
        hidden += [] if told else [place]
    assert [] == hidden


HARMED = 12
noises = st.tuples(st.floats(0, 1), st.binary(min_size=1, max_size=200))


@settings(max_examples=examples(2), deadline=None)
@given(st.lists(noises, min_size=HARMED, max_size=HARMED))
def test_random_bytes_anywhere_cost_that_file_alone(
    tmp_path_factory: pytest.TempPathFactory, harms: list[tuple[float, bytes]]
) -> None:
    """In a page, in the footer, anywhere: the other files' rows are there, and a harmed one's whole or not at all.

    A dozen files are harmed at once, for what takes time is making a database.
    """
    store, month_ago = store_in(tmp_path_factory.mktemp("history")), NOON - timedelta(days=31)
    store.write("snapshots", "sound", snapshots(range(900, 910), at=month_ago), month_ago)
    for number, (share, noise) in enumerate(harms):
        rows = snapshots(range(10 * number, 10 * number + 10), at=month_ago)
        path = store.write("snapshots", f"harmed{number}", rows, month_ago)
        assert path is not None
        overwrite(path, int(share * (path.stat().st_size - len(noise))), noise)
    loaded = store.load()
    gone = {int(name.split("harmed")[1].removesuffix(".parquet")) for name in loaded.damaged}
    left = [n for number in range(HARMED) if number not in gone for n in range(10 * number, 10 * number + 10)]
    held = ids(store)
    assert sorted(f"s{n:08d}" for n in [*left, *range(900, 910)]) == held
    assert {f"harmed{number}.parquet.damaged" for number in gone} == {
        path.name for path in store.directory.rglob("*.damaged")
    }
    assert not store.load().damaged
    assert store.rebuild().rows == len(held)
    assert store.verify().ok != bool(gone)


@pytest.mark.parametrize("column", ["price_jpy", "observed_at", "snapshot_id", "asin"])
def test_a_column_of_another_type_costs_that_file_alone(tmp_path: Path, column: str) -> None:
    """What can't be turned into today's column is no row of this table; the file is named."""
    store, path = with_a_damaged_file(tmp_path)
    rows = pq.read_table(path, partitioning=None)
    place = rows.column_names.index(column)
    pq.write_table(rows.set_column(place, column, pa.array([{"not": "it"}] * 10)), path)
    loaded = store.load()
    assert (SOUND, ("snapshots/dt=2026-10-23/hour=12/harmed.parquet",)) == (ids(store), loaded.damaged)
    assert loaded.damaged[0] in loaded.reason
    assert path.with_name("harmed.parquet.damaged").exists()


def test_verify_rebuild_and_compact_work_beside_a_damaged_file(tmp_path: Path) -> None:
    """Verify is not content before nor after it was set aside, and names it; rebuild and compact keep the rest."""
    store, path = with_a_damaged_file(tmp_path)
    harm(path)
    assert not store.verify().ok
    assert 1 == len(store.rebuild().damaged)
    named = store.verify()
    assert (False, 1) == (named.ok, sum(len(table.set_aside) for table in named.tables))
    assert (1, 10) == (store.compact(date(2026, 11, 23)).made, len(ids(store)))


def rot(path: Path) -> None:
    """The disk changed it without anybody writing: its time and size are as they were."""
    written = path.stat()
    harm(path)
    os.utime(path, ns=(written.st_atime_ns, written.st_mtime_ns))


def harm_when_loaded(store: HistoryStore, path: Path) -> None:
    """Loaded, then harmed in a way that the next load sees."""
    store.load()
    harm(path)


def rot_when_loaded(store: HistoryStore, path: Path) -> None:
    store.load()
    rot(path)


@pytest.mark.parametrize(
    ("harmed", "by"),
    [
        (harm_when_loaded, "load"),
        (harm_when_loaded, "rebuild"),
        (rot_when_loaded, "rebuild"),
        (rot_when_loaded, "compact"),
    ],
)
def test_a_file_that_rots_after_it_was_loaded_loses_no_row(
    tmp_path: Path, harmed: Callable[[HistoryStore, Path], None], by: str
) -> None:
    """The database took its rows while it was sound: they are written in its place once more, whoever finds it."""
    store, path = with_a_damaged_file(tmp_path)
    harmed(store, path)
    found = (
        store.compact(date(2026, 11, 23)) if by == "compact" else store.rebuild() if by == "rebuild" else store.load()
    )
    assert (("snapshots/dt=2026-10-23/hour=12/harmed.parquet",), 10, 0) == (
        found.damaged,
        found.damage.again,
        found.damage.lost,
    )
    assert 20 == len(ids(store))
    assert 20 == store.rebuild().rows
    assert 10 == pq.read_metadata(path).num_rows
    assert store.verify().ok


@pytest.mark.parametrize(("start", "lost"), [(60, 10), (-40, None)])
def test_rows_that_nobody_has_any_more_are_counted(tmp_path: Path, start: int, lost: int | None) -> None:
    """By the damaged file's footer; where that is damaged too, nobody knows how many they were."""
    store, path = with_a_damaged_file(tmp_path)
    overwrite(path, start % path.stat().st_size, b"\xff" * 30)
    damage = store.load().damage
    assert (0, lost) == (damage.again, damage.lost)


def test_a_sound_file_is_not_taken_for_the_damaged_one_beside_it(tmp_path: Path) -> None:
    """Rows that a rewritten file gave up are looked for in the others: one that rotted has nothing to give, is all."""
    store = store_in(tmp_path)
    rotten = store.write("snapshots", "a", snapshots([1, 2]), NOON)
    assert rotten is not None
    store.write("snapshots", "b", snapshots([2, 3]), NOON)
    store.load()
    rot(rotten)
    store.write("snapshots", "b", snapshots([3]), NOON)
    assert ("", ["s00000001", "s00000003"]) == (store.load().reason, ids(store))


@pytest.mark.parametrize("by", ["load", "rebuild"])
def test_rows_are_written_again_though_whoever_set_the_file_aside_was_killed(tmp_path: Path, by: str) -> None:
    """Between setting aside and writing again the power goes: the next one does it."""
    store, path = with_a_damaged_file(tmp_path)
    harm_when_loaded(store, path)
    set_file_aside(path)
    assert (f"{path.relative_to(store.directory).as_posix()}.damaged",) == all_set_aside(store.directory)
    found = store.load() if by == "load" else store.rebuild()
    assert ((), ()) == (found.damaged, found.set_aside)
    assert 20 == store.rebuild().rows
    assert store.verify().ok


def test_what_the_database_lacks_is_told_apart(tmp_path: Path) -> None:
    """In the order asked; without a database nobody knows."""
    store = store_in(tmp_path)
    store.write("snapshots", "r", snapshots([1, 2]), NOON)
    assert store.absent("snapshots", ["s00000002", "x"]) is None
    store.load()
    assert ["x", "a"] == store.absent("snapshots", ["x", "s00000002", "a"])


def test_questions_are_answered_beside_a_damaged_file(tmp_path: Path) -> None:
    """Not loaded yet, and no page of it can be read: the other files' answers come."""
    store, path = with_a_damaged_file(tmp_path)
    harm(path)
    found = HistoryReader(store).snapshots_of("B000000005", NOON - timedelta(days=60), NOON)
    assert ["s00000105"] == [row["snapshot_id"] for row in found]


def test_memory_that_does_not_do_accuses_no_file(tmp_path: Path) -> None:
    """A question for which DuckDB may take too little is asked again with more; no file is read to the end for it, so
    that one which rotted since it was loaded is no news."""
    store = store_in(tmp_path)
    store.write("snapshots", "a", snapshots(range(1_500)), NOON)
    store.load()
    path = next(store.directory.glob("snapshots/**/*.parquet"))
    rot(path)
    reader = HistoryReader(store, most_mb=1)
    found = reader.latest_prices_as_of(NOON + timedelta(days=1))
    assert (10, frozenset()) == (len(found), reader.left_out)


@pytest.mark.parametrize(
    "sentence",
    [
        "The process cannot access the file because it is being used by another process.",
        "プロセスはファイルにアクセスできません。別のプロセスが使用中です。",
        "Der Prozess kann nicht auf die Datei zugreifen.",
    ],
)
def test_a_held_database_is_recognised_in_the_words_of_windows(tmp_path: Path, sentence: str) -> None:
    """The first sentence is in the system's language; DuckDB's own second one is not."""
    held_by_windows(tmp_path, sentence)


@given(sentence=st.text(st.characters(codec="utf-8"), max_size=80), pid=st.integers(1, 99_999))
def test_a_held_database_is_recognised_in_any_language(
    tmp_path_factory: pytest.TempPathFactory, sentence: str, pid: int
) -> None:
    """Whatever the system says first."""
    held_by_windows(tmp_path_factory.getbasetemp(), sentence, pid)


def held_by_windows(folder: Path, sentence: str, pid: int = 4711) -> None:
    text = (
        f'IO Error: Cannot open file "history.duckdb": {sentence}\n\nFile is already open in \npython.exe (PID {pid})'
    )
    with pytest.raises(DatabaseHeld), duckdb_errors_as_ours(folder / "history.duckdb"):
        raise duckdb.IOException(text)
