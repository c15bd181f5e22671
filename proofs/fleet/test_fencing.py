"""A run of a fleet whose process is stopped (SIGSTOP) and wakes after its successor began: it does nothing more.

Not for: the same between the steps of a whole run, with a clock moved by hand (ecauto_pipeline_tests/sync).
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ecauto_pipeline.state import lane_leases, locks
from ecauto_pipeline.state.database import Database
from ecauto_pipeline.state.postgresql import LONGEST_PAUSE_S
from proofs.fleet.servers import PostgreSQL, wait_for
from proofs.fleet.tables import migrated

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

MOMENTS = {"between": "sent", "in a write": "writing"}
"""Where a process is stopped -> the last thing that it said."""


@dataclass(frozen=True, slots=True)
class Woken:
    """What became of a process that was stopped, and of who came after it."""

    number: int
    waited_s: float
    returncode: int
    said: str
    late: list[str]


def test_a_process_that_wakes_late_is_refused(postgresql_server: PostgreSQL, tmp_path: Path) -> None:
    """Its successor waits for its lease, and no longer for a write that it was stopped in; after it wakes it ends with
    what became of its lane, and nothing of it leaves or is kept."""
    urls = {where: migrated(postgresql_server.url(postgresql_server.new_database())) for where in MOMENTS}
    with ThreadPoolExecutor() as side_by_side:  # most of it is waiting
        stopped = {where: side_by_side.submit(_stop, url, tmp_path / where, where) for where, url in urls.items()}
        for where, woken in stopped.items():
            _refused(woken.result(), where)


def _stop(url: str, folder: Path, where: str) -> Woken:
    """A process stopped at this moment of its work, until another has its lane."""
    folder.mkdir()
    sent = folder / "sent.txt"
    given = [sys.executable, "-c", WORKER, str(folder), url, where, str(sent)]
    process = subprocess.Popen(given, stderr=subprocess.PIPE, text=True)
    database = Database(url)
    try:
        wait_for(lambda: sent.exists() and sent.read_text().count("sent") > 3, 60, "the first run to work")
        wait_for(lambda: sent.read_text().split()[-1] == MOMENTS[where], 10, "the moment", every_s=0.01)
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
    return Woken(number, waited_s, process.returncode, said, sent.read_text().removeprefix(before).split())


def _refused(woken: Woken, where: str) -> None:
    assert 2 == woken.number
    in_a_write = where == "in a write"
    assert woken.waited_s < lane_leases.LIFE.total_seconds() + 5 + (LONGEST_PAUSE_S if in_a_write else 0)
    assert woken.returncode != 0
    assert "another run works on lane a now" in woken.said
    assert woken.late in ([[]] if in_a_write else [[], ["sent"]])  # stopped after its last look: it left
