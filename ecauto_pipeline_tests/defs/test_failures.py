"""What a person reads first where a run has failed."""

from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import dagster as dg
import pytest
from dagster._core.definitions.job_base import InMemoryJob
from dagster._core.execution.api import execute_run_iterator
from sqlalchemy.exc import DBAPIError

from ecauto_pipeline.cli.dagster_run import _finished
from ecauto_pipeline.defs.build import build_defs
from ecauto_pipeline.defs.failures import failing_in_words, in_words, place_of, sentence
from ecauto_pipeline.errors import RegisterError, Stopped
from ecauto_pipeline.register.master import Register
from ecauto_pipeline.settings import Settings, parse
from ecauto_pipeline.state.database import Database


@dg.op
@in_words
def opens_the_register() -> None:
    raise RegisterError("master.db: no table 'listings'", ja="master.db に表 'listings' がありません")


@dg.job
def a_day_without_a_register() -> None:
    opens_the_register()


def test_a_failed_step_begins_with_the_sentence_for_people() -> None:
    """The error's first line is the sentence, its class is in the metadata, the trace is its cause."""
    result = a_day_without_a_register.execute_in_process(raise_on_error=False)
    data = next(event.step_failure_data for event in result.all_events if event.is_step_failure)
    sentence_for_people = "master.db に表 'listings' がありません"
    assert data.error is not None
    assert data.error.message.splitlines()[0].endswith(f"Failure: {sentence_for_people}")
    assert data.user_failure_data is not None
    assert sentence_for_people == data.user_failure_data.description
    assert "RegisterError" == data.user_failure_data.metadata["error"].value
    assert data.error.cause is not None
    assert any("opens_the_register" in line for line in data.error.cause.stack)


def test_every_asset_and_op_of_ours_fails_in_words() -> None:
    """None is forgotten: what stands between Dagster and a step is `in_words`."""
    repository = build_defs(Settings()).get_repository_def()
    nodes = [node.definition for job in repository.get_all_jobs() for node in job.graph.nodes]
    ops = [node for node in nodes if isinstance(node, dg.OpDefinition)]
    bodies = {op.name: getattr(op.compute_fn, "decorated_fn", None) for op in ops}
    assert {"listings", "base_updates", "capacity", "explain_op", "rollback_run_op"} <= set(bodies)
    assert [] == [name for name, body in bodies.items() if not hasattr(body, "__wrapped__")]


def test_an_error_nobody_foresaw_is_told_with_its_place() -> None:
    """Class, word and line of the program come first, in the person's language; the original is the cause."""

    @in_words
    def body() -> None:
        raise KeyError("asin")

    with pytest.raises(dg.Failure) as failed:
        body()
    assert isinstance(failed.value.__cause__, KeyError)
    said = str(failed.value.description)
    assert said.startswith("想定していないエラーで止まりました: KeyError: 'asin'（test_failures.py:")
    assert "stopped by an error nobody foresaw: KeyError: 'asin'" in sentence(KeyError("asin"), "en")


def test_the_place_is_a_line_of_ours_where_there_is_one() -> None:
    """A library's own line says nothing to whoever looks for the fault."""
    with pytest.raises(TypeError, match="not a mapping") as raised:
        parse("a text is no mapping", Path("."))  # type: ignore[arg-type]  # what the types forbid is what is tried
    assert place_of(raised.value).startswith("settings/ecauto_toml.py:")


@pytest.mark.parametrize("wish", [Stopped("asked to end"), dg.Failure("told already"), dg.RetryRequested()])
def test_what_is_told_already_or_wished_for_passes_as_it_is(wish: Exception) -> None:
    """Neither a person's Terminate nor a sentence of a launchpad becomes a fault of the program."""

    @in_words
    def body() -> None:
        raise wish

    with pytest.raises(type(wish)) as raised:
        body()
    assert wish is raised.value


def test_our_own_errors_speak_for_themselves() -> None:
    """One line, as written."""
    assert "master.db: no table listings" == sentence(RegisterError("master.db:\n  no table listings"))


def _no_room(folder: Path) -> None:
    state = Database(f"sqlite:///{folder}/state.db")
    with state.write() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 1")
        connection.exec_driver_sql("CREATE TABLE t AS SELECT zeroblob(1000000) AS x")


def _no_right(folder: Path) -> None:
    raise PermissionError(errno.EACCES, "no", str(folder / "x.lock"))


def _read_only(folder: Path) -> None:
    raise OSError(errno.EROFS, "no", str(folder / "x.lock"))


def _damaged_register(folder: Path) -> None:
    (folder / "master.db").write_bytes(b"this is no database" * 300)
    Register(folder / "master.db").check()


@pytest.mark.parametrize(
    ("make", "japanese", "english"),
    [
        (
            _no_room,
            "state.db: ディスクがいっぱいです。空きを増やしてもう一度実行してください",
            "state.db: the disk is full; make room, then run it again",
        ),
        (
            _no_right,
            "x.lock: 書き込み・読み取りが許可されていません。フォルダーの持ち主と権限を直してください",
            "x.lock: the right to read or write it is missing; give the user that runs ecauto the right to its folder",
        ),
        (
            _read_only,
            "x.lock: 読み取り専用の場所です。書き込める場所に data を移してください (ECAUTO_DATA_DIR)",
            "x.lock: the place is read-only; move data to a place that can be written (ECAUTO_DATA_DIR)",
        ),
        (
            _damaged_register,
            "master.db はデータベースではありません"
            " → ファイルが壊れています。ecauto doctor で確認し、バックアップから戻してください",
            "master.db: file is not a database"
            " → the file is damaged; look with ecauto doctor, restore it from a backup",
        ),
    ],
)
def test_a_fault_of_the_disk_is_told_with_the_next_step(
    tmp_path: Path, make: Callable[[Path], None], japanese: str, english: str
) -> None:
    """Full, read-only, forbidden, damaged: no defect of ours, so no class and no line of the program."""
    with pytest.raises((OSError, DBAPIError, RegisterError)) as raised:
        make(tmp_path)
    said = [sentence(raised.value, language).replace(f"{tmp_path}/", "") for language in ("ja", "en")]
    assert [japanese, english] == said


class Closed(dg.ConfigurableResource["Closed"]):
    """Tools that can't be opened."""

    def setup_for_execution(self, context: dg.InitResourceContext) -> None:
        with failing_in_words():
            raise PermissionError(errno.EACCES, "no", "here.lock")


@dg.op
def needs_tools(tools: Closed) -> None:
    """Never comes to run."""


def test_a_run_whose_tools_cannot_be_opened_ends_with_the_sentence() -> None:
    """Dagster reports it of the run, not of a step; a person at the terminal reads the same line."""

    @dg.job(resource_defs={"tools": Closed()}, executor_def=dg.in_process_executor)
    def a_day_without_rights() -> None:
        needs_tools()

    with dg.DagsterInstance.ephemeral() as instance:
        run = instance.create_run_for_job(a_day_without_rights)
        events = list(execute_run_iterator(InMemoryJob(a_day_without_rights), run, instance))
    ended = _finished("r", SimpleNamespace(all_events=events, success=False), interrupted=False)
    assert "here.lock: 書き込み・読み取りが許可されていません。フォルダーの持ち主と権限を直してください" == ended.error
