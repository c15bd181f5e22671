"""How SQLite finds the rows that some work asks for: its statements are noted, and explained afterwards.

Not for: what the work does (the tests of it), or how long it takes (benchmarks/).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from sqlalchemy import event

from ecauto_pipeline.state.database import Database

Asked = list[tuple[str, Any]]


class Step(NamedTuple):
    """`verb`: SELECT, UPDATE or DELETE; `way`: SQLite's word, as "SEARCH asins USING INDEX ..." or "SCAN asins"."""

    verb: str
    way: str


@contextmanager
def noted(state: Database, asked: Asked) -> Iterator[None]:
    """The statements that are executed meanwhile, with the values of each one's first row."""

    def note(_connection: Any, _cursor: Any, statement: str, values: Any, *_: Any) -> None:
        asked.append((statement, values[0] if isinstance(values, list) else values))

    event.listen(state.engine, "before_cursor_execute", note)
    try:
        yield
    finally:
        event.remove(state.engine, "before_cursor_execute", note)


def steps_of(state: Database, asked: Asked, *tables: str) -> set[Step]:
    """The ways in which they come to rows of these tables."""
    with state.read() as connection:
        steps = {
            Step(statement.split()[0], row[3])
            for statement, values in asked
            if statement.startswith(("SELECT", "UPDATE", "DELETE"))
            for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
        }
    return {step for step in steps if set(tables) & set(step.way.split())}
