"""Laws of reading the shops and joining them with the register, over real HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, update

from ecauto_pipeline.clock import ManualClock, to_ms
from ecauto_pipeline.domain.model import AccountKey, Kind, ListingKey
from ecauto_pipeline.emulator.server import EmulatorServer
from ecauto_pipeline.errors import RegisterError
from ecauto_pipeline.state import shop_accounts
from ecauto_pipeline.state.database import Database
from ecauto_pipeline.state.schema_calls import windows
from ecauto_pipeline.state.schema_decisions import journal
from ecauto_pipeline.state.shop_listings import listing_facts
from ecauto_pipeline.state.shown import record_edit
from ecauto_pipeline_tests.sync.listings.shop_bench import NOON, ShopBench, journalled

ONE, TWO = "base_account_1", "base_account_2"


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[EmulatorServer, ManualClock]]:
    clock = ManualClock(NOON)
    with EmulatorServer(clock=clock, seed=7, listings=200, accounts=2) as emulator:
        yield emulator, clock


@pytest.fixture
def bench(server: tuple[EmulatorServer, ManualClock], tmp_path: Path) -> Iterator[ShopBench]:
    emulator, clock = server
    clock.set(NOON)
    emulator.control.reset(seed=7)
    yield ShopBench.at(tmp_path, emulator, clock, (ONE, TWO))
    emulator.control.clear_faults()


def public_item(bench: ShopBench, account: str = ONE) -> int:
    """An item that takes part and is on show."""
    return int(next(r.item_id for r in bench.rows() if r.account_id == account and r.listed and r.shown_visible))


def test_what_takes_part_is_what_both_sides_have(bench: ShopBench) -> None:
    """Listed in the register, present in the shop, of one ASIN by every account of it: those and no others."""
    report = bench.read()
    truth = {ONE: bench.emulator.control.items(ONE), TWO: bench.emulator.control.items(TWO)}
    register = bench.emulator.control.register_rows()["listings"]
    published = {
        (row["account_id"], row["platform_item_id"]): row["asin"]
        for row in register
        if row["status"] in ("listed", "active") and row["platform_item_id"]
    }
    both = {
        (account, str(item["item_id"])): published[account, str(item["item_id"])]
        for account, items in truth.items()
        for item in items
        if (account, str(item["item_id"])) in published
    }
    taking_part = {(row.account_id, row.item_id): row.asin for row in bench.rows() if row.listed}
    assert both == taking_part
    assert (len(both), sum(map(len, truth.values()))) == (report.listings, report.items)
    assert {ONE: "full", TWO: "full"} == dict(report.modes)


def test_every_orphan_has_its_kind(bench: ShopBench) -> None:
    """Items without a register row, rows without an item; each is reported and takes no part."""
    report = bench.read()
    items = {(a, str(i["item_id"])) for a in (ONE, TWO) for i in bench.emulator.control.items(a)}
    rows = bench.emulator.control.register_rows()["listings"]
    known = {(row["account_id"], row["platform_item_id"]) for row in rows}
    listed = {(r["account_id"], r["platform_item_id"]) for r in rows if r["status"] in ("listed", "active")}
    listed = {key for key in listed if key[1]}
    assert {"no_register": len(items - known), "no_item": len(listed - items)} == dict(report.orphans)
    assert items - known
    assert listed - items
    assert not any(row.listed for row in bench.rows() if row.orphan)


def test_a_code_that_names_another_asin_is_not_guessed_about(bench: ShopBench) -> None:
    """The register's mapping is kept, the listing is an orphan and takes no part until somebody mends it."""
    bench.read()
    number = public_item(bench)
    asin = bench.listing(number).asin
    bench.clock.advance(600)
    bench.emulator.control.edit_item(ONE, number, identifier="b-B0ZZZZZZZZ-20251120230102")
    report = bench.read()
    row = bench.listing(number)
    assert (1, "asin_mismatch", 0, asin) == (report.orphans["asin_mismatch"], row.orphan, row.listed, row.asin)
    bench.clock.advance(600)
    bench.emulator.control.edit_item(ONE, number, identifier="ABC-20251120230102")
    bench.read()
    assert 1 == bench.listing(number).listed


def test_old_spellings_of_the_register_are_the_same_words(bench: ShopBench) -> None:
    """'BASE' is base and 'active' is listed; neither loses a listing."""
    bench.read()
    rows = bench.emulator.control.register_rows()["listings"]
    odd = [r for r in rows if r["platform"] == "BASE" and r["status"] in ("listed", "active") and r["platform_item_id"]]
    taking_part = {(row.account_id, row.item_id) for row in bench.rows() if row.listed}
    found = [row for row in odd if (row["account_id"], row["platform_item_id"]) in taking_part]
    assert len(found) >= len(odd) * 0.95 > 0


def test_a_second_reading_costs_two_pages(bench: ShopBench) -> None:
    """Nothing changed: at most three list calls a shop, and the same listings take part."""
    first = bench.read()
    bench.clock.advance(600)
    mark = bench.last_call()
    second = bench.read()
    assert {ONE: "incremental", TWO: "incremental"} == dict(second.modes)
    assert bench.calls("items", mark) <= 2 * 3
    assert (first.listings, first.items, first.orphans) == (second.listings, second.items, second.orphans)


def test_once_a_day_everything_is_read(bench: ShopBench) -> None:
    """After a day a whole reading finds what left without a word; one detail call proves it."""
    bench.read()
    number = public_item(bench)
    bench.emulator.control.delete_item(ONE, number)
    bench.clock.advance(3600)
    bench.read()
    assert (1, 1) == (bench.listing(number).present, bench.listing(number).listed)
    bench.clock.advance(24 * 3600)
    mark = bench.last_call()
    report = bench.read()
    assert "full" == report.modes[ONE]
    assert (0, 0, "no_item") == (
        bench.listing(number).present,
        bench.listing(number).listed,
        bench.listing(number).orphan,
    )
    assert 1 == bench.calls("items/detail", mark)


def test_items_hidden_from_the_list_are_not_gone(bench: ShopBench) -> None:
    """A list that leaves out items which exist is no reading: the shop keeps what was known, the others go on."""
    bench.read()
    bench.clock.advance(24 * 3600)
    body = json.dumps({"items": []})
    bench.emulator.control.add_faults(
        {"kind": "body", "body": body, "api": "base", "operation": "items", "account": ONE}
    )
    before = {row.item_id: row.present for row in bench.rows()}
    report = bench.read()
    assert ({ONE: "list_incomplete"}, "full") == (dict(report.not_read), report.modes[TWO])
    assert before == {row.item_id: row.present for row in bench.rows()}


def test_what_an_edit_did_after_the_page_was_asked_for_stands(bench: ShopBench) -> None:
    """Another run's edit in mid-read is not undone by the older page."""
    bench.read()
    number = public_item(bench)
    bench.clock.advance(600)
    bench.emulator.control.edit_item(ONE, number, title="見本")
    later = to_ms(bench.clock.now()) + 5
    bench.pretend(number, shown_price_jpy=9990)
    with bench.tools.state.write() as connection:
        row: dict[str, Any] = {
            "update_id": "u",
            "key": "k",
            "diff_id": "d",
            "run_id": "r",
            "platform": "base",
            "account_id": ONE,
        }
        row |= {"item_id": str(number), "asin": "x", "kind": "price", "after": 9990, "outcome": "done"}
        connection.execute(insert(journal).values(**row, intent_at=later, completed_at=later))
    bench.read()
    assert 9990 == bench.listing(number).shown_price_jpy


def test_first_sight_asks_the_register_who_hid(bench: ShopBench) -> None:
    """Hidden on both sides: the owner's scripts did it. Hidden in the shop alone: a person did."""
    bench.read()
    register = {
        (row["account_id"], row["platform_item_id"]): row["visibility"]
        for row in bench.emulator.control.register_rows()["listings"]
    }
    for row in bench.rows():
        if row.shown_visible == 0:
            said = register.get((row.account_id, row.item_id))
            assert ("owner_scripts" if said == "hidden" else "person") == row.hidden_by
        else:
            assert "" == row.hidden_by
    assert {"owner_scripts", "person"} <= {row.hidden_by for row in bench.rows()}


def test_a_person_who_hides_is_told_from_us(bench: ShopBench) -> None:
    """Without an edit of ours in the journal it was a person; on show again, it is nobody's."""
    bench.read()
    number = public_item(bench)
    bench.clock.advance(600)
    bench.emulator.control.edit_item(ONE, number, visible=False)
    bench.read()
    assert "person" == bench.listing(number).hidden_by
    bench.clock.advance(600)
    bench.emulator.control.edit_item(ONE, number, visible=True)
    bench.read()
    assert ("", None) == (bench.listing(number).hidden_by, bench.listing(number).hidden_at)


@pytest.mark.parametrize("outcome", ["unknown", None])
def test_a_hide_of_ours_without_an_answer_is_ours(bench: ShopBench, outcome: str | None) -> None:
    """The journal knows that we tried: what is hidden now may be shown again by us."""
    bench.read()
    number = public_item(bench)
    bench.clock.advance(600)
    journalled(bench, number, 0, outcome)
    bench.emulator.control.edit_item(ONE, number, visible=False)
    bench.clock.advance(600)
    bench.read()
    assert "ours" == bench.listing(number).hidden_by


@pytest.mark.parametrize("outcome", ["unknown", None])
def test_a_show_of_ours_that_may_never_have_left_makes_no_person(bench: ShopBench, outcome: str | None) -> None:
    """Cut on its way: what is hidden still is hidden by whom it was, and may be shown again."""
    bench.read()
    hidden = next(row for row in bench.rows() if row.account_id == ONE and row.hidden_by == "owner_scripts")
    number = int(hidden.item_id)
    bench.clock.advance(600)
    journalled(bench, number, 1, outcome)
    bench.emulator.control.edit_item(ONE, number, title="touched")
    bench.clock.advance(600)
    bench.read()
    assert "owner_scripts" == bench.listing(number).hidden_by


def test_what_we_showed_again_and_is_hidden_now_a_person_hid(bench: ShopBench) -> None:
    """Our older hide does not excuse it: the newest edit of ours was to show it."""
    bench.read()
    number = public_item(bench)
    for value in (0, 1):
        bench.clock.advance(600)
        journalled(bench, number, value, "done")
        with bench.tools.state.write() as connection:
            record_edit(connection, ListingKey("base", ONE, str(number)), Kind.VISIBILITY, value, bench.clock.now())
    bench.clock.advance(60)
    bench.emulator.control.edit_item(ONE, number, visible=False)
    bench.clock.advance(60)
    bench.read()
    assert "person" == bench.listing(number).hidden_by


def test_a_price_that_a_person_set_is_known_as_such(bench: ShopBench) -> None:
    """Seen to change without an edit of ours; one of ours, also without an answer, is nobody else's."""
    bench.read()
    number = public_item(bench)
    for outcome, price, by_hand in ((None, 7770, 0), ("", 7780, 1)):
        bench.clock.advance(600)
        if outcome is None:
            journalled(bench, number, price, None, kind="price")
        bench.emulator.control.edit_item(ONE, number, price_jpy=price)
        bench.clock.advance(600)
        bench.read()
        row = bench.listing(number)
        assert (price, by_hand) == (row.shown_price_jpy, row.price_by_hand)


def test_a_restricted_shop_stops_no_other(bench: ShopBench) -> None:
    """Its breaker opens, its rows keep their old reading; a good answer closes it again."""
    bench.read()
    old = {row.read_at for row in bench.rows() if row.account_id == ONE}
    bench.clock.advance(600)
    bench.emulator.control.add_faults({"kind": "access_denied", "api": "base", "account": ONE})
    report = bench.read()
    assert ({ONE: "access_denied"}, {TWO: "incremental"}) == (dict(report.not_read), dict(report.modes))
    assert old == {row.read_at for row in bench.rows() if row.account_id == ONE}
    with bench.tools.state.read() as connection:
        assert "access_denied" == shop_accounts.load_account(connection, "base", ONE).breaker
    bench.emulator.control.clear_faults()
    bench.emulator.control.add_faults({"kind": "http_error", "api": "base", "account": ONE})
    assert {ONE: "http_502"} == dict(bench.read().not_read)
    with bench.tools.state.read() as connection:
        assert "access_denied" == shop_accounts.load_account(connection, "base", ONE).breaker
    bench.emulator.control.clear_faults()
    assert {} == dict(bench.read().not_read)
    with bench.tools.state.read() as connection:
        assert "" == shop_accounts.load_account(connection, "base", ONE).breaker


def test_a_shop_out_of_budget_is_left_alone_until_the_hour(bench: ShopBench) -> None:
    """One refusal, then not one call before :00; after it the shop is read."""
    bench.emulator.control.add_faults({"kind": "hour_api_limit", "api": "base", "account": ONE, "times": 1})
    assert {ONE: "hour_api_limit"} == dict(bench.read().not_read)
    mark = bench.last_call()
    assert {ONE: "hour_api_limit"} == dict(bench.read().not_read)
    assert {TWO} == {call["account"] for call in bench.emulator.control.calls(since=mark)}
    bench.clock.advance(3000)
    assert "full" == bench.read().modes[ONE]


def test_a_shop_of_which_only_the_kept_calls_are_left_stays_open_for_hides(bench: ShopBench) -> None:
    """No page is read from what is kept; the reading of before counts on, and no breaker closes the shop."""
    bench.read()
    hour = {"platform": "base", "account_id": ONE, "span": "hour"}
    with Database(f"sqlite:///{bench.folder / 'state.db'}").write() as connection:
        row = update(windows).where(*(windows.c[name] == value for name, value in hour.items()))
        assert 1 == connection.execute(row.values(calls=5000 - 100 - 500)).rowcount
    assert {ONE: "hour_reserve"} == dict(bench.read().not_read)
    with bench.tools.state.read() as connection:
        assert "" == shop_accounts.load_account(connection, "base", ONE).breaker


def test_an_interrupted_reading_is_taken_up_again(bench: ShopBench) -> None:
    """A page that fails leaves the next reading to begin where the last whole one ended."""
    bench.read()
    numbers = [int(r.item_id) for r in bench.rows() if r.account_id == ONE and r.listed][:150]
    bench.clock.advance(600)
    for number in numbers:
        bench.emulator.control.edit_item(ONE, number, price_jpy=7770)
    bench.emulator.control.add_faults(
        {"kind": "http_error", "api": "base", "operation": "items", "account": ONE, "after": 1, "times": 3}
    )
    assert ONE in bench.read().not_read
    bench.clock.advance(600)
    assert "incremental" == bench.read().modes[ONE]
    assert {7770} == {bench.listing(number).shown_price_jpy for number in numbers}


def test_accounts_and_inactive_shops(bench: ShopBench) -> None:
    """A run of one account reads that one; a shop that is switched off takes no part any more."""
    bench.read()
    mark = bench.last_call()
    assert {ONE} == set(bench.read(accounts=(AccountKey("base", ONE),)).modes)
    assert {ONE} == {call["account"] for call in bench.emulator.control.calls(since=mark)}
    bench.tools = replace(bench.tools, shops={key: bench.tools.shops[key] for key in (AccountKey("base", ONE),)})
    bench.read()
    assert {ONE} == {row.account_id for row in bench.rows() if row.listed}


def test_the_owner_takes_a_listing_down(bench: ShopBench) -> None:
    """A row that is no longer listed in the register takes no part from the next run on."""
    bench.read()
    number = public_item(bench)
    bench.owner_writes("UPDATE listings SET status = 'sold' WHERE platform_item_id = ?", str(number))
    bench.read()
    assert (0, "sold", "") == (
        bench.listing(number).listed,
        bench.listing(number).register_status,
        bench.listing(number).orphan,
    )


def test_two_register_rows_for_one_item_are_not_guessed_about(bench: ShopBench) -> None:
    """Listed rows that give one item two ASINs make it an orphan."""
    bench.read()
    number = public_item(bench)
    bench.owner_writes(
        "INSERT INTO listings (asin, platform, account_id, platform_item_id, status)"
        " VALUES ('B0QQQQQQQQ', 'base', ?, ?, 'listed')",
        *(ONE, str(number)),
    )
    bench.read()
    assert ("asin_mismatch", 0) == (bench.listing(number).orphan, bench.listing(number).listed)


def test_sales_move_demand_and_never_twice(bench: ShopBench) -> None:
    """An order since the last reading sets last_sold_at and counts once, however often it is read."""
    first = bench.read()
    orders = bench.emulator.control.orders(ONE) + bench.emulator.control.orders(TWO)
    assert len([o for o in orders if o["dispatch_status"] != "cancelled"]) == first.sales
    number = public_item(bench)
    asin = bench.listing(number).asin
    before = bench.asin(asin).orders_30d if bench.asin(asin) else 0.0
    bench.clock.advance(600)
    bench.emulator.control.sell(ONE, number)
    sold_at = bench.clock.now()
    assert [1, 0, 0] == [bench.read().sales, bench.read().sales, bench.read().sales]
    bench.clock.advance(60)
    assert 0 == bench.read().sales
    assert to_ms(sold_at) == bench.asin(asin).last_sold_at
    assert before + 1 == pytest.approx(bench.asin(asin).orders_30d, rel=1e-3)


def test_a_missing_scope_for_orders_does_not_stop_the_shop(bench: ShopBench) -> None:
    """Old tokens lack read_orders: the items are read, the orders are reported, no breaker opens."""
    bench.emulator.control.add_faults(
        {
            **{"kind": "body", "api": "base", "operation": "orders", "account": ONE, "status": 400},
            "body": '{"error": "invalid_scope", "error_description": "read_orders"}',
        }
    )
    report = bench.read()
    assert ({}, {ONE: "invalid_scope"}) == (dict(report.not_read), dict(report.orders_not_read))
    with bench.tools.state.read() as connection:
        assert "" == shop_accounts.load_account(connection, "base", ONE).breaker


def test_the_blocklist_marks_and_a_broken_one_frees_nothing(bench: ShopBench) -> None:
    """Absent is empty; ASINs on it are marked; while it can't be read the marks stay and the shops are read."""
    assert 0 == bench.read().blocked
    number = public_item(bench)
    path = bench.tools.settings.blocklist
    path.write_text(json.dumps({"blocked_asins": [{"asin": bench.listing(number).asin.lower()}]}), encoding="utf-8")
    marked = bench.read().blocked
    assert marked >= 1
    with bench.tools.state.read() as connection:
        facts = {
            fact.key.item_id: fact for fact in listing_facts(connection, [AccountKey("base", ONE)], bench.clock.now())
        }
    assert facts[str(number)].blocked_by_list
    for broken in ("{", "3", '{"a": 1}', "[1]"):
        path.write_text(broken, encoding="utf-8")
        report = bench.read()
        assert (marked, {}) == (report.blocked, dict(report.not_read))
        assert report.blocklist is not None
        assert "blocked_asins" in report.blocklist.en


def test_without_a_register_no_shop_is_asked(bench: ShopBench) -> None:
    """A missing master.db ends the run before the first call."""
    bench.tools.settings.master_db.unlink()
    with pytest.raises(RegisterError):
        bench.read()
    assert 0 == bench.last_call()


def test_the_registers_own_views_count(bench: ShopBench) -> None:
    """A last_viewed_at column of the register moves the stamp forward, never back."""
    bench.read()
    asin = bench.listing(public_item(bench)).asin
    bench.owner_writes("ALTER TABLE products ADD COLUMN last_viewed_at TEXT")
    for text in ("2026-11-09T12:00:00.000000", "2026-11-01T12:00:00.000000"):
        bench.owner_writes("UPDATE products SET last_viewed_at = ? WHERE asin = ?", text, asin)
        bench.read()
    assert to_ms(NOON - timedelta(days=1, minutes=10)) == bench.asin(asin).last_viewed_at


def test_the_tokens_end_is_noted(bench: ShopBench) -> None:
    """What the alert about tokens reads: thirty days after the last refresh."""
    bench.read()
    with bench.tools.state.read() as connection:
        account = shop_accounts.load_account(connection, "base", ONE)
    assert NOON + timedelta(days=30) == account.refresh_expires_at
