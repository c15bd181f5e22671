"""Questions about runs of the past: their figures, a page of their edits, why those were made.

Not for: what was known of an ASIN (questions.py), or counts over a span of time (summaries.py).
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Literal

from ecauto_pipeline.history.asked_rows import Row, rows_once
from ecauto_pipeline.history.database import later_first
from ecauto_pipeline.history.questions import HistoryReader
from ecauto_pipeline.history.tables import DIFFS, RUN_METRICS, UPDATES

_WELL = "outcome IN ('done', 'dry_run')"


class PastRuns(HistoryReader):
    """Asks about runs; as HistoryReader."""

    def runs(
        self, limit: int, *, before: datetime | None = None, job: str = "", only: Literal["", "changed", "failed"] = ""
    ) -> list[Row]:
        """The figures of the last `limit` runs that began before a moment, newest first: of one job or all, all of them
        or only those that changed something, or in which an edit failed."""
        where = {"": "true", "changed": "pushed > 0 AND NOT dry_run", "failed": "failed > 0"}[only]
        values: list[object] = []
        if before is not None:
            where, values = f"{where} AND started_at < ?", [*values, before]
        if job:
            where, values = f"{where} AND job = ?", [*values, job]
        return self._rows(RUN_METRICS, where, values, newest=limit)

    def run_starting_with(self, prefix: str) -> list[Row]:
        """The figures of the runs whose id begins so, at most two, for a name must fit one."""
        return self._rows(RUN_METRICS, "starts_with(run_id, ?)", [prefix], newest=2)

    def outcomes_of_run(self, run_id: str) -> dict[str, int]:
        """How many edits of one run ended how."""
        query = (
            "SELECT outcome, count(*) AS count FROM (SELECT outcome FROM <source> WHERE run_id = ? "
            "QUALIFY row_number() OVER (PARTITION BY update_id "
            f"ORDER BY {later_first(UPDATES, 'load_order', 'load_position')}) = 1) GROUP BY ALL ORDER BY ALL"
        )
        return {str(row["outcome"]): int(str(row["count"])) for row in self._ask(UPDATES, query, [run_id], None)}

    def updates_of_run(self, run_id: str, limit: int, offset: int = 0) -> list[Row]:
        """So many edits of one run from `offset` on, what went wrong first, then in the order in which they left."""
        query = f"{rows_once(UPDATES, 'run_id = ?')} ORDER BY {_WELL}, attempted_at, update_id"
        return self._ask(UPDATES, f"{query} LIMIT {int(limit)} OFFSET {int(offset)}", [run_id], None)

    def reasons_of(self, diff_ids: Collection[str]) -> dict[str, str]:
        """Why each of these changes was decided, by diff_id; those that history does not have are left out."""
        if not diff_ids:
            return {}
        query = (
            "SELECT diff_id, max_by(reason, load_order) AS reason FROM <source> WHERE decision = 'push' "
            "AND diff_id IN (SELECT unnest(CAST(? AS VARCHAR[]))) GROUP BY diff_id"
        )
        rows = self._ask(DIFFS, query, [sorted(diff_ids)], None)
        return {str(row["diff_id"]): str(row["reason"] or "") for row in rows}
