"""Two desks and a command line that do the same at the same moment: one does it, the others are told."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from ecauto_pipeline.desk.office import Office
from ecauto_pipeline.errors import NotOnRecord
from ecauto_pipeline.settings import load
from ecauto_pipeline.state.rule_changes import changes
from ecauto_pipeline.sync.context import Tools
from ecauto_pipeline.sync.people.holds import Said, decide
from ecauto_pipeline.sync.people.rule_edits import own_rule, set_rule
from ecauto_pipeline.wiring.open import open_tools
from ecauto_pipeline_tests.desk.shop import a_filled_shop
from ecauto_pipeline_tests.desk.test_holds import held, only_held, signed

WHO = ("tanaka (desk)", "suzuki (desk)", "hanako")


def at_once(*acts: Callable[[Tools], object]) -> list[object]:
    """Two desks and a command line, each with a state of its own: what came of each act, exceptions included."""
    desks = Office(), Office()
    ways: tuple[Callable[[], AbstractContextManager[Tools]], ...] = (
        *(desk.tools for desk in desks),
        lambda: open_tools(load(), offline=True),
    )
    together = threading.Barrier(len(ways))

    def play(way: Callable[[], AbstractContextManager[Tools]], act: Callable[[Tools], object]) -> object:
        with way() as tools:
            together.wait(30)
            try:
                return act(tools)
            except NotOnRecord as told:
                return told

    try:
        with ThreadPoolExecutor(len(ways)) as threads:
            return list(threads.map(play, ways, acts))
    finally:
        for desk in desks:
            desk.close()


def nothing_seen(asin: str) -> Mapping[str, str]:
    """What somebody saw of an item without a rule."""
    with open_tools(load(), offline=True) as tools:
        return own_rule(tools, asin).cells


def test_of_three_who_approve_one_hold_one_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The others are given the row as it is, with who was faster."""
    shop = a_filled_shop(tmp_path, monkeypatch)
    name = only_held(shop)
    said = at_once(
        lambda tools: decide(tools, "approve", [name], who=WHO[0]),
        lambda tools: decide(tools, "reject", [name], who=WHO[1]),
        lambda tools: decide(tools, "approve", [name], who=WHO[2]),
    )
    told = [one for one in said if isinstance(one, Said)]
    [winner] = [number for number, one in enumerate(told) if one.done]
    row = held(shop)[name]
    assert 3 == len(told)
    assert ("rejected" if winner == 1 else "approved") == row.state
    assert [WHO[winner]] == [value for key, value in signed(row).items() if key in ("approved_by", "rejected_by")]
    late = [hold for number, one in enumerate(told) if number != winner for hold in one.late]
    assert [(name, row.state)] * 2 == [(hold.diff_id, hold.state) for hold in late]


def test_of_three_who_change_one_rule_one_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each had seen that there is none; the file holds one line, the history one change."""
    shop = a_filled_shop(tmp_path, monkeypatch)
    asin = shop.dearer[2]
    unseen = nothing_seen(asin)

    def setting(number: int) -> Callable[[Tools], object]:
        return lambda tools: set_rule(tools, asin, {"fixed_price_jpy": str(100 + number)}, WHO[number], seen=unseen)

    said = at_once(*map(setting, range(3)))
    [winner] = [number for number, one in enumerate(said) if not isinstance(one, NotOnRecord)]
    content = shop.settings.rules.read_text(encoding="utf-8-sig")
    assert (1, True) == (content.count(asin), str(100 + winner) in content)
    with open_tools(shop.settings, offline=True) as tools, tools.state.read() as connection:
        assert [WHO[winner]] == [one.who for one in changes(connection, 9)]


def test_three_who_change_rules_of_three_items_lose_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each line is in the file at the end, and each change in the history."""
    shop = a_filled_shop(tmp_path, monkeypatch)
    asins = (shop.dearer[2], shop.cheaper[2], shop.hidden[2])
    unseen = nothing_seen(asins[0])

    def setting(number: int) -> Callable[[Tools], object]:
        return lambda tools: set_rule(tools, asins[number], {"fixed_price_jpy": "100"}, WHO[number], seen=unseen)

    said = at_once(*map(setting, range(3)))
    assert [] == [one for one in said if isinstance(one, NotOnRecord)]
    content = shop.settings.rules.read_text(encoding="utf-8-sig")
    assert [1, 1, 1] == [content.count(asin) for asin in asins]
    with open_tools(shop.settings, offline=True) as tools, tools.state.read() as connection:
        assert set(WHO) == {one.who for one in changes(connection, 9)}
