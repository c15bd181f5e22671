"""What went wrong between Amazon and the shops, once: each case played through, with what both of them saw.

The numbers are those of docs/acceptance.md.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from ecauto_pipeline.clock import ManualClock
from ecauto_pipeline.emulator.server import EmulatorServer
from ecauto_pipeline_tests.scenarios.picking import (
    Listed,
    asked_about,
    cost_of,
    costs,
    edits_of,
    item_of,
    seen,
    selling,
    sold_out,
    sound,
)
from ecauto_pipeline_tests.scenarios.shop_day import RunResult, ShopDay

_START = datetime(2026, 6, 1, 1, 0, tzinfo=UTC)
_CASES = (
    "gone",
    "silent",
    "dear",
    "worthless",
    "foreign",
    "fraction",
    "sold",
    "by_hand",
    "listed",
    "moved",
    "still",
    "zero",
)


@dataclass
class Played:
    """A quiet first day, a second one with one trouble a listing, and a run soon after it."""

    day: ShopDay
    cases: dict[str, Listed]
    first_seen: int = 0
    second: RunResult = field(init=False)
    second_seen: int = 0
    third: RunResult = field(init=False)
    third_seen: int = 0
    priced: dict[str, int] = field(default_factory=dict)

    def edits(self, case: str) -> list[dict[str, str]]:
        """Edits of that case's item in the troubled run."""
        return [edit for edit in edits_of(self.day, self.cases[case], self.first_seen)]

    def snapshot(self, case: str) -> dict[str, Any]:
        rows = self.day.history(
            "select * from snapshots where run_id = ? and asin = ? order by observed_at desc, snapshot_id desc",
            self.second.run_id,
            self.cases[case].asin,
        )
        return rows[0]

    def decisions(self, case: str) -> list[tuple[str, str, str]]:
        rows = self.day.history(
            "select kind, decision, reason from diffs where run_id = ? and item_id = ? order by all",
            self.second.run_id,
            self.cases[case].item_id,
        )
        return [(row["kind"], row["decision"], row["reason"]) for row in rows]


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    clock = ManualClock(_START)
    with EmulatorServer(clock=clock, seed=9, listings=200, accounts=3, speed=100.0) as emulator:
        day = ShopDay(tmp_path_factory.mktemp("troubled"), emulator, clock, loads_when_asked=True)
        all_sound = sound(day, len(_CASES))
        play = Played(day, dict(zip(_CASES, all_sound, strict=True)))
        day.run()
        clock.advance(25 * 3600)
        play.first_seen = seen(day)
        _trouble(day, play.cases)
        play.second = day.run()
        play.second_seen = seen(day)
        clock.advance(20 * 60)  # who failed once is asked again by then
        play.third = day.run()
        play.third_seen = seen(day)
        yield play


def _trouble(day: ShopDay, cases: dict[str, Listed]) -> None:
    sold_out(day, cases["gone"])
    day.control.add_faults(
        {"kind": "item_error", "asins": [cases["silent"].asin], "status": 429, "code": "QuotaExceeded", "message": "no"}
    )
    costs(day, cases["dear"], 150_000)
    costs(day, cases["worthless"], 0)
    costs(day, cases["foreign"], 20, currency="USD")
    costs(day, cases["fraction"], cost_of(cases["fraction"].price_jpy) + 500.5)
    day.control.sell(cases["sold"].account, int(cases["sold"].item_id))
    day.control.edit_item(cases["by_hand"].account, int(cases["by_hand"].item_id), visible=False)
    day.settings.blocklist.write_text(json.dumps([cases["listed"].asin]), encoding="utf-8")
    costs(day, cases["moved"], cost_of(cases["moved"].price_jpy) + 400)
    sold_out(day, cases["zero"])
    day.control.sell(cases["zero"].account, int(cases["zero"].item_id))


def test_a1_sold_out_at_amazon_is_hidden_in_the_same_run(played: Played) -> None:
    """Amazon answers "no offers": a row out_of_stock, one edit that hides, the price untouched."""
    assert ("out_of_stock", None) == (played.snapshot("gone")["status"], played.snapshot("gone")["price_jpy"])
    assert [{"visible": "0"}] == played.edits("gone")
    assert played.cases["gone"].price_jpy == item_of(played.day, played.cases["gone"])["price_jpy"]


def test_a1_every_asked_asin_has_its_row(played: Played) -> None:
    """N asked, N rows, whatever came back: by the emulator's list of calls."""
    calls = played.day.control.calls(since=played.first_seen, api="sp_api")[:None]
    asked = {
        asin
        for call in calls
        if played.first_seen < call["seq"] <= played.second_seen
        for asin in call["details"].get("asins", ())
    }
    rows = played.day.history("select distinct asin from snapshots where run_id = ?", played.second.run_id)
    assert len(asked) > 100
    assert asked == {row["asin"] for row in rows}


def test_a2_no_answer_is_not_out_of_stock(played: Played) -> None:
    """An error for one ASIN: api_error, not one edit, still public, and it comes first as soon as its wait is over."""
    case = played.cases["silent"]
    assert "api_error" == played.snapshot("silent")["status"]
    assert [] == played.edits("silent")
    assert item_of(played.day, case)["visible"]
    later = played.day.control.calls(since=played.second_seen, api="sp_api")
    first = next(call for call in later if call["operation"] == "getItemOffersBatch")
    assert case.asin in first["details"]["asins"]


def test_a5_a_cost_beyond_the_limits_is_neither_clamped_nor_sold_at(played: Played) -> None:
    """Amazon asks 150,000 yen: no price leaves, the price is blocked by name, and the listing is hidden, once."""
    assert [{"visible": "0"}] == played.edits("dear")
    decided = played.decisions("dear")
    assert ("price", "blocked", "price_max_price") in decided
    assert ("visibility", "push", "price_blocked") in decided


@pytest.mark.parametrize("case", ["worthless", "foreign", "fraction"])
def test_a6_what_is_no_amount_of_yen_is_refused_at_the_door(played: Played, case: str) -> None:
    """Nothing, dollars, half a yen: no price is believed, none is kept, none is sent."""
    row = played.snapshot(case)
    assert row["status"] != "success"
    assert row["price_jpy"] is None
    assert [] == [edit for edit in played.edits(case) if "price" in edit]
    assert item_of(played.day, played.cases[case])["price_jpy"] == played.cases[case].price_jpy


def test_a7_what_a_person_hid_stays_hidden(played: Played) -> None:
    """In stock at Amazon, hidden in the shop's own screens: no edit, and the reason says who."""
    assert [] == edits_of(played.day, played.cases["by_hand"], played.first_seen)
    assert not item_of(played.day, played.cases["by_hand"])["visible"]
    assert ("visibility", "skipped", "hidden_by_person") in played.decisions("by_hand")


def test_a7_the_blocklist_wins_over_stock(played: Played) -> None:
    """On the list and in stock: hidden by one edit, and not shown by the run after it."""
    assert [{"visible": "0"}] == edits_of(played.day, played.cases["listed"], played.first_seen)
    assert ("visibility", "push", "blocklist") in played.decisions("listed")


def test_a12_what_sold_is_put_back_in_stock(played: Played) -> None:
    """BASE took the stock to 0, Amazon has more: one edit to 1."""
    assert [{"stock": "1"}] == played.edits("sold")
    assert 1 == item_of(played.day, played.cases["sold"])["stock"]


def test_a12_what_sold_and_is_gone_is_hidden_and_not_restocked(played: Played) -> None:
    """BASE took the stock to 0 and Amazon has none: one edit that hides."""
    assert [{"visible": "0"}] == played.edits("zero")


def test_a13_every_row_without_success_says_why(played: Played) -> None:
    """No snapshot but a success is without its reason."""
    rows = played.day.history("select * from snapshots where status <> 'success' and coalesce(reason, '') = ''")
    assert [] == rows
    assert played.day.history("select 1 from snapshots where status <> 'success' limit 1")


def test_a14_the_numbers_add_up(played: Played) -> None:
    """In each run, and every edit of the shop's list is counted."""
    for run, since, until in (
        (played.second, played.first_seen, played.second_seen),
        (played.third, played.second_seen, played.third_seen),
    ):
        figures = run.figures
        parts = ("pushed", "unchanged", "held", "blocked", "skipped", "failed")
        assert figures["targets"] == sum(figures[part] for part in parts) > 0
        edits = [call for call in played.day.edits(since) if call["seq"] <= until]
        assert len(edits) == figures["base_api_updates"]


def test_a15_an_asin_in_several_shops_is_asked_once_a_run(played: Played) -> None:
    """One detail question, however many shops list it; each shop gets its own verdict."""
    rows = played.day.register(
        "select asin from listings where status = 'listed' and account_id in (?, ?)"
        " group by asin having count(distinct account_id) = 2",
        *played.day.accounts[:2],
    )
    several = [row["asin"] for row in rows]
    assert several
    for asin in several:
        calls = [
            call
            for call in played.day.control.calls(since=played.first_seen, operation="getItemOffersBatch")
            if call["http_status"] == 200 and call["seq"] <= played.second_seen and asin in call["details"]["asins"]
        ]
        assert 1 == len(calls)


def test_a16_what_only_a_shop_switched_off_lists_is_never_asked(played: Played) -> None:
    """Not one call is spent on it, and its shop is not called at all."""
    rows = played.day.register("select asin, account_id from listings")
    active = {row["asin"] for row in rows if row["account_id"] in played.day.accounts[:-1]}
    idle = {row["asin"] for row in rows} - active
    assert idle
    assert set() == {asin for asin in idle if asked_about(played.day, asin)}
    assert [] == played.day.control.calls(api="base", account=played.day.accounts[-1])


def test_a_price_that_moved_is_sent_once(played: Played) -> None:
    """400 yen more at Amazon: one edit, of the price alone, to 1.3 times the cost."""
    case = played.cases["moved"]
    wanted = selling(cost_of(case.price_jpy) + 400)
    assert [{"price": str(wanted)}] == edits_of(played.day, case, played.first_seen)


def test_a25_without_differences_there_is_no_edit(played: Played) -> None:
    """The run right after: no edit at all, and Amazon is asked only about what failed."""
    assert [] == played.day.edits(played.second_seen)
    assert [] == edits_of(played.day, played.cases["still"])
    failed = played.day.history(
        "select distinct asin from snapshots where run_id = ? and status = 'api_error'",
        played.second.run_id,
    )
    calls = played.day.control.calls(since=played.second_seen, api="sp_api")
    asked = {asin for call in calls for asin in call["details"].get("asins", ())}
    assert asked <= {row["asin"] for row in failed}
