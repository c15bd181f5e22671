"""The servers of a fleet as fixtures: one of each a session, started when first asked for; a database, a bucket and a
number of Redis's of its own for each test.

`make test-fleet` runs what stands here, in a virtualenv of its own. Tests that kill a server take one of their own from
servers.py. What each file took is said at the end. Not for: what runs on the servers (machines.py).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

import pytest

from proofs.fleet.servers import S3, PostgreSQL, Redis, S3Bucket
from proofs.fleet.tables import migrated


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[PostgreSQL]:
    with PostgreSQL() as server:
        yield server


@pytest.fixture(scope="session")
def redis_server() -> Iterator[Redis]:
    with Redis() as server:
        yield server


@pytest.fixture(scope="session")
def s3_server() -> Iterator[S3]:
    with S3() as server:
        yield server


@pytest.fixture
def postgresql_url(postgresql_server: PostgreSQL) -> Iterator[str]:
    """SQLAlchemy's URL (psycopg 3) of an empty database, gone after the test."""
    database = postgresql_server.new_database()
    yield postgresql_server.url(database)
    postgresql_server.drop_database(database)


@pytest.fixture
def state_url(postgresql_url: str) -> str:
    """The same with the tables of state in it."""
    return migrated(postgresql_url)


@pytest.fixture
def redis_url(redis_server: Redis) -> str:
    """Redis's own URL of a Redis that is empty at the beginning of the test."""
    import redis

    with redis.Redis.from_url(redis_server.url()) as client:
        client.flushall()
    return redis_server.url()


@pytest.fixture
def s3(s3_server: S3) -> S3Bucket:
    """An empty bucket; its `environ` is what a process needs to reach it."""
    return s3_server.new_bucket()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Seconds by file, set-up and end included, the longest first."""
    took: defaultdict[str, float] = defaultdict(float)
    for reports in terminalreporter.stats.values():
        for report in reports:
            if isinstance(report, pytest.TestReport):
                took[report.nodeid.partition("::")[0]] += report.duration
    for file, seconds in sorted(took.items(), key=lambda each: -each[1]):
        terminalreporter.write_line(f"{seconds:6.0f} s  {file}")
