"""Faults of disk and files: each is told by its code, said in one line with the next step, never as a trace."""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import dagster as dg
import duckdb
import pytest
from sqlalchemy import create_engine
from sqlalchemy.exc import DatabaseError

from ecauto_pipeline.doctor.disk_errors import NEXT, WORDS, fault_of, sentence, told
from ecauto_pipeline.doctor.findings import Chart
from ecauto_pipeline.doctor.state_book import state_unreadable
from ecauto_pipeline.errors import RegisterBusy, SettingsError
from ecauto_pipeline.history.database import database
from ecauto_pipeline.history.errors import DiskFull
from ecauto_pipeline.state.database import Database
from ecauto_pipeline.state.described import StateUnreadable, missing_tables
from ecauto_pipeline_tests.cli.typed import type_command
from ecauto_pipeline_tests.doctor.house import without_rights


def _full(path: Path) -> None:
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA max_page_count = 2")
        database.execute("CREATE TABLE t (x)")
        database.execute("INSERT INTO t VALUES (zeroblob(100000))")


def _read_only(path: Path) -> None:
    sqlite3.connect(path).close()
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as database:
        database.execute("CREATE TABLE t (x)")


def _no_database(path: Path) -> None:
    path.write_bytes(b"this is no database" * 500)
    with closing(sqlite3.connect(path)) as database:
        database.execute("SELECT * FROM sqlite_master").fetchall()


def _no_folder(path: Path) -> None:
    sqlite3.connect(path / "below" / "state.db").close()


def _busy(path: Path) -> None:
    with closing(sqlite3.connect(path)) as mine, closing(sqlite3.connect(path, timeout=0)) as other:
        mine.execute("BEGIN EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")


def _a_file_where_a_folder_belongs(path: Path) -> None:
    path.write_bytes(b"")
    path.mkdir()


@pytest.mark.parametrize(
    ("fault", "make"),
    [
        ("full", _full),
        ("forbidden", _read_only),
        ("damaged", _no_database),
        ("forbidden", _no_folder),
        ("busy", _busy),
        ("in_the_way", _a_file_where_a_folder_belongs),
    ],
)
def test_a_fault_is_known_by_its_code(tmp_path: Path, fault: str, make: Callable[[Path], None]) -> None:
    """SQLite's and the system's own errors, and those of ours that they caused, whatever language they speak."""
    with pytest.raises((sqlite3.Error, OSError)) as raised:
        make(tmp_path / "state.db")
    assert fault == fault_of(raised.value)
    ours = SettingsError("can't be opened")
    ours.__cause__ = raised.value
    assert fault == fault_of(ours)
    for language, mark in (("ja", "。"), ("en", "; ")):
        said = sentence(ours, "state.db", language)
        assert (1, True) == (len(said.splitlines()), mark in said)


@pytest.mark.parametrize(
    ("code", "fault"),
    [(errno.ENOSPC, "full"), (errno.EROFS, "read_only"), (errno.EACCES, "forbidden"), (errno.EIO, "io")],
)
def test_errors_of_the_system(code: int, fault: str) -> None:
    """A full disk, a read-only one, a right that is missing."""
    assert fault == fault_of(OSError(code, os.strerror(code)))


def test_another_error_is_none_of_these() -> None:
    """It keeps its trace: nobody foresaw it."""
    assert (None, "") == (fault_of(ValueError("x")), sentence(OSError(errno.ECONNREFUSED, "x")))
    assert set(WORDS) == set(NEXT)


@pytest.mark.parametrize("command", ["status", "holds list", "capacity", "explain B000000001"])
@pytest.mark.parametrize("fault", ["state.db is damaged", "data is a file"])
def test_a_command_says_it_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], fault: str, command: str
) -> None:
    """What is wrong and the next step, in the language of the house, exit 2, no trace."""
    (tmp_path / "ecauto.toml").write_text("", encoding="utf-8")
    if fault == "data is a file":
        (tmp_path / "data").write_bytes(b"")
    else:
        Database(f"sqlite:///{tmp_path}/data/state.db").close()
        (tmp_path / "data" / "state.db").write_bytes(b"this is no database" * 500)
    for name in [name for name in os.environ if name.startswith("ECAUTO_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    code, _, said = type_command(monkeypatch, capsys, *command.split())
    word = WORDS["in_the_way" if fault == "data is a file" else "damaged"][0]
    assert (2, 1) == (code, len(said.strip().splitlines())), said
    assert word in said


@pytest.mark.parametrize(("make", "aside"), [(_full, False), (_read_only, False), (_busy, False), (_no_database, True)])
def test_the_doctor_sets_state_aside_for_damage_alone(
    tmp_path: Path, make: Callable[[Path], None], aside: bool
) -> None:
    """A folder without rights, a full disk, another program: state.db stays where it is."""
    with pytest.raises(sqlite3.Error) as raised:
        make(tmp_path / "state.db")
    wrapped = StateUnreadable("OperationalError")
    wrapped.__cause__ = raised.value
    chart = Chart("en")
    state_unreadable(chart, wrapped)
    assert [("state.db", "bad", aside)] == [
        (one.name, one.state, "move it away" in one.what_to_do) for one in chart.findings
    ]


@pytest.mark.parametrize(("server", "words"), [(True, "database server"), (False, "leave it where it is")])
def test_what_nobody_understands_is_no_damage(server: bool, words: str) -> None:
    """A server that is down, an error without a code: nothing is set aside for it."""
    chart = Chart("en")
    state_unreadable(chart, StateUnreadable("OperationalError"), server=server)
    assert [("bad", True)] == [(one.state, words in one.what_to_do) for one in chart.findings]
    assert "move it away" not in chart.findings[0].what_to_do


def test_a_history_without_rights_is_told_as_that() -> None:
    """DuckDB says it in words of its own; ours go by the rights, and name the file."""
    folder = Path(tempfile.mkdtemp())  # pytest's own folders are closed to a user without rights
    try:
        path = folder / "history.duckdb"
        duckdb.connect(str(path)).close()
        folder.chmod(0o755)
        path.chmod(0o444)
        with without_rights(), pytest.raises(PermissionError) as raised, database(path):
            pass
    finally:
        shutil.rmtree(folder)
    assert told(raised.value, "en") == f"{path}: {WORDS['forbidden'][1]}; {NEXT['forbidden'][1]}"


def test_no_room_for_history_is_told_with_the_next_step() -> None:
    """Also where DuckDB gave the error no code."""
    words = told(DiskFull("no room to write history.duckdb", ja="history.duckdb に書き込めません"), "ja")
    assert "history.duckdb に書き込めません → ディスクがいっぱいです。空きを増やしてもう一度実行してください" == words


def test_a_database_is_named_by_who_asked_it(tmp_path: Path) -> None:
    """Dagster's own runs, and our state, fail by the same class of error."""
    (tmp_path / "history").mkdir()
    for name in ("history/runs.db", "state.db"):
        (tmp_path / name).write_bytes(b"this is no database" * 300)
    home = {"storage": {"sqlite": {"base_dir": str(tmp_path)}}, "telemetry": {"enabled": False}}
    with pytest.raises(DatabaseError) as theirs, dg.DagsterInstance.local_temp(str(tmp_path), overrides=home) as opened:
        opened.get_runs()
    with pytest.raises(DatabaseError) as ours, create_engine(f"sqlite:///{tmp_path}/state.db").connect() as connection:
        missing_tables(connection)
    assert ["data/dagster", "state.db"] == [told(one.value, "en").partition(":")[0] for one in (theirs, ours)]


def test_a_register_in_use_says_when_it_goes_on() -> None:
    """Nothing is added to it: the next run writes by itself."""
    busy = RegisterBusy("in use", ja="使用中。次の実行で書き込みます")
    busy.__cause__ = OSError(errno.EACCES, "no")
    assert "使用中。次の実行で書き込みます" == told(busy)
