"""The README's tour, typed line by line by a newcomer: every command of it works, in the order it stands there."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ecauto_pipeline.emulator import process

pytestmark = pytest.mark.long

ROOT = Path(__file__).absolute().parents[1]
SERVES = "ecauto dev"  # until it is ended; proofs/test_going_live.py starts it


def _tour(paper: str) -> list[str]:
    text = (ROOT / paper).read_text(encoding="utf-8")
    block = next(one for one in re.findall(r"```sh\n(.*?)```", text, re.S) if "ecauto status" in one)
    return [line.split("#")[0].strip() for line in block.strip().splitlines()]


@pytest.mark.timeout(280)
def test_the_tour_can_be_taken(tmp_path: Path) -> None:
    """Exit 0, or 1 where something waits for a person; words on the screen, no trace of Python; both READMEs alike."""
    assert _tour("README.md") == _tour("README.ja.md")
    for name in ("workspace.yaml", "dagster.yaml", "ecauto.toml"):
        shutil.copy(ROOT / name, tmp_path / name)
    config = tmp_path / "ecauto.toml"
    demo_s = config.read_text(encoding="utf-8")
    assert "listings = 1000" in demo_s
    config.write_text(demo_s.replace("listings = 1000", "listings = 120"), encoding="utf-8")  # the same world, smaller
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("DAGSTER_HOME", "ECAUTO_"))}
    environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environ['PATH']}"
    taken = []
    try:
        for command in _tour("README.md"):
            if command == SERVES:
                continue
            done = subprocess.run(
                shlex.split(command), cwd=tmp_path, env=environ, capture_output=True, encoding="utf-8", timeout=500
            )
            assert done.returncode in (0, 1), (command, done.stderr[-500:])
            assert done.stdout.strip(), command
            assert "Traceback" not in done.stdout + done.stderr
            taken.append(command)
    finally:
        process.stop(tmp_path / "data" / "emulator")
    assert len(taken) >= 6
