"""What a question about the past loads into whoever asks it, and keeping it into whoever does."""

from __future__ import annotations

import ast
import subprocess
import sys
import weakref
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from ecauto_pipeline.clock import SystemClock
from ecauto_pipeline.history.arrow_columns import counted, flags, reals, repeated, texts, wholes
from ecauto_pipeline.history.arrow_columns import moments as arrow_moments
from ecauto_pipeline.history.database import QUIET, database
from ecauto_pipeline.history.duckdb_without_pandas import rows_as
from ecauto_pipeline.history.store import HistoryStore
from ecauto_pipeline.history.tables import SNAPSHOTS
from ecauto_pipeline_tests.test_architecture import trees

ASKS = """
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from ecauto_pipeline.clock import SystemClock
from ecauto_pipeline.history.store import HistoryStore
from ecauto_pipeline.history.summaries import HistorySummaries
folder = Path(sys.argv[1])
asked = HistorySummaries(HistoryStore(folder / "history", folder / "history.duckdb", SystemClock()))
end = datetime.now(UTC) + timedelta(hours=1)
start = end - timedelta(days=2)
rows = asked.snapshots_of("B000000001", start, end)
assert [one["observed_at"] for one in rows] == [one["observed_at"] for one in asked.prices_of("B000000001", start, end)]
assert [one["asin"] for one in asked.latest_prices_as_of(end)] == ["B000000001"]
assert asked.answers_by_hour(start, end)[0]["at"].tzinfo is not None
print(len(rows), [one for one in ("pyarrow", "pandas") if one in sys.modules])
"""

KEEPS = """
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from ecauto_pipeline.clock import SystemClock
from ecauto_pipeline.history.store import HistoryStore
folder, at = Path(sys.argv[1]), datetime(2026, 1, 2, tzinfo=UTC)
store = HistoryStore(folder / "history", folder / "history.duckdb", SystemClock())
row = {"run_id": "r", "asin": "B000000001", "observed_at": at, "status": "success", "price_jpy": 1000, "in_stock": True}
for run in ("a", "b"):
    for part in range(2):
        rows = [row | {"snapshot_id": f"{run}{number}"} for number in range(part + 1)]
        store.write("snapshots", run, rows, at, "x")
        assert store.load().files == 1
assert store.absent("snapshots", ["a1", "c1"]) == ["c1"]
assert store.verify().ok
assert store.compact(date(2026, 2, 1)).rows == 4
assert store.rebuild().rows == 4
assert store.verify().ok
import os, pyarrow
assert pyarrow.default_memory_pool().backend_name == "system", "what it frees could not be given back"
assert os.environ["DUCKDB_JE_MALLOC_CONF"].startswith("dirty_decay_ms:0"), "what DuckDB frees it would keep"
print([one for one in ("pandas", "pyarrow.dataset", "pyarrow.compute", "pyarrow.pandas_compat") if one in sys.modules])
"""


def test_a_question_needs_neither_arrow_nor_pandas(tmp_path: Path) -> None:
    """Of what is loaded and of a file that is not yet: DuckDB alone answers, in a desk that stays small."""
    store = HistoryStore(tmp_path / "history", tmp_path / "history.duckdb", SystemClock())
    now = datetime.now(UTC)
    for number in (1, 2):
        at = now - timedelta(hours=number)
        row = {"snapshot_id": str(number), "run_id": f"run-{number}", "asin": "B000000001", "observed_at": at}
        store.write(SNAPSHOTS.name, f"run-{number}", [row | {"status": "success", "price_jpy": 1000}], at)
        if number == 1:
            store.load()
    told = subprocess.run([sys.executable, "-c", ASKS, str(tmp_path)], capture_output=True, text=True, check=False)
    assert ("2 []", "") == (told.stdout.strip(), told.stderr)


def test_what_every_run_does_with_history_needs_no_pandas(tmp_path: Path) -> None:
    """Arrow and DuckDB would load it, and parts of Arrow that nobody needs, to see whether they were given any of it:
    70 MB and a second of processor in each run. Written, loaded, written again, compared, merged, built anew: without
    them, and what was written is what is read."""
    told = subprocess.run([sys.executable, "-c", KEEPS, str(tmp_path)], capture_output=True, text=True, check=False)
    assert ("[]", "") == (told.stdout.strip(), told.stderr)


def test_columns_put_together_from_buffers_are_those_of_arrow() -> None:
    """Of every kind: with nulls, without, of nulls alone, of nothing; what is too large or no text is refused."""
    whole, text = [0, None, -(2**63), 2**63 - 1], ["", None, "日本語", "a" * 70]
    moments = [datetime.max.replace(tzinfo=UTC), None, datetime.min.replace(tzinfo=UTC)]
    columns: tuple[tuple[pa.DataType, Any, list[Any]], ...] = (
        (pa.int64(), wholes, whole),
        (pa.float64(), reals, [0.5, None, -1e300]),
        (pa.bool_(), flags, [True, None, *[False, True] * 9]),
        (pa.string(), texts, text),
        (pa.timestamp("us", "UTC"), arrow_moments, moments),
    )
    for kind, make, values in columns:
        for some in (values, [one for one in values if one is not None], [None, None], []):
            made = make(some)
            made.validate(full=True)
            assert pa.array(some, kind).equals(made)
    assert pa.array(range(3, 7), pa.int64()).equals(counted(3, 4))
    assert pa.array([5, 5], pa.int64()).equals(repeated(5, 2))
    with pytest.raises(OverflowError):
        wholes([2**63])
    with pytest.raises(UnicodeEncodeError):
        texts(["\ud800"])


def test_rows_that_were_taken_in_are_given_back_before_the_transaction_ends() -> None:
    """A bulk load holds one chunk of Arrow at a time, however many rows one transaction takes: what is a table in it
    is kept to its end, so chunks take turns in one that was there before."""
    with duckdb.connect() as connection, rows_as(connection, "incoming", pa.table({"k": wholes([])})) as incoming:
        connection.execute(QUIET)
        connection.execute("CREATE TABLE kept (k BIGINT)")
        connection.execute("BEGIN TRANSACTION")
        given = []
        for number in range(4):
            incoming.rows = pa.table({"k": wholes([number, None])})
            given.append(weakref.ref(incoming.rows))
            connection.execute("INSERT INTO kept SELECT k FROM incoming WHERE k IS NOT NULL")
        assert [True, True, True, False] == [one() is None for one in given]
        connection.execute("COMMIT")
        assert [(0,), (1,), (2,), (3,)] == connection.execute("SELECT k FROM kept ORDER BY k").fetchall()


def test_no_database_draws_over_what_people_read(tmp_path: Path) -> None:
    """DuckDB's own bar, which it draws after two seconds, is off wherever one is opened."""
    opened = [
        (path, ast.unparse(tree).count("duckdb.connect("), ast.unparse(tree).count("execute(QUIET)"))
        for path, tree in trees("ecauto_pipeline", r"duckdb\.connect")
    ]
    assert opened
    assert [] == [(path, opens, quiet) for path, opens, quiet in opened if opens != quiet]
    with database(tmp_path / "history.duckdb") as connection:
        assert [(False,)] == connection.execute("select current_setting('enable_progress_bar')").fetchall()
