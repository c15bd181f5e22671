"""A run of this version over what every earlier version left: it goes on and loses no row of history."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ecauto_pipeline.emulator import process
from ecauto_pipeline_tests.test_tour import IN_TURN, OVER
from ecauto_pipeline_tests.upgrades.folders import LANDED, answers_in_database, answers_in_files, unpacked


@pytest.mark.parametrize("version", LANDED)
def test_a_run_goes_on_where_that_version_was(tmp_path: Path, version: str) -> None:
    """`ecauto sync`, `status`, `history verify`, and `sync` again: no failure, no row of history lost."""
    config = unpacked(version, tmp_path)
    wrote = answers_in_files(tmp_path)
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("DAGSTER_", "ECAUTO_"))}
    commands = ["sync", "status", "history verify", "sync"]
    try:
        done = subprocess.run(
            [sys.executable, "-c", IN_TURN, *commands],
            cwd=tmp_path,
            env=environ | {"ECAUTO_CONFIG": str(config)},
            capture_output=True,
            encoding="utf-8",
            timeout=600,
        )
    finally:
        process.stop(tmp_path / "data" / "emulator")
    ended = [line for line in done.stdout.splitlines() if line.startswith(OVER)]
    assert len(commands) == len(ended), done.stderr[-2_000:]
    assert {f"{OVER} 0", f"{OVER} 1"} >= set(ended), done.stdout[-3_000:]
    assert f"{OVER} 0" == ended[2], done.stdout[-3_000:]
    assert "Traceback" not in done.stdout + done.stderr
    assert wrote <= answers_in_database(tmp_path)
