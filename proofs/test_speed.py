"""What has to be quick, by the machine's own clock: an answer on the command line, a plan, a stop.

Spans of time belong here and not among the tests, which hold on a machine of any speed. Needs a quiet machine.
"""

from __future__ import annotations

import os
import resource
import signal
import statistics
import subprocess
import sys
import time
from pathlib import Path

import httpx
import numpy as np
import pytest

from ecauto_pipeline.clock import SystemClock
from ecauto_pipeline.domain.freshness.cadence import solve
from ecauto_pipeline.emulator import process
from ecauto_pipeline.register.master import Register
from ecauto_pipeline_tests.register.test_master import LISTING, PRODUCT

_ECAUTO = [sys.executable, "-c", "from ecauto_pipeline.cli import main; main()"]


def _cpu_s(folder: Path, *arguments: str) -> float:
    """CPU seconds, user and system, of one command."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    ended = subprocess.run([*_ECAUTO, *arguments], cwd=folder, capture_output=True, check=False)
    assert ended.returncode in (0, 1)  # status: 1 where something waits for a person
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


@pytest.mark.parametrize(("command", "most_s"), [("--help", 0.3), ("status", 0.6)])
def test_the_command_line_answers_at_once(tmp_path: Path, command: str, most_s: float) -> None:
    """Median of five, on an installation that has done its first sync."""
    (tmp_path / "ecauto.toml").write_text("[emulator]\nlistings = 200\n", encoding="utf-8")
    (tmp_path / "dagster.yaml").write_text("telemetry:\n  enabled: false\n", encoding="utf-8")
    try:
        subprocess.run([*_ECAUTO, "demo"], cwd=tmp_path, capture_output=True, check=True)
    finally:
        process.stop(tmp_path / "data" / "emulator")
    assert statistics.median(_cpu_s(tmp_path, command) for _ in range(5)) <= most_s


def test_a_hundred_thousand_rows_are_read_in_seconds(tmp_path: Path) -> None:
    """100,000 products and as many listings: a second or so on one core (four allowed here)."""
    products = [{**PRODUCT, "asin": f"B{n:09d}", "last_fetched_at": "2025-11-20T09:00:00.5"} for n in range(100_000)]
    listings = [
        {**LISTING, "asin": f"B{n:09d}", "platform_item_id": str(n), "sku": f"b-B{n:09d}-20251101"}
        for n in range(100_000)
    ]
    register = Register.create(tmp_path / "master.db", products, listings)
    began = time.perf_counter()
    register.read()
    assert time.perf_counter() - began < 4.0


def test_the_periods_of_a_hundred_thousand_take_well_under_a_second() -> None:
    """They are solved anew in every plan, so they must cost nothing."""
    weight = np.arange(1, 100_001, dtype=np.float64) ** -1.1
    longest = np.full(weight.size, 86_400.0)
    began = time.perf_counter()
    solve(weight, longest, 10.0)
    assert time.perf_counter() - began < 0.8


def test_the_emulator_ends_at_once_even_with_a_call_that_hangs(tmp_path: Path) -> None:
    """Two seconds after SIGTERM it is gone, whoever still waits for an answer."""
    command = [sys.executable, "-m", "ecauto_pipeline.emulator", "--data", str(tmp_path), "--listings", "20"]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, encoding="utf-8")
    assert running.stdout is not None
    url = running.stdout.readline().split()[2]
    httpx.post(f"{url}/emulator/faults", json={"kind": "timeout", "seconds": 3600}, trust_env=False)
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(f"{url}/auth/o2/token", timeout=httpx.Timeout(10, read=0.1), trust_env=False)
    began = SystemClock().monotonic()
    os.kill(running.pid, signal.SIGTERM)
    assert 0 == running.wait()
    assert SystemClock().monotonic() - began < 2
