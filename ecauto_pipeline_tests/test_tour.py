"""The README's tour, typed line by line by a newcomer: every command of it works, in the order it stands there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ecauto_pipeline.emulator import process

pytestmark = pytest.mark.long

ROOT = Path(__file__).absolute().parents[1]
SERVES = "ecauto dev"  # until it is ended; proofs/test_going_live.py starts it
OVER = "-- over"
IN_TURN = f"""
import shlex, sys
from ecauto_pipeline.cli import main

for words in sys.argv[1:]:
    sys.argv = ["ecauto", *shlex.split(words)]
    code = 0
    try:
        main()
    except SystemExit as ended:
        code = ended.code or 0
    print("{OVER}", code, flush=True)
"""
"""In one process: what the commands load is the same, and loading it is most of what they cost."""


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
    config.write_text(demo_s.replace("listings = 1000", "listings = 60"), encoding="utf-8")  # the same world, smaller
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("DAGSTER_HOME", "ECAUTO_"))}
    typed = [command.removeprefix("ecauto ") for command in _tour("README.md") if command != SERVES]
    try:
        done = subprocess.run(
            [sys.executable, "-c", IN_TURN, *typed],
            cwd=tmp_path,
            env=environ,
            capture_output=True,
            encoding="utf-8",
            timeout=500,
        )
    finally:
        process.stop(tmp_path / "data" / "emulator")
    assert 0 == done.returncode, done.stderr[-500:]
    ended = re.findall(rf"(.*?){OVER} (\d+)\n", done.stdout, re.S)
    assert len(typed) == len(ended) >= 6
    for command, (said, code) in zip(typed, ended, strict=True):
        assert code in ("0", "1"), (command, done.stderr[-500:])
        assert said.strip(), command
    assert "Traceback" not in done.stdout + done.stderr
