"""A question leaves no trace of a run: not in state.db, not in history."""

from __future__ import annotations

from pathlib import Path

import dagster as dg
import duckdb

from ecauto_pipeline.defs.capacity import capacity
from ecauto_pipeline_tests.defs.installation import Installation, installed


def kept(here: Installation) -> dict[str, int]:
    """Rows by place."""
    with duckdb.connect(str(here.data / "history.duckdb"), read_only=True) as connection:
        tables = ("run_metrics", "snapshots", "diffs", "updates", "api_calls")
        counts = {name: connection.execute(f"select count(*) from {name}").fetchall()[0][0] for name in tables}
    parquet = len(list((here.data / "history").rglob("*.parquet")))
    return {**counts, "runs": here.runs_kept(), "parquet": parquet}


def test_explaining_leaves_no_row_of_a_run(tmp_path: Path) -> None:
    """Asked of an ASIN that is known and of one that is not, now and in the past: an answer, and nothing more kept."""
    with installed(tmp_path) as here:
        assert here.run("full_sync").success
        before = kept(here)
        with duckdb.connect(str(here.data / "history.duckdb"), read_only=True) as connection:
            asin = connection.execute("select asin from snapshots limit 1").fetchall()[0][0]
        for key, as_of in ((asin, ""), (asin, "2026-01-01 00:00"), ("B0NOTTHERE", "")):
            ops = {"explain_op": {"config": {"key": key, "as_of": as_of}}}
            result = here.run("explain", ops=ops, partition=None, raise_on_error=False)
            if (key, as_of) == (asin, ""):
                [output] = [event for event in result.all_events if event.event_type_value == "STEP_OUTPUT"]
                assert asin in str(output.step_output_data.metadata["explanation"])
            elif key != asin:
                assert not result.success
        assert dg.materialize([capacity], instance=here.instance).success
        assert before == kept(here)
        assert 1 == before["run_metrics"]
