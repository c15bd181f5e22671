"""`ecauto rollback` as it is typed: by the beginning of a run's id, naming what it leaves as it is; and of the sync
before it, that its claim on starting one stands in state.db while it works."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from ecauto_pipeline.settings import load
from ecauto_pipeline.sync.people.start_sync import CLAIM
from ecauto_pipeline.wiring.open import open_tools
from ecauto_pipeline_tests.cli.typed import type_command
from ecauto_pipeline_tests.defs.installation import installed

WORLD = "[emulator]\nlistings = 20\naccounts = 2\nspeed = 1000.0\n"
ONE_OFF = '[[base.accounts]]\nid = "base_account_1"\n[[base.accounts]]\nid = "base_account_2"\nactive = {}\n'


def watch_claims(state: Path) -> Callable[[], list[str]]:
    """What becomes of the row of the claim from now on, as the database itself notes it."""
    noted = "CREATE TRIGGER {0} AFTER {1} ON leases WHEN {2}.name = '{3}' BEGIN INSERT INTO seen VALUES ('{4}'); END"
    with closing(sqlite3.connect(state)) as database:
        database.execute("CREATE TABLE seen (what TEXT)")
        database.execute(noted.format("came", "INSERT", "NEW", CLAIM, "claimed"))
        database.execute(noted.format("went", "DELETE", "OLD", CLAIM, "given back"))

    def seen() -> list[str]:
        with closing(sqlite3.connect(state)) as database:
            return [what for (what,) in database.execute("SELECT what FROM seen ORDER BY rowid")]

    return seen


def claims_now(state: Path) -> int:
    with closing(sqlite3.connect(state)) as database:
        return int(database.execute("SELECT count(*) FROM leases WHERE name = ?", (CLAIM,)).fetchone()[0])


def test_what_is_not_put_back_is_named_and_the_exit_code_is_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A shop switched off since: its items stay as they are and are listed with the reason; the others are put back.
    Whoever clicked on a desk while that sync was typed would have been told (sync/people/start_sync.py)."""
    monkeypatch.chdir(tmp_path)
    with installed(tmp_path, WORLD + ONE_OFF.format("true")) as here:
        monkeypatch.setenv("DAGSTER_HOME", str(here.folder / "instance"))
        with open_tools(load(), offline=True):
            watched = watch_claims(tmp_path / "data" / "state.db")
        synced = json.loads(type_command(monkeypatch, capsys, "sync", "--json")[1])
        assert synced["pushed"] > 0
        assert (["claimed", "given back"], 0) == (watched(), claims_now(tmp_path / "data" / "state.db"))
        (tmp_path / "ecauto.toml").write_text(WORLD + ONE_OFF.format("false"), encoding="utf-8")
        code, said, _ = type_command(monkeypatch, capsys, "rollback", synced["run_id"][:8])
    named = [line for line in said.splitlines() if line.startswith("- ")]
    assert (1, True) == (code, bool(named))
    assert named == [line for line in named if line.startswith("- base_account_2 ") or "shop_off" not in line]
    assert any("(shop_off)" in line for line in named)
    assert f"元に戻していないもの {len(named)} 件" in said
