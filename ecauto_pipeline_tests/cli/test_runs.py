"""`ecauto runs` as it is typed."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ecauto_pipeline.state import runs as run_book
from ecauto_pipeline_tests.cli.test_register_accept import Owner
from ecauto_pipeline_tests.cli.typed import type_command
from ecauto_pipeline_tests.desk.shop import a_filled_shop

WORKER = """
import sys
from datetime import UTC, datetime
from ecauto_pipeline.state import runs
from ecauto_pipeline.state.database import Database
from ecauto_pipeline.state.owner import new_owner

state = Database(sys.argv[1])
with state.write() as connection:
    runs.begin(connection, "run-1", "stock_sync", "", datetime.now(UTC), False, new_owner())
try:
    print("begun", flush=True)
    input()
except KeyboardInterrupt:
    with state.write() as connection:
        runs.end(connection, "run-1", datetime.now(UTC))
"""


@pytest.fixture
def owner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Owner:
    return Owner(tmp_path, monkeypatch, capsys)


def test_a_run_under_way_is_ended_by_its_id(owner: Owner) -> None:
    """The command returns when the run has ended; a second time there is nothing to end: exit 2, in one line."""
    command = [sys.executable, "-c", WORKER, str(owner.state.url)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as worker:
        assert worker.stdout is not None
        worker.stdout.readline()
        code, out, err = owner.types("runs", "stop", "run", "--json")
        assert (0, "") == (code, err)
        assert ("run-1", "stock_sync", True) == tuple(json.loads(out)[name] for name in ("run_id", "job", "ended"))
    code, _, err = owner.types("runs", "stop", "run-1")
    assert (2, True) == (code, "もう終わっています" in err)


def test_a_run_on_another_host_is_left_alone(owner: Owner) -> None:
    """Exit 2, and where it is worked on."""
    with owner.state.write() as connection:
        run_book.begin(connection, "run-1", "stock_sync", "", datetime.now(UTC), False, "shop-server|77|1+1|x")
    code, _, err = owner.types("runs", "stop", "run-1")
    assert (2, True) == (code, "shop-server (pid 77)" in err)


def test_what_runs_did_is_listed_and_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Newest first; a run is opened by the beginning of its id, with its edits, and with what undoing it would do."""
    a_filled_shop(tmp_path, monkeypatch)

    def types(*words: str) -> tuple[int, str, str]:
        return type_command(monkeypatch, capsys, "runs", *words)

    code, out, _ = types("list", "--json")
    newest, first = json.loads(out)
    assert (0, True) == (code, newest["started_at"] > first["started_at"])
    assert "件を変更" in types("list")[1]
    code, out, _ = types("show", newest["run_id"][:8], "--json")
    shown = json.loads(out)
    assert (0, newest["run_id"]) == (code, shown["run_id"])
    assert (shown["edits_total"], newest["changed"]) == (len(shown["edits"]), len(shown["edits"]))
    assert all(edit["outcome"] == "done" and edit["why"] for edit in shown["edits"])
    code, out, _ = types("show", newest["run_id"], "--undo", "--json")
    undo = json.loads(out)
    assert (0, shown["edits_total"]) == (code, undo["back"] + undo["hidden"] + sum(undo["left"].values()))
    assert [] == [row for row in undo["rows"] if row["becomes"] == "left" and not row["reason"]]
    for words in (("show", "nobody"), ("show", "nobody", "--undo"), ("list", "--job", "x"), ("list", "--only", "x")):
        assert 2 == types(*words)[0]
