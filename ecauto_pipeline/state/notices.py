"""What people were last told of each alert rule, and the book that belongs to no rule.

One row a rule (`rule` or `rule:part`), its texts as a document. Not for: what is told when (alerts/).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from ecauto_pipeline.clock import from_ms, to_ms
from ecauto_pipeline.state.database import to_json
from ecauto_pipeline.state.schema_notes import notices

_BOOK = "_book"


@dataclass(frozen=True, slots=True)
class Remembered:
    """One rule as last known: `state` is ok or firing since `since`."""

    rule: str
    state: str
    since: datetime
    document: Mapping[str, Any]


def read_notices(connection: Connection) -> list[Remembered]:
    """Every rule that ever fired, or whose verdicts may come in any order, by name."""
    rows = connection.execute(select(notices).where(notices.c.rule != _BOOK).order_by(notices.c.rule))
    return [Remembered(row.rule, row.state, from_ms(row.since), json.loads(row.document)) for row in rows]


def save_notice(connection: Connection, notice: Remembered, said_at: datetime | None = None) -> None:
    """Keep this of the rule; `said_at`: a channel was told just now."""
    values: dict[str, object] = {
        "state": notice.state,
        "since": to_ms(notice.since),
        "document": to_json(notice.document),
    }
    if said_at is not None:
        values["said_at"] = to_ms(said_at)
    _set(connection, notice.rule, values)


def forget(connection: Connection, before: datetime) -> None:
    """Drop rules that have been well since before."""
    over = (notices.c.rule != _BOOK, notices.c.state == "ok", notices.c.since < to_ms(before))
    connection.execute(delete(notices).where(*over))


def read_book(connection: Connection) -> dict[str, Any]:
    """The document of what belongs to no rule: last digest, changes since, channels that refused; {} at first."""
    text = connection.execute(select(notices.c.document).where(notices.c.rule == _BOOK)).scalar()
    return dict(json.loads(text)) if text else {}


def save_book(connection: Connection, book: Mapping[str, Any], now: datetime) -> None:
    """Replace that document."""
    _set(connection, _BOOK, {"state": "ok", "since": to_ms(now), "document": to_json(book)})


def _set(connection: Connection, rule: str, values: Mapping[str, object]) -> None:
    known = connection.execute(update(notices).where(notices.c.rule == rule).values(values))
    if known.rowcount == 0:
        connection.execute(insert(notices).values(rule=rule, **values))
