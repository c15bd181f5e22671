"""商品 / Items on the desk: what a visitor finds, what the address keeps, and that the command says the same."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest
from nicegui import ui
from nicegui.testing import User

from ecauto_pipeline_tests.cli.typed import type_command
from ecauto_pipeline_tests.desk.visitor import with_visitor
from ecauto_pipeline_tests.views.a_few_items import a_few_items


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A dozen listings, whose tools are closed again."""
    with a_few_items(tmp_path, monkeypatch):
        return tmp_path


def _links(visitor: User) -> list[str]:
    """The items that are listed, in order, by the addresses of their pages."""
    with visitor:
        links = [one for one in visitor.find(ui.link).elements if "/items/" in one._props.get("href", "")]
    return [one._props["href"] for one in sorted(links, key=lambda one: one.id)]


def test_the_page_lists_what_the_command_lists(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same rows in the same order, each leading to its own page; of several shops, with its shop."""
    _, out, _ = type_command(
        monkeypatch, capsys, "items", "--filter", "on_sale", "--filter", "loss", "--sort", "price", "--json"
    )
    said = json.loads(out)

    async def scene(visitor: User) -> None:
        await visitor.open("/ja/items?filter=on_sale,loss&sort=price")
        assert [f"/ja/items/{one['item_id']}?shop={one['account_id']}" for one in said["items"]] == _links(visitor)
        await visitor.should_see(f"{said['total']}件のうち 1–{said['total']}")
        await visitor.should_see("赤字 -1,")

    with_visitor(scene)
    assert (["104"], 12) == ([one["item_id"] for one in said["items"]], said["of"])


def test_typing_finds_without_leaving_the_page(project: Path) -> None:
    """Whatever is typed is looked for; nothing found is said in words, with a way back to all."""

    async def scene(visitor: User) -> None:
        await visitor.open("/ja/items")
        await visitor.should_see("12件のうち 1–12")
        visitor.find("商品名・ASIN・商品ID・商品コード").type("coffee")
        await visitor.should_see("1件のうち 1–1", retries=20)
        assert ["/ja/items/111?shop=s1"] == _links(visitor)
        visitor.find("商品名・ASIN・商品ID・商品コード").clear().type("ここにない")
        await visitor.should_see("条件に合う商品はありません。")
        await visitor.should_see("条件をすべて外す")

    with_visitor(scene)


def test_filters_and_pages_are_links(project: Path) -> None:
    """So a list can be kept and "back" works: each chip says how many it finds and leads to the list with or without
    it."""

    async def scene(visitor: User) -> None:
        await visitor.open("/en/items?filter=hidden&q=s1")
        hrefs = {one._props["href"] for one in visitor.find(ui.link).elements}
        assert "/en/items?q=s1" in hrefs  # off again
        assert "/en/items?q=s1&filter=hidden%3Aours" in hrefs  # one kind in its place
        assert "/en/items?q=s1&filter=hidden%2Closs" in hrefs
        assert "/en/items.csv?q=s1&filter=hidden" in hrefs
        await visitor.should_see("✓ hidden 2")
        await visitor.should_see("a person 1")

    with_visitor(scene)


def test_an_address_that_makes_no_sense_is_a_list_still(project: Path) -> None:
    """What is not understood is left out."""

    async def scene(visitor: User) -> None:
        for query in ("page=999", "page=-1", "page=x", "sort=nope", "filter=nope,,", "shop=nope", "q=%00"):
            answer = await visitor.http_client.get(f"/ja/items?{query}")
            assert (200, True) == (answer.status_code, "商品" in answer.text), query

    with_visitor(scene)


def test_whatever_a_title_holds_is_text_and_short(project: Path) -> None:
    """Markup of Amazon or BASE is neither run nor drawn, and a title of a megabyte is cut."""
    with sqlite3.connect(project / "data" / "master.db") as register:
        title = "<img src=x onerror=alert(1)>" + "長" * 1_000_000
        register.execute("UPDATE products SET title_ja = ? WHERE asin = 'B000000104'", [title])

    async def scene(visitor: User) -> None:
        answer = await visitor.http_client.get("/ja/items?q=B000000104")
        assert "<img src=x" not in answer.text
        assert len(answer.text) < 200_000
        await visitor.open("/ja/items?q=B000000104")
        await visitor.should_see("<img src=x onerror=alert(1)>")

    with_visitor(scene)


def test_the_file_is_the_one_that_the_command_writes(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """All rows that the list would show on its pages, to the byte."""
    written = project / "items.csv"
    type_command(monkeypatch, capsys, "items", "s1", "--filter", "on_sale", "--sort", "-price", "--csv", str(written))

    async def scene(visitor: User) -> None:
        answer = await visitor.http_client.get("/ja/items.csv?q=s1&filter=on_sale&sort=-price")
        assert (200, 'attachment; filename="items.csv"') == (
            answer.status_code,
            answer.headers["content-disposition"],
        )
        assert written.read_bytes() == answer.content

    with_visitor(scene)
    assert 1 + 6 == len(written.read_text(encoding="utf-8-sig").splitlines())


def test_the_command_says_what_it_does_not_know(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An unknown filter or order is refused with the ones there are; a row is told in words."""
    for words in (("--filter", "nope"), ("--sort", "nope")):
        code, _, err = type_command(monkeypatch, capsys, "items", *words)
        assert (2, True) == (code, ("nope" in err and "profit" in err) or "on_sale" in err)
    code, out, _ = type_command(monkeypatch, capsys, "items", "102")
    assert (0, True) == (code, "非公開 (このプログラム)" in out)
    assert "茶こし" in out
