"""What the doctor says of a fleet's servers, without one (with them: proofs/fleet/test_doctor.py)."""

from __future__ import annotations

from pathlib import Path

import pytest

from ecauto_pipeline.doctor.dagster_engines import Named, dagster_engines
from ecauto_pipeline.doctor.servers import line_kind
from ecauto_pipeline_tests.pages import ROOT

_PARTS = """
storage:
  postgres:
    postgres_db: {hostname: db.example, username: u, password: {env: PG}, db_name: d, scheme: postgresql+psycopg2}
"""


@pytest.mark.parametrize(
    ("host", "encrypted", "kind"),
    [
        ("", None, "private"),
        ("/var/run/postgresql", None, "private"),
        ("127.0.0.1", False, "private"),
        ("::1", False, "private"),
        ("localhost", False, "private"),
        ("postgres", False, "private"),
        ("db.example", False, "clear"),
        ("db.example", None, "clear"),
        ("10.0.0.5", False, "clear"),
        ("db.example", True, "encrypted"),
    ],
)
def test_what_leaves_the_machine_in_clear_is_told_apart(host: str, encrypted: bool | None, kind: str) -> None:
    """Loopback, sockets and names without a domain (containers, pods) stay private; of other hosts the server's own
    word counts, and silence is no encryption."""
    assert kind == line_kind(host, encrypted)


def test_a_fleets_servers_are_those_of_its_dagster_yaml(tmp_path: Path) -> None:
    """deploy/dagster.yaml names both by variables, Dagster's chart PostgreSQL alone, by its parts; the project's own
    file none. A variable that is not set is named."""
    environ = {"ECAUTO_DAGSTER_POSTGRES_URL": "postgresql+psycopg2://h/d"}
    found = dagster_engines(ROOT / "deploy", environ)
    assert {
        "postgresql": Named("postgresql+psycopg2://h/d"),
        "redis": Named(missing="ECAUTO_REDIS_URL"),
    } == found
    (tmp_path / "dagster.yaml").write_text(_PARTS, encoding="utf-8")
    assert {"postgresql": Named("postgresql+psycopg2://u:p%40@db.example:5432/d")} == dagster_engines(
        tmp_path, {"PG": "p@"}
    )
    assert {"postgresql": Named(missing="PG")} == dagster_engines(tmp_path, {})
    assert {} == dagster_engines(ROOT, {})
    assert {} == dagster_engines(tmp_path / "nowhere", {})
