"""One item on the desk: what it shows, its rules, and what is left of the page where history can't be read."""

from __future__ import annotations

import json
import logging
import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest
from nicegui import ui
from nicegui.testing import User

from ecauto_pipeline.clock import jst
from ecauto_pipeline.state.item_rules import rules_in_force
from ecauto_pipeline.state.rule_changes import changes
from ecauto_pipeline.state.schema import catalogue, listings
from ecauto_pipeline.sync.people.rule_edits import set_rule
from ecauto_pipeline.views.holds import Asked, held_page
from ecauto_pipeline.views.item import item_now
from ecauto_pipeline.views.items import Wanted, find_items
from ecauto_pipeline.wiring.open import open_tools
from ecauto_pipeline_tests.cli.typed import type_command
from ecauto_pipeline_tests.desk.shop import FilledShop, a_filled_shop
from ecauto_pipeline_tests.desk.visitor import with_visitor

WAITED = 100
"""Tenths of a second at most for what a click brings."""


def left_behind(shop: FilledShop) -> tuple[bytes, list[object], list[object]]:
    """The file of rules but for who and when, the rules in force, how each change came about."""
    with open_tools(shop.settings, offline=True) as tools, tools.state.read() as connection:
        rules = [
            (one.selectors, one.rule.fixed_price_jpy, one.rule.until) for one in rules_in_force(connection).values()
        ]
        how: list[object] = [(one.how, one.rules) for one in changes(connection, 9)]
    file = shop.settings.rules.read_bytes()
    return file.partition(b"[")[0], list(rules), how


def open_the_form(visitor: User) -> None:
    (fold,) = visitor.find(kind=ui.expansion, content="規則を変える").elements
    fold.set_value(True)


def test_an_item_leads_to_what_customers_see_where_the_shop_s_address_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beside the page on which the owner edits it; of a shop whose address nobody has said there is no such link."""
    shop = a_filled_shop(tmp_path, monkeypatch)
    config = shop.folder / "ecauto.toml"
    with open_tools(shop.settings, offline=True) as tools:
        assert [""] == [one.sold_at for one in item_now(tools, shop.dearer[1]).listings]
    told = f'id = "{shop.dearer[0]}"\nshop_url = "https://mugs.example.jp/"'
    config.write_text(config.read_text("utf-8").replace(f'id = "{shop.dearer[0]}"', told), "utf-8")
    with open_tools(shop.settings, offline=True) as tools:
        [known] = item_now(tools, shop.dearer[1]).listings
    assert f"https://mugs.example.jp/items/{shop.dearer[1]}" == known.sold_at

    async def scene(visitor: User) -> None:
        await visitor.open(f"/ja/items/{shop.dearer[1]}")
        links = {link._props["href"] for link in visitor.find(kind=ui.link).elements if "href" in link._props}
        assert {known.sold_at, known.page} <= links

    with_visitor(scene)


def fill(visitor: User, label: str, value: str) -> None:
    (field,) = visitor.find(kind=ui.input, content=label).elements
    field.set_value(value)


def test_an_item_shows_its_price_its_past_and_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By item id and by ASIN, in both languages; one that nobody knows is said to be unknown, whatever
    its name is."""
    shop = a_filled_shop(tmp_path, monkeypatch)

    async def scene(visitor: User) -> None:
        await visitor.open(f"/ja/items/{shop.dearer[1]}")
        await visitor.should_see(f"ASIN {shop.dearer[2]}", retries=WAITED)
        await visitor.should_see("公開中", retries=WAITED)
        await visitor.should_see(kind=ui.echart, retries=WAITED)
        await visitor.should_see("要約", retries=WAITED)
        await visitor.open(f"/en/items/{shop.hidden[2]}")
        await visitor.should_see("hidden: ", retries=WAITED)
        await visitor.open("/ja/items/nobody")
        await visitor.should_see("nobody という商品はありません", retries=WAITED)
        await visitor.should_see("記録がありません", retries=WAITED)
        await visitor.open("/ja/items/%27%22%3Cscript%3E%00")
        await visitor.should_see("という商品はありません", retries=WAITED)

    with_visitor(scene)


def test_any_past_moment_is_explained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As of a date and a time in Japan; something else is asked for again, and "now" leads back."""
    shop = a_filled_shop(tmp_path, monkeypatch)
    with open_tools(shop.settings, offline=True) as tools:
        then = jst(tools.clock.now() - timedelta(hours=12))

    async def scene(visitor: User) -> None:
        await visitor.open(f"/ja/items/{shop.dearer[1]}")
        visitor.find("この時刻の説明").click()
        await visitor.should_see("日時を入れてください", retries=WAITED)
        fill(visitor, "日時（日本時間）", f"{then:%Y-%m-%dT%H:%M}")
        visitor.find("この時刻の説明").click()
        await visitor.should_see(f"{then:%Y-%m-%d %H:%M} の時点", retries=WAITED)
        await visitor.should_see("履歴だけから再現しています。", retries=WAITED)
        visitor.find("今に戻る").click()
        await visitor.should_not_see("履歴だけから再現しています。", retries=WAITED)

    with_visitor(scene)


def test_a_rule_set_on_the_page_is_what_the_command_sets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The effect is shown before; file, rules in force and history are the command's but for who and when."""
    for name in ("page", "command"):
        (tmp_path / name).mkdir()
    shop = a_filled_shop(tmp_path / "page", monkeypatch)

    async def scene(visitor: User) -> None:
        await visitor.open(f"/ja/items/{shop.dearer[1]}")
        open_the_form(visitor)
        await visitor.should_see("効果を見て保存", retries=WAITED)
        fill(visitor, "固定価格（円）", "99990")
        fill(visitor, "期限（この日まで有効）", "2030-12-31")
        visitor.find("効果を見て保存").click()
        await visitor.should_see("この規則を保存しますか？", retries=WAITED)
        await visitor.should_see("仕入値に対して高すぎる", retries=WAITED)
        assert not shop.settings.rules.exists()
        visitor.find("保存する").click()
        await visitor.should_see("規則を保存しました", retries=WAITED)
        await visitor.should_see("99,990円", retries=WAITED)

    with_visitor(scene)
    by_page = left_behind(shop)
    other = a_filled_shop(tmp_path / "command", monkeypatch)
    words = ("rules", "set", shop.dearer[2], "fixed_price_jpy=99990", "until=2030-12-31", "--json")
    code, out, _ = type_command(monkeypatch, capsys, *words)
    assert (0, ["blocked:price_max_markup"]) == (code, json.loads(out)["effects"][0]["reasons"])
    assert by_page == left_behind(other)


def test_whoever_changes_a_rule_that_changed_meanwhile_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The form of a page that was drawn before writes nothing over it."""
    shop = a_filled_shop(tmp_path, monkeypatch)

    async def scene(visitor: User) -> None:
        await visitor.open(f"/ja/items/{shop.dearer[1]}")
        open_the_form(visitor)
        await visitor.should_see("効果を見て保存", retries=WAITED)
        fill(visitor, "下限価格（円）", "700")
        with open_tools(shop.settings, offline=True) as tools:
            set_rule(tools, shop.dearer[2], {"never_sell": "no"}, "somebody")
        visitor.find("効果を見て保存").click()
        await visitor.should_see("この規則を保存しますか？", retries=WAITED)
        visitor.find("保存する").click()
        await visitor.should_see("その間に変更されました", retries=WAITED)

    with_visitor(scene)
    assert b"700" not in shop.settings.rules.read_bytes()


def test_torn_history_leaves_the_rest_of_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Price, listings and rules are there, whatever of the past can still be read."""
    shop = a_filled_shop(tmp_path, monkeypatch)
    (shop.folder / "data" / "history.duckdb").write_bytes(b"torn" * 4096)
    for file in (shop.folder / "data" / "history").rglob("*.parquet"):
        file.write_bytes(b"torn" * 64)
    caplog.set_level(logging.CRITICAL)

    async def scene(visitor: User) -> None:
        await visitor.open(f"/ja/items/{shop.dearer[1]}")
        await visitor.should_see(f"ASIN {shop.dearer[2]}", retries=WAITED)
        await visitor.should_see("この商品の規則", retries=WAITED)

    with_visitor(scene)


def test_an_item_is_opened_in_the_shop_whose_row_was_clicked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two shops have items of one id: the address says which is meant, by each link of the list."""
    shop = a_filled_shop(tmp_path, monkeypatch)
    (account, item, asin), other = shop.dearer, shop.cheaper
    second = next(one.id for one in shop.settings.base.accounts if one.id != account)
    with open_tools(shop.settings, offline=True) as tools:
        with tools.state.write() as connection:
            mine = (listings.c.account_id == account, listings.c.item_id == item)
            row = dict(connection.execute(listings.select().where(*mine)).one()._mapping)
            connection.execute(listings.insert().values(row | {"account_id": second, "asin": other[2]}))
        assert [asin, asin] != [item_now(tools, item, one).asin for one in (account, second)]
        assert [asin, other[2]] == [item_now(tools, item, one).asin for one in (account, second)]
        assert [account, second] == [item_now(tools, item, one).listings[0].key.account_id for one in (account, second)]

    async def scene(visitor: User) -> None:
        await visitor.open(f"/ja/items/{item}?shop={second}")
        await visitor.should_see(f"ASIN {other[2]}", retries=WAITED)

    with_visitor(scene)


def test_goods_without_a_title_in_the_register_are_called_as_amazon_calls_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the list, on the item's own page and among what is held alike; also while master.db is gone."""
    shop = a_filled_shop(tmp_path, monkeypatch)
    _, item, asin = shop.held
    with sqlite3.connect(shop.settings.master_db) as register:
        register.execute("UPDATE products SET title_ja = NULL, title_en = NULL WHERE asin = ?", (asin,))
    with open_tools(shop.settings, offline=True) as tools:
        with tools.state.write() as connection:
            connection.execute(catalogue.delete().where(catalogue.c.asin == asin))
            connection.execute(catalogue.insert().values(asin=asin, title="カタログの  商品名"))
        for gone in (False, True):
            if gone:
                shop.settings.master_db.unlink()
            called = item_now(tools, item).title, held_page(tools, Asked()).rows[0].title
            assert ("カタログの 商品名",) * 3 == (*called, find_items(tools, Wanted(item)).items[0].title)
