"""What stops a wrong sale leaves while the run still asks; the run's account is that of one that waited."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from ecauto_pipeline.domain.model import AccountKey, Kind
from ecauto_pipeline.errors import ItemRefused
from ecauto_pipeline.shops.protocol import Abilities, Item, Shop
from ecauto_pipeline.state import stops
from ecauto_pipeline.state.schema_decisions import diffs, journal
from ecauto_pipeline.sync.base_updates import push
from ecauto_pipeline.sync.context import Run
from ecauto_pipeline.sync.diffs import price, visibility
from ecauto_pipeline.sync.people.holds import approve, reject
from ecauto_pipeline.sync.push_while_asking import PUSH_EVERY_S, PushWhileAsking
from ecauto_pipeline.sync.run_record import RunRecord, begin_run, end_run, record_of
from ecauto_pipeline_tests.pages import read
from ecauto_pipeline_tests.sync.diffs.selling import (
    HonestShop,
    ShopOutOfCalls,
    ShopThatForgetsAnswers,
    ShopWithRefusals,
    World,
    refusing,
)

REFUSED = ItemRefused("validation_error", "validation_error: 価格")


class ShopThatTakesFiles(HonestShop):
    """Its edits leave together, as a file."""

    abilities = Abilities(together=True)


def _early(world: World, *batches: list[str], **fields: object) -> Run:
    """A run that has asked about these ASINs, batch after batch, each pushed when it was answered."""
    run = world.run(**fields)
    begin_run(world.tools.for_run(run))
    work = PushWhileAsking(world.tools.for_run(run))
    for asins in batches:
        work.answered(asins)
        work.push_answered()
    return run


def _rest(world: World, run: Run) -> RunRecord:
    """The same run to its end."""
    context = world.tools.for_run(run)
    price.run(context)
    visibility.run(context)
    push.run(context)
    end_run(context)
    record = record_of(world.tools, run.run_id)
    assert record.account is not None
    assert record.account.adds_up(), record.account
    return record


def _a_shop(folder: Path) -> tuple[World, list[str]]:
    """One listing of every fate, twenty that nothing happens to, and their ASINs."""
    folder.mkdir()
    world = World(folder, ShopWithRefusals("shop_1", refusing("7", REFUSED)))
    asins = [world.list_item(str(number), 2580, cost_jpy=1984) for number in range(20, 40)]
    world.amazon(world.list_item("1", 2580), None, "out_of_stock")
    asins += ["B000000001"]
    asins += [world.list_item("2", 2000, cost_jpy=1984)]  # rises
    asins += [world.list_item("3", 3000, cost_jpy=1984)]  # falls
    asins += [world.list_item("4", 2580, cost_jpy=1984, visible=False, hidden_by="ours")]  # comes back
    asins += [world.list_item("5", 9999, cost_jpy=1984)]  # falls too far: held
    asins += [world.list_item("6", 100_000, cost_jpy=150_000)]  # blocked, and hidden for it
    asins += [world.list_item("7", 2400, cost_jpy=1984)]  # its shop refuses the rise
    asins += [world.list_item("8", 2580, cost_jpy=1984, stock=0)]  # restocked
    return world, asins


def test_what_stops_a_wrong_sale_leaves_before_the_run_has_asked_everything(tmp_path: Path) -> None:
    """Hides first, then rises; what falls, comes back or is restocked waits for the judgement of the whole."""
    world, asins = _a_shop(tmp_path / "shop")
    run = _early(world, asins)
    expected = [("1", Kind.VISIBILITY, 0), ("6", Kind.VISIBILITY, 0), ("2", Kind.PRICE, 2580), ("7", Kind.PRICE, 2580)]
    assert expected == world.shop.edits
    _rest(world, run)
    assert {("3", Kind.PRICE, 2580), ("4", Kind.VISIBILITY, 1), ("8", Kind.STOCK, 1)} == set(world.shop.edits[4:])


@pytest.mark.parametrize("portions", [1, 4])
def test_the_run_counts_as_one_that_waited(tmp_path: Path, portions: int) -> None:
    """Every section of the judging and the pushing, and what the shop shows: the same, in however many batches.

    But for one: where nothing can be bought, the price of what is hidden by now needs no change, and that of what is
    still on show can't be made.
    """
    late, asins = _a_shop(tmp_path / "late")
    record = _rest(late, _early(late))
    early, _ = _a_shop(tmp_path / "early")
    pushed = _rest(early, _early(early, *(asins[number::portions] for number in range(portions))))
    assert pushed.early_updates is not None
    assert record.account is not None
    assert record.base_updates is not None
    assert pushed.base_updates is not None
    assert record.visibility_diffs == pushed.visibility_diffs
    sent = record.base_updates
    assert sent == replace(pushed.base_updates, planned_s=sent.planned_s, written_back=sent.written_back)
    assert {**record.reasons, "skipped:no_offer": 0} == {**pushed.reasons, "skipped:no_offer": 0}
    skipped, unchanged = record.account.skipped - 1, record.account.unchanged + 1
    assert replace(record.account, skipped=skipped, unchanged=unchanged) == pushed.account
    assert (record.edits, record.account.targets) == (pushed.edits, 28 * 3)
    assert late.shop.stock == early.shop.stock
    assert late.outcomes() == early.outcomes()


def test_a_run_that_dies_after_a_batch_is_taken_up_by_one_that_finds_its_work_done(tmp_path: Path) -> None:
    """What left is not sent again, nor counted as the second run's; the rest is what one run would have left."""
    world, asins = _a_shop(tmp_path / "shop")
    died = _early(world, asins)
    sent = list(world.shop.edits)
    record = _rest(world, _early(world, retries=died.run_id))
    assert record.account is not None
    assert [] == [edit for edit in world.shop.edits[len(sent) :] if edit in sent and edit[0] != "7"]
    assert (3, 1) == (record.account.pushed, record.account.failed)


def test_a_run_that_dies_in_a_call_is_read_back_by_the_next(tmp_path: Path) -> None:
    """The intent was on record before the call: one edit, of whose end nobody knew, and none after it."""

    class ShopBesideADyingProcess(HonestShop):
        dies = True

        def edit(self, item_id: str, kind: Kind, value: int) -> Item | None:
            done = super().edit(item_id, kind, value)
            if self.dies:
                raise SystemExit
            return done

    shop = ShopBesideADyingProcess("shop_1")
    world = World(tmp_path, shop)
    world.amazon(world.list_item("1", 2580), None, "out_of_stock")
    with pytest.raises(SystemExit):
        _early(world, ["B000000001"])
    shop.dies = False
    record = _rest(world, _early(world, ["B000000001"], retries="run-1"))
    assert [("1", Kind.VISIBILITY, 0)] == shop.edits
    assert record.base_updates is not None
    assert 1 == record.base_updates.settled_done


def _half_gone(world: World, count: int) -> list[str]:
    """`count` listings; Amazon says of the first half that there is nothing."""
    asins = [world.list_item(str(number), 2580, cost_jpy=1984) for number in range(1, count + 1)]
    for asin in asins[: count // 2]:
        world.amazon(asin, None, "out_of_stock")
    return asins


@pytest.mark.parametrize("first", ["gone", "there"])
def test_portions_hide_no_more_than_the_whole_would(tmp_path: Path, first: str) -> None:
    """Half of a shop gone: what leaves early is within the guard's share of what was seen; the whole is then held."""
    world = World(tmp_path, guards={"max_hide_rows": 10, "max_hide_share": 0.2})
    asins = _half_gone(world, 40)
    world.later(minutes=10)
    world.read_shops()
    order = asins if first == "gone" else asins[::-1]
    run = world.run()
    begin_run(world.tools.for_run(run))
    work = PushWhileAsking(world.tools.for_run(run))
    for start in range(0, 40, 5):
        portion = order[start : start + 5]
        for asin in portion:
            gone = asin in asins[:20]
            world.amazon(asin, None if gone else 1984, "out_of_stock" if gone else "success")
        work.answered(portion)
        work.push_answered()
        assert len(world.shop.edits) <= max(4, 0.2 * (start + 5))
    record = _rest(world, run)
    early = len(world.shop.edits)
    assert early <= 0.2 * 40
    assert {"mass_hide"} == {row["reason"] for row in world.rows(diffs, kind="visibility", decision="held")}
    assert record.account is not None
    assert (early, 20 - early) == (record.account.pushed, record.account.held)


def test_one_more_of_a_mass_that_waits_for_a_person_waits_with_it(tmp_path: Path) -> None:
    """What earlier runs hold back of a shop counts, though this run has seen none of it."""
    world = World(tmp_path, guards={"max_hide_rows": 10, "max_hide_share": 0.2})
    asins = _half_gone(world, 30)
    world.sync()
    assert 15 == len(world.rows(diffs, reason="mass_hide"))
    world.amazon(asins[20], None, "out_of_stock")
    _rest(world, _early(world, [asins[20]]))
    assert [] == world.shop.edits


def test_a_handful_leaves_whatever_else_was_seen(tmp_path: Path) -> None:
    """The first answers of a slice are the doubted ones: a few that are gone say nothing about the shop."""
    world = World(tmp_path)
    asins = _half_gone(world, 8)
    _early(world, asins[:4])
    assert 4 == len(world.shop.edits)


@pytest.mark.parametrize("word", ["none", "approve", "reject"])
def test_what_waits_for_a_person_waits_for_the_whole(tmp_path: Path, word: str) -> None:
    """A listing of which something is held, or a person has said a word, is not touched before the run's own turn."""
    world = World(tmp_path)
    asin = world.list_item("1", 2580, cost_jpy=4000)
    world.sync()
    held = [str(row["diff_id"]) for row in world.rows(diffs, decision="held")]
    assert 1 == len(held)
    if word != "none":
        (approve if word == "approve" else reject)(world.tools, held)
    edits = len(world.shop.edits)
    run = _early(world, [asin])
    assert edits == len(world.shop.edits)
    _rest(world, run)


def test_after_stop_nothing_leaves_early(tmp_path: Path) -> None:
    """The rows wait, and the whole run counts them as waiting."""
    world, asins = _a_shop(tmp_path / "shop")
    with world.state.write() as connection:
        stops.put(connection, (), world.clock.now(), "owner")
    record = _rest(world, _early(world, asins))
    assert [] == world.shop.edits
    assert record.account is not None
    assert 0 == record.account.pushed
    assert record.base_updates is not None
    assert 7 == record.base_updates.waiting


def test_a_shop_whose_edits_leave_together_gets_them_once(tmp_path: Path) -> None:
    """A file of edits is made when the run has asked everything."""
    world = World(tmp_path, ShopThatTakesFiles("shop_1"))
    world.amazon(world.list_item("1", 2580), None, "out_of_stock")
    run = _early(world, ["B000000001"])
    assert [] == world.shop.edits
    _rest(world, run)
    assert [("1", Kind.VISIBILITY, 0)] == world.shop.edits


@pytest.mark.parametrize(
    ("shop", "end"),
    [
        (lambda: ShopThatForgetsAnswers("shop_1"), "pushed"),
        (lambda: ShopThatForgetsAnswers("shop_1", acts=False), "failed"),
        (lambda: ShopThatForgetsAnswers("shop_1", readable=False), "failed"),
    ],
    ids=["happened", "did_not", "unknown"],
)
def test_an_edit_whose_answer_never_came_is_made_once(
    tmp_path: Path, shop: Callable[[], ShopThatForgetsAnswers], end: str
) -> None:
    """Read back, never repeated blindly within the run, and counted once."""
    world = World(tmp_path, shop())
    world.amazon(world.list_item("1", 2580), None, "out_of_stock")
    record = _rest(world, _early(world, ["B000000001"]))
    assert [("1", Kind.VISIBILITY, 0)] == world.shop.edits
    assert record.account is not None
    assert (1, 1) == (getattr(record.account, end), record.account.pushed + record.account.failed)


def test_a_spent_hour_leaves_the_rows_to_the_rest_of_the_run(tmp_path: Path) -> None:
    """What its shop can't take now stays open: counted once, as waiting, and sent after the hour."""
    world = World(tmp_path, ShopOutOfCalls("shop_1", 1, World(tmp_path / "clock").clock.now() + timedelta(hours=1)))
    asins = [world.list_item(str(number), 2000, cost_jpy=1984) for number in (1, 2, 3)]
    record = _rest(world, _early(world, asins))
    assert record.account is not None
    assert (1, 2) == (record.account.pushed, record.account.skipped)
    assert record.base_updates is not None
    assert (("shop_1", "hour_api_limit"),) == record.base_updates.alerts
    assert (("shop_1", 2),) == record.base_updates.out_of_calls


def test_a_correction_that_its_shop_refuses_early_ends_hidden_in_the_same_run(tmp_path: Path) -> None:
    """Below the floor and refused: what could not be mended is off sale when the run ends."""
    world = World(tmp_path, ShopWithRefusals("shop_1", refusing("1", REFUSED, Kind.PRICE)))
    asin = world.list_item("1", 2000, cost_jpy=1984)
    run = _early(world, [asin])
    record = _rest(world, run)
    assert [("1", Kind.PRICE, 2580), ("1", Kind.VISIBILITY, 0)] == world.shop.edits
    assert record.account is not None
    assert (1, 1) == (record.account.pushed, record.account.failed)


def test_a_later_answer_of_the_same_run_is_another_change(tmp_path: Path) -> None:
    """The price rises again before the run has asked everything: both edits are made, and both are counted."""
    world = World(tmp_path)
    asin = world.list_item("1", 2000, cost_jpy=1984)
    run = _early(world, [asin])
    world.later(seconds=40)
    world.amazon(asin, 2200)
    record = _rest(world, run)
    assert [2580, 2860] == [value for _, _, value in world.shop.edits]
    assert record.account is not None
    assert (2, 2) == (record.account.pushed, record.edits)


@pytest.mark.parametrize(
    ("fields", "leave"),
    [
        ({"include_visibility": False}, {"2", "3"}),
        ({"include_price": "never"}, {"1"}),
        ({"include_price": "floor"}, {"1", "2"}),
    ],
    ids=["prices", "stock", "floor"],
)
def test_a_run_changes_early_what_it_may_change(tmp_path: Path, fields: dict[str, object], leave: set[str]) -> None:
    """No hide in a run of prices, no price in a run of stock, nothing above the floor where only that counts."""
    world = World(tmp_path)
    world.amazon(world.list_item("1", 2580), None, "out_of_stock")
    asins = ["B000000001", world.list_item("2", 2000, cost_jpy=1984), world.list_item("3", 2400, cost_jpy=1984)]
    _early(world, asins, **fields)
    assert leave == {item for item, _, _ in world.shop.edits}


def test_batches_are_some_seconds_apart_and_none_is_empty(tmp_path: Path) -> None:
    """By the clock, as the papers say; nothing is begun while nothing that matters was answered."""
    for page in ("architecture.md", "decisions/what-stops-a-wrong-sale-waits-for-no-slice.md"):
        assert f"every {PUSH_EVERY_S:.0f} seconds" in read(f"docs/{page}")
    assert f"some {PUSH_EVERY_S:.0f} seconds after the answer that counts" in read("docs/freshness.md")
    world = World(tmp_path)
    world.amazon(world.list_item("1", 2580), None, "out_of_stock")
    run = world.run()
    begin_run(world.tools.for_run(run))
    work = PushWhileAsking(world.tools.for_run(run))
    begun = []
    for answered, seconds in (([], PUSH_EVERY_S), (["B000000001"], 0.0), ([], PUSH_EVERY_S)):
        work.answered(answered)
        world.later(seconds=seconds)
        work.look()
        begun.append(work.busy or bool(world.shop.edits))
        work.wait(10)
    assert [False, True, True] == begun
    assert [("1", Kind.VISIBILITY, 0)] == world.shop.edits


class _ShopsThatVanish(dict[AccountKey, Shop]):
    """Names every shop and has none."""

    def __getitem__(self, key: AccountKey) -> Shop:
        raise KeyError(key)


def test_an_error_nobody_foresaw_ends_the_haste_and_not_the_run(tmp_path: Path) -> None:
    """Nothing is tried again; the steps after the asking do all of it."""
    world = World(tmp_path)
    world.amazon(world.list_item("1", 2580), None, "out_of_stock")
    run = world.run()
    begin_run(world.tools.for_run(run))
    work = PushWhileAsking(replace(world.tools.for_run(run), shops=_ShopsThatVanish(world.tools.shops)))
    begun = []
    for _ in range(2):
        work.answered(["B000000001"])
        world.later(seconds=PUSH_EVERY_S)
        work.look()
        begun.append(work.busy)
        work.wait(10)
    assert (None, 0, False) == (work.failure, world.count(journal), begun[1])
    _rest(world, run)
    assert [("1", Kind.VISIBILITY, 0)] == world.shop.edits
