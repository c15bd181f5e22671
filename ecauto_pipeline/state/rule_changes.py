"""Who changed the owner's rules per item when, and which lines of the file came and went.

Not for: the rules in force (item_rules.py) or whole former files (sync/listings/rules_history.py keeps copies).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import Connection, delete, func, insert, select

from ecauto_pipeline.clock import from_ms, to_ms
from ecauto_pipeline.state.database import to_json
from ecauto_pipeline.state.schema_notes import rule_changes

How = Literal["import", "set", "unset", "file"]


@dataclass(frozen=True, slots=True)
class RuleChange:
    """`how` "file": somebody saved the file and a run found it so (`who` is "" then). `rules`: in force from `at` on.

    `added`, `removed`: how many lines of the file came and went; the first ones of them as text.
    """

    at: datetime
    how: How
    who: str
    rules: int
    added: int
    removed: int
    added_lines: tuple[str, ...] = ()
    removed_lines: tuple[str, ...] = ()


def note_change(connection: Connection, change: RuleChange) -> None:
    """Other rules are in force from now on."""
    lines = to_json({"added": list(change.added_lines), "removed": list(change.removed_lines)})
    row = {name: getattr(change, name) for name in ("how", "who", "rules", "added", "removed")}
    connection.execute(insert(rule_changes).values(changed_at=to_ms(change.at), lines=lines, **row))


def changes(connection: Connection, limit: int, offset: int = 0) -> list[RuleChange]:
    """The newest first."""
    query = select(rule_changes).order_by(rule_changes.c.change_id.desc()).limit(limit).offset(offset)
    return [
        RuleChange(
            *(from_ms(row.changed_at), row.how, row.who, row.rules, row.added, row.removed),
            *_lines(row.lines),
        )
        for row in connection.execute(query)
    ]


def count_changes(connection: Connection) -> int:
    """How many are kept."""
    return int(connection.execute(select(func.count()).select_from(rule_changes)).scalar_one())


def forget(connection: Connection, before: datetime) -> None:
    """Drop what is older."""
    connection.execute(delete(rule_changes).where(rule_changes.c.changed_at < to_ms(before)))


def _lines(document: str) -> Sequence[tuple[str, ...]]:
    found = json.loads(document)
    return tuple(found.get("added", ())), tuple(found.get("removed", ()))
