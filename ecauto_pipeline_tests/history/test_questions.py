"""Laws of asking: the same answer from the database, from the files, and from both, at any past time."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecauto_pipeline.history.past_runs import PastRuns
from ecauto_pipeline.history.questions import HistoryReader
from ecauto_pipeline.history.store import HistoryStore
from ecauto_pipeline.history.tables import AUTHORITATIVE, SNAPSHOTS
from ecauto_pipeline_tests.examples import examples
from ecauto_pipeline_tests.history.rows import NOON, snapshot, store_in

_DAY = timedelta(days=1)


def _loaded(store: HistoryStore) -> None:
    store.load()


def _not_loaded(store: HistoryStore) -> None:
    assert not store.database.exists()


def _torn(store: HistoryStore) -> None:
    store.load()
    store.database.write_bytes(b"no database")


def _compacted(store: HistoryStore) -> None:
    store.compact(date(2027, 1, 1))


@contextmanager
def _held(store: HistoryStore) -> Iterator[None]:
    """The database open for writing in this process: a reader gets no connection."""
    store.load()
    with duckdb.connect(str(store.database)):
        yield


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a history of which nothing is loaded."""
    folder = tmp_path_factory.mktemp("filled")
    _fill(store_in(folder))
    return folder


def _fill(store: HistoryStore) -> None:
    old, new = NOON - 40 * _DAY, NOON
    store.write("snapshots", "r1", [snapshot(1, at=old, asin="B1"), snapshot(2, at=old, asin="B2")], old)
    store.write("snapshots", "r2", [snapshot(3, asin="B1", price_jpy=2000)], new)
    store.write("snapshots", "r3", [snapshot(4, asin="B1", status="api_error", price_jpy=None)], new)
    where = {"item_id": "77", "asin": "B1", "account_id": "shop", "platform": "base"}
    diff = {"diff_id": "d1", "run_id": "r2", "kind": "price", "decision": "push", "decided_at": new, **where}
    store.write("diffs", "r2", [diff | {"shown": 1500, "wanted": 2600, "evidence": '{"why": "価格"}'}], new)
    update = {"update_id": "u1", "diff_id": "d1", "run_id": "r2", "kind": "price", "attempted_at": new, **where}
    store.write("updates", "r2", [update | {"before": 1500, "after": 2600, "outcome": "done"}], new)
    call = {"run_id": "r2", "api": "sp_api", "operation": "getItemOffersBatch", "rate_limit": 0.1}
    store.write("api_calls", "r2", [call | {"call_id": f"c{n}", "started_at": new - n * _DAY} for n in (1, 2)], new)
    for number in (1, 2, 3):
        started = new - number * _DAY
        store.write("run_metrics", f"r{number}", [{"run_id": f"r{number}", "started_at": started}], started)


def _older(store: HistoryStore) -> None:
    """As the version before left it: without a column added since, until the next load."""
    store.load()
    with duckdb.connect(str(store.database)) as connection:
        connection.execute("ALTER TABLE diffs DROP COLUMN profit_jpy")


@pytest.mark.parametrize("arrange", [_loaded, _not_loaded, _torn, _compacted, _older])
def test_answers_do_not_depend_on_the_database(
    tmp_path: Path, filled: Path, arrange: Callable[[HistoryStore], object]
) -> None:
    """Loaded, not loaded, torn or compacted: every question has the same answer."""
    shutil.copytree(filled, tmp_path, dirs_exist_ok=True)
    store = store_in(tmp_path)
    arrange(store)
    _check(PastRuns(store))


def test_answers_come_while_somebody_holds_the_database(tmp_path: Path, filled: Path) -> None:
    """A reader waits for nobody: what it can't ask of the database it reads from the files."""
    shutil.copytree(filled, tmp_path, dirs_exist_ok=True)
    store = store_in(tmp_path)
    with _held(store):
        _check(PastRuns(store))


def test_rows_not_loaded_yet_are_part_of_the_answer(tmp_path: Path) -> None:
    """A deferred load hides nothing, and a key in both places is one row in its later form."""
    store = store_in(tmp_path)
    update = {"update_id": "u", "run_id": "r1", "asin": "B1", "outcome": "unknown", "attempted_at": NOON}
    store.write("updates", "r1", [update], NOON)
    store.load()
    store.write("updates", "r2", [update | {"outcome": "done"}, update | {"update_id": "v"}], NOON)
    found = HistoryReader(store).updates_of("B1", NOON, NOON + _DAY)
    assert [("u", "done"), ("v", "unknown")] == [(row["update_id"], row["outcome"]) for row in found]


def test_a_page_of_the_edits_of_a_run_begins_with_what_went_wrong(tmp_path: Path) -> None:
    """Then in the order in which they left; all of them are counted, each once, however it was settled."""
    store = store_in(tmp_path)
    rows = [
        {"update_id": f"u{n}", "run_id": "r1", "outcome": outcome, "attempted_at": NOON + n * _DAY}
        for n, outcome in enumerate(("done", "failed", "unknown", "done"))
    ]
    store.write("updates", "r1", rows, NOON)
    store.load()
    store.write("updates", "r2", [rows[2] | {"outcome": "done", "completed_at": NOON + 3 * _DAY}], NOON)
    reader = PastRuns(store)
    pages = [[row["update_id"] for row in reader.updates_of_run("r1", 2, offset)] for offset in (0, 2, 4)]
    assert ([["u1", "u0"], ["u2", "u3"], []], {"done": 3, "failed": 1}) == (pages, reader.outcomes_of_run("r1"))


def _check(reader: PastRuns) -> None:
    history = reader.snapshots_of("B1", NOON - 41 * _DAY, NOON + _DAY)
    assert ["s00000001", "s00000003", "s00000004"] == [row["snapshot_id"] for row in history]
    assert SNAPSHOTS.schema.names == list(history[0])
    at = history[0]["observed_at"]
    assert isinstance(at, datetime)
    assert UTC == at.tzinfo
    assert ["s00000003"] == [row["snapshot_id"] for row in reader.snapshots_of("B1", NOON, NOON + timedelta(seconds=4))]
    later = NOON + timedelta(hours=1)
    assert "s00000003" == _id(reader.latest_before("B1", later))
    assert "s00000004" == _id(reader.latest_before("B1", later, authoritative=False))
    assert "s00000001" == _id(reader.latest_before("B1", NOON))
    assert reader.latest_before("B1", NOON - 50 * _DAY) is None
    assert [("d1", "1500", "2600", '{"why": "価格"}')] == [
        (row["diff_id"], row["shown"], row["wanted"], row["evidence"]) for row in reader.diffs_of("77", NOON, later)
    ]
    assert reader.diffs_of("77", NOON, later) == reader.diffs_of("B1", NOON, later)
    assert ["u1"] == [row["update_id"] for row in reader.updates_of("B1", NOON, later)]
    assert [] == reader.updates_of("B1", later, later + _DAY)
    assert ["c2", "c1"] == [row["call_id"] for row in reader.calls_of_run("r2")]
    assert ["r1", "r2"] == [row["run_id"] for row in reader.runs(2)]
    assert {"done": 1} == reader.outcomes_of_run("r2")
    assert (["u1"], []) == tuple(
        [row["update_id"] for row in reader.updates_of_run("r2", 5, offset)] for offset in (0, 1)
    )
    assert {"d1": ""} == reader.reasons_of({"d1", "d2"})
    run = reader.run("r3")
    assert run is not None
    assert NOON - 3 * _DAY == run["started_at"]
    assert reader.run("nobody") is None
    assert [("B1", 2000), ("B2", 1002)] == [(r["asin"], r["price_jpy"]) for r in reader.latest_prices_as_of(later)]
    assert ["B1"] == [row["asin"] for row in reader.latest_prices_as_of(later, within=_DAY)]
    assert ["B2"] == [row["asin"] for row in reader.latest_prices_as_of(later, ["B2", "B9"])]
    assert [("B1", 1001)] == [(r["asin"], r["price_jpy"]) for r in reader.latest_prices_as_of(NOON, ["B1"])]


def _id(row: dict[str, object] | None) -> object:
    return None if row is None else row["snapshot_id"]


def test_a_store_without_anything_answers_nothing(tmp_path: Path) -> None:
    """Before the first run every question has an empty answer."""
    reader = PastRuns(store_in(tmp_path))
    assert ([], [], {}) == (reader.runs(5), reader.updates_of_run("r1", 5), reader.outcomes_of_run("r1"))
    assert [] == reader.latest_prices_as_of(NOON)


def test_a_damaged_file_costs_its_own_rows_only(tmp_path: Path) -> None:
    """Asked of the files alone, an unreadable one is left out."""
    store = store_in(tmp_path)
    bad = store.write("snapshots", "r1", [snapshot(1, asin="B1")], NOON)
    store.write("snapshots", "r2", [snapshot(2, asin="B1")], NOON)
    assert bad is not None
    bad.write_bytes(b"damaged beyond reading")
    assert ["s00000002"] == [r["snapshot_id"] for r in HistoryReader(store).snapshots_of("B1", NOON, NOON + _DAY)]


@settings(max_examples=examples(8), deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 90 * 24), st.integers(0, 3), st.sampled_from([*AUTHORITATIVE, "api_error"])),
        max_size=25,
    ),
    st.integers(0, 90 * 24),
)
def test_prices_as_of_are_what_reading_everything_would_say(
    tmp_path_factory: pytest.TempPathFactory, given_rows: list[tuple[int, int, str]], asked_at: int
) -> None:
    """The windows are a short cut: the answer is the newest authoritative row of each ASIN, however old."""
    store = store_in(tmp_path_factory.mktemp("asof"))
    start = datetime(2026, 8, 1, tzinfo=UTC)
    rows: list[dict[str, Any]] = [
        snapshot(number, observed_at=start + timedelta(hours=hours), asin=f"B{asin}", status=status)
        for number, (hours, asin, status) in enumerate(given_rows)
    ]
    for run in range(3):
        store.write("snapshots", f"r{run}", rows[run::3], NOON)
    store.load()
    at = start + timedelta(hours=asked_at)
    expected: dict[object, dict[str, Any]] = {}
    for row in sorted(rows, key=lambda row: (row["observed_at"], row["snapshot_id"])):
        if row["status"] in AUTHORITATIVE and row["observed_at"] <= at:
            expected[row["asin"]] = row
    found = HistoryReader(store).latest_prices_as_of(at)
    assert [(asin, expected[asin]["snapshot_id"]) for asin in sorted(expected, key=str)] == [
        (row["asin"], row["snapshot_id"]) for row in found
    ]
