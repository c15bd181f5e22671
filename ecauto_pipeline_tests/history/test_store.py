"""Laws of writing and loading: nothing refused is written, nothing written is lost, nothing is there twice."""

from __future__ import annotations

import secrets
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest

from ecauto_pipeline.history.errors import RowRefused
from ecauto_pipeline.history.verify import verify_all
from ecauto_pipeline_tests.history.rows import NOON, asked, ids, snapshot, snapshots, store_in


def test_file_lies_in_the_hour_of_japan_and_holds_utc(tmp_path: Path) -> None:
    """A file is found by its Japanese date and hour; the times in it are UTC."""
    store = store_in(tmp_path)
    late = datetime(2026, 11, 23, 15, 30, tzinfo=UTC)
    path = store.write("snapshots", "r1", [snapshot(1, at=late)], late, part="fetch")
    assert path == tmp_path / "history/snapshots/dt=2026-11-24/hour=00/r1-fetch.parquet"
    held = pq.read_table(path, partitioning=None)
    assert "timestamp[us, tz=UTC]" == str(held.schema.field("observed_at").type)
    assert "ZSTD" == pq.read_metadata(path).row_group(0).column(0).compression


def test_times_of_any_zone_are_one_instant(tmp_path: Path) -> None:
    """12:00 in Japan and 03:00 UTC are the same moment in the database."""
    store = store_in(tmp_path)
    japan = timezone(timedelta(hours=9))
    store.write("snapshots", "r1", [snapshot(0, observed_at=NOON.astimezone(japan))], NOON)
    store.load()
    assert [(int(NOON.timestamp()),)] == asked(store, "SELECT CAST(epoch(observed_at) AS BIGINT) FROM snapshots")


def test_no_rows_make_no_file(tmp_path: Path) -> None:
    """An empty table of a run leaves nothing behind."""
    store = store_in(tmp_path)
    assert store.write("diffs", "r1", [], NOON) is None
    assert not (tmp_path / "history").exists()


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"price": 5}, "unknown column price"),
        ({"price_jpy": 1984.0}, "price_jpy: a whole number wanted, got float"),
        ({"price_jpy": True}, "price_jpy: a whole number wanted, got bool"),
        ({"price_jpy": 2**70}, "price_jpy"),
        ({"observed_at": datetime(2026, 1, 1)}, "observed_at: an aware time"),  # noqa: DTZ001
        ({"observed_at": "2026-01-01"}, "observed_at: a time wanted, got str"),
        ({"in_stock": 2}, "in_stock: true or false"),
        ({"asin": None}, "asin is missing"),
        ({"snapshot_id": 7}, "snapshot_id: text wanted, got int"),
    ],
)
def test_rows_that_do_not_fit_are_refused_by_name(tmp_path: Path, wrong: dict[str, object], named: str) -> None:
    """A mistake names its column, and nothing of the batch is written."""
    store = store_in(tmp_path)
    with pytest.raises(RowRefused, match=named):
        store.write("snapshots", "r1", [snapshot(1), snapshot(2) | wrong], NOON)
    assert [] == list(tmp_path.rglob("*.parquet"))


@pytest.mark.parametrize(
    "wrong",
    [
        {"table": "snapshot"},
        {"run_id": "../x"},
        {"part": "a-b"},
        {"part": "a/b"},
        {"at": datetime(2026, 1, 1)},  # noqa: DTZ001
    ],
)
def test_names_that_can_not_be_a_file_are_refused(tmp_path: Path, wrong: dict[str, Any]) -> None:
    """No table, run or part leads outside its folder, and two (run, part) never share a name unseen."""
    given: dict[str, Any] = {"table": "snapshots", "run_id": "r1", "rows": [snapshot(1)], "at": NOON, "part": ""}
    with pytest.raises(RowRefused):
        store_in(tmp_path).write(**given | wrong)


def test_two_rows_of_one_key_in_one_file_are_refused(tmp_path: Path) -> None:
    """A key names one fact; a file that says two is a mistake of the caller's."""
    with pytest.raises(RowRefused, match="repeat the snapshot_id"):
        store_in(tmp_path).write("snapshots", "r1", [snapshot(1), snapshot(1)], NOON)


def test_a_name_never_serves_two_runs(tmp_path: Path) -> None:
    """Run `a` with part `b` and run `a-b` would share a file: the second is refused, the first stays."""
    store = store_in(tmp_path)
    store.write("snapshots", "a", [snapshot(1)], NOON, part="b")
    with pytest.raises(RowRefused, match="another run"):
        store.write("snapshots", "a-b", [snapshot(2)], NOON)
    store.load()
    assert ["s00000001"] == ids(store)


def test_integers_shown_and_wanted_become_text(tmp_path: Path) -> None:
    """`shown` and `wanted` are the text of an integer, whether they came as one or the other; nothing else passes."""
    store = store_in(tmp_path)
    row = {"diff_id": "d1", "run_id": "r", "kind": "price", "decision": "push", "decided_at": NOON}
    store.write("diffs", "r", [row | {"shown": 2580, "wanted": "-1"}], NOON)
    store.load()
    assert [("2580", "-1")] == asked(store, "SELECT shown, wanted FROM diffs")
    with pytest.raises(RowRefused, match="wanted"):
        store.write("diffs", "r", [row | {"wanted": "2,580"}], NOON)


def test_a_load_repeated_does_nothing(tmp_path: Path) -> None:
    """After a load there is nothing to load."""
    store = store_in(tmp_path)
    store.write("snapshots", "r1", snapshots(range(5)), NOON)
    first, second = store.load(), store.load()
    assert (1, 5, False, False, "") == (first.files, first.rows, first.deferred, first.rebuilt, first.reason)
    assert (0, 0) == (second.files, second.rows)
    assert 5 == len(ids(store))


def test_a_load_with_nothing_new_leaves_the_database_alone(tmp_path: Path) -> None:
    """Names, sizes and times of the files tell: a database that somebody has open hinders nobody who needs nothing."""
    store = store_in(tmp_path)
    store.write("snapshots", "r1", snapshots([1]), NOON)
    store.load()
    with duckdb.connect(str(store.database), read_only=True):
        assert (False, 0) == (store.load().deferred, store.load().files)
        store.write("snapshots", "r2", snapshots([2]), NOON)
        assert store.load().deferred


def test_a_note_of_another_time_is_no_note(tmp_path: Path) -> None:
    """What the last load wrote down is of these files and this database, or it says nothing."""
    store = store_in(tmp_path)
    store.write("snapshots", "r1", snapshots([1]), NOON)
    store.load()
    earlier = store.database.read_bytes(), (tmp_path / "history.duckdb.loaded").read_bytes()
    store.write("snapshots", "r2", snapshots([2]), NOON)
    store.load()
    store.database.write_bytes(earlier[0])
    (tmp_path / "history.duckdb.loaded").write_bytes(earlier[1])
    assert 1 == store.load().files
    assert ["s00000001", "s00000002"] == ids(store)


def test_the_same_file_written_again_is_not_loaded_twice(tmp_path: Path) -> None:
    """A step repeated after a crash writes its file again: the rows stay one a key, at whatever hour it is repeated."""
    store = store_in(tmp_path)
    first = store.write("snapshots", "r1", snapshots(range(5)), NOON)
    store.load()
    again = store.write("snapshots", "r1", snapshots(range(5)), NOON + timedelta(hours=2))
    assert first == again
    store.load()
    assert [f"s{n:08d}" for n in range(5)] == ids(store)
    assert store.verify().ok


def test_a_rewrite_gives_exactly_the_rewritten_rows(tmp_path: Path) -> None:
    """Before a load and after it: what the file holds last is what the database holds."""
    store = store_in(tmp_path)
    store.write("snapshots", "r1", snapshots([1, 2, 3]), NOON)
    store.write("snapshots", "r1", snapshots([2, 4]), NOON)
    store.load()
    assert ["s00000002", "s00000004"] == ids(store)
    store.write("snapshots", "r1", snapshots([4, 5]), NOON)
    store.load()
    assert ["s00000004", "s00000005"] == ids(store)
    assert store.verify().ok


def test_a_row_that_another_file_still_holds_survives_a_rewrite(tmp_path: Path) -> None:
    """A key in two files is one row; when one file is rewritten without it, the other's row is back."""
    store = store_in(tmp_path)
    store.write("snapshots", "r1", snapshots([1, 2]), NOON)
    store.load()
    store.write("snapshots", "r2", snapshots([2, 3]), NOON)
    store.load()
    store.write("snapshots", "r2", snapshots([3]), NOON)
    store.load()
    assert ["s00000001", "s00000002", "s00000003"] == ids(store)
    assert store.verify().ok


def test_the_later_word_on_an_update_stands(tmp_path: Path) -> None:
    """An update first recorded as unknown and settled in a later run is `done`, once."""
    store = store_in(tmp_path)
    row = {"update_id": "u1", "run_id": "r1", "outcome": "unknown", "attempted_at": NOON}
    store.write("updates", "r1", [row], NOON)
    store.load()
    store.write("updates", "r2", [row | {"outcome": "done"}], NOON + timedelta(hours=1))
    store.load()
    assert [("u1", "done")] == asked(store, "SELECT update_id, outcome FROM updates")


def test_a_damaged_parquet_file_is_named_and_stops_nothing(tmp_path: Path) -> None:
    """One unreadable file costs its own rows, loudly; the others are loaded."""
    store = store_in(tmp_path)
    bad = store.write("snapshots", "r1", snapshots([1]), NOON)
    store.write("snapshots", "r2", snapshots([2]), NOON)
    assert bad is not None
    bad.write_bytes(b"PAR1 not really")
    assert "unreadable: snapshots/dt=2026-11-23/hour=12/r1.parquet" == store.load().reason
    assert ["s00000002"] == ids(store)
    assert not store.verify().ok


def test_verify_counts_what_differs(tmp_path: Path) -> None:
    """A row taken out, put in or doubled behind our back is found, and so is a file that is gone."""
    store = store_in(tmp_path)
    store.write("snapshots", "r1", snapshots(range(5)), NOON)
    gone = store.write("api_calls", "r1", [{"call_id": "c", "api": "base", "started_at": NOON}], NOON)
    store.load()
    assert store.verify().ok
    with duckdb.connect(str(store.database)) as connection:
        connection.execute("DELETE FROM snapshots WHERE snapshot_id = 's00000001'")
        connection.execute("INSERT INTO snapshots SELECT * FROM snapshots WHERE snapshot_id = 's00000002'")
        connection.execute("INSERT INTO snapshots (snapshot_id) VALUES ('new')")
    assert gone is not None
    gone.unlink()
    tables = {table.table: table for table in store.verify().tables}
    found = tables["snapshots"]
    assert (5, 6, 1, 1, 1) == (
        found.parquet_rows,
        found.duckdb_rows,
        found.missing_rows,
        found.extra_rows,
        found.duplicated_keys,
    )
    assert ("api_calls/dt=2026-11-23/hour=12/r1.parquet",) == tables["api_calls"].missing_files
    assert store.rebuild().rebuilt
    assert [f"s{n:08d}" for n in range(5)] == ids(store)


_HOLDER = """
import duckdb, sys
connection = duckdb.connect(sys.argv[1], read_only=sys.argv[2] == "reading")
print("open", flush=True)
sys.stdin.readline()
"""


@pytest.mark.parametrize("how", ["reading", "writing"])
def test_a_database_held_elsewhere_delays_the_load_and_nothing_else(tmp_path: Path, how: str) -> None:
    """While somebody has the file open a load is deferred, without an error; the next one catches up."""
    store = store_in(tmp_path)
    store.write("snapshots", "r1", snapshots([1]), NOON)
    store.load()
    command = [sys.executable, "-c", _HOLDER, str(store.database), how]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert "open\n" == holder.stdout.readline()
        store.write("snapshots", "r2", snapshots([2]), NOON)
        held = store.load()
        assert (True, 0, "history.duckdb is open elsewhere") == (held.deferred, held.files, held.reason)
        assert not store.verify().checked
        assert store.rebuild().deferred
        assert store.compact(date(2027, 1, 1)).deferred
        holder.communicate("\n")
    assert (1, False) == (store.load().files, store.load().deferred)
    assert ["s00000001", "s00000002"] == ids(store)


def test_a_load_in_the_same_process_is_deferred_too(tmp_path: Path) -> None:
    """A connection of our own program counts as somebody."""
    store = store_in(tmp_path)
    store.write("snapshots", "r1", snapshots([1]), NOON)
    store.load()
    store.write("snapshots", "r2", snapshots([2]), NOON)
    with duckdb.connect(str(store.database), read_only=True):
        assert store.load().deferred
    assert 1 == store.load().files


def test_keys_compared_part_by_part_are_those_compared_at_once(tmp_path: Path) -> None:
    """Whatever memory there is for keys, verify counts the same: rows that are missing, that are too many, that are
    there twice, that two files repeat; and of a file that can't be read to the end no key counts."""
    store = store_in(tmp_path)
    for number, numbers in enumerate((range(60), range(40, 90), range(200, 230), range(300, 340))):
        file = store.write("snapshots", f"run{number}", snapshots(numbers), NOON)
    store.load()
    with duckdb.connect(str(store.database)) as connection:
        connection.execute("DELETE FROM snapshots WHERE snapshot_id < 's00000007'")
        connection.execute("INSERT INTO snapshots SELECT * FROM snapshots WHERE snapshot_id > 's00000227'")
        connection.execute("INSERT INTO snapshots SELECT * REPLACE ('x' || snapshot_id AS snapshot_id) FROM snapshots")
    whole = verify_all(store.directory, store.database)
    assert whole == verify_all(store.directory, store.database, keys_at_once=12)
    (found,) = (table for table in whole.tables if table.table == "snapshots")
    assert (160, 20, 7) == (found.parquet_rows, found.parquet_repeated, found.missing_rows)
    assert file is not None
    _of_two_groups_the_second_damaged(file)
    spoilt = verify_all(store.directory, store.database)
    assert spoilt == verify_all(store.directory, store.database, keys_at_once=12)
    (found,) = (table for table in spoilt.tables if table.table == "snapshots")
    assert (120, 1) == (found.parquet_rows, len(found.unreadable_files))


def _of_two_groups_the_second_damaged(file: Path) -> None:
    rows = pq.read_table(file, partitioning=None)
    pq.write_table(rows, file, compression="zstd", row_group_size=20)
    start = pq.read_metadata(file).row_group(1).column(0).dictionary_page_offset
    content = bytearray(file.read_bytes())
    content[start : start + 40] = b"\xff" * 40
    file.write_bytes(bytes(content))


def test_wide_rows_are_loaded_within_the_memory_that_duckdb_has(tmp_path: Path) -> None:
    """However wide: the first fill of 100,000 listings, with all their offers, was more than a chunk could be, and
    nothing of the history was ever loaded."""
    store = store_in(tmp_path)
    told = [f"{number:06}{secrets.token_hex(8_000)}" for number in range(1_200)]
    store.write("snapshots", "r1", [snapshot(number, offers_json=one) for number, one in enumerate(told)], NOON)
    assert 1_200 == store.load().rows
    assert sorted(told) == sorted(str(one) for (one,) in asked(store, "SELECT offers_json FROM snapshots"))
