"""Catalogue text through the emulator into master.db: asked by age, twenty a call, never emptied."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select

from ecauto_pipeline.clock import ManualClock
from ecauto_pipeline.emulator.server import EmulatorServer
from ecauto_pipeline.register.master import Register
from ecauto_pipeline.state.amazon_shapes import ShapeMet, shapes_met
from ecauto_pipeline.state.catalogue import due
from ecauto_pipeline.state.schema import catalogue, listings
from ecauto_pipeline.sync.catalog_refresh import refresh
from ecauto_pipeline.sync.catalogue_section import CatalogueReport
from ecauto_pipeline.sync.context import Tools
from ecauto_pipeline_tests.sync.sp_api_snapshots.means import a_run, tools_at

START = datetime(2026, 3, 2, 3, 20, tzinfo=UTC)
COUNT = 45


@dataclass
class Shop:
    """A small shop: an emulator, its register, tools that reach both."""

    emulator: EmulatorServer
    clock: ManualClock
    tools: Tools
    asins: list[str]
    runs: int = 0

    def refresh(self, **options: Any) -> CatalogueReport:
        self.runs += 1
        return refresh(self.tools.for_run(a_run(f"run_{self.runs}", self.clock.now(), **options)))

    def calls(self) -> int:
        """Calls that were answered; one with an expired token is repeated."""
        seen = self.emulator.control.calls(operation="searchCatalogItems")
        return sum(call["http_status"] == 200 for call in seen)

    def register(self, column: str = "title_ja") -> dict[str, object]:
        with sqlite3.connect(self.tools.register.path) as database:
            return dict(database.execute(f"SELECT asin, {column} FROM products"))


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    clock = ManualClock(START)
    with EmulatorServer(clock=clock, seed=1, listings=60, accounts=1) as emulator:
        tools = tools_at(tmp_path, emulator.url, clock)
        asins = sorted(emulator.control.asins())[:COUNT]
        products = [{"asin": asin, "title_ja": "旧題", "description_ja": "owner's own"} for asin in asins]
        tools = replace(tools, register=Register.create(tmp_path / "master.db", products, []))
        rows = [
            {"platform": "base", "account_id": "a", "item_id": str(n), "asin": asin, "listed": 1}
            for n, asin in enumerate(asins)
        ]
        with tools.state.write() as connection:
            connection.execute(insert(listings), rows)
        yield Shop(emulator, clock, tools, asins)
        for account in tools.sp_accounts:
            account.close()
        tools.state.close()


def test_text_arrives_twenty_asins_a_call_and_is_fresh_for_a_week(shop: Shop) -> None:
    """45 ASINs are three calls; then none for seven days; then three again."""
    report = shop.refresh()
    assert (COUNT, COUNT, COUNT, 0) == (report.due, report.asked, report.found + report.not_found, report.left_over)
    assert 3 == shop.calls()
    assert report.found > 30
    assert report.found == sum(title != "旧題" for title in shop.register().values())
    shop.clock.advance(6 * 86_400)
    assert (0, 0) == ((second := shop.refresh()).due, second.asked)
    shop.clock.advance(2 * 86_400)
    shop.refresh()
    assert 6 == shop.calls()


def test_nothing_is_ever_emptied(shop: Shop) -> None:
    """An ASIN that the catalogue does not know, or knows less of, keeps every text it has, here and in master.db."""
    shop.refresh()
    before = {column: shop.register(column) for column in ("title_ja", "description_ja", "brand", "images")}
    shop.clock.advance(8 * 86_400)
    for asin in shop.asins[:20]:
        shop.emulator.control.set_truth(asin, unknown=True)
    report = shop.refresh()
    assert report.not_found >= 20
    assert before == {column: shop.register(column) for column in before}


def test_what_the_catalogue_s_answers_hold_that_nobody_expected_is_on_record(shop: Shop) -> None:
    """As of prices: counted by ASIN in its report and over runs, ended by the refresh that is told of it as it was."""
    renamed = {"kind": "renamed", "operation": "searchCatalogItems", "names": {"marketplaceId": "marketplace"}}
    shop.emulator.control.add_faults(renamed)
    report = shop.refresh()
    shape = ("searchCatalogItems", "missing summaries.marketplaceId")
    assert (*shape, report.found) in report.odd_shapes
    assert [None] == [one.gone_at for one in _met(shop) if (one.operation, one.shape) == shape]
    shop.emulator.control.clear_faults()
    shop.clock.advance(8 * 86_400)
    assert () == shop.refresh().odd_shapes
    assert [shop.clock.now()] == list({one.gone_at for one in _met(shop)})


def _met(shop: Shop) -> list[ShapeMet]:
    with shop.tools.state.read() as connection:
        return shapes_met(connection)


def test_a_dry_run_keeps_the_answers_and_leaves_the_register_alone(shop: Shop) -> None:
    """What was asked in a dry run is not asked again: the live run after it only carries it to master.db."""
    dry = shop.refresh(dry_run=True)
    assert {"旧題"} == set(shop.register().values())
    assert (0, COUNT) == (dry.written, dry.waiting)
    live = shop.refresh()
    assert (0, 0) == (live.asked, live.waiting)
    assert dry.found == live.written
    assert 3 == shop.calls()


def test_a_busy_register_costs_no_second_question(shop: Shop) -> None:
    """Another program holds master.db: the text waits here and goes with the next run."""
    shop.tools = replace(shop.tools, register=Register(shop.tools.register.path, busy_timeout_s=0.01))
    holder = sqlite3.connect(shop.tools.register.path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    report = shop.refresh()
    holder.execute("ROLLBACK")
    holder.close()
    assert (0, COUNT) == (report.written, report.waiting)
    assert 0 == shop.refresh().waiting
    assert 3 == shop.calls()


def _emptied(shop: Shop, said: str, value: object) -> None:
    """What another program does to master.db."""
    with sqlite3.connect(shop.tools.register.path) as database:
        database.execute(f"UPDATE products SET {said} = ?", (value,))


@pytest.mark.parametrize(("column", "value"), [("title_ja", None), ("brand", "　 "), ("images", "[]"), ("images", "")])
def test_what_another_program_has_emptied_is_written_back_at_once(shop: Shop, column: str, value: object) -> None:
    """By the next refresh, without a call; what is known nowhere else stays empty, and takes no part in the writing."""
    shop.refresh()
    before = shop.register(column)
    lost = [asin for asin, text in before.items() if text and text != "旧題"]
    _emptied(shop, column, value)
    report = shop.refresh()
    assert (len(lost), 0, 0, 3) == (report.written, report.due, report.waiting, shop.calls())
    assert {asin: before[asin] for asin in lost} == {asin: shop.register(column)[asin] for asin in lost}
    assert {value} == {text for asin, text in shop.register(column).items() if asin not in lost} | {value}
    assert 0 == shop.refresh().written


def test_a_dry_run_or_a_busy_register_leaves_what_was_emptied_to_the_next(shop: Shop) -> None:
    """Nothing is noted by the one, and what the other could not look at is written back later."""
    shop.refresh()
    before = shop.register()
    _emptied(shop, "title_ja", None)
    assert (0, 0) == ((dry := shop.refresh(dry_run=True)).written, dry.waiting)
    sound = shop.tools
    shop.tools = replace(sound, register=Register(sound.register.path, busy_timeout_s=0.01))
    holder = sqlite3.connect(sound.register.path, isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    assert 0 == shop.refresh().written
    holder.execute("ROLLBACK")
    holder.close()
    assert shop.refresh().written > 30
    assert before == shop.register() | {asin: "旧題" for asin, text in before.items() if text == "旧題"}


def test_failed_calls_leave_the_age_where_it_was(shop: Shop) -> None:
    """No answer stamps nothing: those ASINs are due in the next run."""
    shop.emulator.control.add_faults({"kind": "http_error", "operation": "searchCatalogItems", "status": 502})
    report = shop.refresh()
    assert (COUNT, 0, 0) == (report.failed, report.found, report.waiting)
    shop.emulator.control.clear_faults()
    assert COUNT == shop.refresh().due


def test_max_items_and_a_run_without_fetching(shop: Shop) -> None:
    """Limits hold; a run that may not ask does not."""
    assert 0 == shop.refresh(fetch=False).asked
    assert 20 == shop.refresh(max_items=20).asked
    with shop.tools.state.read() as connection:
        assert 20 == len(list(connection.execute(select(catalogue))))


def _refused(shop: Shop, *asins: str) -> int:
    """Amazon refuses every call about these; () = about anything. Returns the fault's number."""
    fault = {"api": "sp_api", "operation": "searchCatalogItems", "kind": "error_json", "status": 400}
    about = {"asins": list(asins)} if asins else {}
    (number,) = shop.emulator.control.add_faults({**fault, "code": "InvalidInput", **about})
    return number


@pytest.mark.parametrize("places", [(0,), (44,), (7, 21, 41)])
def test_one_bad_asin_costs_no_other_its_answer(shop: Shop, places: tuple[int, ...]) -> None:
    """A call refused as a whole is made again in halves until the bad one stands alone; that one has been told for a
    week, as the others."""
    bad = [shop.asins[place] for place in places]
    _refused(shop, *bad)
    report = shop.refresh()
    assert (COUNT, len(bad), COUNT - len(bad), 0) == (
        *(report.asked, report.failed, report.found + report.not_found, report.left_over),
    )
    assert len(shop.emulator.control.calls(operation="searchCatalogItems")) <= 3 + 10 * len(bad)
    assert 0 == shop.refresh().due


def test_calls_that_are_refused_whatever_they_ask_tell_nothing_of_an_asin(shop: Shop) -> None:
    """A wrong marketplace, a contract that has changed: few calls are made, and all is due on the day it is mended."""
    fault = _refused(shop)
    report = shop.refresh()
    assert (COUNT, 0, 0) == (report.failed, report.found, report.waiting)
    assert 8 == len(shop.emulator.control.calls(operation="searchCatalogItems"))
    shop.emulator.control.remove_faults(fault)
    shop.clock.advance(86_400)
    mended = shop.refresh()
    assert (COUNT, COUNT, 0) == (mended.due, mended.found + mended.not_found, mended.left_over)


def test_a_lone_refusal_counts_once_another_asin_was_answered(shop: Shop) -> None:
    """Whoever came first; where nothing was answered in the whole run, nobody knows whose fault it was."""
    alone, other = shop.asins[:2]
    _refused(shop, alone)
    assert (1, 1) == ((first := shop.refresh(max_items=1)).due, first.failed)
    report = shop.refresh(max_items=2)
    assert (2, 1, 1) == (report.due, report.failed, report.found + report.not_found)
    assert {alone, other}.isdisjoint(_due(shop))


def _due(shop: Shop) -> list[str]:
    with shop.tools.state.read() as connection:
        return due(connection, 1, 1)


def test_a_catalogue_that_is_switched_off_is_not_asked(shop: Shop) -> None:
    """[sp_api] without leaves the text as it is, and what is due is told as left over."""
    sp_api = shop.tools.settings.sp_api.model_copy(update={"without": ("searchCatalogItems",)})
    shop.tools = replace(shop.tools, settings=shop.tools.settings.model_copy(update={"sp_api": sp_api}))
    report = shop.refresh()
    assert (0, 0, COUNT) == (shop.calls(), report.asked, report.left_over)
