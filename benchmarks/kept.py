"""What the questions of every run cost over a state.db in which a small shop has worked for a month.

`python -m benchmarks.kept`: 30 days of 53 runs an hour, 400,000 decisions and 60,000 edits that are in history and
still here; milliseconds of processor time, the mean of three. Not for: what a run does with the answers.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection, insert

from ecauto_pipeline.clock import to_ms
from ecauto_pipeline.state import decisions_for_history, journal_for_history, written_back
from ecauto_pipeline.state import runs as run_book
from ecauto_pipeline.state.database import Database
from ecauto_pipeline.state.schema_decisions import diffs
from ecauto_pipeline.state.schema_decisions import journal as edits
from ecauto_pipeline.state.schema_runs import run_sections, runs
from ecauto_pipeline.sync.run_record import recent_plans, recent_pushes, sections_of_hour
from ecauto_pipeline.sync.sweep_evidence import sweep_evidence

RUNS, AN_HOUR, DECISIONS, EDITS = 30 * 24 * 53, 53, 400_000, 60_000
SECTION = '{"sweep_answers": 900, "probe_audited": 9, "by_reason": {"' + "x" * 900 + '": 1}}'
NOW = datetime.now(UTC)
QUESTIONS: dict[str, Callable[[Connection], object]] = {
    "what the newest plans planned": lambda one: recent_plans(one, 20),
    "what the newest pushes pushed": lambda one: recent_pushes(one, 20),
    "what the runs of an hour asked": lambda one: sections_of_hour(one, "hour 9", "sp_api_snapshots"),
    "who is under way": run_book.unended,
    "runs not in history": run_book.unexported,
    "the sweep's sight, of a week": lambda one: sweep_evidence(one, NOW),
    "decisions not in history": lambda one: decisions_for_history.unexported(one, 50_000),
    "edits not in history": lambda one: journal_for_history.unexported(one, 50_000),
    "edits not in master.db": written_back.not_written_back,
}


def fill(connection: Connection) -> None:
    """Every row is in history and over."""
    began = [to_ms(NOW - timedelta(seconds=3600 / AN_HOUR * number)) for number in range(RUNS)]
    names = [f"{number * 2654435761 % 2**32:08x}{number:024x}" for number in range(max(RUNS, DECISIONS))]
    of_runs = [
        {"run_id": names[number], "job": "stock_sync", "partition_key": f"hour {number // AN_HOUR}"}
        | {"started_at": at, "ended_at": at + 60_000, "exported": 1}
        for number, at in enumerate(began)
    ]
    connection.execute(insert(runs), of_runs)
    kept = ("stale_asins", "sp_api_snapshots", "base_updates")
    texts = [
        {"run_id": name, "section": section, "document": SECTION if section == kept[1] else "{}"}
        for name in names[:RUNS]
        for section in kept
    ]
    connection.execute(insert(run_sections), texts)
    item = {"platform": "base", "account_id": "shop", "asin": "B000000001", "kind": "price", "exported": 1}
    of_items = [
        {"item_id": str(number % 9_000), "run_id": names[number // 9_000]} | item for number in range(DECISIONS)
    ]
    decided = {"decision": "skipped", "reason": "no_offer", "state": "closed", "decided_at": to_ms(NOW)}
    of_diffs = [one | decided | {"diff_id": name} for one, name in zip(of_items, names, strict=False)]
    connection.execute(insert(diffs), of_diffs)
    sent = {"diff_id": "d", "outcome": "done", "written_back": 1, "intent_at": to_ms(NOW)}
    rows = zip(of_items[:EDITS], names, strict=False)
    connection.execute(insert(edits), [one | sent | {"update_id": name, "key": name} for one, name in rows])


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{(Path(folder) / 'state.db').as_posix()}")
        with database.write() as connection:
            fill(connection)
        print("| question | ms |\n|---|---|")
        for name, ask in QUESTIONS.items():
            with database.read() as connection:
                ask(connection)
                began = time.process_time()
                for _ in range(3):
                    ask(connection)
            print(f"| {name} | {(time.process_time() - began) / 3 * 1000:.1f} |")
        database.close()


if __name__ == "__main__":
    main()
