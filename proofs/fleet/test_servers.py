"""What the tests of a fleet stand on: servers of this machine that can be killed and come back as they say."""

from __future__ import annotations

import boto3
import pytest
import redis
from botocore.exceptions import ClientError
from sqlalchemy import create_engine, text

from proofs.fleet.servers import PostgreSQL, Redis, S3Bucket


def test_each_test_has_a_database_of_its_own(postgresql_url: str) -> None:
    """Empty, writable, and on PostgreSQL."""
    engine = create_engine(postgresql_url)
    with engine.begin() as connection:
        assert 0 == connection.scalar(text("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"))
        connection.execute(text("CREATE TABLE kept (n integer)"))
    engine.dispose()


def test_what_was_committed_survives_a_kill_of_postgresql() -> None:
    """-9 of the server and a new start: the row is there."""
    server = PostgreSQL()
    try:
        server.start()
        database = server.new_database()
        server.sql("CREATE TABLE kept (n integer); INSERT INTO kept VALUES (7)", database)
        server.kill()
        assert not server.answers()
        server.start()
        assert "7" == server.sql("SELECT n FROM kept", database)
    finally:
        server.close()


@pytest.mark.parametrize(("keeps_data", "found"), [(True, b"7"), (False, None)], ids=["with data", "without data"])
def test_redis_comes_back_as_it_was_asked_to(keeps_data: bool, found: bytes | None) -> None:
    """-9 and a new start, with and without its file."""
    server = Redis(keeps_data)
    try:
        server.start()
        with redis.Redis.from_url(server.url()) as client:
            client.set("kept", 7)
        server.kill()
        server.start()
        with redis.Redis.from_url(server.url()) as client:
            assert found == client.get("kept")
    finally:
        server.close()


def test_the_bucket_takes_a_file_once(s3: S3Bucket) -> None:
    """Written, read, and refused where it must not be there yet."""
    client = boto3.client(
        "s3",
        endpoint_url=s3.endpoint,
        aws_access_key_id=s3.access_key,
        aws_secret_access_key=s3.secret_key,
        region_name=s3.region,
    )
    client.put_object(Bucket=s3.bucket, Key="a", Body=b"one", IfNoneMatch="*")
    with pytest.raises(ClientError, match="PreconditionFailed"):
        client.put_object(Bucket=s3.bucket, Key="a", Body=b"two", IfNoneMatch="*")
    assert b"one" == client.get_object(Bucket=s3.bucket, Key="a")["Body"].read()
    client.close()
