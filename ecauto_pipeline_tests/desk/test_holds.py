"""The page of held changes: what it shows, what a click leaves behind, and what the later of two people is told."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from nicegui.testing import User
from typer.testing import CliRunner

from ecauto_pipeline.cli.holds import COMMAND
from ecauto_pipeline.domain.model import Decision, Diff, Kind, ListingKey
from ecauto_pipeline.settings import load
from ecauto_pipeline.state import decisions
from ecauto_pipeline.state.decisions import Decided
from ecauto_pipeline.sync.people.holds import approve, list_holds, reject
from ecauto_pipeline.sync.people.rule_edits import own_rule
from ecauto_pipeline.sync.people.take_back import take_back
from ecauto_pipeline.wiring.open import open_tools
from ecauto_pipeline_tests.desk.shop import FilledShop, a_filled_shop
from ecauto_pipeline_tests.desk.visitor import with_visitor


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FilledShop:
    return a_filled_shop(tmp_path, monkeypatch)


def more_held(shop: FilledShop, found: Sequence[tuple[tuple[str, str, str], Kind, int, int, str]]) -> list[str]:
    """Rows that a later run holds besides; their diff_ids."""
    diffs = [
        Diff(ListingKey("base", one[0], one[1]), one[2], kind, shown, wanted, Decision.HELD, reason, snapshot_id="s")
        for one, kind, shown, wanted, reason in found
    ]
    with open_tools(shop.settings, offline=True) as tools, tools.state.write() as connection:
        decisions.store(connection, "later", "", diffs, datetime.now(UTC), closed=False)
    return [decisions.diff_id("later", diff) for diff in diffs]


def held(shop: FilledShop) -> dict[str, Decided]:
    """Every held row, by diff_id, whatever became of it."""
    with open_tools(shop.settings, offline=True) as tools, tools.state.read() as connection:
        rows = decisions.holds(connection, ("open", "approved", "rejected", "expired"))
    return {row.diff_id: row for row in rows}


def signed(row: Decided) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(row.diff.evidence)
    return document


def only_held(shop: FilledShop) -> str:
    [name] = [name for name, row in held(shop).items() if row.diff.key.item_id == shop.held[1]]
    return name


def test_from_its_link_a_hold_is_approved_by_one_click(shop: FilledShop) -> None:
    """What the click will do stands beside the button; then the page says what it did, and so does the link later."""
    name = only_held(shop)

    async def scene(visitor: User) -> None:
        await visitor.open(f"/ja/holds?id={name[:12]}")
        await visitor.should_see("次の同期で、そのときも必要なら売価を")
        visitor.find("承認").click()
        await visitor.should_see("1件を承認しました。次の同期で送ります。")
        await visitor.should_see("次の同期を待たずに今すぐ送る")
        assert "approved" == held(shop)[name].state
        assert signed(held(shop)[name])["approved_by"].endswith("(desk)")
        await visitor.open(f"/ja/holds?id={name[:12]}")
        await visitor.should_see("さんが")
        await visitor.should_not_see("却下")

    with_visitor(scene)


def test_a_click_and_the_command_leave_the_same_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same row in the same state, but for who and when."""
    rows = []
    for place in ("page", "command"):
        (tmp_path / place).mkdir()
        shop = a_filled_shop(tmp_path / place, monkeypatch)
        name = only_held(shop)
        if place == "page":

            async def scene(visitor: User, name: str = name) -> None:
                await visitor.open(f"/en/holds?id={name}")
                visitor.find("Approve").click()
                await visitor.should_see("1 approved")

            with_visitor(scene)
        else:
            assert 0 == CliRunner().invoke(COMMAND, ["approve", name[:8]]).exit_code
        rows.append(held(shop)[name])

    def left(row: Decided) -> tuple[object, ...]:
        evidence = {key: value for key, value in signed(row).items() if not key.startswith("approved_")}
        return row.diff_id, row.state, row.run_id, row.diff.shown, row.diff.wanted, evidence, signed(row).keys()

    assert left(rows[1]) == left(rows[0])


def test_keeping_the_price_leaves_the_same_behind_from_the_page_and_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line of data/rules.csv and a rejected row; what it does is said before."""
    found = []
    for place in ("page", "command"):
        (tmp_path / place).mkdir()
        shop = a_filled_shop(tmp_path / place, monkeypatch)
        name = only_held(shop)
        if place == "page":

            async def scene(visitor: User) -> None:
                await visitor.open("/ja/holds")
                visitor.find("この価格のままにする").click()
                await visitor.should_see("の規則を作り、この確認を却下します")
                visitor.find("固定する").click()
                await visitor.should_see("に固定しました。")
                await visitor.should_see("確認を待っている変更はありません。")

            with_visitor(scene)
        else:
            assert 0 == CliRunner().invoke(COMMAND, ["keep", name[:8]]).exit_code
        row = held(shop)[name]
        with open_tools(shop.settings, offline=True) as tools:
            rule = own_rule(tools, row.diff.key)
        assert {"fixed_price_jpy": str(row.diff.shown)} == rule.cells
        kept = {key: value for key, value in signed(row).items() if not key.startswith("rejected_")}
        found.append((row.state, kept, rule.cells, rule.selectors))
    assert found[1] == found[0]
    assert 1 == CliRunner().invoke(COMMAND, ["keep", name[:8]]).exit_code


def test_whoever_comes_second_is_told_and_changes_nothing(shop: FilledShop) -> None:
    """The page was open when somebody at a terminal rejected the row: nothing is said twice."""
    name = only_held(shop)

    async def scene(visitor: User) -> None:
        await visitor.open(f"/ja/holds?id={name[:12]}")
        with open_tools(load(), offline=True) as tools:
            reject(tools, [name], who="tanaka")
        visitor.find("承認").click()
        await visitor.should_see("1件は、すでに決まっていたため変えていません。")
        await visitor.should_see("tanaka さんが")
        assert ("rejected", "tanaka") == (held(shop)[name].state, signed(held(shop)[name])["rejected_by"])

    with_visitor(scene)


def test_those_that_match_are_chosen_and_decided_together(shop: FilledShop) -> None:
    """The effect is told before; what does not match stays as it is."""
    kinds = [(one, Kind.VISIBILITY, 1, 0, "mass_hide") for one in (shop.dearer, shop.cheaper)]
    hides = more_held(shop, kinds)

    async def scene(visitor: User) -> None:
        await visitor.open("/ja/holds?kind=visibility")
        await visitor.should_see("2件（確認待ちは全部で 3件）")
        visitor.find("2件すべてを選ぶ").click()
        await visitor.should_see("選択中 2件")
        visitor.find("選んだ2件を却下").click()
        await visitor.should_see("注意: 非公開を却下した 2 件の商品は、公開されたまま販売が続きます")
        visitor.find("却下する").click()
        await visitor.should_see("2件を却下しました。")
        rows = held(shop)
        assert ["rejected", "rejected", "open"] == [rows[name].state for name in (*hides, only_held(shop))]

    with_visitor(scene)


def test_a_row_of_the_list_is_decided_after_its_effect_was_shown(shop: FilledShop) -> None:
    """Cancel leaves it; one ASIN in every shop goes with one word."""
    account, _, asin = shop.held
    twin = more_held(shop, [((account, "999", asin), Kind.PRICE, 1000, 9000, "move")])

    async def scene(visitor: User) -> None:
        await visitor.open("/ja/holds")
        visitor.find("このASINの2件を承認").click()
        await visitor.should_see("2件を承認しますか")
        visitor.find("やめる").click()
        await visitor.should_not_see("2件を承認しますか")
        assert {"open"} == {row.state for row in held(shop).values()}
        visitor.find("このASINの2件を承認").click()
        await visitor.should_see("価格の変更 2件（値上げ 2件、値下げ 0件")
        visitor.find("承認する").click()
        await visitor.should_see("2件を承認しました。")
        assert {"approved"} == {held(shop)[name].state for name in (*twin, only_held(shop))}

    with_visitor(scene)


def test_a_yes_is_taken_back_before_it_is_sent(shop: FilledShop) -> None:
    """From the list of what was approved, after the effect was told; then it is rejected, and the list is empty."""
    name = only_held(shop)

    async def scene(visitor: User) -> None:
        await visitor.open("/ja/holds")
        await visitor.should_not_see("承認済みで送信前")
        with open_tools(load(), offline=True) as tools:
            approve(tools, [name], who="tanaka")
        await visitor.open("/ja/holds")
        await visitor.should_see("承認済みで送信前の 1件を見る")
        await visitor.open("/ja/holds?state=approved")
        await visitor.should_see("次の同期で送ります。")
        visitor.find("承認を取り消す").click()
        await visitor.should_see("承認を取り消します。")
        assert "approved" == held(shop)[name].state
        visitor.find("はい、取り消します").click()
        await visitor.should_see("1件の承認を取り消し、却下しました。")
        await visitor.should_see("承認済みで送信前のものはありません。")
        assert ("rejected", True) == (
            held(shop)[name].state,
            signed(held(shop)[name])["rejected_by"].endswith("(desk)"),
        )

    with_visitor(scene)


def test_a_yes_that_was_given_from_a_link_is_taken_back_there(shop: FilledShop) -> None:
    """What it does stands beside the button; whoever comes too late is told, and nothing changes."""
    name = only_held(shop)
    with open_tools(load(), offline=True) as tools:
        approve(tools, [name], who="tanaka")

    async def scene(visitor: User) -> None:
        await visitor.open(f"/en/holds?id={name}")
        await visitor.should_see("The yes is taken back and the change rejected.")
        with open_tools(load(), offline=True) as tools:
            take_back(tools, [name], "hanako")
        visitor.find("Take the approval back").click()
        await visitor.should_see("could not be taken back")
        assert "hanako" == signed(held(shop)[name])["rejected_by"]

    with_visitor(scene)


def test_an_id_that_names_nothing_is_said_in_words(shop: FilledShop) -> None:
    """And the way to all of them is there."""

    async def scene(visitor: User) -> None:
        await visitor.open("/ja/holds?id=feedfeedfeed")
        await visitor.should_see("feedfeedfeed")
        await visitor.should_see("すべての確認待ちを見る")

    with_visitor(scene)


def test_nothing_waits_is_said(shop: FilledShop) -> None:
    """An empty list is no error."""
    with open_tools(shop.settings, offline=True) as tools:
        approve(tools, [one.diff_id for one in list_holds(tools)])

    async def scene(visitor: User) -> None:
        await visitor.open("/en/holds")
        await visitor.should_see("No change waits for a person.")

    with_visitor(scene)
