"""設定 / Setup at the desk: examine again, try the alerts, suppose other numbers."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from nicegui import ui
from nicegui.testing import User
from nicegui.testing.user_interaction import UserInteraction
from pytest_httpserver import HTTPServer

from ecauto_pipeline.desk.pages.setup_capacity import MOST_ACCOUNTS, STEPS
from ecauto_pipeline_tests.cli.typed import type_command
from ecauto_pipeline_tests.desk.visitor import a_project, with_visitor

KNOWS_NOTHING = [sys.executable, "-S", "-c", "print('[]')"]
ONE_LINE_ONCE = """
import json, pathlib, sys
asked = pathlib.Path(sys.argv[1])
again = asked.exists()
asked.write_text(json.dumps(sys.argv[2:]))
line = {"name": "the desk's clock", "state": "bad", "what_is": "is late", "what_to_do": "set it <b>right</b>"}
sys.exit("nothing to say") if again else print(json.dumps([line]))
"""


def test_alerts_are_tried_after_a_question_and_each_channels_outcome_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, httpserver: HTTPServer
) -> None:
    """Nothing is sent before the person says yes; a channel that took none is named with why."""
    httpserver.expect_request("/hook").respond_with_data("ok")
    a_project(
        tmp_path,
        monkeypatch,
        'mode = "emulated"\n[[alerts.channels]]\nkind = "webhook"\nurl_env = "HOOK"\n'
        '[[alerts.channels]]\nkind = "slack"\nurl_env = "NOWHERE"\n',
    )
    monkeypatch.setenv("HOOK", httpserver.url_for("/hook"))
    monkeypatch.delenv("NOWHERE", raising=False)

    async def scene(visitor: User) -> None:
        await visitor.open("/ja/setup")
        visitor.find("試しに送る").click()
        await visitor.should_see("2件の通知先に")
        assert 0 == len(httpserver.log)
        visitor.find("はい、送ります").click()
        await visitor.should_see("届かない通知先があります")
        assert 1 == len(httpserver.log)

    with_visitor(scene, KNOWS_NOTHING)


def test_without_a_channel_the_page_says_where_one_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no button that could do nothing."""
    a_project(tmp_path, monkeypatch)

    async def scene(visitor: User) -> None:
        await visitor.open("/en/setup")
        await visitor.should_see("nobody would be told")
        await visitor.should_not_see("Send a trial message")

    with_visitor(scene, KNOWS_NOTHING)


def test_the_doctors_lines_are_those_of_its_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the language of the page, and asked again by a button; where the command says nothing, its last line is
    told."""
    a_project(tmp_path, monkeypatch)
    asked = tmp_path / "asked"

    async def scene(visitor: User) -> None:
        await visitor.open("/en/setup")
        await visitor.should_see("examining ...", retries=1)
        await visitor.should_see("the desk's clock", retries=100)
        await visitor.should_see("set it <b>right</b>")
        await visitor.should_see("trouble")
        asked.write_text("", encoding="utf-8")
        visitor.find("Examine again").click()
        await visitor.should_see("nothing to say", retries=100)

    with_visitor(scene, [sys.executable, "-S", "-c", ONE_LINE_ONCE, str(asked)])
    assert '["doctor", "--language", "en", "--json"]' == asked.read_text(encoding="utf-8")


def test_the_command_speaks_the_language_that_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever that of the alerts is; another one is refused by name."""
    a_project(tmp_path, monkeypatch)
    said = {
        language: type_command(monkeypatch, capsys, "doctor", "--language", language, "--json")[1]
        for language in ("ja", "en")
    }
    lines = {language: json.loads(text) for language, text in said.items()}
    assert [one["line"] for one in lines["ja"]] == [one["line"] for one in lines["en"]]
    assert all(one["what_is"].isascii() for one in lines["en"])
    assert not all(one["what_is"].isascii() for one in lines["ja"])
    assert 2 == type_command(monkeypatch, capsys, "doctor", "--language", "fr")[0]


def test_what_the_limits_bear_is_asked_anew_when_a_slider_is_let_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The words beside it say what it stands for now, and the bars and the table beneath answer for that shop."""
    a_project(tmp_path, monkeypatch)

    async def scene(visitor: User) -> None:
        await visitor.open("/en/setup")
        await visitor.should_see("ASINs: 0 (now)")
        asins, accounts = sorted(visitor.find(kind=ui.slider).elements, key=lambda one: one.id)
        assert ("ASINs", "SP-API") == (asins.props["aria-label"], accounts.props["aria-label"])
        UserInteraction(visitor, {asins}, None).trigger("change", len(STEPS))
        await visitor.should_see(f"ASINs: {STEPS[-1]:,}")
        await visitor.should_not_see("ASINs: 0 (now)")
        await visitor.should_see("360 calls/h, 7,200 ASIN/h")
        await visitor.should_see("full cycle 27.78 h")
        UserInteraction(visitor, {accounts}, None).trigger("change", MOST_ACCOUNTS)
        await visitor.should_see(f"SP-API accounts: {MOST_ACCOUNTS}")
        await visitor.should_see("3,600 calls/h, 72,000 ASIN/h")
        await visitor.should_see("full cycle 2.78 h")

    with_visitor(scene, KNOWS_NOTHING)
