"""A week of a shop on a clock moved by hand: everything that goes wrong in a week does, and at its end all is in step.

Prices move, goods sell out and come back, sales zero stock, people hide things, Amazon lies for an hour (stale prices),
one mass false zero, one night without BASE.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ecauto_pipeline.clock import ManualClock
from ecauto_pipeline.emulator.server import EmulatorServer
from ecauto_pipeline_tests.scenarios.shop_day import ShopDay

START = datetime(2026, 6, 1, 0, 0, tzinfo=UTC)
HOURS = 24 * 7
LISTINGS = 300
CALM = 26  # hours at the end in which nothing new goes wrong: every age has passed once


class Week:
    """What happened, for the laws to be held against."""

    def __init__(self, day: ShopDay, clock: ManualClock) -> None:
        self.day, self.clock, self.chance = day, clock, random.Random(7)
        self.hidden_by_people: set[tuple[str, str]] = set()
        self.hides_in_the_mass_zero = 0

    def play(self) -> None:
        control = self.day.control
        control.add_faults(
            {"kind": "false_zeros", "share": 0.9, **_between(50, 51)},
            {"kind": "stale", "as_of": (START + timedelta(hours=40)).isoformat(), **_between(70, 71)},
            {"kind": "http_error", "status": 503, "api": "base", **_between(90, 98)},
        )
        for hour in range(HOURS):
            if self.clock.now() < START + timedelta(hours=hour):
                self.clock.set(START + timedelta(hours=hour))
            if hour < HOURS - CALM:
                self.people_and_customers(hour)
            before = len(self.day.edits())
            job = "price_sync" if hour % 24 == 17 else "stock_sync"  # 17:00 UTC is 02:00 JST
            options: dict[str, Any] = {"include_price": "all"}
            if job == "stock_sync":
                options = {"include_price": "floor"}
            else:
                options["include_visibility"] = False
            self.day.run(job, **options)
            if hour == 50:
                edits = self.day.edits()[before:]
                self.hides_in_the_mass_zero = sum(str(call["details"]).count("'visible': 0") for call in edits)

    def people_and_customers(self, hour: int) -> None:
        control = self.day.control
        for account in self.day.accounts[:-1]:
            items = [item for item in control.items(account) if item["visible"] and not item["variations"]]
            if hour % 5 == 1 and items:
                control.sell(account, self.chance.choice(items)["item_id"])
            if hour % 23 == 4 and items:
                item = self.chance.choice(items)
                control.edit_item(account, item["item_id"], visible=False)
                self.hidden_by_people.add((account, str(item["item_id"])))


def _between(first: int, last: int) -> dict[str, str]:
    start, until = START + timedelta(hours=first), START + timedelta(hours=last)
    return {"start": start.isoformat(), "until": until.isoformat()}


@pytest.fixture(scope="module")
def week(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Week]:
    clock = ManualClock(START)
    with EmulatorServer(clock=clock, seed=3, listings=LISTINGS, accounts=3, speed=20.0) as emulator:
        played = Week(ShopDay(Path(tmp_path_factory.mktemp("week")), emulator, clock), clock)
        played.play()
        yield played


def test_the_mass_false_zero_hid_nothing(week: Week) -> None:
    """An hour in which Amazon says zero of everything is not believed."""
    assert week.hides_in_the_mass_zero <= 2  # goods that did sell out in that hour


def test_nothing_hidden_by_a_person_is_shown(week: Week) -> None:
    """Rule 3, over a week."""
    shown = week.day.shown()
    assert week.hidden_by_people
    assert set() == {key for key in week.hidden_by_people if shown[key]["visible"]}


def test_no_price_below_the_floor_was_ever_sent(week: Week) -> None:
    """Rule 2: each price pushed was at least 1.05 times the cost it was computed from."""
    rows = week.day.history(
        "select u.after, d.cost_jpy from updates u join diffs d using (diff_id)"
        " where u.kind = 'price' and u.outcome = 'done'"
    )
    assert rows
    assert [] == [row for row in rows if int(row["after"]) * 100 < row["cost_jpy"] * 105]


def test_every_run_adds_up(week: Week) -> None:
    """Rule 6, 168 times."""
    sums = "pushed + unchanged + held + blocked + skipped + failed"
    assert week.day.history(f"select count(*) as n from run_metrics where targets <> {sums}") == [{"n": 0}]
    assert week.day.history("select count(*) as n from run_metrics") == [{"n": HOURS}]


def test_at_the_end_what_is_sold_out_is_hidden(week: Week) -> None:
    """Visible items whose article has been out of stock for longer than the lowest tier's age: none."""
    control, now = week.day.control, week.clock.now()
    listed = week.day.register(
        "select asin, account_id, platform_item_id from listings where lower(platform) = 'base'"
        " and status in ('listed', 'active')"
    )
    shown, wrong = week.day.shown(), []
    for row in listed:
        item = shown.get((row["account_id"], str(row["platform_item_id"])))
        if item is None or not item["visible"] or not item["editable"] or row["account_id"] == week.day.accounts[-1]:
            continue
        if item["asin"] != row["asin"]:
            continue
        moments = [now - timedelta(hours=back) for back in range(0, 26)]
        truths = [control.truth(row["asin"], moment) for moment in moments]
        if all(truth["failure"] is None and truth["known"] and not truth["offers"] for truth in truths):
            wrong.append(row)
    assert [] == wrong
