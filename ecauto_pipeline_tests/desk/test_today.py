"""今日: what there is to do, what is at work, what changed; and a sync that is started once."""

from __future__ import annotations

import subprocess
import sys
import time
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from nicegui.testing import User

from ecauto_pipeline.desk.commands import Command, Commands
from ecauto_pipeline.desk.sync_start import start_sync
from ecauto_pipeline.settings import load
from ecauto_pipeline.state import runs as run_book
from ecauto_pipeline.state import stops
from ecauto_pipeline.state.owner import new_owner
from ecauto_pipeline.sync.context import Tools
from ecauto_pipeline.sync.people.start_sync import AlreadyUnderWay, claim_start, start_told
from ecauto_pipeline.views.changes import changes_of
from ecauto_pipeline.wiring.open import open_tools
from ecauto_pipeline_tests.cli.typed import type_command
from ecauto_pipeline_tests.desk.shop import a_filled_shop
from ecauto_pipeline_tests.desk.visitor import a_project, with_visitor


class LightCommands(Commands):
    """Starts a process that waits for a line of input instead of `ecauto`."""

    def start(self, *words: str) -> Command:
        waits = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
        return Command("light", words, datetime.now(UTC), Path("none"), waits)


def test_what_to_do_leads_to_where_it_is_done_in_the_language_of_the_visit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A change that waits leads to the holds, with the command in small; nothing of another language stands there."""
    a_filled_shop(tmp_path, monkeypatch)

    async def scene(visitor: User) -> None:
        await visitor.open("/en")
        await visitor.should_see("Needs attention: ")
        await visitor.should_see("wait for a person")
        await visitor.should_see("ecauto holds list")
        link = next(iter(visitor.find("Open Holds").elements))
        assert "/en/holds" == link.props["href"]

    with_visitor(scene)


def test_what_changed_today_is_told_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first of it on the first page, all of it on a page of the day, each with a link to its item."""
    shop = a_filled_shop(tmp_path, monkeypatch)
    with open_tools(shop.settings, offline=True) as tools:
        title = next(edit.title for edit in changes_of(tools, shop.day, limit=500).edits if edit.asin == shop.hidden[2])

    async def scene(visitor: User) -> None:
        await visitor.open("/ja")
        await visitor.should_see("今日の変更")
        await visitor.open(f"/ja/changes?day={shop.day}")
        await visitor.should_see("公開 → 非公開")
        link = next(iter(visitor.find(title).elements))
        assert f"/ja/items/{shop.hidden[1]}" == link.props["href"]

    with_visitor(scene)


def test_all_pushing_is_stopped_and_resumed_after_a_question(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each says before the click what follows; the row in state.db is that of `ecauto stop`, but for who."""
    a_project(tmp_path, monkeypatch)

    def standing() -> list[tuple[object, bool]]:
        with open_tools(load(), offline=True) as tools, tools.state.read() as connection:
            return [(one.account, one.who.endswith("(desk)")) for one in stops.standing(connection)]

    async def scene(visitor: User) -> None:
        await visitor.open("/ja")
        await visitor.should_see("すべての送信を止める")
        visitor.find("すべての送信を止める").click()
        await visitor.should_see("1件も送りません", retries=50)
        assert [] == standing()
        visitor.find("はい、止めます").click()
        await visitor.should_see("送信を止めました", retries=50)
        await visitor.should_see("送信停止中: すべてのショップ")
        assert [(None, True)] == standing()
        await visitor.should_see("送信を再開する")
        visitor.find("送信を再開する").click()
        await visitor.should_see("次の実行が改めて判断してから送ります", retries=50)
        visitor.find("はい、再開します").click()
        await visitor.should_see("送信を再開しました", retries=50)
        assert [] == standing()

    with_visitor(scene)
    assert 0 == type_command(monkeypatch, capsys, "stop")[0]
    assert [(None, False)] == standing()
    assert 0 == type_command(monkeypatch, capsys, "resume")[0]
    assert [] == standing()


def test_a_run_under_way_is_shown_with_its_step_and_nobody_starts_a_second_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever clicks all the same is told which run is at work, and nothing is started."""
    a_project(tmp_path, monkeypatch)
    with open_tools(load(), offline=True) as tools, tools.state.write() as connection:
        run_book.begin(connection, "run-1-abc", "stock_sync", "", datetime.now(UTC), False, new_owner())

    async def scene(visitor: User) -> None:
        await visitor.open("/ja")
        await visitor.should_see("ショップの商品を読んでいます")
        visitor.find("今すぐ同期").click()
        await visitor.should_see("今すぐ同期しますか", retries=50)
        visitor.find("同期する").click()
        await visitor.should_see("開始しませんでした", retries=50)

    with_visitor(scene)
    assert not (tmp_path / "data" / "desk").exists()


def test_a_click_in_the_seconds_after_a_sync_was_typed_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A typed one is refused to nobody, not even while a desk is starting one; at its end a click may start again."""
    a_project(tmp_path, monkeypatch)

    def opened() -> AbstractContextManager[Tools]:
        return open_tools(load(), offline=True)

    with opened() as tools:
        with start_told(opened, new_owner()), start_told(opened, new_owner()), pytest.raises(AlreadyUnderWay):
            claim_start(tools, new_owner())
        claim_start(tools, new_owner())  # of a desk
        with start_told(opened, new_owner()):
            pass
        with pytest.raises(AlreadyUnderWay):  # that desk's claim stands
            claim_start(tools, new_owner())


def test_of_two_clicks_at_once_one_starts_a_sync(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also on two desks: before the first one's run is on record the other is told; when it has ended, another may."""
    a_project(tmp_path, monkeypatch)
    commands = LightCommands(tmp_path)
    with open_tools(load(), offline=True) as tools:
        first = start_sync(commands, tools, "tanaka (desk)", "--dry-run")
        assert ("sync", "--dry-run", "--json") == first.words
        with pytest.raises(AlreadyUnderWay) as told:
            start_sync(LightCommands(tmp_path), tools, "suzuki (desk)")
        assert "ほかの画面かコマンドが、たった今" in told.value.said("ja")
        first.process.communicate(b"\n")
        deadline = time.monotonic() + 10
        while True:  # it is a thread of its own that gives the claim back
            try:
                second = start_sync(commands, tools, "suzuki (desk)")
                break
            except AlreadyUnderWay:
                assert time.monotonic() < deadline
        second.process.communicate(b"\n")
