"""What the doctor says of a fleet's servers when they are there, away, or open to everybody."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow.fs as pafs
import pytest

from ecauto_pipeline.clock import SystemClock
from ecauto_pipeline.doctor.examine import examine
from ecauto_pipeline.doctor.findings import Finding
from ecauto_pipeline.doctor.lines import LINES
from ecauto_pipeline.errors import EcautoError
from ecauto_pipeline.fleet.broker import ping
from ecauto_pipeline.history.objects import open_objects
from ecauto_pipeline.settings import parse
from ecauto_pipeline.state.database import Database
from ecauto_pipeline.state.server_figures import is_encrypted
from ecauto_pipeline.wiring.ports import free_port
from proofs.fleet.machines import dagster_home
from proofs.fleet.servers import PostgreSQL, Redis, S3Bucket

SERVERS = [line for line in LINES if line.name in ("PostgreSQL", "Redis", "object storage")]


@dataclass(frozen=True, slots=True)
class Place:
    """A machine of a fleet, as far as the doctor's lines about servers look at it."""

    folder: Path
    document: Mapping[str, Mapping[str, object]]
    environ: Mapping[str, str]

    def said(self, ask: bool = False, **environ: str) -> dict[str, Finding]:
        settings = parse({**self.document}, self.folder)
        given = {**self.environ, **environ}
        found = examine(settings, given, SystemClock(), language="en", endpoints={}, lines=SERVERS, ask=ask)
        return {one.name: one for one in found}


@pytest.fixture
def place(
    postgresql_server: PostgreSQL,
    redis_url: str,
    state_url: str,
    s3: S3Bucket,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Place]:
    for name, value in s3.environ.items():  # Arrow reads them itself
        monkeypatch.setenv(name, value)
    dagster = postgresql_server.new_database()
    environ = {
        **s3.environ,
        "DAGSTER_HOME": str(dagster_home(tmp_path / "home")),
        "ECAUTO_DAGSTER_POSTGRES_URL": postgresql_server.url(dagster, "psycopg2"),
        "ECAUTO_REDIS_URL": redis_url,
    }
    yield Place(tmp_path, {"state": {"url": state_url}, "history": {"url": s3.url()}}, environ)
    postgresql_server.drop_database(dagster)


def test_a_fleet_whose_servers_answer_has_no_complaint(place: Place) -> None:
    """A line for each; with --ask an object is put and taken away, and nothing of it stays."""
    for ask in (False, True):
        said = place.said(ask)
        assert {"PostgreSQL state", "PostgreSQL Dagster", "Redis", "object storage"} == set(said)
        assert {"ok"} == {one.state for one in said.values()}, said
    store = open_objects(str(place.document["history"]["url"]))
    assert {} == store.listing()
    left = store.filesystem.get_file_info(pafs.FileSelector(store.root, recursive=True, allow_not_found=True))
    assert [] == [one.path for one in left]


def test_what_is_away_is_named_without_a_secret(place: Place) -> None:
    """Each by its own line, with what to do; an address of a driver that Dagster can't use is no address."""
    nowhere = f"127.0.0.1:{free_port()}"
    said = place.said(
        ECAUTO_REDIS_URL=f"redis://:geheim@{nowhere}/0",
        ECAUTO_DAGSTER_POSTGRES_URL=f"postgresql+psycopg2://ecauto:geheim@{nowhere}/d",
    )
    assert ("bad", "bad") == (said["Redis"].state, said["PostgreSQL Dagster"].state)
    assert "geheim" not in repr(said)
    plain = place.said(ECAUTO_DAGSTER_POSTGRES_URL=f"postgresql://ecauto:geheim@{nowhere}/d")["PostgreSQL Dagster"]
    assert ("bad", True) == (plain.state, "postgresql+psycopg2://" in plain.what_to_do)
    other = Place(place.folder, {**place.document, "history": {"url": "s3://no-such-bucket/h"}}, place.environ)
    assert ("bad", "object storage can't list: there is no such bucket") == (
        other.said()["object storage"].state,
        other.said()["object storage"].what_is,
    )


def test_the_server_says_whether_a_connection_is_encrypted(state_url: str) -> None:
    """By its own view; these tests' server has no certificate."""
    database = Database(state_url)
    with database.read() as connection:
        assert is_encrypted(connection) is False
    database.close()


def test_a_broker_says_whether_it_wants_a_password() -> None:
    """One that wants it is asked with it; a wrong one is told without showing it."""
    with Redis(password="geheim") as guarded:
        assert ("127.0.0.1", True) == ping(guarded.url())
        with pytest.raises(EcautoError, match="AuthenticationError") as told:
            ping(guarded.url().replace("geheim", "falsch"))
        assert "falsch" not in str(told.value)
    with Redis() as open_to_all:
        assert ("127.0.0.1", False) == ping(open_to_all.url())
