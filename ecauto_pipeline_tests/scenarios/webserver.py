"""A Dagster webserver with its daemon, started and ended for a proof; GraphQL in, plain values out.

Not for: what is proved (test_*.py).
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ecauto_pipeline.wiring.ports import free_port

_LAUNCHED = """__typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message }
    ... on InvalidSubsetError { message } ... on RunConfigValidationInvalid { errors { message } }"""
ROOT = Path(__file__).absolute().parents[2]
SERVERS = "ecauto_pipeline_tests.scenarios.dagster_servers"


def _run_id(answer: Mapping[str, Any]) -> str:
    if answer["__typename"] != "LaunchRunSuccess":
        raise RuntimeError(str(answer))
    return str(answer["run"]["runId"])


class Webserver:
    """One on loopback, with its code server and its daemon."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"

    def ask(self, query: str, variables: Mapping[str, Any] | None = None) -> dict[str, Any]:
        body = json.dumps({"query": query, "variables": dict(variables or {})}).encode()
        request = urllib.request.Request(f"{self.url}/graphql", body, {"Content-Type": "application/json"})
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=60) as answer:
            document = json.loads(answer.read())
        if document.get("errors"):
            raise RuntimeError(str(document["errors"])[:2000])
        return dict(document["data"])

    def selector(self, job: str) -> dict[str, str]:
        return {"repositoryLocationName": "ecauto_pipeline", "repositoryName": "__repository__", "jobName": job}

    def launch(
        self,
        job: str,
        partition: str,
        config: Mapping[str, Any] | None = None,
        tags: Mapping[str, str] | None = None,
        assets: Sequence[str] = (),
    ) -> str:
        """Start a job, or some of its assets, on one partition; returns the run's id."""
        mutation = f"mutation($params: ExecutionParams!) {{ launchRun(executionParams: $params) {{ {_LAUNCHED} }} }}"
        selector: dict[str, Any] = dict(self.selector(job))
        if assets:
            selector["assetSelection"] = [{"path": [asset]} for asset in assets]  # with their checks
        marks = {"dagster/partition": partition, **(tags or {})}
        params = {
            "selector": selector,
            "runConfigData": json.dumps({"resources": {"pipeline": {"config": dict(config or {})}}}),
            "executionMetadata": {"tags": [{"key": key, "value": value} for key, value in marks.items()]},
            "mode": "default",
        }
        return _run_id(self.ask(mutation, {"params": params})["launchRun"])

    def materialize(self, asset: str, partition: str) -> str:
        """What "Materialize selected" does for one asset; returns the run's id."""
        return self.launch("__ASSET_JOB", partition, assets=(asset,))

    def re_execute(self, run_id: str, strategy: str = "FROM_FAILURE") -> str:
        """What "Re-execute" does with a run (FROM_FAILURE or ALL_STEPS); returns the new run's id."""
        mutation = f"""mutation($params: ReexecutionParams!) {{
            launchRunReexecution(reexecutionParams: $params) {{ {_LAUNCHED} }} }}"""
        params = {"parentRunId": run_id, "strategy": strategy}
        return _run_id(self.ask(mutation, {"params": params})["launchRunReexecution"])

    def retry_of(self, run_id: str) -> str | None:
        """The run that the daemon (or a person) launched after this one; None while there is none."""
        query = "query($f: RunsFilter!) { runsOrError(filter: $f) { ... on Runs { results { runId } } } }"
        filter_ = {"tags": [{"key": "dagster/parent_run_id", "value": run_id}]}
        found = self.ask(query, {"f": filter_})["runsOrError"]["results"]
        return str(found[0]["runId"]) if found else None

    def backfill(self, assets: list[str], partitions: list[str]) -> str:
        """Start a backfill of assets over partitions; returns its id."""
        mutation = """mutation($params: LaunchBackfillParams!) { launchPartitionBackfill(backfillParams: $params) {
            __typename ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message } } }"""
        params = {
            "assetSelection": [{"path": [asset]} for asset in assets],
            "partitionNames": partitions,
            "fromFailure": False,
        }
        answer = self.ask(mutation, {"params": params})["launchPartitionBackfill"]
        if answer["__typename"] != "LaunchBackfillSuccess":
            raise RuntimeError(str(answer))
        return str(answer["backfillId"])

    def run_status(self, run_id: str) -> str:
        query = "query($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }"
        return str(self.ask(query, {"id": run_id})["runOrError"]["status"])

    def wait_for_run(self, run_id: str, timeout_s: float = 240) -> str:
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            status = self.run_status(run_id)
            if status in ("SUCCESS", "FAILURE", "CANCELED"):
                return status
            time.sleep(0.5)
        raise TimeoutError(f"run {run_id} is still {status}")

    def backfill_state(self, backfill_id: str) -> tuple[str, list[dict[str, Any]]]:
        """Its status, and its runs."""
        query = (
            "query($id: String!) { partitionBackfillOrError(backfillId: $id) { ... on PartitionBackfill { status } } }"
        )
        status = self.ask(query, {"id": backfill_id})["partitionBackfillOrError"]["status"]
        runs = self.ask(
            "query($f: RunsFilter!) { runsOrError(filter: $f) { ... on Runs { results { runId status } } } }",
            {"f": {"tags": [{"key": "dagster/backfill", "value": backfill_id}]}},
        )["runsOrError"]["results"]
        return str(status), list(runs)

    def wait_for_backfill(self, backfill_id: str, timeout_s: float = 300) -> tuple[str, list[dict[str, Any]]]:
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            status, runs = self.backfill_state(backfill_id)
            if status.startswith(("COMPLETED", "FAILED", "CANCELED")):
                return status, runs
            time.sleep(1)
        raise TimeoutError(f"backfill {backfill_id} is still {status}")


@contextmanager
def webserver(folder: Path, *, copies: bool = False) -> Iterator[Webserver]:
    """A webserver whose data and instance live in `folder`; started in a copy of the root's two yaml files.

    `copies`: a run's process begins as a copy of one that has loaded the project, not from nothing as in life.
    """
    for name in ("workspace.yaml", "dagster.yaml", "ecauto.toml"):
        if not (folder / name).exists():
            shutil.copy(ROOT / name, folder / name)
    (folder / "data" / "dagster").mkdir(parents=True, exist_ok=True)
    port = free_port()
    hidden = ("ECAUTO_CONFIG", "ECAUTO_DATA_DIR")
    environ = {name: value for name, value in os.environ.items() if name not in hidden}
    environ |= {"DAGSTER_HOME": str(folder), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", SERVERS, str(os.getpid()), str(port), *(["copies"] if copies else [])]
    with (folder / "webserver.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, env=environ, stdout=log, stderr=log)
    server = Webserver(port)
    try:
        deadline = time.monotonic() + 120
        while True:
            try:
                server.ask("{ version }")
                break
            except (OSError, RuntimeError):
                if time.monotonic() > deadline or process.poll() is not None:
                    raise
                time.sleep(0.5)
        yield server
    finally:
        process.send_signal(signal.SIGINT)
        process.wait()
