"""What is asked of the runs costs what is answered, not what is kept: a small shop keeps forty thousand of them."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, insert

from ecauto_pipeline.clock import to_ms
from ecauto_pipeline.state import runs as run_book
from ecauto_pipeline.state.database import Database
from ecauto_pipeline.state.schema_runs import run_sections, runs

NOW = datetime(2026, 11, 26, 3, tzinfo=UTC)
KEPT = 3_000
STEPS = 1_000
"""Steps of SQLite's machine that are counted as one."""
QUESTIONS: dict[str, Callable[[Connection], object]] = {
    "newest": lambda one: run_book.recent(one, 5),
    "page": lambda one: run_book.page(one, 5, before=(NOW - timedelta(minutes=50), "")),
    "newest with a section": lambda one: run_book.sections(one, "stale_asins", limit=5),
    "newest without": lambda one: run_book.sections(one, "order_watch", since=NOW - timedelta(minutes=9)),
    "of an hour": lambda one: run_book.sections(one, "stale_asins", live_of_hour="hour 7"),
    "unended": run_book.unended,
    "not in history": run_book.unexported,
    "oldest": run_book.oldest,
    "over": lambda one: run_book.forget(one, NOW - timedelta(days=30)),
}


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """A run a minute, sixty an hour, each with the section of its plan."""
    path: Path = tmp_path_factory.mktemp("state") / "state.db"
    opened = Database(f"sqlite:///{path.as_posix()}")
    began = [to_ms(NOW - timedelta(minutes=number)) for number in range(KEPT)]
    with opened.write() as connection:
        rows = [
            {"run_id": f"{at}", "job": "stock_sync", "started_at": at, "ended_at": at + 1, "exported": 1}
            | {"partition_key": f"hour {number // 60}"}
            for number, at in enumerate(began)
        ]
        connection.execute(insert(runs), rows)
        texts = [{"run_id": f"{at}", "section": "stale_asins", "document": "{}"} for at in began]
        connection.execute(insert(run_sections), texts)
    yield opened
    opened.close()


@pytest.mark.parametrize("asked", QUESTIONS)
def test_a_question_reads_what_it_answers(database: Database, asked: str) -> None:
    """Counted in steps of SQLite's own machine, of which looking at each run would take many more."""
    counted: list[None] = []
    with database.write() as connection:
        raw = connection.connection.driver_connection
        assert isinstance(raw, sqlite3.Connection)
        raw.set_progress_handler(lambda: counted.append(None), STEPS)
        QUESTIONS[asked](connection)
        raw.set_progress_handler(None, 0)
    assert len(counted) <= 3
