"""Held rows as the owner judges them: figures, sources, words of people, pages."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ecauto_pipeline.domain.model import Decision, Diff, Kind, ListingKey, Status
from ecauto_pipeline.errors import NotOnRecord
from ecauto_pipeline.register.master import Register
from ecauto_pipeline.state import decisions
from ecauto_pipeline.sync.people.holds import approve, choose, reject
from ecauto_pipeline.views.hold_effects import effect_lines, effect_of, effect_on
from ecauto_pipeline.views.holds import Asked, held_page, held_row, matching_ids
from ecauto_pipeline_tests.sync.diffs.selling import HonestShop, World


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Two shops; one ASIN waits in both, a hide and a restrained fall wait besides."""
    world = World(tmp_path, HonestShop("shop_1"), HonestShop("shop_2"))
    world.list_item("1", 1000, cost_jpy=3000, priced_jpy=1000, priced_cost_jpy=769)
    world.list_item("2", 1200, asin="B000000001", shop=1, visible=False)
    world.list_item("3", 9000, cost_jpy=2000)
    world.sync(include_visibility=False, hide_failed_prices=False)  # what waits is on show still
    return world


def row_of(world: World, item: str) -> str:
    return next(str(row["diff_id"]) for row in world.rows(decision="held", item_id=item))


def hold(world: World, item: str, kind: Kind, shown: int, wanted: int, reason: str, /, **more: object) -> str:
    """A row that some run holds."""
    diff = Diff(
        *(ListingKey("base", "shop_1", item), f"B{int(item):09d}", kind, shown, wanted, Decision.HELD, reason),
        snapshot_id=f"s{item}",
        evidence=json.dumps(more) if more else "",
    )
    with world.state.write() as connection:
        decisions.store(connection, "other", "", [diff], world.clock.now(), closed=False)
    return decisions.diff_id("other", diff)


def test_a_row_says_what_one_has_to_know(world: World) -> None:
    """What the shop shows and would show, Amazon then and now, what a sale leaves at either price, who else waits."""
    world.later(minutes=30)
    row = held_row(world.tools, row_of(world, "1"))
    assert (1000, 3900, 769, 3000) == (row.price_jpy, row.hold.wanted, row.cost_then_jpy, row.cost_now_jpy)
    assert timedelta(minutes=30) == row.cost_age
    # 3.6% + 40 yen and 3%, each rounded up: 1000 - 36 - 40 - 30 - 3000; 3900 - 141 - 40 - 117 - 3000
    assert (-2106, 602) == (row.profit_shown_jpy, row.profit_wanted_jpy)
    assert ("success", True, 2, True) == (row.status, row.on_sale, row.same_asin, row.keepable)
    twin = held_row(world.tools, row_of(world, "2"))
    assert (False, None, "shop_2") == (twin.on_sale, twin.cost_then_jpy, twin.shop)


def test_a_held_row_s_title_is_unknown_while_the_register_is_gone(world: World) -> None:
    """With a register it is there, or there is none."""
    waiting = row_of(world, "1")
    assert held_row(world.tools, waiting).title is None
    Register.create(world.master, [{"asin": "B000000001", "title_ja": "電動 ミル"}], [])
    assert "電動 ミル" == held_row(world.tools, waiting).title
    assert "" == held_row(world.tools, row_of(world, "3")).title


def test_what_is_doubted_has_no_profit_and_both_answers(world: World) -> None:
    """Each source by operation, with its price, and its moment where it is that of this very answer."""
    second = {
        "operation": "getCompetitiveSummary",
        "status": "success",
        "offers": [{"listing_price_jpy": 3000, "shipping_jpy": None}],
        "request_id": "r2",
    }
    evidence = {
        "believed": {"status": "success", "cost_jpy": 3000, "snapshot_id": "old"},
        "doubted": {"operation": "getItemOffers", "status": "success", "cost_jpy": 900, "snapshot_id": "new"},
        "second": second,
    }
    now = round(world.clock.now().timestamp() * 1000)
    doubt: dict[str, Any] = {
        "doubt": "jump",
        "doubt_at": now - 60_000,
        "doubt_snapshot_id": "new",
        "contradicted_at": now,
    }
    world.amazon("B000000004", 3000, contradiction=json.dumps(evidence), **doubt)
    world.list_item("4", 4000)
    row = held_row(world.tools, hold(world, "4", Kind.PRICE, 4000, 1170, "sources_disagree", **evidence))
    believed, doubted, other = row.sources
    assert (None, None) == (row.profit_shown_jpy, row.profit_wanted_jpy)
    assert ("getItemOffers", 900, 60) == (
        doubted.operation,
        doubted.cost_jpy,
        (world.clock.now() - (doubted.at or world.clock.now())).total_seconds(),
    )
    assert ((3000, None), world.clock.now()) == (other.offers[0], other.at)
    assert (3000, None) == (believed.cost_jpy, believed.at)


def test_who_decided_the_last_time_is_said(world: World) -> None:
    """Of an earlier hold of the same listing; the word on this one stands by itself."""
    name = row_of(world, "1")
    approve(world.tools, [name], who="tanaka")
    world.sync(include_visibility=False)
    world.amazon("B000000001", 9000)
    world.sync(include_visibility=False)
    [now] = [row for row in held_page(world.tools, Asked(text="B000000001")).rows if row.hold.key.item_id == "1"]
    assert now.before is not None
    assert ("approved", "tanaka", 3900, None) == (now.before.word, now.before.who, now.before.wanted, now.said)
    then = held_row(world.tools, name)
    assert then.said is not None
    assert ("tanaka", None, True) == (then.said.who, then.before, then.arrived)


def test_pages_are_narrowed_searched_and_sorted(world: World) -> None:
    """By shop, kind, reason and text: part of a title, or the beginning of an ASIN, an item or a diff_id."""
    Register.create(world.master, [{"asin": "B000000003", "title_ja": "電動 コーヒーミル"}], [])
    hide = hold(world, "3", Kind.VISIBILITY, 1, 0, "mass_hide", reason="out_of_stock")

    def items(**asked: Any) -> list[str]:
        return [row.hold.key.item_id for row in held_page(world.tools, Asked(**asked)).rows]

    assert ["2"] == items(shop="shop_2")
    assert ["3"] == items(kind="visibility")
    assert ["3"] == items(reason="mass_hide")
    assert ["3", "3"] == items(text=" コーヒー ")
    assert ["1", "2"] == sorted(items(text="b000000001"))
    assert ["3"] == items(text=hide[:10])
    assert ["3", "1", "2", "3"] == items(sort="change", descending=True)
    assert [] == items(text="nothing")
    assert "out_of_stock" == held_row(world.tools, hide).cause


def test_a_page_has_its_rows_alone_and_all_that_match_can_be_named(world: World) -> None:
    """A page behind the last one is the last one; the ids go over all pages, in the same order."""
    pages = [held_page(world.tools, Asked(page=number), most=2) for number in (1, 2, 9)]
    assert [(2, 1, 2), (1, 2, 2), (1, 2, 2)] == [(len(one.rows), one.page, one.pages) for one in pages]
    assert [3, 3] == [pages[0].total, pages[0].waiting]
    shown = [row.hold.diff_id for one in pages[:2] for row in one.rows]
    assert shown == matching_ids(world.tools, Asked())


def test_the_effect_of_a_word_is_told_before_it_is_given(world: World) -> None:
    """How many rows, which shops, what becomes of prices, that a rejected hide keeps selling; nothing is written."""
    hide = hold(world, "3", Kind.VISIBILITY, 1, 0, "mass_hide")
    ids = [row_of(world, "1"), row_of(world, "2"), hide]
    effect = effect_of(world.tools, ids)
    assert (3, (("shop_1", 2), ("shop_2", 1)), 2, 0, 2900 + 2700, 1) == (
        *(effect.rows, effect.shops, effect.rises, effect.falls, effect.price_change_jpy, effect.hides),
    )
    approving, rejecting = ([ja for ja, _ in effect_lines(effect, word)] for word in ("approve", "reject"))
    assert "価格の変更 2件（値上げ 2件、値下げ 0件、合計 +5,600円）" in approving
    assert any("公開されたまま販売が続きます" in line for line in rejecting)
    assert "open" == held_row(world.tools, hide).hold.state
    reject(world.tools, [hide])
    assert (2, 1) == (effect_of(world.tools, ids).rows, effect_of(world.tools, ids).late)
    chosen = choose(world.tools, ids)
    assert effect_of(world.tools, ids) == effect_on(world.tools, chosen.done, len(chosen.late))


def test_a_hold_that_is_no_more_is_named_by_what_became_of_it(world: World) -> None:
    """By the beginning of its id; one that never was is said to be none."""
    name = row_of(world, "3")
    reject(world.tools, [name], who="sato")
    row = held_row(world.tools, name[:12])
    assert row.said is not None
    assert ("rejected", "sato", Status.SUCCESS) == (row.hold.state, row.said.who, row.status)
    with pytest.raises(NotOnRecord):
        held_row(world.tools, "feed")
