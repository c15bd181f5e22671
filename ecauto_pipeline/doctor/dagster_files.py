"""What Dagster wrote of itself, read from its SQLite files: is its daemon alive, what is switched off, how runs ended.

Importing Dagster takes seconds, and this is asked by whoever types `ecauto status`. Nothing is created or changed; what
can't be read (another storage, a damaged file) is unknown, and says why. Not for: what follows from it (health.py) or
starting anything (cli/dagster_run.py).
Source: run and schedule storage of dagster 1.13.27 (`daemon_heartbeats`, `runs`, `instigators`); times there are UTC.
"""

from __future__ import annotations

import json
import os
import re
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ecauto_pipeline.settings import config_path

LOOKED_AT = 500
"""Newest runs looked at: more than a week of hourly ones with their slices."""


@dataclass(frozen=True, slots=True)
class RunEnd:
    """How Dagster saw a run end: `status` is SUCCESS, FAILURE or CANCELED."""

    run_id: str
    job: str
    status: str
    ended_at: datetime


@dataclass(frozen=True, slots=True)
class DagsterSeen:
    """`known`: there was something to read. `daemon_at`: the scheduler's last sign of life; `ends`: newest first.

    `unread`: why something of it can't be read, in Japanese and English; None where nothing stood in the way.
    """

    known: bool = False
    daemon_at: datetime | None = None
    switched_off: tuple[str, ...] = ()
    ends: tuple[RunEnd, ...] = field(default=())
    unread: tuple[str, str] | None = None


def project_root() -> Path:
    """The folder of dagster.yaml: beside ecauto.toml, or the nearest one above the current folder, or the package's."""
    config = config_path()
    here = Path.cwd().absolute()
    candidates = [*([config.parent] if config else []), here, *here.parents, Path(__file__).absolute().parents[2]]
    return next((folder for folder in candidates if (folder / "dagster.yaml").is_file()), here)


def dagster_home(environ: Mapping[str, str] = os.environ) -> Path:
    """The folder that Dagster calls DAGSTER_HOME: of the environment, else the project's root."""
    return Path(environ.get("DAGSTER_HOME") or project_root())


def look_at_dagster(home: Path, environ: Mapping[str, str] = os.environ) -> DagsterSeen:
    """What the instance of this DAGSTER_HOME says; nothing where nothing ever ran. Raises nothing: see `unread`."""
    try:
        base = _base_dir(home, environ)
        return base if isinstance(base, DagsterSeen) else _read(base)
    except (OSError, UnicodeDecodeError, sqlite3.Error) as error:
        why = type(error).__name__
    except (ValueError, TypeError, AttributeError, OverflowError, RecursionError) as error:  # written otherwise by now
        why = type(error).__name__
    return DagsterSeen(unread=(f"Dagsterの記録を読めません ({why})", f"Dagster's records can't be read ({why})"))


def ends_of(home: Path, run_ids: Sequence[str], environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """How Dagster saw these runs end (SUCCESS, FAILURE, CANCELED), by id; what it does not say is left out."""
    try:
        base = _base_dir(home, environ)
        if isinstance(base, DagsterSeen) or not run_ids:
            return {}
        found: dict[str, str] = {}
        for start in range(0, len(run_ids), LOOKED_AT):
            few = tuple(run_ids[start : start + LOOKED_AT])
            marks = ", ".join("?" * len(few))
            query = f"SELECT run_id, status FROM runs WHERE run_id IN ({marks}) AND {_HAS_ENDED}"
            found |= {str(name): str(end) for name, end in _rows(base / "history" / "runs.db", query, few) or ()}
    except (OSError, UnicodeDecodeError, sqlite3.Error):
        return {}
    return found


def _read(base: Path) -> DagsterSeen:
    runs_db, schedules_db = base / "history" / "runs.db", base / "schedules" / "schedules.db"
    runs = _rows(runs_db, _ENDS, (LOOKED_AT,))
    if runs is None:
        return DagsterSeen()
    beats = _rows(runs_db, "SELECT max(timestamp) FROM daemon_heartbeats WHERE daemon_type = ?", ("SCHEDULER",))
    off = _rows(schedules_db, "SELECT instigator_body FROM instigators WHERE status = ?", ("STOPPED",))
    beat = beats[0][0] if beats else None
    ends = (RunEnd(str(i), str(job), str(status), _at(ended or updated)) for i, job, status, ended, updated in runs)
    names = sorted(name for (body,) in off or () if (name := _name_in(body)))
    return DagsterSeen(True, None if beat is None else _at(beat), tuple(names), tuple(ends))


_HAS_ENDED = "status IN ('SUCCESS', 'FAILURE', 'CANCELED')"
_ENDS = f"""
SELECT run_id, pipeline_name, status, end_time, update_timestamp FROM runs
WHERE {_HAS_ENDED} ORDER BY id DESC LIMIT ?
"""


def _base_dir(home: Path, environ: Mapping[str, str]) -> Path | DagsterSeen:
    """The folder of the SQLite files; or that they are somewhere else. Dagster's own default: DAGSTER_HOME itself."""
    settings = home / "dagster.yaml"
    text = settings.read_text(encoding="utf-8-sig") if settings.is_file() else ""
    if not (found := _STORAGE.search(text)):
        return home
    kind = _FIRST_KEY.search(found["block"])
    in_files = kind and (kind[1] == "sqlite" or (kind[1] == "custom" and OUR_STORAGE in found["block"]))
    base = _BASE_DIR.search(found["block"]) if in_files else None
    if found["key"] == "storage" and base:
        named = environ.get(base["variable"], "") if base["variable"] else base["path"].strip()
        return home / named if named else _elsewhere("sqlite")
    return _elsewhere(kind[1] if kind and found["key"] == "storage" else found["key"])


def _elsewhere(kind: str) -> DagsterSeen:
    ja = f"Dagsterの記録がSQLiteのファイルではありません (dagster.yaml: {kind})"
    return DagsterSeen(unread=(ja, f"Dagster's records are not in SQLite files (dagster.yaml: {kind})"))


OUR_STORAGE = "ecauto_pipeline.defs.dagster_storage"
"""The module of dagster.yaml's `storage: custom:` that keeps the files of `sqlite:`."""
_KEYS = r"(?P<key>storage|run_storage|event_log_storage|schedule_storage)"
_STORAGE = re.compile(
    rf"^{_KEYS}:[ \t]*(?P<block>.*\n?(?:[ \t]+.*\n?|[ \t]*#.*\n?|\n)*)",
    re.MULTILINE,
)
_FIRST_KEY = re.compile(r"^\s*(?:\{\s*)?([A-Za-z_]+):", re.MULTILINE)
_BASE_DIR = re.compile(
    r"base_dir:[ \t]*(?:\n[ \t]+env:[ \t]*(?P<variable>\w+)|[\"']?(?P<path>[^\"'#{}\n]+))", re.MULTILINE
)


def _rows(path: Path, query: str, values: tuple[object, ...]) -> list[tuple[Any, ...]] | None:
    """None where there is no such file. Raises sqlite3.Error where it can't be read just now."""
    if not path.is_file():
        return None
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=2)) as connection:
        return connection.execute(query, values).fetchall()


def _at(value: float | str) -> datetime:
    if isinstance(value, int | float):
        return datetime.fromtimestamp(value, UTC)
    return datetime.fromisoformat(value).replace(tzinfo=UTC)


def _name_in(body: str) -> str:
    """The name of the schedule or sensor of a stored state."""
    origin: Mapping[str, Any] = json.loads(body).get("origin", {})
    return str(origin.get("instigator_name") or origin.get("job_name") or "")
