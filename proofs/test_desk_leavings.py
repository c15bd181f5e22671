"""What the desk starts leaves behind what a person leaves who types it: every row of state.db, every item of the shop,
every call that the shop saw. Two worlds that are alike; in one the desk's clicks say which commands are run.

Not for: that the words are the same (ecauto_pipeline_tests/desk/test_started_commands.py).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from nicegui import ui
from nicegui.testing import User

from ecauto_pipeline.clock import ManualClock
from ecauto_pipeline.emulator.server import EmulatorServer
from ecauto_pipeline_tests.cli.typed import type_command
from ecauto_pipeline_tests.defs.installation import installed, one_shop
from ecauto_pipeline_tests.desk.leavings import leavings
from ecauto_pipeline_tests.desk.test_started_commands import WAITED, Recorder
from ecauto_pipeline_tests.desk.visitor import with_visitor

SHOP = "base_account_1"
NOW = datetime.now(UTC)
UNDO, TRIED, DONE = "元に戻すとどうなるか見る", "ショップに聞いて試す", "元に戻す"


def clicked(folder: Path, address: str, *clicks: tuple[str, str]) -> Sequence[str]:
    """The words of the command that these clicks (button, what to wait for) start on a page."""
    recorder = Recorder(folder)
    before = len(recorder.words())

    async def scene(visitor: User) -> None:
        await visitor.open(address)
        for button, then in clicks:
            visitor.find(kind=ui.button, content=button).click()
            await visitor.should_see(then, retries=WAITED)

    with_visitor(scene, recorder.program)
    [words] = recorder.words()[before:]
    return words


def test_sync_dry_run_and_undo(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A first sync; then, with another price at Amazon, a dry run; then the first run is undone, tried before."""
    desk, typed = (_left(tmp_path / who, who == "desk", monkeypatch, capsys) for who in ("desk", "typed"))
    assert 4 == len(typed)
    for step, (by_desk, by_command) in enumerate(zip(desk, typed, strict=True)):
        assert by_command.rows == by_desk.rows, step
        assert (by_command.items, by_command.calls) == (by_desk.items, by_desk.calls), step
    changed = [before.items != after.items for before, after in pairwise(typed)]
    assert [False, False, True] == changed  # what is compared is no nothing


@dataclass(frozen=True, slots=True)
class Left:
    """After a command: rows of state.db, items of the shop, calls that the shop saw."""

    rows: dict[str, list[tuple[str, ...]]]
    items: list[dict[str, Any]]
    calls: list[tuple[Any, ...]]


def _left(folder: Path, by_desk: bool, patch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> list[Left]:
    folder.mkdir()
    found = []
    with (
        EmulatorServer(clock=ManualClock(NOW), seed=4, listings=12, accounts=1, speed=1000.0) as emulator,
        installed(folder, f"{one_shop(emulator.url, SHOP)}[alerts]\nmin_free_gb = 0.0\n") as here,
    ):
        patch.setenv("DAGSTER_HOME", str(here.folder / "instance"))

        def done(address: str, clicks: Sequence[tuple[str, str]], words: Sequence[str]) -> None:
            started = clicked(folder, address, *clicks) if by_desk else words
            assert type_command(patch, capsys, *started)[0] in (0, 1)
            seen = emulator.control.calls(api="base")
            calls = [(one["operation"], one["details"].get("item_id"), one["outcome"]) for one in seen]
            found.append(Left(leavings(folder, after_runs=True), emulator.control.items(SHOP), calls))

        done("/ja", (("今すぐ同期", "同期する"), ("同期する", "完了しました")), ("sync",))
        run = _newest_run(folder)
        for item in emulator.control.items(SHOP)[:4]:
            truth = emulator.control.truth(item["identifier"])
            emulator.control.set_truth(item["identifier"], price_jpy=truth["level_jpy"] * 11 // 10)
        done("/ja", (("試しに実行", "試す"), ("試す", "完了しました")), ("sync", "--dry-run"))
        page = f"/ja/runs/{run}"
        done(page, ((UNDO, TRIED), (TRIED, UNDO)), ("rollback", run, "--dry-run"))
        done(page, ((UNDO, TRIED), (DONE, "はい、元に戻す"), ("はい、元に戻す", UNDO)), ("rollback", run))
    return found


def _newest_run(folder: Path) -> str:
    with sqlite3.connect(folder / "data" / "state.db") as state:
        return str(state.execute("SELECT run_id FROM runs ORDER BY started_at DESC LIMIT 1").fetchone()[0])
