"""Laws of publishing: history that can't be written or read is told, and never ends a run."""

from __future__ import annotations

import errno
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import update

from ecauto_pipeline.alerts.rule import AlertSetup
from ecauto_pipeline.alerts.rules import RULES
from ecauto_pipeline.history.errors import DiskFull, RowRefused
from ecauto_pipeline.history.load_report import LoadReport
from ecauto_pipeline.history.store import HistoryStore
from ecauto_pipeline.state.schema_decisions import diffs, journal
from ecauto_pipeline.state.schema_runs import runs
from ecauto_pipeline.sync.base_updates import push
from ecauto_pipeline.sync.publish import publish_and_report
from ecauto_pipeline.sync.run_record import RunRecord, begin_run, end_run
from ecauto_pipeline_tests.examples import examples
from ecauto_pipeline_tests.history.rows import asked, snapshots
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
    assert (1, 0, 5) == (report.loaded_rows, report.rows_again, report.rows_lost)


def harm_pages(path: Path) -> None:
    """The footer is whole."""
    content = bytearray(path.read_bytes())
    content[60:200] = b"\xff" * 140
    path.write_bytes(content)


def harm_footer(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[:-60] + b"\xff" * 52 + content[-8:])


def turn_a_column(path: Path) -> None:
    """Another program's idea of what stands in the last column."""
    rows = pq.read_table(path, partitioning=None)
    pq.write_table(
        rows.set_column(rows.num_columns - 1, rows.column_names[-1], [[{"not": "it"}] * rows.num_rows]), path
    )


class HeldStore(HistoryStore):
    """Somebody else has the database open: what is written is not loaded."""

    def load(self, *, keeper: bool = True) -> LoadReport:
        return LoadReport(0, 0, deferred=True, rebuilt=False, reason="held")


def written_world(folder: Path, runs_of: int = 1) -> tuple[World, HistoryStore]:
    """Runs that judged and edited three listings each; what they left lies in files that nothing has loaded yet."""
    world = World(folder)
    for number in range(1, 4):
        world.list_item(str(number), 1300, cost_jpy=2000)
    for _ in range(runs_of):
        run = world.run(dry_run=runs_of > 1)  # a dry run leaves something to edit for the next
        begin_run(world.tools.for_run(run))
        world.decide(run)
        push.run(world.tools.for_run(run))
        end_run(world.tools.for_run(run))
    held = HeldStore(folder / "history", folder / "history.duckdb", world.clock)
    assert publish_and_report(replace(world.tools, history=held)).deferred
    store = HistoryStore(folder / "history", folder / "history.duckdb", world.clock, lock_timeout_s=1.0)
    world.tools = replace(world.tools, history=store)
    return world, store


KEYS = ((diffs, "diff_id", "diffs"), (journal, "update_id", "updates"), (runs, "run_id", "run_metrics"))


def assert_history_holds_what_state_holds(world: World, store: HistoryStore) -> None:
    """Every decision, edit and run once, as state has it."""
    for table, key, name in KEYS:
        assert sorted((row[key],) for row in world.rows(table)) == asked(store, f"SELECT {key} FROM {name} ORDER BY 1")
    outcomes = sorted((row["update_id"], row["outcome"]) for row in world.rows(journal))
    assert outcomes == asked(store, "SELECT update_id, outcome FROM updates ORDER BY 1")


@pytest.mark.parametrize(("harm", "lost"), [(harm_pages, 0), (harm_footer, None), (turn_a_column, 0)])
def test_rows_still_in_state_are_written_again(tmp_path: Path, harm: Callable[[Path], None], lost: int | None) -> None:
    """Decisions, edits and runs whose file proves damaged: state has them yet, and the same publishing writes them."""
    world, store = written_world(tmp_path)
    harmed = [path for _, _, name in KEYS for path in (store.directory / name).rglob("*.parquet")]
    for path in harmed:
        harm(path)
    report = publish_and_report(world.tools)
    rows = sum(world.count(table) for table, _, _ in KEYS)
    assert (3, rows, lost) == (len(report.damaged), report.rows_again, report.rows_lost)
    assert_history_holds_what_state_holds(world, store)
    assert (0, ()) == (sum(publish_and_report(world.tools).written.values()), publish_and_report(world.tools).damaged)
    assert store.rebuild().rows == rows


def test_what_an_edit_came_to_is_written_again_though_history_knows_the_edit(tmp_path: Path) -> None:
    """First exported as unknown, then as done: with the later file damaged, "unknown" is not left standing."""
    world, store = written_world(tmp_path)
    settled = {row["update_id"]: row["outcome"] for row in world.rows(journal)}
    with world.state.write() as connection:
        connection.execute(update(journal).values(outcome="unknown", exported=0))
    publish_and_report(world.tools)
    later = replace(world.tools, history=HeldStore(store.directory, store.database, world.clock))
    with world.state.write() as connection:
        for name, outcome in settled.items():
            row = update(journal).where(journal.c.update_id == name)
            connection.execute(row.values(outcome=outcome, exported=0))
    publish_and_report(later)
    for path in store.directory.glob("updates/**/*.parquet"):
        harm_pages(path)
    publish_and_report(world.tools)
    assert_history_holds_what_state_holds(world, store)


NOISES = st.lists(st.tuples(st.floats(0, 1), st.binary(min_size=1, max_size=100)), min_size=6, max_size=6)


@settings(max_examples=examples(2), deadline=None)
@given(NOISES)
def test_no_corruption_of_files_costs_a_row_that_state_has(
    tmp_path_factory: pytest.TempPathFactory, noises: list[tuple[float, bytes]]
) -> None:
    """Random bytes in the files of decisions, edits and runs: afterwards history has every one of them, once."""
    world, store = written_world(tmp_path_factory.mktemp("world"), runs_of=2)
    for path, (share, noise) in zip(sorted(store.directory.rglob("*.parquet")), noises, strict=True):
        content = bytearray(path.read_bytes())
        start = int(share * (len(content) - len(noise)))
        content[start : start + len(noise)] = noise
        path.write_bytes(content)
    publish_and_report(world.tools)
    for table, key, name in KEYS:
        assert sorted((row[key],) for row in world.rows(table)) == asked(store, f"SELECT {key} FROM {name} ORDER BY 1")


def test_a_run_killed_before_it_wrote_them_again_leaves_it_to_the_next(tmp_path: Path) -> None:
    """Its load had set the files aside, and nothing else came of it."""
    world, store = written_world(tmp_path)
    for _, _, name in KEYS:
        for path in (store.directory / name).rglob("*.parquet"):
            harm_pages(path)
    assert 3 == len(store.load().damaged)
    report = publish_and_report(world.tools)
    assert ((), ()) == (report.damaged, report.set_aside)
    assert_history_holds_what_state_holds(world, store)


def test_what_was_dropped_from_state_is_said_to_be_lost(tmp_path: Path) -> None:
    """The check counts the rows that nobody has any more."""
    world, store = written_world(tmp_path)
    with world.state.write() as connection:
        connection.execute(diffs.delete())
    for path in (store.directory / "diffs").rglob("*.parquet"):
        harm_pages(path)
    report = publish_and_report(world.tools)
    assert (0, True) == (report.rows_again, bool(report.rows_lost))
    record = RunRecord(run_id="r", job="j", partition_key="", started_at=NOW, history=report)
    verdict = RULES["history_published"].judge(record, AlertSetup(world.settings.alerts))
    assert not verdict.passed
    assert f"最大{report.rows_lost}行が失われました" in verdict.message_ja
    assert report.damaged[0] in verdict.message_en
    later = replace(record, history=publish_and_report(world.tools))
    verdict = RULES["history_published"].judge(later, AlertSetup(world.settings.alerts))
    assert (False, True) == (verdict.passed, f"{report.damaged[0]}.damaged" in verdict.message_ja)
    (store.directory / f"{report.damaged[0]}.damaged").unlink()
    later = replace(record, history=publish_and_report(world.tools))
    assert RULES["history_published"].judge(later, AlertSetup(world.settings.alerts)).passed
