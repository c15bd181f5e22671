"""The list of items: what each filter, word and sort finds, and that its figures are the line's."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert

from ecauto_pipeline.clock import to_ms
from ecauto_pipeline.domain.model import AccountKey
from ecauto_pipeline.domain.selling.fees import profit_jpy
from ecauto_pipeline.shops.platforms import fees_of
from ecauto_pipeline.state.decisions import standing
from ecauto_pipeline.state.schema import shop_accounts
from ecauto_pipeline.state.schema_decisions import journal
from ecauto_pipeline.state.unconfirmed import unconfirmed
from ecauto_pipeline.state.unwatched import unwatched
from ecauto_pipeline.sync.context import Tools
from ecauto_pipeline.sync.stale_asins.plan import policy_of
from ecauto_pipeline.views.item_filters import FILTERS
from ecauto_pipeline.views.item_titles import without_title
from ecauto_pipeline.views.items import SORTS, Item, Wanted, every_item, find_items
from ecauto_pipeline.views.items_csv import csv_lines, harmless
from ecauto_pipeline.wiring.open import open_tools
from ecauto_pipeline_tests.desk.shop import a_filled_shop
from ecauto_pipeline_tests.views.a_few_items import a_few_items

S1, S2 = AccountKey("base", "s1"), AccountKey("base", "s2")
ALL = {str(number) for number in range(101, 113)}


def _found(tools: Tools, wanted: Wanted) -> list[str]:
    return [item.key.item_id for item in find_items(tools, wanted).items]


def _item(tools: Tools, item_id: str) -> Item:
    return next(item for item in find_items(tools, Wanted(item_id)).items if item.key.item_id == item_id)


def test_each_filter_finds_what_stands_that_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And counts it, also while another filter is on. A shop that is switched off has no items here."""
    expected = {
        "on_sale": {"101", "104", "105", "106", "107", "109", "110"},
        "hidden": {"102", "103"},
        "sold_out": {"111"},
        "loss": {"103", "104"},
        "held": {"105"},
        "blocked": {"106"},
        "unconfirmed": {"107"},
        "unanswerable": {"109"},
        "rule": {"110"},
        "unwatched": {"108", "109"},
        "absent": {"108"},
        "unread": {"112"},
        "hidden:ours": {"102"},
        "hidden:person": {"103"},
        "unwatched:orphan_no_item": {"108"},
        "unwatched:unanswerable": {"109"},
    }
    with a_few_items(tmp_path, monkeypatch) as tools:
        for name in FILTERS:
            found = find_items(tools, Wanted(filters=(name,)))
            assert expected.get(name, set()) == {item.key.item_id for item in found.items}, name
            assert {one: len(expected.get(one, ())) for one in FILTERS} == found.counts
            assert (len(expected.get(name, ())), 12) == (found.total, found.of)
        with tools.state.read() as connection:
            lost = {one.key.item_id for one in unwatched(connection, [S1, S2], tools.clock.now())}
            late = unconfirmed(connection, [S1, S2], tools.clock.now(), policy_of(tools), 3.0)
        assert (expected["unwatched"], expected["unconfirmed"]) == (lost, {one.key.item_id for one in late})


def test_filters_of_one_group_widen_each_other_and_groups_narrow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hidden by us or by a person; of these, at a loss; and of one shop."""
    with a_few_items(tmp_path, monkeypatch) as tools:
        hidden = ("hidden:ours", "hidden:person")
        assert {"102", "103"} == set(_found(tools, Wanted(filters=hidden)))
        assert ["103"] == _found(tools, Wanted(filters=(*hidden, "loss")))
        assert ["110"] == _found(tools, Wanted(accounts=(S2,)))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ﾜｲﾔﾚｽ 黒", {"101", "110"}),  # half-width, words in any place
        ("イヤホン s2", {"110"}),  # title and shop
        ("b000000104", {"104"}),
        ("KURO-1", {"101"}),
        ("coffee ＭＩＬＬ", {"111"}),  # from the catalogue, where the register has no title
        ("10", ALL - {"111", "112"}),  # in item ids
        ("103", {"103"}),
        ("%", set()),
        ("' OR 1=1 --", set()),
        ("   ", ALL),
    ],
)
def test_words_are_looked_for_in_title_asin_item_code_and_shop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, expected: set[str]
) -> None:
    """All of them have to be there, however they are written; nothing in them is a pattern."""
    with a_few_items(tmp_path, monkeypatch) as tools:
        assert expected == set(_found(tools, Wanted(text)))


def test_without_the_register_titles_of_the_catalogue_are_found_still(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The list opens, and what the register alone knows is not found."""
    with a_few_items(tmp_path, monkeypatch) as tools:
        tools.settings.master_db.unlink()
        assert (["111"], []) == (_found(tools, Wanted("coffee")), _found(tools, Wanted("ワイヤレス")))
        assert 12 == len(_found(tools, Wanted(sort="title")))


def test_a_title_that_nobody_can_tell_is_unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the register can't be read: none but what the catalogue tells is known, and "no title" is not said."""
    with a_few_items(tmp_path, monkeypatch) as tools:
        tools.settings.master_db.unlink()
        titles = {item.key.item_id: item.title for item in find_items(tools, Wanted()).items}
    assert titles.pop("111")
    assert {None} == set(titles.values())
    assert "unknown" in without_title(None, "en")
    assert "不明" in without_title(None, "ja")
    assert ("(no title)", "(商品名なし)") == (without_title("", "en"), without_title("", "ja"))


def test_whatever_it_is_sorted_by_what_is_unknown_comes_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Either way round; the known ones the other way round then, equal ones in the order of their ids."""
    value: dict[str, Callable[[Item], Any]] = {
        "price": lambda item: item.price_jpy,
        "cost": lambda item: item.cost_jpy,
        "profit": lambda item: item.profit_jpy,
        "age": lambda item: item.confirmed_at and -item.confirmed_at.timestamp(),
        "changed": lambda item: item.changed_at,
        "title": lambda item: item.title or None,
        "shop": lambda item: item.shop,
    }
    with a_few_items(tmp_path, monkeypatch) as tools:
        for sort in SORTS:
            up, down = (find_items(tools, Wanted(sort=mark + sort)).items for mark in ("", "-"))
            assert len(ALL) == len(up) == len(down)
            if sort == "state":
                assert ("101", "112") == (up[0].key.item_id, up[-1].key.item_id)
                continue
            values = [value[sort](item) for item in up]
            known = sorted(one for one in values if one is not None)
            assert [*known, *(None for one in values if one is None)] == values, sort
            assert [*known[::-1], *(None for one in values if one is None)] == [value[sort](item) for item in down]


def test_pages_together_are_the_whole_list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No row twice, none left out, and a page beyond the end is empty."""
    with a_few_items(tmp_path, monkeypatch) as tools:
        pages = [find_items(tools, Wanted(sort="price"), first, 5).items for first in (0, 5, 10, 15)]
        assert [5, 5, 2, 0] == [len(page) for page in pages]
        assert _found(tools, Wanted(sort="price")) == [item.key.item_id for page in pages for item in page]


def test_profit_is_what_the_shop_leaves_and_what_the_rule_of_the_item_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After fees; unknown while price or cost is."""
    with a_few_items(tmp_path, monkeypatch) as tools:
        fees = fees_of(tools.settings, S1)
        assert profit_jpy(2580, 1984, fees) == _item(tools, "101").profit_jpy
        assert profit_jpy(2580, 1984, fees, 300) == _item(tools, "110").profit_jpy
        assert [None, None] == [_item(tools, "112").cost_jpy, _item(tools, "108").profit_jpy]


def test_profit_is_what_the_decision_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a held price the decision names what its new price would leave; here stands what the price shown leaves."""
    shop = a_filled_shop(tmp_path, monkeypatch)
    with open_tools(shop.settings, offline=True) as tools, tools.state.read() as connection:
        account = AccountKey("base", shop.held[0])
        decided = next(row.diff for rows in standing(connection, [account]).values() for row in rows)
        item = _item(tools, shop.held[1])
        assert (decided.key, decided.shown, decided.cost_jpy) == (item.key, item.price_jpy, item.cost_jpy)
        assert decided.profit_jpy is not None
        assert decided.wanted is not None
        fees = fees_of(tools.settings, account)
        assert decided.profit_jpy == profit_jpy(decided.wanted, decided.cost_jpy or 0, fees)
        assert item.profit_jpy == profit_jpy(item.price_jpy or 0, item.cost_jpy or 0, fees)


def test_what_was_stopped_by_a_limit_is_so_no_more_when_the_limit_is_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The limits of now have to stop it still; nobody has to wait for the next run to see it."""
    with a_few_items(tmp_path, monkeypatch) as tools:
        assert _item(tools, "106").standing.blocked
        guards = tools.settings.guards.model_copy(update={"min_price_jpy": 10, "min_markup_ratio": 1.0})
        settings = tools.settings.model_copy(update={"guards": guards})
        assert not _item(replace(tools, settings=settings), "106").standing.blocked


def test_an_edit_of_ours_is_a_change_before_the_shop_is_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The shop's own time of its last change is known at the next reading; a failed edit is none."""
    with a_few_items(tmp_path, monkeypatch) as tools:
        now = tools.clock.now()
        with tools.state.write() as connection:
            read = {"platform": "base", "account_id": "s1", "read_at": to_ms(now - timedelta(hours=2))}
            connection.execute(insert(shop_accounts).values(**read))
            for item, outcome in (("104", "done"), ("105", "failed")):
                key = {"platform": "base", "account_id": "s1", "item_id": item, "asin": "B", "run_id": "r"}
                stamps = dict.fromkeys(("intent_at", "completed_at"), to_ms(now - timedelta(minutes=5)))
                row = {"update_id": item, "key": item, "diff_id": item, "kind": "price", "outcome": outcome}
                connection.execute(insert(journal).values(**key, **row, **stamps))
        assert ["104", "110"] == _found(tools, Wanted(sort="-changed"))[:2]


def test_the_file_has_every_row_and_no_formula(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the order of the list, with a mark by which Excel knows the encoding; what a title begins with is text."""
    with a_few_items(tmp_path, monkeypatch) as tools:
        total, each = every_item(tools, Wanted(sort="-price"))
        text = "".join(csv_lines(each, "ja"))
        assert text.startswith("\ufeff商品名,")
        rows = list(csv.reader(io.StringIO(text)))
        assert (total, 12) == (len(rows) - 1, total)
        assert _found(tools, Wanted(sort="-price")) == [row[2] for row in rows[1:]]
        assert "'=1+1" in [row[0] for row in rows]
        assert ["1000", "1984"] == next(row for row in rows if row[2] == "104")[5:7]
    assert ["'=1", "'+1", "'-1", "'@A", "'\t=1", "1"] == [
        harmless(one) for one in ("=1", "+1", "-1", "@A", "\t=1", "1")
    ]
