"""Laws of a damaged Parquet file: it is named and set aside, everything else is loaded, nobody stops."""

from __future__ import annotations

import os
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecauto_pipeline.history.database import DatabaseHeld, duckdb_errors_as_ours
from ecauto_pipeline.history.questions import HistoryReader
from ecauto_pipeline.history.store import HistoryStore
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


@settings(max_examples=30, deadline=None)
@given(share=st.floats(0, 1), noise=st.binary(min_size=1, max_size=200), data=st.data())
def test_random_bytes_anywhere_cost_that_file_alone(
    tmp_path_factory: pytest.TempPathFactory, share: float, noise: bytes, data: st.DataObject
) -> None:
    """In a page, in the footer, anywhere: the other file's rows are there, and the harmed one's whole or not at all."""
    store, path = with_a_damaged_file(tmp_path_factory.mktemp("history"))
    overwrite(path, int(share * (path.stat().st_size - len(noise))), noise)
    loaded = store.load()
    held = ids(store)
    assert set(SOUND) <= set(held)
    assert len(held) == 20 - 10 * len(loaded.damaged)
    assert path.exists() != bool(loaded.damaged)
    assert not store.load().damaged
    assert store.rebuild().rows == len(held)
    assert store.verify().ok != bool(loaded.damaged)


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


def harm(path: Path) -> None:
    overwrite(path, 60, b"\x00\xff" * 200)


def test_verify_rebuild_and_compact_work_beside_a_damaged_file(tmp_path: Path) -> None:
    """Verify is not content before nor after it was set aside, and names it; rebuild and compact keep the rest."""
    store, path = with_a_damaged_file(tmp_path)
    harm(path)
    assert not store.verify().ok
    assert 1 == len(store.rebuild().damaged)
    named = store.verify()
    assert (False, 1) == (named.ok, sum(len(table.set_aside) for table in named.tables))
    assert (1, 10) == (store.compact(date(2026, 11, 23)).months, len(ids(store)))


def test_a_file_that_rots_after_it_was_loaded_loses_no_row(tmp_path: Path) -> None:
    """The disk changed it without anybody writing: the database keeps what it took; a compaction sets it aside."""
    store, path = with_a_damaged_file(tmp_path)
    store.load()
    written = path.stat()
    harm(path)
    os.utime(path, ns=(written.st_atime_ns, written.st_mtime_ns))
    assert 1 == len(store.compact(date(2026, 11, 23)).damaged)
    assert 20 == len(ids(store))


def test_questions_are_answered_beside_a_damaged_file(tmp_path: Path) -> None:
    """Not loaded yet, and no page of it can be read: the other files' answers come."""
    store, path = with_a_damaged_file(tmp_path)
    harm(path)
    found = HistoryReader(store).snapshots_of("B000000005", NOON - timedelta(days=60), NOON)
    assert ["s00000105"] == [row["snapshot_id"] for row in found]


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
    text = f'IO Error: Cannot open file "history.duckdb": {sentence}\n\nFile is already open in \npython.exe (PID 4711)'
    with pytest.raises(DatabaseHeld), duckdb_errors_as_ours(tmp_path / "history.duckdb"):
        raise duckdb.IOException(text)
