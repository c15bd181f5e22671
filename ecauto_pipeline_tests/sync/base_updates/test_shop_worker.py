"""Pushing: what leaves, in which order, and what becomes of every kind of answer."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert

from ecauto_pipeline.clock import to_ms
from ecauto_pipeline.domain.model import Kind
from ecauto_pipeline.errors import ItemGone, ItemRefused, Stopped, Transport
from ecauto_pipeline.state import leases
from ecauto_pipeline.state.schema import shop_accounts
from ecauto_pipeline.state.schema_decisions import journal
from ecauto_pipeline.sync.base_updates import push
from ecauto_pipeline.sync.base_updates.push_totals import together
from ecauto_pipeline.sync.push_section import PushReport
from ecauto_pipeline_tests.sync.diffs.selling import (
    NOW,
    UNEDITABLE,
    HonestShop,
    RestrictedShop,
    ShopOutOfCalls,
    ShopThatForgetsAnswers,
    ShopWithRefusals,
    World,
    nothing,
    refusing,
)


def _rises(world: World, count: int, shop: int = 0, start: int = 1) -> None:
    for number in range(start, start + count):
        world.list_item(str(number), 2000, cost_jpy=1984, shop=shop)


def test_hides_leave_first_then_rises_then_the_rest(tmp_path: Path) -> None:
    """Sales stop before losses are mended, and bargains end last."""
    world = World(tmp_path)
    world.list_item("1", 2580, cost_jpy=1984, visible=False, hidden_by="ours")
    world.list_item("2", 3000, cost_jpy=1984)
    world.list_item("3", 2000, cost_jpy=1984)
    world.list_item("4", 2580, stock=1)
    world.amazon("B000000004", None, "out_of_stock")
    world.list_item("5", 2580, cost_jpy=1984, stock=0)
    world.sync()
    expected = [("4", "visibility"), ("3", "price"), ("2", "price"), ("5", "stock"), ("1", "visibility")]
    assert expected == [(item, kind) for item, kind, _ in world.shop.edits]


def test_a11_one_refused_item_is_one_failed_row(tmp_path: Path) -> None:
    """1 of 20 edits fails: the run succeeds with one failed row, the next run tries that one again."""
    shop = ShopWithRefusals("shop_1", refusing("7", ItemRefused("validation_error", "validation_error: 商品名")))
    world = World(tmp_path, shop)
    _rises(world, 6)
    _rises(world, 13, start=8)
    world.list_item("7", 3000, cost_jpy=1984)
    account, report = world.sync()
    assert (19, 1) == (account.pushed, account.failed)
    assert (("shop_1", "7", "price", "validation_error"),) == report.failures
    assert "商品名" in world.rows(journal, outcome="failed")[0]["error"]
    shop.refuses = lambda _item, _kind: None
    account, report = world.sync()
    assert (1, 0, 1) == (account.pushed, account.failed, report.edits)
    assert 21 == len(shop.edits)


def test_an_item_that_can_never_be_edited_is_left_alone_from_then_on(tmp_path: Path) -> None:
    """A digital item: failed once, then skipped(uneditable) without a call."""
    world = World(tmp_path, ShopWithRefusals("shop_1", refusing("1", UNEDITABLE)))
    _rises(world, 1)
    world.sync()
    account, report = world.sync()
    assert (0, {"uneditable"}) == (report.edits, {row["reason"] for row in world.rows(run_id="run-2")})
    assert 1 == account.skipped


def test_a10_a_spent_hour_stops_that_shop_and_keeps_its_rows(tmp_path: Path) -> None:
    """hour_api_limit at the 4th call: three done, the rest wait, one alert; after :00 exactly the rest is sent."""
    shop = ShopOutOfCalls("shop_1", calls=3, until=NOW + timedelta(hours=1))
    world = World(tmp_path, shop)
    _rises(world, 10)
    account, report = world.sync()
    assert (3, 7, 0) == (account.pushed, account.skipped, account.failed)
    assert {"skipped:hour_api_limit": 7} == dict(report.reasons)
    assert (4, 7, (("shop_1", "hour_api_limit"),)) == (len(shop.edits), report.waiting, report.alerts)
    waiting, again = world.sync()
    assert (4, ()) == (len(shop.edits), again.alerts)
    assert 7 == waiting.skipped
    world.later(hours=1)
    shop.calls = 1000
    account, _ = world.sync()
    assert 7 == account.pushed
    done = [row["item_id"] for row in world.rows(journal, outcome="done")]
    assert sorted(map(str, range(1, 11))) == sorted(done)


def test_a7_a_restricted_shop_stops_alone(tmp_path: Path) -> None:
    """access_denied in A: one call, one alert, its rows wait; B goes on to its end."""
    world = World(tmp_path, RestrictedShop("a"), HonestShop("b"))
    _rises(world, 5)
    _rises(world, 5, shop=1, start=11)
    account, report = world.sync()
    assert (1, 5) == (len(world.shops[0].edits), len(world.shops[1].edits))
    assert ((("a", "access_denied"),), 5, 5) == (report.alerts, report.waiting, account.pushed)
    assert {"skipped:account_blocked": 5} == dict(report.reasons)
    assert "access_denied" == world.rows(shop_accounts, account_id="a")[0]["breaker"]
    account, report = world.sync()
    assert (1, (), 5) == (len(world.shops[0].edits), report.alerts, account.skipped)


def test_an_answer_that_never_came_is_read_back_not_repeated(tmp_path: Path) -> None:
    """The edit happened and its answer was lost: one edit, one read, done."""
    world = World(tmp_path, ShopThatForgetsAnswers("shop_1"))
    _rises(world, 1)
    account, _ = world.sync()
    assert (1, 0) == (account.pushed, account.failed)
    assert ([("1", "price", 2580)], ["1"]) == (world.shop.edits, world.shop.reads)
    assert [("1", "price", "done")] == world.outcomes()


def test_an_edit_that_did_not_happen_is_tried_by_the_next_run(tmp_path: Path) -> None:
    """The answer was lost and the item shows the old price: failed now, sent again by the next run."""
    shop = ShopThatForgetsAnswers("shop_1", acts=False)
    world = World(tmp_path, shop)
    _rises(world, 1)
    account, _ = world.sync()
    assert (0, 1, 1) == (account.pushed, account.failed, len(shop.edits))
    shop.acts = True
    account, _ = world.sync()
    assert (1, 2) == (account.pushed, len(shop.edits))


def test_an_unknown_outcome_blocks_its_target_until_it_is_settled(tmp_path: Path) -> None:
    """Neither the edit nor the reading answers: nothing more is sent for that target; later it is read and settled."""
    shop = ShopThatForgetsAnswers("shop_1", readable=False)
    world = World(tmp_path, shop)
    _rises(world, 1)
    account, report = world.sync()
    assert (1, 1) == (account.failed, report.unknown)
    account, _ = world.sync()
    assert (1, 1) == (len(shop.edits), account.skipped)
    shop.readable = True
    account, report = world.sync()
    assert (1, 1) == (len(shop.edits), report.settled_done)
    assert [("1", "price", "done")] == world.outcomes()
    assert 2580 == world.listing("1")["shown_price_jpy"]


def test_a_crash_between_intent_and_outcome_is_settled_by_reading(tmp_path: Path) -> None:
    """Killed after the hide was sent: the next start finds it done, ours, and sends nothing."""
    world = World(tmp_path)
    world.list_item("1", 2580)
    world.amazon("B000000001", None, "out_of_stock")

    class Killed(BaseException):
        pass

    def dies(*_args: object) -> None:
        raise Killed

    world.shop.after_edit = dies
    run = world.run()
    world.decide(run)
    with pytest.raises(Killed):
        push.run(world.tools.for_run(run))
    assert [("1", "visibility", "")] == world.outcomes()
    world.shop.after_edit = nothing
    report = push.run(world.tools.for_run(world.run()))
    assert (1, 1) == (report.settled_done, len(world.shop.edits))
    assert (0, "ours", "out_of_stock") == tuple(
        world.listing("1")[name] for name in ("shown_visible", "hidden_by", "hidden_reason")
    )


def test_a_crash_before_the_call_is_sent_by_pushing_alone(tmp_path: Path) -> None:
    """Killed after the intent, before the call: base_updates alone reads it back, opens the row and sends it once."""
    world = World(tmp_path)
    _rises(world, 1)

    class Killed(BaseException):
        pass

    def dies(*_args: object) -> None:
        raise Killed

    world.shop.before_edit = dies
    run = world.run()
    world.decide(run)
    with pytest.raises(Killed):
        push.run(world.tools.for_run(run))
    world.shop.before_edit = nothing
    report = push.run(world.tools.for_run(world.run()))
    assert (1, [("1", "price", 2580)]) == (report.settled_not_done, world.shop.edits)
    assert (1, 1) == (report.account.targets, report.account.pushed)


def test_a_crash_before_the_call_leaves_one_decision_when_all_is_judged_again(tmp_path: Path) -> None:
    """The run is done again whole, and the edit is refused for good: its own decision ended, and no older one waits."""

    class Killed(BaseException):
        pass

    shop = ShopWithRefusals("shop_1", refusing("1", UNEDITABLE))
    world = World(tmp_path, shop)
    _rises(world, 1)
    run = world.run()
    world.decide(run)
    refuses, shop.refuses = shop.refuses, _raises(Killed())
    with pytest.raises(Killed):
        push.run(world.tools.for_run(run))
    shop.refuses = refuses
    again = world.run()
    world.decide(again)
    report = push.run(world.tools.for_run(again))
    assert (1, 1) == (report.settled_not_done, report.account.failed)
    assert [] == world.rows(state="open")


def _raises(error: BaseException) -> Callable[[str, Kind], Exception | None]:
    def refuses(_item: str, _kind: Kind) -> Exception | None:
        raise error

    return refuses


def test_another_value_than_ours_ends_the_matter(tmp_path: Path) -> None:
    """Somebody else changed the item meanwhile: our edit is not in effect, and is not waited for any longer."""
    shop = ShopThatForgetsAnswers("shop_1", readable=False)
    world = World(tmp_path, shop)
    _rises(world, 1)
    world.sync()
    shop.put("1", 5000)
    shop.readable = True
    push.run(world.tools.for_run(world.run()))
    assert [("1", "price", "failed")] == world.outcomes()
    assert 5000 == world.listing("1")["shown_price_jpy"]


def test_a3_what_grew_too_old_while_waiting_is_never_sent(tmp_path: Path) -> None:
    """Decided in time, pushed a day later: skipped(stale_price), no call."""
    world = World(tmp_path)
    _rises(world, 1)
    run = world.run()
    world.decide(run)
    world.later(hours=25)
    world.read_shops()
    report = push.run(world.tools.for_run(run))
    assert ([], {"skipped:stale_price": 1}) == (world.shop.edits, dict(report.reasons))


def test_the_age_of_the_data_behind_pushes_is_told(tmp_path: Path) -> None:
    """The push nearest to its maximum age, that maximum, and whose it was, also where two pushes are one run's."""
    world = World(tmp_path)
    _rises(world, 1)
    world.later(hours=3)
    world.read_shops()
    _, report = world.sync()
    assert (3 * 3600, 24 * 3600) == (report.oldest_pushed_data_s, report.oldest_allowed_s)
    assert (world.shop.account_id, "1", "price") == (report.oldest_pushed or ())[:3]
    younger = PushReport(
        oldest_pushed_data_s=60.0, oldest_allowed_s=3600.0, oldest_pushed=("other", "2", "price", "B2")
    )
    for both in (together(report, younger), together(younger, report)):
        assert (report.oldest_pushed, report.oldest_pushed_data_s) == (both.oldest_pushed, both.oldest_pushed_data_s)


def test_what_a_person_hid_between_deciding_and_pushing_stays(tmp_path: Path) -> None:
    """The last look sees that the listing changed: skipped, no call."""
    world = World(tmp_path)
    world.list_item("1", 2580, cost_jpy=1984, visible=False, hidden_by="ours")
    run = world.run()
    world.decide(run)
    world.change("1", hidden_by="person")
    report = push.run(world.tools.for_run(run))
    assert ([], {"skipped:hidden_by_person": 1}) == (world.shop.edits, dict(report.reasons))


def test_an_unhide_waits_for_its_price(tmp_path: Path) -> None:
    """The price push of the same listing fails: it is not shown again in this run."""
    shop = ShopWithRefusals("shop_1", refusing("1", ItemRefused("bad_params"), Kind.PRICE))
    world = World(tmp_path, shop)
    world.list_item("1", 2400, cost_jpy=2300, visible=False, hidden_by="ours")
    account, report = world.sync()
    assert [("1", "price", 2990)] == shop.edits
    assert {"failed:bad_params": 1, "skipped:price_failed": 1} == dict(report.reasons)
    assert (1, 1) == (account.failed, account.skipped)
    shop.refuses = lambda _item, _kind: None
    world.later(days=1, minutes=1)
    world.amazon("B000000001", 2300)
    world.read_shops()
    world.sync()
    assert [("1", "price", 2990), ("1", "visibility", 1)] == shop.edits[1:]


def test_a_shop_that_does_not_answer_is_given_up_for_this_run(tmp_path: Path) -> None:
    """Five calls in a row without an answer: the rest waits."""
    world = World(tmp_path, ShopWithRefusals("shop_1", lambda _item, _kind: Transport("html_502")))
    _rises(world, 9)
    account, report = world.sync()
    assert (5, 4, 5) == (account.failed, account.skipped, report.edits)


def test_a_bug_in_one_worker_does_not_stop_the_other_shop(tmp_path: Path) -> None:
    """What is no API error is told with its place, and ends as its row's failure; the run goes on."""
    world = World(tmp_path, ShopWithRefusals("a", lambda _item, _kind: ZeroDivisionError()), HonestShop("b"))
    _rises(world, 1)
    _rises(world, 3, shop=1, start=11)
    run = world.run()
    world.decide(run)
    report = push.run(world.tools.for_run(run))
    assert 3 == len(world.shops[1].edits)
    assert [("a", "ZeroDivisionError")] == [(fault.account, fault.error) for fault in report.faults]
    assert (3, 1) == (report.account.pushed, report.account.failed)


def test_a22_a_stop_is_heard_between_edits(tmp_path: Path) -> None:
    """Asked to end during the third edit: that one is finished, nothing more is sent, the rest can be sent later."""
    world = World(tmp_path)
    _rises(world, 8)

    def third_is_enough(*_args: object) -> None:
        if len(world.shop.edits) == 2:
            world.tools.stop.set()

    world.shop.before_edit = third_is_enough
    run = world.run()
    world.decide(run)
    with pytest.raises(Stopped):
        push.run(world.tools.for_run(run))
    assert 3 == len(world.shop.edits)
    world.tools = replace(world.tools, stop=threading.Event())
    world.shop.before_edit = nothing
    report = push.run(world.tools.for_run(run))
    assert (5, 8) == (report.account.pushed, len(world.shop.edits))


def test_an_account_that_somebody_else_pushes_is_left_to_them(tmp_path: Path) -> None:
    """Its lease is held and alive: nothing is sent, the rows stay open."""
    world = World(tmp_path)
    _rises(world, 2)
    run = world.run()
    world.decide(run)
    with world.state.write() as connection:
        ours_elsewhere = leases.new_owner()
        leases.claim(connection, ["push:base:shop_1"], ours_elsewhere, world.clock.now(), timedelta(hours=1))
    report = push.run(world.tools.for_run(run))
    assert ([], {"skipped:pushed_elsewhere": 2}) == (world.shop.edits, dict(report.reasons))
    assert 2 == len(world.rows(state="open"))


def test_a_dry_run_takes_the_same_path_up_to_the_call(tmp_path: Path) -> None:
    """Same account as the live run after it, journalled as dry_run, nothing shown changes, master.db is not opened."""
    world = World(tmp_path)
    _rises(world, 3)
    world.list_item("9", 2300, cost_jpy=2300, visible=False, hidden_by="ours")
    dry, report = world.sync(dry_run=True)
    assert ([], 0, "") == (world.shop.edits, report.edits, report.written_back.problem)
    assert {"dry_run"} == {outcome for *_, outcome in world.outcomes()}
    assert 2000 == world.listing("1")["shown_price_jpy"]
    live, _ = world.sync()
    assert dry == live
    assert 5 == len(world.shop.edits)


def test_a_run_sends_nothing_beyond_its_scope(tmp_path: Path) -> None:
    """A run of prices alone leaves a hide that an earlier run left open; the next fuller run sends it."""
    world = World(tmp_path)
    _rises(world, 1)
    world.list_item("2", 2580)
    world.amazon("B000000002", None, "out_of_stock")
    world.decide(world.run())
    prices = push.run(world.tools.for_run(world.run(include_visibility=False)))
    nothing = push.run(world.tools.for_run(world.run(include_visibility=False)))
    rest = push.run(world.tools.for_run(world.run(include_price="never")))
    assert (1, 0, 1) == (prices.account.pushed, nothing.account.targets, rest.account.pushed)


def test_a_retried_dry_run_shows_what_the_first_one_judged(tmp_path: Path) -> None:
    """Broken off before its push, a dry run's retry plans the same rows; another dry run does not see them."""
    world = World(tmp_path)
    _rises(world, 2)
    first = world.run(dry_run=True)
    world.decide(first)
    retry = push.run(world.tools.for_run(world.run(dry_run=True, retries=first.run_id)))
    other = push.run(world.tools.for_run(world.run(dry_run=True)))
    assert (2, 0) == (retry.account.pushed, other.account.targets)
    assert [] == world.shop.edits


def test_a_gone_item_is_a_failed_row_that_names_it(tmp_path: Path) -> None:
    """bad_item_id on edit: failed with that reason, evidence for delisting."""
    world = World(tmp_path, ShopWithRefusals("shop_1", refusing("1", ItemGone("bad_item_id"))))
    _rises(world, 1)
    _, report = world.sync()
    assert {"failed:bad_item_id": 1} == dict(report.reasons)


def test_an_intent_of_a_live_push_elsewhere_is_not_touched(tmp_path: Path) -> None:
    """While another process holds the shop, its unfinished edits are its own to settle."""
    world = World(tmp_path)
    _rises(world, 1)
    stamp = to_ms(world.clock.now())
    with world.state.write() as connection:
        leases.claim(connection, ["push:base:shop_1"], leases.new_owner(), world.clock.now(), timedelta(hours=1))
        names = ("update_id", "key", "diff_id", "run_id")
        row = {**dict.fromkeys(names, "x"), "platform": "base", "account_id": "shop_1", "item_id": "1", "asin": "B"}
        connection.execute(insert(journal).values(**row, kind="price", before=2000, after=2580, intent_at=stamp))
    push.run(world.tools.for_run(world.run()))
    assert [] == world.shop.reads


def test_a_restricted_and_a_spent_shop_do_not_touch_the_healthy_one(tmp_path: Path) -> None:
    """A restricted, B out of calls, C healthy: C is done whole, one alert each for A and B, their rows wait."""
    spent = ShopOutOfCalls("b", calls=2, until=NOW + timedelta(hours=1))
    world = World(tmp_path, RestrictedShop("a"), spent, HonestShop("c"))
    for shop in range(3):
        _rises(world, 6, shop=shop, start=1 + 10 * shop)
    account, report = world.sync()
    assert (("a", "access_denied"), ("b", "hour_api_limit")) == report.alerts
    assert {"a": 0, "b": 2, "c": 6} == {name: one.pushed for name, one in report.by_account.items()}
    assert (10, 10, 0) == (report.waiting, account.skipped, account.failed)
