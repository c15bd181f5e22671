"""A person ends a run under way: the process that works on it is told, and no other."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from ecauto_pipeline.errors import EcautoError, NotOnRecord
from ecauto_pipeline.state import runs as run_book
from ecauto_pipeline.state.owner import new_owner
from ecauto_pipeline.sync.people.stop_run import AskedToEnd, stop_run
from ecauto_pipeline_tests.sync.diffs.selling import World

WORKER = "from ecauto_pipeline.state.owner import new_owner; print(new_owner(), flush=True); input()"


@contextmanager
def a_worker() -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A process that waits, and its name as an owner of runs."""
    process = subprocess.Popen(
        [sys.executable, "-c", WORKER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        yield process, process.stdout.readline().strip()
    finally:
        process.kill()
        process.communicate()


def begun(world: World, owner: str, run_id: str = "run-1") -> str:
    with world.state.write() as connection:
        run_book.begin(connection, run_id, "full_sync", "", world.clock.now(), False, owner)
    return run_id


def wished(world: World, run_id: str = "run-1") -> str:
    with world.state.read() as connection:
        return run_book.asked_to_end_by(connection, run_id)


def test_the_process_of_the_run_is_interrupted_and_it_is_kept_who_wanted_it(tmp_path: Path) -> None:
    """As by Ctrl-C; a beginning of the id is enough."""
    world = World(tmp_path)
    with a_worker() as (process, owner):
        begun(world, owner)
        assert AskedToEnd("run-1", "full_sync", "owner") == stop_run(world.tools, "run", "owner")
        process.wait(10)
        assert -signal.SIGINT == process.returncode
    assert "owner" == wished(world)


def test_a_process_that_got_the_number_since_is_left_alone(tmp_path: Path) -> None:
    """Its start says that it is another: nothing is sent, nothing kept, and it is told that the run's one has gone."""
    world = World(tmp_path)
    with a_worker() as (process, owner):
        host, pid, start, _ = owner.split("|")
        boot, _, ticks = start.partition("+")
        begun(world, f"{host}|{pid}|{boot}+{int(ticks) - 1}|x")
        with pytest.raises(EcautoError, match="has gone"):
            stop_run(world.tools, "run-1", "owner")
        assert process.poll() is None
    assert "" == wished(world)


@pytest.mark.parametrize("owner", [f"elsewhere|{os.getpid()}|1+1|x", ""], ids=["elsewhere", "nobody"])
def test_of_a_run_on_another_host_it_is_said_where(tmp_path: Path, owner: str) -> None:
    """Nobody here can end it; whoever asked learns the host and the process, and nothing is kept."""
    world = World(tmp_path)
    begun(world, owner)
    with pytest.raises(EcautoError) as told:
        stop_run(world.tools, "run-1", "owner")
    assert f"{owner.partition('|')[0] or '?'} (pid" in told.value.said("ja")
    assert "" == wished(world)


def test_only_a_run_under_way_can_be_ended(tmp_path: Path) -> None:
    """Neither one that has ended, nor one that nobody began, nor a name that fits two."""
    world = World(tmp_path)
    begun(world, new_owner(), "run-1")
    begun(world, new_owner(), "run-2")
    with world.state.write() as connection:
        run_book.end(connection, "run-2", world.clock.now() + timedelta(seconds=1))
    for name, why in (("run-2", "has ended"), ("run-3", "no run"), ("run-", "2 runs"), ("", "no run")):
        with pytest.raises(NotOnRecord, match=why):
            stop_run(world.tools, name, "owner")
