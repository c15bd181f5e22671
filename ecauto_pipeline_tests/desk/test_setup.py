"""設定 / Setup at the desk: examine again, try the alerts, suppose other numbers."""

from __future__ import annotations

from pathlib import Path

import pytest
from nicegui.testing import User
from pytest_httpserver import HTTPServer

from ecauto_pipeline_tests.desk.visitor import a_project, with_visitor


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

    with_visitor(scene)


def test_without_a_channel_the_page_says_where_one_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no button that could do nothing."""
    a_project(tmp_path, monkeypatch)

    async def scene(visitor: User) -> None:
        await visitor.open("/en/setup")
        await visitor.should_see("nobody would be told")
        await visitor.should_not_see("Send a trial message")

    with_visitor(scene)
