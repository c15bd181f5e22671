"""`ecauto dev` ended at many moments, by a person, a service manager or a kill: nothing is left."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from ecauto_pipeline.wiring.ports import free_port
from ecauto_pipeline_tests.pages import ROOT

MOMENTS = 8
ENDS_WITHIN_S = 60.0
HOW = {"Ctrl-C": signal.SIGINT, "Ctrl-C three times": signal.SIGINT, "SIGTERM": signal.SIGTERM, "kill": signal.SIGKILL}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One for all: whatever an end leaves, the next start has to live with."""
    made = tmp_path_factory.mktemp("dev_ends")
    for name in ("workspace.yaml", "dagster.yaml"):
        (made / name).write_bytes((ROOT / name).read_bytes())
    desk = f"[desk]\nport = {free_port()}\n"
    (made / "ecauto.toml").write_text(f"[emulator]\nlistings = 12\naccounts = 2\n{desk}", encoding="utf-8")
    return made


def begun_there(folder: Path) -> list[psutil.Process]:
    """Every process of this installation, whoever started it and whoever its parent is by now."""
    found = []
    for one in psutil.process_iter():
        with suppress(psutil.Error):
            mark = one.environ().get("ECAUTO_CONFIG")
            if mark == str(folder / "ecauto.toml") and one.status() != psutil.STATUS_ZOMBIE:
                found.append(one)
    return found


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("seed", range(MOMENTS))
def test_at_any_moment(folder: Path, how: str, seed: int) -> None:
    """The terminal has our lines alone; every process has gone, so that the next start has its ports."""
    chance = random.Random(f"{how}{seed} dev")
    hidden = ("DAGSTER_HOME", "ECAUTO_DATA_DIR", "PYTHONWARNINGS")
    environ = {name: value for name, value in os.environ.items() if name not in hidden}
    environ |= {"ECAUTO_CONFIG": str(folder / "ecauto.toml"), "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-c", "from ecauto_pipeline.cli import main; main()", "dev", "--port", str(free_port())]
    said = folder / "said.txt"
    with said.open("wb") as output:
        dev = subprocess.Popen(command, cwd=folder, env=environ, stdout=output, stderr=output, start_new_session=True)
    time.sleep(chance.uniform(0.3, 6.0))
    to_all = how.startswith("Ctrl-C")  # a terminal tells its whole group, and a person does so again
    for _ in range(3 if how == "Ctrl-C three times" else 1):
        with suppress(ProcessLookupError):
            (os.killpg if to_all else os.kill)(dev.pid, HOW[how])
        time.sleep(0.2 * to_all)
    dev.wait(ENDS_WITHIN_S)
    _, left = psutil.wait_procs(begun_there(folder), timeout=ENDS_WITHIN_S)
    for one in left:
        one.kill()
    text = said.read_text(encoding="utf-8")
    assert [] == left, text
    assert "Traceback" not in text
    assert "Warning" not in text
