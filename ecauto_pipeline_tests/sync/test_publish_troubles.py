"""Laws of publishing: history that can't be written or read is told, and never ends a run."""

from __future__ import annotations

import errno
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ecauto_pipeline.history.parquet import DiskFull
from ecauto_pipeline.history.store import HistoryStore
from ecauto_pipeline.history.tables import RowRefused
from ecauto_pipeline.state.schema import runs
from ecauto_pipeline.sync.publish import publish_and_report
from ecauto_pipeline.sync.run_record import begin_run, end_run
from ecauto_pipeline_tests.history.rows import snapshots
from ecauto_pipeline_tests.sync.diffs.selling import NOW, World


class BrokenStore(HistoryStore):
    """Refuses every row with its error."""

    error: Exception = ValueError()

    def write(self, *_args: Any, **_options: Any) -> Path | None:
        raise self.error


def ended_run(folder: Path, store: HistoryStore | None = None) -> World:
    """A world in which one run has ended and is to be published."""
    world = World(folder)
    store = store or HistoryStore(folder / "history", folder / "history.duckdb", world.clock, lock_timeout_s=1.0)
    world.tools = replace(world.tools, history=store)
    context = world.tools.for_run(world.run())
    begin_run(context)
    end_run(context)
    return world


@pytest.mark.parametrize(
    "error", [RowRefused("no such row"), ValueError("x"), KeyError("y"), PermissionError(13, "no")]
)
def test_what_can_not_be_published_is_said_and_stays_in_state(tmp_path: Path, error: Exception) -> None:
    """The run goes on to its end; the next one publishes it."""
    broken = BrokenStore(tmp_path / "history", tmp_path / "history.duckdb", World(tmp_path / "w").clock)
    broken.error = error
    world = ended_run(tmp_path, broken)
    assert publish_and_report(world.tools).problem
    sound = HistoryStore(tmp_path / "history", tmp_path / "history.duckdb", world.clock, lock_timeout_s=1.0)
    again = publish_and_report(replace(world.tools, history=sound))
    assert ("", 1, 1) == (again.problem, again.written["run_metrics"], world.count(runs))


@pytest.mark.parametrize("error", [DiskFull("no room"), OSError(errno.ENOSPC, "full")])
def test_a_full_disk_ends_the_run(tmp_path: Path, error: Exception) -> None:
    """It concerns everybody."""
    broken = BrokenStore(tmp_path / "history", tmp_path / "history.duckdb", World(tmp_path / "w").clock)
    broken.error = error
    with pytest.raises(type(error)):
        publish_and_report(ended_run(tmp_path, broken).tools)


def test_a_damaged_file_is_named_by_the_run_that_met_it(tmp_path: Path) -> None:
    """The rest is loaded."""
    world = ended_run(tmp_path)
    path = world.tools.history.write("snapshots", "harmed", snapshots(range(5), at=NOW), NOW)
    assert path is not None
    content = bytearray(path.read_bytes())
    content[60:200] = b"\xff" * 140
    path.write_bytes(content)
    report = publish_and_report(world.tools)
    assert ((path.relative_to(tmp_path / "history").as_posix(),), "") == (report.damaged, report.problem)
    assert 1 == report.loaded_rows
