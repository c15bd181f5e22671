"""`ecauto history` and `ecauto explain` beside a damaged file: each works, names it, and gives advice that works."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import typer

from ecauto_pipeline.cli import explain, history
from ecauto_pipeline.clock import SystemClock
from ecauto_pipeline.history.store import HistoryStore
from ecauto_pipeline_tests.history.rows import snapshots

LAST_MONTH = SystemClock().now() - timedelta(days=62)


@dataclass
class Place:
    """An installation with two files of answers of a closed month, one of which can't be read; a backup of it."""

    folder: Path
    store: HistoryStore
    harmed: Path
    backup: Path
    capsys: pytest.CaptureFixture[str]

    def told(self, command: Callable[..., None], *arguments: Any, **options: Any) -> tuple[int, str]:
        """Exit code and what was said, for one command."""
        try:
            command(*arguments, **options)
        except typer.Exit as ended:
            return ended.exit_code, self.capsys.readouterr().out
        return 0, self.capsys.readouterr().out

    def verified(self) -> dict[str, Any]:
        _, said = self.told(history.verify, json_output=True)
        found: dict[str, Any] = json.loads(said)
        return found


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Place:
    monkeypatch.setenv("ECAUTO_CONFIG", str(tmp_path / "ecauto.toml"))
    monkeypatch.delenv("ECAUTO_DATA_DIR", raising=False)
    (tmp_path / "ecauto.toml").write_text("", encoding="utf-8")
    store = HistoryStore(tmp_path / "data" / "history", tmp_path / "data" / "history.duckdb", SystemClock())
    harmed = store.write("snapshots", "harmed", snapshots(range(10), at=LAST_MONTH), LAST_MONTH)
    store.write("snapshots", "sound", snapshots(range(100, 110), at=LAST_MONTH), LAST_MONTH)
    assert harmed is not None
    shutil.copy(harmed, tmp_path / "backup")
    content = bytearray(harmed.read_bytes())
    content[60:300] = b"\x00\xff" * 120
    harmed.write_bytes(content)
    return Place(tmp_path, store, harmed, tmp_path / "backup", capsys)


def test_verify_names_the_file_and_what_it_advises_works(place: Place) -> None:
    """Rebuild is advised, and sets it aside; then its backup, and with that in place all is well."""
    name = place.harmed.relative_to(place.store.directory).as_posix()
    found = place.verified()
    assert (False, [name]) == (found["ok"], found["unreadable"])
    assert any(name in line and "ecauto history rebuild" in line for line in found["advice"])
    code, said = place.told(history.rebuild)
    assert (0, True, True) == (code, f"{name}" in said, "最大 10" in said)
    found = place.verified()
    assert (False, [f"{name}.damaged"]) == (found["ok"], found["set_aside"])
    (line,) = found["advice"]
    assert re.search(rf"バックアップがあれば {re.escape(name)} に戻して ecauto history rebuild", line)
    shutil.copy(place.backup, place.harmed)
    assert 0 == place.told(history.rebuild)[0]
    found = place.verified()
    assert (True, []) == (found["ok"], found["advice"])


def test_without_a_backup_the_advice_works_too(place: Place) -> None:
    """The damaged file is deleted, as verify says; verify is content then."""
    place.told(history.rebuild)
    (line,) = place.verified()["advice"]
    aside = re.search(r"なければ (\S+) を削除", line)
    assert aside is not None
    (place.store.directory / aside[1]).unlink()
    code, said = place.told(history.verify)
    assert (0, "問題ありません。") == (code, said.strip().splitlines()[-1])


def test_rows_that_differ_are_mended_as_advised(place: Place) -> None:
    """A file that is gone, put back, and rebuilt as verify says."""
    shutil.copy(place.backup, place.harmed)
    place.store.load()
    place.harmed.unlink()
    found = place.verified()
    assert any(found["missing_files"][0] in line for line in found["advice"])
    shutil.copy(place.backup, place.harmed)
    assert 0 == place.told(history.rebuild)[0]
    assert place.verified()["ok"]


def test_compact_works_beside_it(place: Place) -> None:
    """The sound file's month is merged, the damaged one is named."""
    code, said = place.told(history.compact)
    assert (0, True) == (code, "まとめました: 1 ファイルを 1 ファイルに" in said)
    assert f"{place.harmed.name}" in said


def test_explain_works_beside_it(place: Place) -> None:
    """Not loaded yet, and no page of it can be read: what the sound file says of the ASIN is told."""
    code, said = place.told(explain.explain, "B000000005", json_output=True)
    assert (0, True) == (code, "1105" in said)  # yen
