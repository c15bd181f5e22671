"""What Dagster wrote of itself, read from its SQLite files: is its daemon alive, what is switched off, how runs ended.

Importing Dagster takes seconds, and this is asked by whoever types `ecauto status`. Nothing is created or changed; what
can't be read is unknown. Not for: what follows from it (health.py) or starting anything (cli/dagster_run.py).
Source: run and schedule storage of dagster 1.13.27 (`daemon_heartbeats`, `runs`, `instigators`); times there are UTC.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

LOOKED_AT = 500
"""Newest runs looked at: more than a week of hourly ones with their slices."""

_BASE_DIR = re.compile(r"^storage:\s*\n\s+sqlite:\s*\n\s+base_dir:\s*[\"']?([^\"'\n]+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class RunEnd:
    """How Dagster saw a run end: `status` is SUCCESS, FAILURE or CANCELED."""

    run_id: str
    job: str
    status: str
    ended_at: datetime


@dataclass(frozen=True, slots=True)
class DagsterSeen:
    """`known`: there was something to read. `daemon_at`: the scheduler's last sign of life; `ends`: newest first."""

    known: bool = False
    daemon_at: datetime | None = None
    switched_off: tuple[str, ...] = ()
    ends: tuple[RunEnd, ...] = field(default=())


def look_at_dagster(home: Path) -> DagsterSeen:
    """What the instance of this DAGSTER_HOME says; unknown where it keeps no SQLite files."""
    base = _base_dir(home)
    runs = _rows(base / "history" / "runs.db", _ENDS, (LOOKED_AT,))
    beats = _rows(
        base / "history" / "runs.db",
        "SELECT max(timestamp) FROM daemon_heartbeats WHERE daemon_type = ?",
        ("SCHEDULER",),
    )
    off = _rows(
        base / "schedules" / "schedules.db", "SELECT instigator_body FROM instigators WHERE status = ?", ("STOPPED",)
    )
    if runs is None:
        return DagsterSeen()
    beat = beats[0][0] if beats else None
    ends = (RunEnd(str(i), str(job), str(status), _at(ended or updated)) for i, job, status, ended, updated in runs)
    names = sorted(name for (body,) in off or () if (name := _name_in(body)))
    return DagsterSeen(True, None if beat is None else _at(beat), tuple(names), tuple(ends))


_ENDS = """
SELECT run_id, pipeline_name, status, end_time, update_timestamp FROM runs
WHERE status IN ('SUCCESS', 'FAILURE', 'CANCELED') ORDER BY id DESC LIMIT ?
"""


def _base_dir(home: Path) -> Path:
    try:
        found = _BASE_DIR.search((home / "dagster.yaml").read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        found = None
    return home / found[1].strip() if found else home


def _rows(path: Path, query: str, values: tuple[object, ...]) -> list[tuple[Any, ...]] | None:
    """None where there is no such file, or it can't be read just now."""
    if not path.is_file():
        return None
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=2)) as connection:
            return connection.execute(query, values).fetchall()
    except sqlite3.Error:
        return None


def _at(value: float | str) -> datetime:
    if isinstance(value, int | float):
        return datetime.fromtimestamp(value, UTC)
    return datetime.fromisoformat(value).replace(tzinfo=UTC)


def _name_in(body: str) -> str:
    """The name of the schedule or sensor of a stored state."""
    try:
        origin: Mapping[str, Any] = json.loads(body).get("origin", {})
    except ValueError:
        return ""
    return str(origin.get("instigator_name") or origin.get("job_name") or "")
