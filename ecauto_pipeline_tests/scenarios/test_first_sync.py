"""Half of the demo's world, synchronised once and then again: what BASE shows, what is written down, what is asked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from ecauto_pipeline.clock import ManualClock
from ecauto_pipeline.emulator.server import EmulatorServer
from ecauto_pipeline_tests.scenarios.expectation import expected_after_first_sync
from ecauto_pipeline_tests.scenarios.shop_day import RunResult, ShopDay

LISTINGS = 500


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ShopDay]:
    clock = ManualClock(datetime(2026, 6, 1, 1, 10, tzinfo=UTC))
    with EmulatorServer(clock=clock, seed=1, listings=LISTINGS, accounts=3, speed=400.0) as emulator:
        yield ShopDay(tmp_path_factory.mktemp("first"), emulator, clock)


@pytest.fixture(scope="module")
def before(day: ShopDay) -> dict[str, Any]:
    products = {row["asin"]: row for row in day.register("select * from products")}
    listings = day.register("select * from listings")
    return {"shown": day.shown(), "products": products, "listings": listings}


@pytest.fixture(scope="module")
def rehearsal(day: ShopDay, before: dict[str, Any]) -> tuple[RunResult, list[Any], list[Any]]:
    result = day.run(dry_run=True)
    return result, day.edits(), day.register("select * from listings")


@pytest.fixture(scope="module")
def first(day: ShopDay, rehearsal: object) -> RunResult:
    return day.run()


@pytest.fixture(scope="module")
def after_first(day: ShopDay, first: RunResult) -> dict[str, Any]:
    return {"shown": day.shown(), "edits": day.edits(), "calls": len(day.control.calls())}


def test_a_dry_run_asks_amazon_and_touches_neither_base_nor_the_register(
    day: ShopDay, before: dict[str, Any], rehearsal: tuple[RunResult, list[Any], list[Any]]
) -> None:
    """Those calls are paid for and kept; nothing outside changes."""
    result, edits, listings = rehearsal
    assert edits == []
    assert before["listings"] == listings
    assert result.figures["sp_api_calls"] > 0
    assert result.figures["base_api_updates"] == 0


def test_the_live_run_sends_exactly_what_the_dry_run_planned(
    day: ShopDay, rehearsal: tuple[RunResult, list[Any], list[Any]], first: RunResult
) -> None:
    """A dry run is the same path up to the call to BASE."""
    query = (
        "select account_id, item_id, kind, shown, wanted, decision from diffs where run_id = ? and decision = 'push'"
        " order by all"
    )
    planned = day.history(query, rehearsal[0].run_id)
    assert planned
    assert planned == day.history(query, first.run_id)


def test_base_shows_what_the_rules_demand_for_every_listing(
    day: ShopDay, before: dict[str, Any], after_first: dict[str, Any]
) -> None:
    """Every item of every account, also those that must not be touched, against the truth at the time of asking."""
    asked_at = {
        row["asin"]: row["at"] for row in day.history("select asin, max(observed_at) as at from snapshots group by 1")
    }
    expected = expected_after_first_sync(
        before["listings"], before["shown"], day.accounts[:-1], lambda asin: day.control.truth(asin, asked_at[asin])
    )
    shown = {key: (item["price_jpy"], item["visible"], item["stock"]) for key, item in after_first["shown"].items()}
    wrong = {key: (expected[key], shown[key]) for key in expected if expected[key] != shown[key]}
    assert {} == wrong


def test_every_edit_that_base_saw_has_its_update_and_no_other(
    day: ShopDay, first: RunResult, after_first: dict[str, Any]
) -> None:
    """Rule 5: the journal and the shop agree, call by call."""
    updates = day.history("select account_id, item_id, kind from updates where outcome <> 'dry_run'")
    assert len(after_first["edits"]) == len(updates)
    seen = Counter((call["account"], str(call["details"]["item_id"])) for call in after_first["edits"])
    assert seen == Counter((row["account_id"], row["item_id"]) for row in updates)


def test_every_requested_asin_has_one_row_per_request(day: ShopDay, first: RunResult) -> None:
    """Rule 1: N asked, N rows."""
    asked: Counter[tuple[str, str]] = Counter()
    for call in day.control.calls(api="sp_api"):
        asked.update(call["details"].get("asins", ()))
    rows = Counter({row["asin"]: row["n"] for row in day.history("select asin, count(*) n from snapshots group by 1")})
    retried = day.history("select count(*) n from api_calls where api = 'sp_api' and outcome <> 'ok'")[0]["n"]
    assert set(asked) == set(rows)
    if not retried:
        assert asked == rows


def test_the_numbers_add_up(first: RunResult, rehearsal: tuple[RunResult, list[Any], list[Any]]) -> None:
    """Rule 6: targets = pushed + unchanged + held + blocked + skipped + failed."""
    for result in (first, rehearsal[0]):
        figures = result.figures
        parts = ("pushed", "unchanged", "held", "blocked", "skipped", "failed")
        assert figures["targets"] > 0
        assert figures["targets"] == sum(figures[name] for name in parts)


def test_no_catalogue_text_vanishes(day: ShopDay, before: dict[str, Any], first: RunResult) -> None:
    """The price and stock path never writes catalogue columns (lived failure A4)."""
    columns = ("title_ja", "title_en", "description_ja", "description_en", "category", "brand", "images", "updated_at")
    now = {row["asin"]: row for row in day.register("select * from products")}
    assert {asin: [row[name] for name in columns] for asin, row in before["products"].items()} == {
        asin: [row[name] for name in columns] for asin, row in now.items()
    }


def test_a_second_sync_asks_only_about_failures_and_edits_nothing(day: ShopDay, after_first: dict[str, Any]) -> None:
    """What is fresh is not asked about; what is in step is not edited."""
    failed = {
        row["asin"] for row in day.history("select asin from snapshots group by 1 having bool_or(status = 'api_error')")
    }
    day.run()
    later = day.control.calls(since=after_first["calls"])
    asked = {asin for call in later if call["api"] == "sp_api" for asin in call["details"].get("asins", ())}
    assert asked <= failed
    assert [] == [call for call in later if call["operation"].startswith("items/edit")]
