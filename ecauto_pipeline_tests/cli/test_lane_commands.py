"""Commands where there are lanes: one run of each, in turn, under its lane's tag."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from ecauto_pipeline.clock import SystemClock
from ecauto_pipeline.defs.lanes import LANE_TAG
from ecauto_pipeline.emulator.server import EmulatorServer
from ecauto_pipeline_tests.cli.typed import type_command
from ecauto_pipeline_tests.defs.installation import installed
from ecauto_pipeline_tests.defs.test_order_lanes import two_lanes


@pytest.fixture(scope="module")
def emulator() -> Iterator[EmulatorServer]:
    with EmulatorServer(clock=SystemClock(), seed=4, listings=8, accounts=3, speed=1000.0) as emulator:
        yield emulator


def test_one_run_a_lane_in_turn_each_under_its_tag(
    tmp_path: Path, emulator: EmulatorServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As JSON an array, one document a run; the queue and the schedules see whose runs they are."""
    with installed(tmp_path, two_lanes(emulator.url)) as here:
        monkeypatch.setenv("DAGSTER_HOME", str(here.folder / "instance"))
        _, out, _ = type_command(monkeypatch, capsys, "validate", "--json")
        tagged = {run.run_id: run.tags[LANE_TAG] for run in here.instance.get_runs()}
    told = json.loads(out)
    assert [("east", True), ("west", True)] == [(document["lane"], document["success"]) for document in told]
    assert {document["run_id"]: document["lane"] for document in told} == tagged


def test_a_lane_alone_needs_nothing_of_the_others(
    tmp_path: Path, emulator: EmulatorServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What the west lacks stops a run of everything before it begins, and none of the east's."""
    with installed(tmp_path, two_lanes(emulator.url, "NOBODY_SET_THIS")):
        refused = type_command(monkeypatch, capsys, "validate", "--dry-run")
        alone = type_command(monkeypatch, capsys, "validate", "--dry-run", "--lane", "east", "--json")
        unknown = type_command(monkeypatch, capsys, "validate", "--dry-run", "--lane", "north")
    assert (2, 0, 2) == (refused[0], alone[0], unknown[0])
    assert "NOBODY_SET_THIS" in refused[2]
    assert "east, west" in unknown[2]
