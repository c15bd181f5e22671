"""Where Dagster keeps its records is read from dagster.yaml, however it is written; what is not in files is unknown."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from ecauto_pipeline.doctor.dagster_files import DagsterSeen, look_at_dagster

HEARD = 1_767_583_800.0


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Records in `here/kept`: a daemon that gave a sign of life, no run."""
    history = tmp_path / "kept" / "history"
    history.mkdir(parents=True)
    with closing(sqlite3.connect(history / "runs.db")) as database:
        database.execute("CREATE TABLE runs (id, run_id, pipeline_name, status, end_time, update_timestamp)")
        database.execute("CREATE TABLE daemon_heartbeats (daemon_type, timestamp)")
        database.execute("INSERT INTO daemon_heartbeats VALUES ('SCHEDULER', ?)", (HEARD,))
        database.commit()
    return tmp_path


@pytest.mark.parametrize(
    "text",
    [
        "storage:\n  sqlite:\n    base_dir: kept\n",
        "telemetry:\n  enabled: false\nstorage:\n\n  # here\n  sqlite:\n    base_dir: 'kept' # and not there\nnux:\n",
        'storage:\n    sqlite:\n        base_dir: "kept"',
        "storage:\n  sqlite:\n    base_dir:\n      env: KEPT\n",
        "storage: {sqlite: {base_dir: kept}}\n",
        "storage:\n  custom: # ours\n    module: ecauto_pipeline.defs.dagster_storage\n    class: SqliteFiles\n"
        "    config:\n      base_dir: kept\n",
        "\ufeffstorage:\r\n  sqlite:\r\n    base_dir: kept\r\n",
    ],
)
def test_files_are_found(home: Path, text: str) -> None:
    """However the folder is written down."""
    (home / "dagster.yaml").write_text(text, encoding="utf-8", newline="")
    seen = look_at_dagster(home, {"KEPT": "kept"})
    assert (True, HEARD, None) == (seen.known, seen.daemon_at and seen.daemon_at.timestamp(), seen.unread)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("storage:\n  postgres:\n    postgres_url:\n      env: PG\n", "postgres"),
        ("storage:\n  mysql:\n    mysql_url: x\n", "mysql"),
        ("storage:\n  custom:\n    module: m\n    class: C\n", "custom"),
        ("storage: {postgres: {postgres_url: x}}\n", "postgres"),
        ("run_storage:\n  module: dagster_postgres.run_storage\n  class: PostgresRunStorage\n", "run_storage"),
        ("storage:\n  sqlite:\n    base_dir:\n      env: NOT_SET\n", "sqlite"),
        ("storage:\n", "storage"),
    ],
)
def test_records_elsewhere_are_unknown(home: Path, text: str, named: str) -> None:
    """Files that are there all the same are those of another time."""
    (home / "kept").rename(home / "data")
    (home / "dagster.yaml").write_text(text, encoding="utf-8")
    seen = look_at_dagster(home, {})
    assert seen == DagsterSeen(unread=seen.unread)
    assert seen.unread is not None
    assert all(words.endswith(f"(dagster.yaml: {named})") for words in seen.unread)


def test_what_can_not_be_read_is_unknown_and_what_is_not_there_is_nothing(home: Path) -> None:
    """Torn, of another form, not UTF-8: no error. A new installation has no records, which is known."""
    (home / "dagster.yaml").write_text("storage:\n  sqlite:\n    base_dir: kept\n", encoding="utf-8")
    runs = home / "kept" / "history" / "runs.db"
    with closing(sqlite3.connect(runs)) as database:
        database.execute("INSERT INTO runs VALUES (1, 'r', 'j', 'FAILURE', 'yesterday', NULL)")
        database.commit()
    assert look_at_dagster(home).unread is not None
    with closing(sqlite3.connect(runs)) as database:
        database.execute("DROP TABLE daemon_heartbeats")
        database.execute("DELETE FROM runs")
        database.commit()
    assert look_at_dagster(home).unread is not None
    runs.write_bytes(b"this is no database" * 500)
    assert look_at_dagster(home).unread is not None
    runs.unlink()
    assert DagsterSeen() == look_at_dagster(home)
    (home / "dagster.yaml").write_bytes("# 記録\n".encode("cp932"))
    assert look_at_dagster(home).unread is not None
