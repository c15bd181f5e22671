"""What the desk says when it can't write: nothing was changed, why, and what to do; what it can read is shown."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from nicegui import ui
from nicegui.elements.upload_files import SmallFileUpload
from nicegui.testing import User

from ecauto_pipeline_tests.desk.shop import FilledShop, a_filled_shop
from ecauto_pipeline_tests.desk.test_holds import held, only_held
from ecauto_pipeline_tests.desk.test_runs import lines
from ecauto_pipeline_tests.desk.visitor import with_visitor

WAITED = 100
NOTHING = [sys.executable, "-S", "-c", ""]


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FilledShop:
    return a_filled_shop(tmp_path, monkeypatch)


@contextmanager
def held_by_another(shop: FilledShop) -> Iterator[None]:
    """Somebody writes to state.db and does not end."""
    other = sqlite3.connect(shop.folder / "data" / "state.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.close()


def test_a_word_that_can_not_be_written_down_is_refused_in_words(shop: FilledShop) -> None:
    """The page itself opens meanwhile; the row waits as before, and a click afterwards counts."""
    name = only_held(shop)

    async def scene(visitor: User) -> None:
        await visitor.open(f"/ja/holds?id={name}")
        with held_by_another(shop):
            await visitor.open(f"/ja/holds?id={name}")
            visitor.find("承認").click()
            await visitor.should_see("state.db に書き込めないため、何も変えていません", retries=WAITED)
            await visitor.should_see("他のプログラムが使用中です", retries=WAITED)
        assert "open" == held(shop)[name].state
        visitor.find("承認").click()
        await visitor.should_see("1件を承認しました", retries=WAITED)

    with_visitor(scene, busy_timeout_s=0.05)


def test_a_command_that_can_not_be_started_is_told_on_each_page_that_starts_one(shop: FilledShop) -> None:
    """Where its output would lie stands something else: the checkup, the undoing, a file of rules say so."""
    (shop.folder / "data" / "desk").write_bytes(b"")
    said = "何も変えていません: フォルダーがあるはずの場所に別のものがあります"
    run = lines(shop)[0].run_id

    async def scene(visitor: User) -> None:
        await visitor.open("/ja/setup")
        await visitor.should_see(said, retries=WAITED)
        await visitor.open(f"/ja/runs/{run}")
        visitor.find("元に戻すとどうなるか見る").click()
        await visitor.should_see("ショップに聞いて試す", retries=WAITED)
        visitor.find("ショップに聞いて試す").click()
        await visitor.should_see(said, retries=WAITED)
        await visitor.open("/ja/rules")
        (chooser,) = visitor.find(kind=ui.upload).elements
        await chooser.handle_uploads([SmallFileUpload("new.csv", "text/csv", b"x")])
        await visitor.should_see(said, retries=WAITED)

    with_visitor(scene, NOTHING)
    assert not shop.settings.rules.exists()
