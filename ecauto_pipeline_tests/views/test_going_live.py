"""How far an installation is on its way to a live shop is told by what there is; secrets by name alone."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from nicegui.testing import User

from ecauto_pipeline.clock import ManualClock
from ecauto_pipeline.domain.model import Kind, ListingKey, Outcome
from ecauto_pipeline.settings import load
from ecauto_pipeline.state import runs
from ecauto_pipeline.state.schema import asins, listings
from ecauto_pipeline.state.schema_decisions import journal
from ecauto_pipeline.state.upsert import upsert
from ecauto_pipeline.sync.context import Tools
from ecauto_pipeline.views.going_live import secrets_named, steps
from ecauto_pipeline.wiring.open import open_tools
from ecauto_pipeline_tests.cli.typed import type_command
from ecauto_pipeline_tests.desk.visitor import a_project, with_visitor

NOW = datetime(2026, 1, 5, 3, tzinfo=UTC)
SECRET = "a-secret-nobody-may-see"
LIVE = """mode = "live"
[[base.accounts]]
id = "shop_1"
[[alerts.channels]]
kind = "slack"
url_env = "SLACK"
"""
NAMES = (
    "SP_API_REFRESH_TOKEN", "LWA_APP_ID", "LWA_CLIENT_SECRET", "SHOP_1_CLIENT_ID", "SHOP_1_CLIENT_SECRET", "SLACK",
)  # fmt: skip
KEY = ListingKey("base", "shop_1", "1")


def states(tools: Tools, environ: dict[str, str]) -> str:
    """The nine states by their first letters: d(one), o(pen), l(ater)."""
    return "".join(one.state[0] for one in steps(tools, Path(tools.settings.root), environ))


def ran(tools: Tools, run_id: str, *, dry_run: bool) -> None:
    with tools.state.write() as connection:
        runs.begin(connection, run_id, "full_sync", "", NOW, dry_run, "")
        runs.end(connection, run_id, NOW)


def sent(tools: Tools) -> None:
    with tools.state.write() as connection:
        row = {"update_id": "u", "key": "k", "diff_id": "d", "run_id": "real", "asin": "B000000001", "kind": Kind.PRICE}
        upsert(connection, journal, [row | KEY._asdict() | {"after": 1, "outcome": Outcome.DONE, "intent_at": 1}])


def answered(tools: Tools) -> None:
    with tools.state.write() as connection:
        upsert(connection, listings, [KEY._asdict() | {"asin": "B000000001", "listed": 1}])
        upsert(connection, asins, [{"asin": "B000000001", "status": "success", "price_at": 1, "stock_at": 1}])


def test_each_step_is_done_by_what_there_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file alone, the secrets, the register, the token, a dry run, an edit, every answer: one after another."""
    a_project(tmp_path, monkeypatch, LIVE)
    environ: dict[str, str] = {}
    settings = load(tmp_path / "ecauto.toml")
    with open_tools(settings, offline=True, clock=ManualClock(NOW)) as tools:
        seen = [states(tools, environ)]
        environ |= dict.fromkeys(NAMES, SECRET)
        seen.append(states(tools, environ))
        settings.master_db.write_bytes(b"")
        seen.append(states(tools, environ))
        token = settings.token_file(settings.base.accounts[0])
        token.parent.mkdir(parents=True)
        token.write_text("{}", encoding="utf-8")
        seen.append(states(tools, environ))
        ran(tools, "dry", dry_run=True)
        seen.append(states(tools, environ))
        ran(tools, "real", dry_run=False)
        sent(tools)
        seen.append(states(tools, environ))
        answered(tools)
        seen.append(states(tools, environ))
    assert ["ollllllll", "dddolllll", "ddddollll", "dddddolll", "ddddddoll", "dddddddol", "ddddddddo"] == seen


def test_the_emulators_own_secrets_are_nobodys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a demo no step is taken for done because the emulator's values stand in."""
    a_project(tmp_path, monkeypatch)
    with open_tools(load(tmp_path / "ecauto.toml"), offline=True, clock=ManualClock(NOW)) as tools:
        assert "ollllllll" == states(tools, {})


@pytest.mark.skipif(os.name != "posix", reason="rights of files are told otherwise there")
def test_an_env_file_that_others_can_read_is_no_step_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Mode 0600 is."""
    a_project(tmp_path, monkeypatch, LIVE)
    (tmp_path / ".env").write_text("", encoding="utf-8")
    with open_tools(load(tmp_path / "ecauto.toml"), offline=True, clock=ManualClock(NOW)) as tools:
        seen = []
        for mode in (0o644, 0o600):
            (tmp_path / ".env").chmod(mode)
            seen.append(states(tools, dict.fromkeys(NAMES, SECRET))[2])
    assert ["o", "d"] == seen


def test_no_secret_is_told_by_page_or_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Their names are, with whether they are set; page and command tell the same steps."""
    a_project(tmp_path, monkeypatch, LIVE + '[desk]\npassword_env = ""\n')
    for name in NAMES[:-1]:
        monkeypatch.setenv(name, SECRET)
    monkeypatch.delenv("SLACK", raising=False)
    assert {name: name != "SLACK" for name in NAMES} == {
        one.variable: one.is_set for one in secrets_named(load(tmp_path / "ecauto.toml"))
    }
    code, out, _ = type_command(monkeypatch, capsys, "setup", "--secrets", "--json")
    told = json.loads(out)
    assert (0, False) == (code, SECRET in out)

    async def scene(visitor: User) -> None:
        page = await visitor.http_client.get("/ja/setup")
        assert SECRET not in page.text
        await visitor.open("/ja/setup")
        for step in told["steps"]:
            await visitor.should_see(step["is_now"][0])
        assert all(name in page.text for name in NAMES)

    with_visitor(scene)
