"""A run of a fleet whose process is stopped (SIGSTOP) and wakes after its successor began: it does nothing more.

Not for: the same between the steps of a whole run, with a clock moved by hand (ecauto_pipeline_tests/sync).
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ecauto_pipeline.state import lane_leases, locks
from ecauto_pipeline.state.database import Database
from ecauto_pipeline.state.postgresql import LONGEST_PAUSE_S
from proofs.fleet.servers import wait_for

WORKER = """
import logging, sys, time
from ecauto_pipeline.clock import SystemClock
from ecauto_pipeline.settings import parse
from ecauto_pipeline.state import locks
from ecauto_pipeline.sync.lane_lease import holding
from ecauto_pipeline.wiring.open import open_tools
from pathlib import Path
folder, url, pauses, sent = Path(sys.argv[1]), sys.argv[2], sys.argv[3] == "in a write", open(sys.argv[4], "a")
with open_tools(parse({"state": {"url": url}}, folder), offline=True) as tools, holding(tools, "a", "first"):
    while True:
        tools.state.may_send()
        sent.write("sent\\n"); sent.flush()
        with tools.state.write(locks.run("first")) as connection:
            if pauses:
                sent.write("writing\\n"); sent.flush()
                time.sleep(0.2)
        time.sleep(0.0 if pauses else 0.05)
"""


@pytest.mark.parametrize("where", ["between", "in a write"])
def test_a_process_that_wakes_late_is_refused(state_url: str, tmp_path: Path, where: str) -> None:
    """Its successor waits for its lease, and no longer for a write that it was stopped in; after it wakes it ends with
    what became of its lane, and nothing of it leaves or is kept."""
    sent = tmp_path / "sent.txt"
    given = [sys.executable, "-c", WORKER, str(tmp_path), state_url, where, str(sent)]
    process = subprocess.Popen(given, stderr=subprocess.PIPE, text=True)
    database = Database(state_url)
    try:
        wait_for(lambda: sent.exists() and sent.read_text().count("sent") > 3, 60, "the first run to work")
        wanted = "writing" if where == "in a write" else "sent"
        wait_for(lambda: sent.read_text().split()[-1] == wanted, 10, "the moment", every_s=0.01)
        os.kill(process.pid, signal.SIGSTOP)
        stopped, owner, number = time.monotonic(), "elsewhere|1|0|b", 0
        while not number and time.monotonic() < stopped + 120:
            with database.write(locks.lane("a")) as connection:
                got = lane_leases.claim(connection, "a", "second", owner, datetime.now(UTC))
            number = got.number if got.owner == owner else 0
            time.sleep(0.5)
        waited_s = time.monotonic() - stopped
        before = sent.read_text()
        os.kill(process.pid, signal.SIGCONT)
        _, said = process.communicate(timeout=30)
    finally:
        process.kill()
        database.close()
    assert 2 == number
    assert waited_s < lane_leases.LIFE.total_seconds() + 5 + (LONGEST_PAUSE_S if where == "in a write" else 0)
    assert process.returncode != 0
    assert "another run works on lane a now" in said
    late = sent.read_text().removeprefix(before).split()
    assert late in ([[], ["sent"]] if where == "between" else [[]])  # stopped after its last look: it left
