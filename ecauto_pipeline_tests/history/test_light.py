"""What a question about the past loads into whoever asks it."""

from __future__ import annotations

import ast
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ecauto_pipeline.clock import SystemClock
from ecauto_pipeline.history.database import database
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
