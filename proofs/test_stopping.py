"""Asked to end, a run ends within two seconds: SIGTERM and the UI's Terminate, between calls and in one."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ecauto_pipeline.defs.partitions import hour_key
from ecauto_pipeline.emulator import process
from ecauto_pipeline_tests.scenarios.webserver import ROOT, webserver

LIMIT_S = 2.0
TIMES = 6
SLOW = {"kind": "slow", "seconds": 20.0, "api": "sp_api"}


class Place:
    """A folder with an installation at a fifth of the demo's speed: its first fill goes on for minutes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("workspace.yaml", "dagster.yaml"):
            shutil.copy(ROOT / name, folder / name)
        toml = (ROOT / "ecauto.toml").read_text(encoding="utf-8").replace("speed = 60.0", "speed = 4.0")
        (folder / "ecauto.toml").write_text(toml, encoding="utf-8")
        self.environ = {name: value for name, value in os.environ.items() if name != "DAGSTER_HOME"}
        self.environ |= {"ECAUTO_DATA_DIR": str(folder / "data"), "ECAUTO_CONFIG": str(folder / "ecauto.toml")}
        self.url = process.ensure(folder / "data" / "emulator", seed=1, listings=1000, accounts=3, speed=4.0)

    def control(self, path: str, method: str = "GET", body: Any = None) -> Any:
        content = None if body is None else json.dumps(body).encode("utf-8")
        request = urllib.request.Request(f"{self.url}/emulator/{path}", content, method=method)
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=60) as answer:
            return json.loads(answer.read())

    def calls(self) -> int:
        """Calls of SP-API that the emulator has seen."""
        seen = self.control("calls?api=sp_api&limit=100000")
        return len(seen["calls"] if isinstance(seen, dict) else seen)

    def until_it_asks(self, before: int) -> None:
        deadline = time.monotonic() + 90
        while self.calls() <= before:
            assert time.monotonic() < deadline, "the run never asked"
            time.sleep(0.1)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    made = Place(tmp_path_factory.mktemp("stopping"))
    yield made
    process.stop(made.folder / "data" / "emulator")


@pytest.mark.parametrize("in_a_call", [False, True], ids=["between calls", "in a call"])
def test_sigterm_ends_the_command_line_within_two_seconds(place: Place, in_a_call: bool) -> None:
    """From the signal to the end of the process; the exit code says that it did not finish."""
    took = []
    for number in range(TIMES):
        before = place.calls()
        if in_a_call:
            place.control("faults", "POST", SLOW)
        command = [str(Path(sys.executable).with_name("ecauto")), "sync"]
        with (place.folder / "sync.log").open("wb") as log:
            running = subprocess.Popen(command, cwd=place.folder, env=place.environ, stdout=log, stderr=log)
        place.until_it_asks(before)
        time.sleep(0.15 * number)
        began = time.monotonic()
        running.send_signal(signal.SIGTERM)
        running.wait(30)
        took.append(round(time.monotonic() - began, 2))
        place.control("faults", "DELETE")
        assert running.returncode != 0
        assert "Traceback" not in (place.folder / "sync.log").read_text(encoding="utf-8")
    print(f"SIGTERM {'in a call' if in_a_call else 'between calls'}: {took} s")
    assert max(took) <= LIMIT_S


def test_terminate_in_the_ui_ends_the_run_within_two_seconds(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the mutation to the run that says it is canceled."""
    monkeypatch.chdir(place.folder)
    mutation = "mutation($id: String!) { terminateRun(runId: $id) { __typename } }"
    with webserver(place.folder) as server:
        before = place.calls()
        run_id = server.launch("stock_sync", hour_key(datetime.now(UTC)))
        place.until_it_asks(before)
        began = time.monotonic()
        assert server.ask(mutation, {"id": run_id})["terminateRun"]["__typename"] == "TerminateRunSuccess"
        status = server.wait_for_run(run_id, 60)
        took = round(time.monotonic() - began, 2)
    print(f"Terminate: {took} s, {status}")
    assert status == "CANCELED"
    assert took <= LIMIT_S


def test_runs_stop_ends_a_run_of_the_ui_as_canceled(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """`ecauto runs stop` from another process: what Dagster launched is canceled, nothing tries it again."""
    monkeypatch.chdir(place.folder)
    with webserver(place.folder) as server:
        before = place.calls()
        run_id = server.launch("stock_sync", hour_key(datetime.now(UTC)))
        place.until_it_asks(before)
        command = [str(Path(sys.executable).with_name("ecauto")), "runs", "stop", run_id[:8], "--json"]
        told = subprocess.run(command, cwd=place.folder, env=place.environ, capture_output=True, check=True)
        assert (run_id, True) == tuple(json.loads(told.stdout)[name] for name in ("run_id", "ended"))
        assert "CANCELED" == server.wait_for_run(run_id, 60)
