"""History in S3: the laws of object storage on a real server, a store that is away for a minute, killed publishers."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from ecauto_pipeline.clock import SystemClock
from ecauto_pipeline.history.objects import ObjectStorageAway
from ecauto_pipeline.history.store import HistoryStore
from ecauto_pipeline.settings import parse
from ecauto_pipeline.state import leases
from ecauto_pipeline.state.database import Database
from ecauto_pipeline.sync.publish import publish_and_report
from ecauto_pipeline.sync.publisher import NAME
from ecauto_pipeline.sync.run_record import begin_run, end_run
from ecauto_pipeline.wiring.history_place import history_of
from ecauto_pipeline_tests.history.object_laws import (
    LAWS,
    Place,
    Watched,
    a_compaction_cut_anywhere_loses_and_doubles_nothing,
)
from ecauto_pipeline_tests.history.rows import NOON, asked, ids, snapshots
from ecauto_pipeline_tests.sync.diffs.selling import World
from proofs.fleet.servers import S3, S3Bucket

AWAY_S = 60.0


@pytest.fixture
def bucket(s3: S3Bucket, monkeypatch: pytest.MonkeyPatch) -> S3Bucket:
    """A bucket that this process may reach, by the variables alone."""
    for name, value in s3.environ.items():
        monkeypatch.setenv(name, value)
    return s3


@pytest.fixture
def place(bucket: S3Bucket, tmp_path: Path) -> Place:
    def opened() -> Watched:
        return Watched.of(bucket.url())

    return Place(opened, tmp_path)


@pytest.mark.parametrize("law", LAWS, ids=[law.__name__ for law in LAWS])
def test_law(place: Place, law: Callable[[Place], None]) -> None:
    """As its own words say."""
    law(place)


def test_a_compaction_cut_at_every_put_and_removal(place: Place) -> None:
    """Each of them, one after the other."""
    a_compaction_cut_anywhere_loses_and_doubles_nothing(place, range(9))


def test_nothing_but_history_s_objects_stays_in_the_bucket(place: Place, bucket: S3Bucket) -> None:
    """Days that were compacted leave no empty "folder" behind: a year of them would be listed with each load."""
    import boto3

    a_compaction_cut_anywhere_loses_and_doubles_nothing(place, (9,))
    client = boto3.client("s3", endpoint_url=bucket.endpoint)
    keys = {one["Key"] for one in client.list_objects_v2(Bucket=bucket.bucket)["Contents"]}
    assert {f"history/{name}" for name in place.names()} == {key for key in keys if "=" in key}


def store_at(folder: Path, bucket: S3Bucket) -> HistoryStore:
    settings = parse({"history": {"url": bucket.url()}, "paths": {"data": str(folder)}}, folder)
    return history_of(settings, os.environ, SystemClock())


def test_a_bucket_that_is_not_there_is_away_and_not_empty(bucket: S3Bucket, tmp_path: Path) -> None:
    """Else a wrong name would take the place of the whole copy; and no key is in what is said."""
    gone = replace(bucket, bucket="no-such-bucket")
    report = store_at(tmp_path, gone).load()
    assert report.deferred
    with pytest.raises(ObjectStorageAway) as refused:
        store_at(tmp_path, gone).write("snapshots", "r", snapshots([1]), NOON)
    said = f"{report.reason} {refused.value} {refused.value.ja}"
    assert not {bucket.access_key, bucket.secret_key} & set(said.split())
    assert bucket.secret_key not in said


def test_a_store_that_is_away_for_a_minute_delays_and_loses_nothing(
    bucket: S3Bucket, s3_server: S3, tmp_path: Path
) -> None:
    """Runs go on: each ends, and what it left stays in state. With the store back the next publishing has all of it."""
    world = World(tmp_path)
    history = store_at(tmp_path / "data", bucket)
    history.load()
    world.tools = replace(world.tools, history=history)

    def a_run_ends() -> str:
        context = world.tools.for_run(world.run())
        begin_run(context)
        end_run(context)
        return publish_and_report(world.tools).problem

    assert "" == a_run_ends()
    problems = []
    s3_server.pause()
    began = time.monotonic()
    try:
        while time.monotonic() - began < AWAY_S:
            problems.append(a_run_ends())
    finally:
        s3_server.resume()
    assert all("object storage" in problem for problem in problems)
    back = time.monotonic()
    assert "" == a_run_ends()
    print(f"\n{len(problems)} runs ended meanwhile; all was there {time.monotonic() - back:.1f} s after the return")
    assert [(2 + len(problems),)] == asked(history, "SELECT count(DISTINCT run_id) FROM run_metrics")
    assert [(2 + len(problems),)] == asked(history, "SELECT count(*) FROM run_metrics")
    assert history.verify().ok
    fresh = store_at(tmp_path / "other", bucket)
    assert 2 + len(problems) == fresh.load().rows


_PUBLISH = """
import sys
from dataclasses import replace
from pathlib import Path
from ecauto_pipeline.clock import SystemClock
from ecauto_pipeline.settings import parse
from ecauto_pipeline.state.database import Database
from ecauto_pipeline.sync.publish import publish
from ecauto_pipeline.wiring.history_place import history_of
from ecauto_pipeline_tests.sync.diffs.selling import World
import os
world = World(Path(sys.argv[1]) / f"w{os.getpid()}", clock=SystemClock())
settings = parse({"history": {"url": sys.argv[3]}, "paths": {"data": sys.argv[1]}}, Path(sys.argv[1]))
state = Database(sys.argv[2])
tools = replace(world.tools, state=state, clock=SystemClock(), history=history_of(settings, os.environ, SystemClock()))
print("begins", flush=True)
print("done", publish(tools).written, flush=True)
"""


def test_publishers_killed_at_any_moment_lose_and_double_nothing(
    bucket: S3Bucket, state_url: str, tmp_path: Path
) -> None:
    """Each is killed a little later than the one before; the next goes on without a person, on another machine."""
    state = Database(state_url)
    world = World(tmp_path / "runs", clock=SystemClock())
    world.tools = replace(world.tools, state=state)
    for _ in range(40):
        context = world.tools.for_run(world.run())
        begin_run(context)
        end_run(context)
    killed, wait_s = 0, 0.0
    while True:
        folder = tmp_path / f"machine{killed}"
        folder.mkdir()
        command = [sys.executable, "-c", _PUBLISH, str(folder), state_url, bucket.url()]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as publisher:
            assert publisher.stdout is not None
            assert "begins\n" == publisher.stdout.readline()
            try:
                publisher.wait(wait_s)
                break
            except subprocess.TimeoutExpired:
                publisher.send_signal(signal.SIGKILL)
        killed, wait_s = killed + 1, 1.4 * wait_s + 0.2
        with state.read() as connection:
            held = leases.read(connection, [NAME])
        assert all(leases.stale(one, SystemClock().now()) for one in held), "a dead process holds nothing up"
    print(f"\n{killed} publishers killed before one ended")
    state.close()
    history = store_at(tmp_path / "reader", bucket)
    history.load()
    assert [(40, 40)] == asked(history, "SELECT count(*), count(DISTINCT run_id) FROM run_metrics")
    assert history.verify().ok
    assert [] == ids(history)
