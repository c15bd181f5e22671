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

WORKER = """
import sys
from datetime import UTC, datetime
from ecauto_pipeline.state import runs
from ecauto_pipeline.state.database import Database
from ecauto_pipeline.state.owner import new_owner

state = Database(sys.argv[1])
with state.write() as connection:
    runs.begin(connection, "run-1", "stock_sync", "", datetime.now(UTC), False, new_owner())
print("begun", flush=True)
try:
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
