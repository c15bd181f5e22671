"""Dagster's records are kept by a storage of ours in Dagster's own files: only what a call costs is another."""

from __future__ import annotations

import os
import shutil
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import dagster as dg
import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import IntegrityError

from ecauto_pipeline.defs import dagster_storage
from ecauto_pipeline.defs.housekeeping import forget_old_runs
from ecauto_pipeline.doctor.dagster_files import look_at_dagster
from ecauto_pipeline_tests.defs.installation import new_instance

ROOT = Path(__file__).absolute().parents[2]


@dg.asset(check_specs=[dg.AssetCheckSpec("adds_up", asset="counted")])
def counted() -> dg.MaterializeResult:  # type: ignore[type-arg]  # Dagster refuses MaterializeResult[None] here
    return dg.MaterializeResult(metadata={"n": 7}, check_results=[dg.AssetCheckResult(passed=True)])


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A DAGSTER_HOME with the project's dagster.yaml; its files were made by Dagster's own storage."""
    shutil.copytree(new_instance(), tmp_path / "data" / "dagster")
    text = (ROOT / "dagster.yaml").read_text(encoding="utf-8")
    (tmp_path / "dagster.yaml").write_text(text.replace("data/dagster", f"{tmp_path}/data/dagster"), encoding="utf-8")
    return tmp_path


def _of_dagster(home: Path) -> dg.DagsterInstance:
    """An instance of Dagster's own storage over the same files: another program, or an earlier version of ours."""
    return dg.DagsterInstance.local_temp(str(home / "data" / "dagster"))


@contextmanager
def _engines_used() -> Iterator[dict[str, set[int]]]:
    """The engines that connect while this is open, by file."""
    kept: list[Engine] = []  # else one takes the address of another that is gone
    used: dict[str, set[int]] = {}

    def connected(connection: Connection) -> None:
        kept.append(connection.engine)
        used.setdefault(str(connection.engine.url.database), set()).add(id(connection.engine))

    event.listen(Engine, "engine_connect", connected)
    yield used
    event.remove(Engine, "engine_connect", connected)


@contextmanager
def _connections() -> Iterator[list[str]]:
    """Every connection that is made while this is open, by the name of its file."""
    made: list[str] = []

    def connected(connection: Connection) -> None:
        made.append(Path(str(connection.engine.url.database)).stem)

    event.listen(Engine, "engine_connect", connected)
    yield made
    event.remove(Engine, "engine_connect", connected)


def _a_run(instance: dg.DagsterInstance) -> dg.DagsterRun:
    """A run of `counted` that is going to be: its events say what it will make and check."""
    graph = dg.Definitions(assets=[counted]).resolve_asset_graph()
    return instance.create_run_for_job(dg.define_asset_job("one").resolve(asset_graph=graph))


def _passed(run: dg.DagsterRun) -> dg.DagsterEvent:
    found = dg.AssetCheckEvaluation(counted.key, "adds_up", True, metadata={})
    kind = dg.DagsterEventType.ASSET_CHECK_EVALUATION.value
    return dg.DagsterEvent(kind, run.job_name, event_specific_data=found)


def _seen(instance: dg.DagsterInstance, run_id: str) -> tuple[object, ...]:
    run, last = instance.get_run_by_id(run_id), instance.get_latest_materialization_event(counted.key)
    assert run is not None
    assert last is not None
    assert last.asset_materialization is not None
    return run.status, last.run_id, last.asset_materialization.metadata["n"].value, len(instance.all_logs(run_id))


def test_the_project_s_dagster_yaml_names_it_and_each_reads_what_the_other_wrote(home: Path) -> None:
    """Files of an earlier version go on, and Dagster's own storage reads what ours wrote, while both are open; so does
    the doctor."""
    with dg.DagsterInstance.from_config(str(home)) as ours, _of_dagster(home) as theirs:
        assert isinstance(ours.event_log_storage, dagster_storage.Events)
        assert isinstance(ours.run_storage, dagster_storage.Runs)
        assert isinstance(ours.schedule_storage, dagster_storage.Ticks)
        assert theirs.event_log_storage.alembic_version() == ours.event_log_storage.alembic_version()
        for writer, reader in ((theirs, ours), (ours, theirs)):
            run_id = dg.materialize([counted], instance=writer).run_id
            assert _seen(writer, run_id) == _seen(reader, run_id)
        assert 2 == len(ours.get_runs()) == len(look_at_dagster(home).ends)


def test_a_file_has_one_engine_however_often_it_is_asked(home: Path) -> None:
    """A statement is compiled once a file: a run writes with one engine to each, and so do those after it."""
    with dg.DagsterInstance.from_config(str(home)) as instance, _engines_used() as used:
        for _ in range(2):
            dg.materialize([counted], instance=instance)
    assert {"runs", "index"} < {Path(name).stem for name in used}
    assert dict.fromkeys(used, 1) == {name: len(engines) for name, engines in used.items()}


def test_of_the_files_of_old_runs_no_engine_is_kept(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever reads thousands of runs holds no more than a few; a file that was read before is read again as well."""
    monkeypatch.setattr(dagster_storage, "ENGINES", 2)
    with dg.DagsterInstance.from_config(str(home)) as instance:
        ids = [dg.materialize([counted], instance=instance).run_id for _ in range(3)]
        events = instance.event_log_storage
        assert isinstance(events, dagster_storage.Events)
        assert all(len(instance.all_logs(run_id)) > 5 for run_id in (*ids, *ids))
        assert 2 == len(events._engines)
        assert 2 == forget_old_runs(instance, keep=1)
        assert [ids[-1]] == [run.run_id for run in instance.get_runs()]


def test_no_connection_outlives_its_call(home: Path) -> None:
    """What a call wrote stands in the file itself, where a watcher waits for it: SQLite's own log is gone by then."""
    with dg.DagsterInstance.from_config(str(home)) as instance:
        dg.materialize([counted], instance=instance)
        assert [] == list((home / "data" / "dagster").rglob("*.db-wal"))


def test_an_event_connects_once_to_each_file(home: Path) -> None:
    """However many tables it goes into; what a run is going to do is handed over in one go, not event by event."""
    with dg.DagsterInstance.from_config(str(home)) as instance, _connections() as made:
        _a_run(instance)
        made.clear()
        run = _a_run(instance)
        assert 1 == made.count("index")
        made.clear()
        instance.report_dagster_event(_passed(run), run.run_id)
        assert sorted([run.run_id, "index"]) == sorted(made)
        assert 3 == len(instance.all_logs(run.run_id))


def test_what_an_event_stores_is_whole_or_not_there(home: Path) -> None:
    """Where one table does not take it no file has any of it; the next one is stored."""
    with dg.DagsterInstance.from_config(str(home)) as instance:
        run = _a_run(instance)
        with closing(sqlite3.connect(home / "data" / "dagster" / "history" / "runs" / "index.db")) as index:
            index.execute(
                "CREATE TRIGGER refuses BEFORE UPDATE ON asset_check_executions BEGIN SELECT RAISE(ABORT, 'no'); END"
            )
            with pytest.raises(IntegrityError):
                instance.report_dagster_event(_passed(run), run.run_id)
            assert 2 == len(instance.all_logs(run.run_id))
            index.execute("DROP TRIGGER refuses")
        instance.report_dagster_event(_passed(run), run.run_id)
        assert 3 == len(instance.all_logs(run.run_id))
        (kept,) = instance.event_log_storage.get_asset_check_execution_history(
            dg.AssetCheckKey(counted.key, "adds_up"), limit=5
        )
        assert "SUCCEEDED" == kept.status.value


def test_opening_the_files_reads_no_migrations(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever opens what was made already has nothing to make: the sensors' process does so at every look."""
    monkeypatch.setattr(ScriptDirectory, "from_config", None)
    with dg.DagsterInstance.from_config(str(home)) as instance:
        assert ([], 0) == (list(instance.all_instigator_state()), instance.get_runs_count())


def _made_of(home: Path, run_id: str) -> tuple[list[object], list[object]]:
    """The tables and indexes of a run's file, and the migration that it says it is of."""
    with closing(sqlite3.connect(home / "data" / "dagster" / "history" / "runs" / f"{run_id}.db")) as file:
        objects = file.execute("SELECT type, name, tbl_name, sql FROM sqlite_master WHERE name != 'alembic_version'")
        return sorted(objects, key=str), file.execute("SELECT * FROM alembic_version").fetchall()


def test_a_runs_file_is_as_dagster_makes_it_and_reads_no_migrations(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To read them takes as long as a run without work: once a process is enough."""
    with dg.DagsterInstance.from_config(str(home)) as ours, _of_dagster(home) as theirs:
        first, other = (dg.materialize([counted], instance=one).run_id for one in (ours, theirs))
        monkeypatch.setattr(ScriptDirectory, "from_config", None)
        second = dg.materialize([counted], instance=ours).run_id
    assert _made_of(home, other) == _made_of(home, first) == _made_of(home, second)


def test_a_runs_file_that_another_process_makes_too_is_whole(home: Path) -> None:
    """The daemon looks at a run whose process begins: whoever is second goes on from what he finds."""
    with dg.DagsterInstance.from_config(str(home)) as ours, dg.DagsterInstance.from_config(str(home)) as daemon:
        run = _a_run(ours)
        expected = _made_of(home, run.run_id)
        for undone in ("", "DELETE FROM alembic_version", "DROP TABLE alembic_version"):
            with closing(sqlite3.connect(home / "data" / "dagster" / "history" / "runs" / f"{run.run_id}.db")) as file:
                file.executescript(undone)
            assert isinstance(daemon.event_log_storage, dagster_storage.Events)
            daemon.event_log_storage._initdb(daemon.event_log_storage._engine_of(run.run_id))
            assert expected == _made_of(home, run.run_id), undone


def test_who_watches_a_run_hears_of_it_from_another_program(home: Path) -> None:
    """The UI's server shows a run's events as its process writes them."""
    heard = threading.Event()
    with dg.DagsterInstance.from_config(str(home)) as watching, dg.DagsterInstance.from_config(str(home)) as writing:
        run = writing.create_run_for_job(dg.define_asset_job("one").resolve(asset_graph=_graph()))
        writing.report_engine_event("begins", run)
        watching.watch_event_logs(run.run_id, None, lambda *_: heard.set())
        writing.report_engine_event("goes on", run)
        assert heard.wait(30)


def test_a_child_of_fork_writes_with_what_its_parent_has_open(home: Path) -> None:
    """Nothing that a fork would break is kept from one call to the next."""
    with dg.DagsterInstance.from_config(str(home)) as instance:
        run_id = dg.materialize([counted], instance=instance).run_id
        run, before = instance.get_run_by_id(run_id), len(instance.all_logs(run_id))
        assert run is not None
        child = os.fork()
        if not child:
            instance.report_engine_event("of a child", run)
            os._exit(0)
        assert 0 == os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        assert before + 1 == len(instance.all_logs(run_id))


def _graph() -> dg.AssetGraph:
    return dg.Definitions(assets=[counted]).resolve_asset_graph()
