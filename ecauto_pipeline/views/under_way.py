"""The runs under way, each with how far it has come: which step, n of N.

Asked every few seconds while somebody looks: a few counts in state.db, nothing else. Not for: runs that ended (runs.py)
or ending one (sync/people/stop_run.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ecauto_pipeline.clock import jst
from ecauto_pipeline.domain.liveness import stands_in_the_way
from ecauto_pipeline.state import runs as run_book
from ecauto_pipeline.state.run_progress import RunProgress, progress_of
from ecauto_pipeline.state.runs import RunRow
from ecauto_pipeline.sync.context import Tools
from ecauto_pipeline.views.run_words import Words

STEPS: Mapping[str, Words] = {
    "listings": ("ショップの商品を読んでいます", "reading the shops"),
    "stale_asins": ("調べる商品を選んでいます", "choosing what to ask"),
    "sp_api_snapshots": ("Amazonに確認しています", "asking Amazon"),
    "diffs": ("価格と公開状態を比べています", "comparing prices and visibility"),
    "base_updates": ("ショップを更新しています", "updating the shops"),
    "history": ("履歴に書いています", "writing the history"),
    "": ("実行しています", "at work"),
}
"""What a run is doing, by the step; "" = of a job without the steps of a sync."""
REHEARSAL: Words = ("更新の予定を書き出しています", "writing down what it would change")
_OF_A_SYNC = frozenset({"stock_sync", "price_sync", "full_sync"})


@dataclass(frozen=True, slots=True)
class UnderWay:
    """One run that somebody works on. `step`: as in STEPS; `done` of `total` in it, None where it has no count.

    `stop_by`: who asked it to end.
    """

    run_id: str
    job: str
    started_at: datetime
    dry_run: bool
    step: str
    done: int | None = None
    total: int | None = None
    stop_by: str = ""


def runs_under_way(tools: Tools) -> tuple[UnderWay, ...]:
    """Those that live, the oldest first; of one that was killed `ecauto status` speaks as a trouble."""
    now = tools.clock.now()
    with tools.state.read() as connection:
        living = [row for row in run_book.unended(connection) if stands_in_the_way(run_book.life(row, now))]
        return tuple(_under_way(row, progress_of(connection, row, now)) for row in living)


def step_words(run: UnderWay, language: str) -> str:
    """What it does just now, with its count: "Amazonに確認しています 120/480"."""
    words = REHEARSAL if run.dry_run and run.step == "base_updates" else STEPS[run.step]
    counted = f" {run.done:,}/{run.total:,}" if run.done is not None and run.total else ""
    return words[language == "en"] + counted


def as_data(run: UnderWay) -> dict[str, Any]:
    return {
        "run_id": run.run_id,
        "job": run.job,
        "started_at": jst(run.started_at).isoformat(timespec="seconds"),
        "dry_run": run.dry_run,
        "step": run.step,
        "done": run.done,
        "total": run.total,
        "stop_by": run.stop_by,
    }


def _under_way(row: RunRow, progress: RunProgress) -> UnderWay:
    step, done, total = _step(row, progress)
    return UnderWay(row.run_id, row.job, row.started_at, row.dry_run, step, done, total, row.stop_by)


def _step(row: RunRow, progress: RunProgress) -> tuple[str, int | None, int | None]:
    """The first step that has not reported; with the count of what it works through."""
    done = row.sections
    if row.job not in _OF_A_SYNC:
        return "", None, None
    if "base_updates" in done:
        return "history", None, None
    if "visibility_diffs" in done or "price_diffs" in done:
        return "base_updates", progress.sent, progress.to_send
    if "sp_api_snapshots" in done:
        return "diffs", None, None
    if "listings" not in done:
        return "listings", None, None
    if progress.to_ask is None and "stale_asins" not in done:
        return "stale_asins", None, None
    return "sp_api_snapshots", progress.asked, progress.to_ask
