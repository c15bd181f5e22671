"""The rules on the desk: the table, and a file that is checked before it counts."""

from __future__ import annotations

from pathlib import Path

import pytest
from nicegui import ui
from nicegui.elements.upload_files import SmallFileUpload
from nicegui.testing import User

from ecauto_pipeline.state.rule_changes import changes
from ecauto_pipeline.sync.listings.item_rules import take_up_rules
from ecauto_pipeline.sync.people.rules import import_rules
from ecauto_pipeline.wiring.open import open_tools
from ecauto_pipeline_tests.desk.shop import FilledShop, a_filled_shop
from ecauto_pipeline_tests.desk.visitor import with_visitor

WAITED = 300
"""Tenths of a second at most for a command of its own process."""


def taken_in(shop: FilledShop, *lines: str) -> None:
    content = "\n".join(["item_id,asin,brand,fixed_price_jpy,never_sell,until,note", *lines, ""]).encode("cp932")
    with open_tools(shop.settings, offline=True) as tools:
        import_rules(tools, content, "hanako")


def test_each_rule_says_whom_it_is_about_and_how_many_it_selects(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Searched, and narrowed to the lines that select nothing; who changed the file is told beneath."""
    shop = a_filled_shop(tmp_path, monkeypatch)
    taken_in(shop, f"{shop.dearer[1]},,,4980,,2030-12-31,<b>歳末</b>", ",,ソニー,,yes,2020-01-01,")

    async def scene(visitor: User) -> None:
        await visitor.open("/ja/rules")
        for text in (f"商品ID: {shop.dearer[1]}", "固定価格: 4,980円", "<b>歳末</b>", "ブランド: ソニー", "期限切れ"):
            await visitor.should_see(text)
        await visitor.should_see("ファイルを取り込み: hanako")
        await visitor.open("/ja/rules?only=idle")
        await visitor.should_see("ブランド: ソニー")
        await visitor.should_not_see("4,980円")
        await visitor.open("/en/rules?q=%E3%82%BD%E3%83%8B%E3%83%BC")
        await visitor.should_see("brand: ソニー")
        await visitor.should_not_see("4,980")
        await visitor.open("/ja/rules?q=zzz&page=99")
        await visitor.should_see("条件に合う行はありません。")

    with_visitor(scene)


def test_a_file_in_place_that_is_wrong_is_told_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rules before hold and are shown; the check names the line."""
    shop = a_filled_shop(tmp_path, monkeypatch)
    taken_in(shop, f"{shop.dearer[1]},,,4980,,,")
    shop.settings.rules.write_text("item_id,fixed_price_jpy\n1001,0\n", encoding="utf-8")
    with open_tools(shop.settings, offline=True) as tools:
        take_up_rules(tools, [])

    async def scene(visitor: User) -> None:
        await visitor.open("/ja/rules")
        await visitor.should_see("rules.csv に誤りがあり、採用していません")
        await visitor.should_see("固定価格: 4,980円")
        visitor.find("今の rules.csv を調べる").click()
        await visitor.should_see("誤りが1か所あります", retries=WAITED)
        await visitor.should_see("0円は指定できません")
        await visitor.should_not_see("保存して使う")

    with_visitor(scene)


def test_a_file_counts_only_once_it_was_checked_and_saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its effect in numbers first, nothing written; checked against another file than stands there by then, it is not
    saved."""
    shop = a_filled_shop(tmp_path, monkeypatch)
    content = f"item_id,never_sell\n{shop.dearer[1]},yes\n".encode("cp932")

    async def scene(visitor: User) -> None:
        async def checked() -> None:
            await visitor.open("/ja/rules")
            (chooser,) = visitor.find(kind=ui.upload).elements
            await chooser.handle_uploads([SmallFileUpload("new.csv", "text/csv", content)])
            await visitor.should_see("規則1件が出品1件に当たります。誤りはありません。", retries=WAITED)

        async def save() -> None:
            visitor.find("保存して使う").click()
            await visitor.should_see("このファイルを今の規則の代わりに使いますか？")
            await visitor.should_see("非公開: 1件")
            visitor.find("採用する").click()

        await checked()
        assert not shop.settings.rules.exists()
        taken_in(shop, f"{shop.cheaper[1]},,,4980,,,")
        await save()
        await visitor.should_see("その間に変更されました", retries=WAITED)

    with_visitor(scene)
    with open_tools(shop.settings, offline=True) as tools, tools.state.read() as connection:
        assert ["hanako"] == [one.who for one in changes(connection, 9)]
