"""Laws of the one publisher: what is shared is written by one at a time, and by nobody who has lost the right to."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from ecauto_pipeline.clock import ManualClock
from ecauto_pipeline.history.store import HistoryStore
from ecauto_pipeline.settings import parse
from ecauto_pipeline.state import leases
from ecauto_pipeline.sync.publish import publish_and_report, publish_run
from ecauto_pipeline.sync.publisher import LIFE, NAME, NotThePublisher, as_publisher
from ecauto_pipeline.sync.run_record import begin_run, end_run, record_of
from ecauto_pipeline_tests.history.rows import asked
from ecauto_pipeline_tests.history.test_objects import in_folder
from ecauto_pipeline_tests.sync.diffs.selling import World


def shared_world(folder: Path, store: type[HistoryStore] = HistoryStore) -> World:
    """A run has ended, and its history is to lie in object storage."""
    world = World(folder)
    place = folder / "copy", folder / "history.duckdb", world.clock
    history = store(*place, lock_timeout_s=1.0, objects=lambda: in_folder(folder))
    history.load()  # this machine is asked questions: it has a copy
    world.tools = replace(world.tools, history=history)
    context = world.tools.for_run(world.run())
    begin_run(context)
    end_run(context)
    return world


def taken_by(world: World, owner: str) -> None:
    with world.tools.state.write() as connection:
        assert [NAME] == leases.claim(connection, [NAME], owner, world.clock.now(), LIFE)


class _WhileAnotherLives(ManualClock):
    """Each time somebody waits, another publisher renews its lease."""

    def __init__(self, world: World, owner: str) -> None:
        super().__init__(world.clock.now())
        self._world, self._owner = world, owner

    def sleep(self, seconds: float, wake: threading.Event | None = None) -> bool:
        self._world.later(seconds=seconds)
        taken_by(self._world, self._owner)
        return super().sleep(seconds, wake)


def test_who_comes_while_another_publishes_leaves_it_to_them(tmp_path: Path) -> None:
    """Nothing is written and nothing lost: the rows stay in state, and come once the other is done, or gone. Whose
    machine died is waited for within the same run, and no longer than a lane would be."""
    world = shared_world(tmp_path)
    taken_by(world, "elsewhere|1|0|x")
    living = replace(world.tools, clock=_WhileAnotherLives(world, "elsewhere|1|0|x"))
    assert "another process publishes" in publish_and_report(living).problem
    died_at = world.clock.now()
    done = publish_and_report(world.tools)
    assert ("", 1, 1) == (done.problem, done.written["run_metrics"], done.loaded_rows)
    assert world.clock.now() - died_at <= timedelta(seconds=46)
    with world.tools.state.read() as connection:
        assert [] == leases.read(connection, [NAME])


class Paused(HistoryStore):
    """After each put its machine sleeps for longer than the lease lives, and another publisher begins."""

    world: World

    def write(
        self, table: str, run_id: str, rows: Sequence[Mapping[str, object]], at: datetime, part: str = ""
    ) -> Path | None:
        put = super().write(table, run_id, rows, at, part)
        self.world.later(seconds=LIFE.total_seconds() + 1)
        taken_by(self.world, "successor|1|0|x")
        return put


def test_a_publisher_that_was_paused_marks_nothing(tmp_path: Path) -> None:
    """Its successor publishes the same rows once more, as the same object: one row in history."""
    world = shared_world(tmp_path, Paused)
    assert isinstance(world.tools.history, Paused)
    world.tools.history.world = world
    assert "another process publishes" in publish_and_report(world.tools).problem
    put = in_folder(tmp_path).listing()
    world.later(seconds=LIFE.total_seconds() + 1)
    place = tmp_path / "copy", tmp_path / "history.duckdb", world.clock
    successor = HistoryStore(*place, lock_timeout_s=1.0, objects=lambda: in_folder(tmp_path))
    assert 1 == publish_and_report(replace(world.tools, history=successor)).written["run_metrics"]
    assert put.keys() == in_folder(tmp_path).listing().keys()
    assert [(1,)] == asked(successor, "SELECT count(*) FROM run_metrics")


def test_who_publishes_alone_fetches_nothing(tmp_path: Path) -> None:
    """A worker in a container begins with an empty folder each time: it puts what is new, and copies no history."""
    world = shared_world(tmp_path)
    place = tmp_path / "worker", tmp_path / "worker.duckdb", world.clock
    worker = HistoryStore(*place, lock_timeout_s=1.0, objects=lambda: in_folder(tmp_path))
    assert "" == publish_and_report(world.tools).problem
    context = world.tools.for_run(world.run())
    begin_run(context)
    end_run(context)
    done = publish_and_report(replace(world.tools, history=worker))
    assert ("", 1, 0) == (done.problem, done.written["run_metrics"], done.loaded_rows)
    assert 2 == len(in_folder(tmp_path).listing())
    assert 1 == len(list(worker.directory.rglob("*.parquet")))
    assert not worker.database.exists()


def test_the_lease_lives_on_while_it_is_used(tmp_path: Path) -> None:
    """Each put begins with a whole life."""
    world = shared_world(tmp_path)
    with as_publisher(world.tools) as publisher:
        for _ in range(3):
            world.later(seconds=LIFE.total_seconds() - 1)
            publisher.go_on()
        taken = world.tools.state
        with taken.write() as connection:
            assert [] == leases.claim(connection, [NAME], "other|1|0|x", world.clock.now(), LIFE)
        with taken.write() as connection:
            leases.release(connection, leases.read(connection, [NAME])[0].owner)
        with pytest.raises(NotThePublisher):
            publisher.go_on()


def test_a_run_of_a_fleet_leaves_publishing_to_the_publisher(tmp_path: Path) -> None:
    """And says nothing of it: not measured is not zero."""
    world = shared_world(tmp_path)
    world.tools = replace(world.tools, settings=parse({"fleet": {"on": True}}, tmp_path))
    context = world.tools.for_run(world.run())
    begin_run(context)
    publish_run(context)
    record = record_of(context, context.run.run_id)
    assert (None, {}) == (record.history, in_folder(tmp_path).listing())
