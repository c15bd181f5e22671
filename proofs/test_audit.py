"""After runs with recognisable secrets, none of them stands anywhere it must not: logs, history, metadata, Dagster."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from ecauto_pipeline.emulator import process
from ecauto_pipeline_tests.scenarios.webserver import ROOT

MAY_HOLD_TOKENS = ("tokens", "emulator", "state.db")
"""Token files and state.db (the write-ahead of rotated tokens) are 0600; the emulator's folder is the other side."""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("audit")
    for name in ("dagster.yaml", "workspace.yaml", "ecauto.toml"):
        (folder / name).write_bytes((ROOT / name).read_bytes())
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("ECAUTO_", "DAGSTER_"))}
    for command in (["sync"], ["status", "--json"], ["doctor"], ["holds", "list"]):
        done = subprocess.run(
            [sys.executable, "-c", "from ecauto_pipeline.cli import main; main()", *command],
            cwd=folder,
            env=environ,
            capture_output=True,
            check=False,
            timeout=300,
        )
        (folder / "data" / f"said-{command[0]}.txt").write_bytes(done.stdout + done.stderr)
    process.stop(folder / "data" / "emulator")
    return folder / "data"


def _secrets(data: Path) -> list[bytes]:
    tokens = [json.loads(path.read_text(encoding="utf-8")) for path in (data / "tokens").glob("*_token.json")]
    pairs = [document[name] for document in tokens for name in ("access_token", "refresh_token")]
    assert len(pairs) >= 4
    return [secret.encode() for secret in (*pairs, "EMULATED-NOT-A-SECRET", "EMULATED-REFRESH-TOKEN")]


def test_no_secret_is_written_down(data: Path) -> None:
    """Every file the runs left, but those that are made to keep tokens."""
    secrets, found = _secrets(data), []
    looked = 0
    for path in data.rglob("*"):
        if not path.is_file() or path.relative_to(data).parts[0].startswith(MAY_HOLD_TOKENS):
            continue
        looked += 1
        content = path.read_bytes()
        found += [(path.name, secret[:4]) for secret in secrets if secret in content]
    assert looked > 10
    assert [] == found


def test_what_holds_tokens_is_the_owners_alone(data: Path) -> None:
    """Token files and state.db: 0600."""
    files = [*(data / "tokens").glob("*_token.json"), data / "state.db"]
    assert {0o600} == {stat.S_IMODE(path.stat().st_mode) for path in files}


def test_nothing_about_a_buyer_is_kept(data: Path) -> None:
    """Orders were read; no name, address, phone or mail of theirs is in any file of ours."""
    marks = ["購入者".encode(), b"last_name", b"first_name", b"mail_address", b"zip_code"]
    found = [
        (path.name, mark)
        for path in data.rglob("*")
        if path.is_file() and path.relative_to(data).parts[0] != "emulator"
        for mark in marks
        if mark in path.read_bytes()
    ]
    assert [] == found
