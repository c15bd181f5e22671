"""When a program of Dagster's ends that `ecauto dev` began."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import psutil
import pytest

from ecauto_pipeline.cli.dagster_child import Child
from ecauto_pipeline.cli.dagster_child import end_with as end_dagster_with
from ecauto_pipeline.wiring.ports import free_port

pytestmark = pytest.mark.long


def test_dagsters_servers_end_with_the_process_they_were_started_for() -> None:
    """Also when that is killed: as by Ctrl-C, so that what they do ends in order; not before."""
    interrupted = threading.Event()
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as parent:
        watch = threading.Thread(target=end_dagster_with, args=(parent.pid, interrupted.set, 0.01))
        watch.start()
        assert not interrupted.wait(0.05)
        parent.kill()
        watch.join(timeout=10)
    assert interrupted.is_set()


def test_servers_end_also_where_what_they_are_copies_of_was_killed(tmp_path: Path) -> None:
    """Nobody learns then what they end with, so they count as ended; `ecauto dev` ends, and leaves none that would
    hold its port."""
    child = Child(("http.server", "--bind", "127.0.0.1", str(free_port())), tmp_path, os.environ, tmp_path / "log")
    served = psutil.Process(child.pid)
    try:
        origin = served.parent()
        assert origin is not None
        assert not child.has_ended()
        origin.kill()
        assert child.has_ended(within_s=60)
        assert 255 == child.code
        assert served.is_running()
    finally:
        child.end(tell=True)
    assert not served.is_running()
