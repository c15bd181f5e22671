"""The doctor: finds each fault that was put there, says what to do, shows no secret and changes nothing."""

from __future__ import annotations

import json
import os
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ecauto_pipeline.clock import ManualClock, jst, to_ms
from ecauto_pipeline.doctor.examine import Finding, examine, worst
from ecauto_pipeline.register.master import Register
from ecauto_pipeline.settings import Settings, parse
from ecauto_pipeline.state.database import Database, to_json
from ecauto_pipeline.state.schema import shop_accounts
from ecauto_pipeline.state.schema_calls import windows
from ecauto_pipeline.state.schema_decisions import diffs, journal
from ecauto_pipeline.state.schema_notes import notices
from ecauto_pipeline.wiring.connections import resolve
from ecauto_pipeline_tests.alerts.receivers import http_receiver

NOW = datetime(2026, 1, 5, 3, 30, tzinfo=UTC)
LIVE = {
    "tiers": {"spend": "budget"},
    "mode": "live",
    "base": {"accounts": [{"id": "shop_1"}, {"id": "shop_2", "active": False}]},
    "alerts": {"channels": [{"kind": "slack", "url_env": "SLACK"}]},
}
ENVIRON = {
    "SP_API_REFRESH_TOKEN": "secret-refresh",
    "LWA_APP_ID": "secret-app",
    "LWA_CLIENT_SECRET": "secret-lwa",
    "SHOP_1_CLIENT_ID": "secret-id",
    "SHOP_1_CLIENT_SECRET": "secret-secret",
    "SLACK": "https://hooks.slack.com/services/secret-path",
}


def by_name(settings: Settings, environ: dict[str, str] | None = None, **options: Any) -> dict[str, Finding]:
    found = examine(
        settings,
        ENVIRON if environ is None else environ,
        ManualClock(NOW),
        language="en",
        endpoints=options.pop("endpoints", {}),
    )
    return {one.name: one for one in found}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder in which everything is well: token, register, state."""
    token = tmp_path / "data" / "tokens" / "shop_1_token.json"
    token.parent.mkdir(parents=True)
    write_token(token, NOW - timedelta(days=2))
    Register.create(tmp_path / "data" / "master.db", [], [])
    Database(f"sqlite:///{tmp_path}/data/state.db").close()
    (tmp_path / ".env").write_text("A=1", encoding="utf-8")
    (tmp_path / ".env").chmod(0o600)
    return tmp_path


def write_token(path: Path, obtained: datetime) -> None:
    naive = jst(obtained).replace(tzinfo=None).isoformat()
    document = {"access_token": "secret-access", "refresh_token": "secret-dead", "obtained_at": naive}
    path.write_text(json.dumps(document), encoding="utf-8")
    path.chmod(0o600)


def test_a_healthy_house_gets_no_complaint(home: Path) -> None:
    """Every line is ok and none asks for anything; nothing that is secret is said."""
    found = by_name(parse(LIVE, home))
    assert "ok" == worst(list(found.values())), [one for one in found.values() if one.state != "ok"]
    assert {"mode", "secrets sp_api sp_1", "secrets base shop_1", "token shop_1", "master.db"} <= set(found)
    assert "secret-" not in repr(found)
    assert [] == [one.name for one in found.values() if one.what_to_do]


def test_emulated_mode_needs_no_secret_and_no_network(tmp_path: Path) -> None:
    """An empty folder is fit for the demo; our own emulator is no endpoint to reach, one that was set is."""
    settings = parse({}, tmp_path)
    assert {"alert channels"} == {one.name for one in by_name(settings, {}).values() if one.state != "ok"}
    assert {} == resolve(settings, {}).outside()
    assert [] == list(tmp_path.iterdir())
    staged = parse({"base": {"endpoint": "http://127.0.0.1:1/1"}}, tmp_path)
    assert {"base": "http://127.0.0.1:1/1"} == resolve(staged, {}).outside()


def test_missing_secrets_are_named(home: Path) -> None:
    """By variable, and blank is missing."""
    found = by_name(parse(LIVE, home), ENVIRON | {"SHOP_1_CLIENT_SECRET": "  ", "SLACK": ""})
    for name, variable in (("secrets base shop_1", "SHOP_1_CLIENT_SECRET"), ("alert channel slack:SLACK", "SLACK")):
        assert ("bad", True, True) == (found[name].state, variable in found[name].what_is, bool(found[name].what_to_do))


@pytest.mark.parametrize(("days", "state"), [(22, "ok"), (24, "warn"), (31, "bad")])
def test_a_token_ages(home: Path, days: int, state: str) -> None:
    """BASE's refresh tokens live 30 days; from the last week on a person should renew it."""
    write_token(home / "data/tokens/shop_1_token.json", NOW - timedelta(days=days))
    found = by_name(parse(LIVE, home))["token shop_1"]
    assert (state, "" if state == "ok" else "ecauto auth base shop_1") == (found.state, found.what_to_do)


def test_broken_and_missing_tokens(home: Path) -> None:
    """Not a token file, or none at all: bad, with the command that makes one."""
    path = home / "data/tokens/shop_1_token.json"
    path.write_text("{", encoding="utf-8")
    assert "bad" == by_name(parse(LIVE, home))["token shop_1"].state
    path.unlink()
    assert "is not there" in by_name(parse(LIVE, home))["token shop_1"].what_is


@pytest.mark.skipif(os.name == "nt", reason="POSIX modes")
def test_files_with_secrets_must_be_private(home: Path) -> None:
    """Whoever else may read a token file or .env is told about."""
    (home / "data/tokens/shop_1_token.json").chmod(0o644)
    (home / ".env").chmod(0o640)
    found = by_name(parse(LIVE, home))
    assert ["chmod 600 shop_1_token.json", "chmod 600 .env"] == [
        found[name].what_to_do for name in ("token shop_1 mode", ".env")
    ]


def test_the_clock_is_compared_with_the_services(home: Path) -> None:
    """Any answer is reach enough; our clock, set to January, is far off theirs; nobody there is bad."""
    with http_receiver() as receiver:
        found = by_name(parse(LIVE, home), endpoints={"base": receiver.url, "lwa": "http://127.0.0.1:9"})
    assert ("ok", "bad", "bad") == (
        found["endpoint base"].state,
        found["endpoint lwa"].state,
        found["clock"].state,
    )


def test_damaged_books_are_found(home: Path) -> None:
    """A register without its tables, a state.db and a history that are no databases."""
    (home / "data/master.db").unlink()
    sqlite3.connect(home / "data/master.db").execute("CREATE TABLE other (a)").connection.close()
    (home / "data/state.db").write_bytes(b"not a database" * 100)
    (home / "data/history.duckdb").write_bytes(b"torn" * 5000)
    found = by_name(parse(LIVE, home))
    assert ["bad", "bad", "bad"] == [found[name].state for name in ("master.db", "state.db", "history")]
    assert "ecauto history rebuild" == found["history"].what_to_do


def test_what_waits_in_state_is_said(home: Path) -> None:
    """Holds, unsettled updates, spent budgets, blocked shops and a refusing channel."""
    settings = parse(LIVE, home)
    place = {"platform": "base", "account_id": "shop_1"}
    row = {**place, "run_id": "r", "item_id": "1", "asin": "B000000001", "kind": "price"}
    hour = to_ms(NOW.replace(minute=0))
    state = Database(settings.state_url())
    with state.write() as connection:
        connection.execute(diffs.insert().values(diff_id="d", decision="held", decided_at=0, **row))
        connection.execute(journal.insert().values(update_id="u", key="k", diff_id="d", intent_at=0, **row))
        connection.execute(windows.insert().values(span="hour", starts_at=hour, calls=4600, **place))
        connection.execute(windows.insert().values(span="hour", starts_at=hour - 3_600_000, calls=5000, **place))
        connection.execute(shop_accounts.insert().values(breaker="access_denied", **place))
        document = to_json({"broken": {"slack:SLACK": "HTTP 404"}})
        connection.execute(notices.insert().values(rule="_book", state="ok", since=0, document=document))
    state.close()
    found = by_name(settings)
    assert "400 of 5,000 calls left" == found["budget shop_1 hour"].what_is
    assert {"holds", "journal", "budget shop_1 hour", "alert channel slack:SLACK", "shop shop_1"} == {
        one.name for one in found.values() if one.state != "ok"
    }
    assert "bad" == found["shop shop_1"].state


def test_both_languages_say_the_same_lines(home: Path) -> None:
    """Names and states do not depend on the language; the words do."""
    settings = parse(LIVE, home)
    ja, en = (examine(settings, {}, ManualClock(NOW), language=language, endpoints={}) for language in ("ja", "en"))
    assert [(one.name, one.state) for one in ja] == [(one.name, one.state) for one in en]
    assert repr([*ja, *en]).encode("cp932")  # a Japanese Windows console can show it
    assert [one.what_is for one in ja] != [one.what_is for one in en]


@pytest.mark.parametrize("moment", [1795644099348, float("nan"), 10**30, "soon", [1]])
def test_a_token_file_of_another_program_is_a_line(home: Path, moment: object) -> None:
    """Milliseconds, NaN, nonsense: the doctor says what it can of the token, and goes on."""
    path = home / "data" / "tokens" / "shop_1_token.json"
    document = {"access_token": "a", "refresh_token": "r", "obtained_at": moment, "expires_at": moment}
    path.write_text(json.dumps(document), encoding="utf-8")
    found = by_name(parse(LIVE, home))
    assert "days" in found["token shop_1"].what_is
