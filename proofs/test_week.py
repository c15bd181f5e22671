"""A week of a shop on a clock moved by hand: everything that goes wrong in a week does, and at its end all is in step.

Prices move, goods sell out and come back, sales zero stock, people hide things, Amazon lies for an hour (stale prices),
one mass false zero, one night without BASE. Judged by the emulator's own lists and its world: what it was asked, what
was so, what it was told to show. Our own history is asked for nothing but whether the numbers add up.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ecauto_pipeline.clock import ManualClock
from ecauto_pipeline.emulator.chance import text_key, uniform
from ecauto_pipeline.emulator.server import EmulatorServer
from ecauto_pipeline_tests.scenarios.expectation import Key, breaks_floor, cost_jpy, expected_after_run
from ecauto_pipeline_tests.scenarios.shop_day import ShopDay

START = datetime(2026, 6, 1, 0, 0, tzinfo=UTC)
HOURS = 24 * 7
LISTINGS = 300
CALM = 26  # hours at the end in which nothing new goes wrong
ZEROS, LIES, NIGHT = (50, 51), (70, 71), (90, 98)  # hours; the night is 03:00 to 11:00 in Japan
ZERO_SHARE, LIED_AS_OF = 0.9, START + timedelta(hours=40)
OUT_OF_STOCK = {"known": True, "failure": None, "offers": []}


class Week:
    """What happened, for the laws to be held against."""

    def __init__(self, day: ShopDay, clock: ManualClock) -> None:
        self.day, self.clock, self.chance = day, clock, random.Random(7)
        self.hidden_by_people: dict[Key, datetime] = {}
        self.sales = 0
        self.listings = day.register("select * from listings")
        self.asin_of = {(row["account_id"], str(row["platform_item_id"])): row["asin"] for row in self.listings}
        by_scripts = {
            (row["account_id"], str(row["platform_item_id"])) for row in self.listings if row["visibility"] == "hidden"
        }
        self.ours_to_show = {key for key, item in day.shown().items() if item["visible"]} | by_scripts
        self.before_the_end: dict[Key, dict[str, Any]] = {}
        self.asked: dict[str, list[datetime]] = defaultdict(list)
        self.edits: list[tuple[datetime, Key, dict[str, str]]] = []

    def play(self) -> None:
        self.day.control.add_faults(
            {"kind": "false_zeros", "share": ZERO_SHARE, **_between(*ZEROS)},
            {"kind": "stale", "as_of": LIED_AS_OF.isoformat(), **_between(*LIES)},
            {"kind": "http_error", "status": 503, "api": "base", **_between(*NIGHT)},
        )
        for hour in range(HOURS):
            if self.clock.now() < START + timedelta(hours=hour):
                self.clock.set(START + timedelta(hours=hour))
            if hour < HOURS - CALM:
                self.people_and_customers(hour)
            if hour % 24 == 17:  # 02:00 in Japan
                self.day.run("price_sync", include_price="all", include_visibility=False)
            else:
                self.day.run("stock_sync", include_price="floor")
        self.clock.advance(25 * 3600)  # everything is due once more
        self.before_the_end = self.day.shown()
        self.day.run("full_sync")
        self.look_back()

    def people_and_customers(self, hour: int) -> None:
        control = self.day.control
        for account in self.day.accounts[:-1]:
            items = [item for item in control.items(account) if item["visible"] and not item["variations"]]
            if hour % 5 == 1 and items:
                control.sell(account, self.chance.choice(items)["item_id"])
                self.sales += 1
            if hour % 23 == 4 and items:
                item = self.chance.choice(items)
                control.edit_item(account, item["item_id"], visible=False)
                self.hidden_by_people[account, str(item["item_id"])] = self.clock.now()

    def look_back(self) -> None:
        """When the emulator answered about which ASIN, and the edits it took, by its own list of calls."""
        for call in self.day.control.calls(api="sp_api"):
            if call["http_status"] == 200 and call["operation"] in ("getItemOffersBatch", "getItemOffers"):
                for asin in call["details"]["asins"]:
                    self.asked[asin].append(datetime.fromisoformat(call["at"]))
        for call in self.day.edits():
            if call["http_status"] == 200:
                key = call["account"], str(call["details"]["item_id"])
                self.edits.append((datetime.fromisoformat(call["at"]), key, call["details"]["fields"]))

    def told(self, asin: str, at: datetime) -> dict[str, Any]:
        """What Amazon answered then, lies included."""
        if _within(at, ZEROS) and uniform(0, text_key(asin)) < ZERO_SHARE:
            return OUT_OF_STOCK
        return self.day.control.truth(asin, LIED_AS_OF if _within(at, LIES) else at)

    def last_told(self, asin: str, at: datetime) -> list[dict[str, Any]]:
        """The answers up to `at`, the last first; calls about it that failed are none."""
        found = (self.told(asin, asked) for asked in reversed(self.asked[asin]) if asked <= at)
        return [truth for truth in found if truth["failure"] is None]

    def filtered_twice(self, asin: str) -> bool:
        """The last answers all hold offers of which none fits, the first of these an hour or more before the last."""
        first = last = None
        for asked in reversed(self.asked[asin]):
            truth = self.told(asin, asked)
            if truth["failure"] is not None:
                continue
            if not truth["known"] or not truth["offers"] or cost_jpy(truth) is not None:
                break
            first, last = asked, last or asked
        return first is not None and last is not None and last - first >= timedelta(hours=1)


def _between(first: int, last: int) -> dict[str, str]:
    start, until = START + timedelta(hours=first), START + timedelta(hours=last)
    return {"start": start.isoformat(), "until": until.isoformat()}


def _within(moment: datetime, hours: tuple[int, int]) -> bool:
    return START + timedelta(hours=hours[0]) <= moment < START + timedelta(hours=hours[1])


@pytest.fixture(scope="module")
def week(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Week]:
    clock = ManualClock(START)
    with EmulatorServer(clock=clock, seed=3, listings=LISTINGS, accounts=3, speed=20.0) as emulator:
        played = Week(ShopDay(Path(tmp_path_factory.mktemp("week")), emulator, clock), clock)
        played.play()
        yield played


def test_everything_that_goes_wrong_really_did(week: Week) -> None:
    """The script struck: zeros, lies, the night without BASE, sales, hiding people, goods that went and came back."""
    struck = {fault["kind"]: fault["struck"] for fault in week.day.control.faults()}
    hidden = {key for _, key, fields in week.edits if fields.get("visible") == "0"}
    shown = {key for _, key, fields in week.edits if fields.get("visible") == "1"}
    prices = sum("price" in fields for _, _, fields in week.edits)
    restocks = sum(fields.get("stock") == "1" for _, _, fields in week.edits)
    print(f"\nfaults struck {struck}; {week.sales} sales, {len(week.hidden_by_people)} hidden by people")
    print(f"edits: {prices} prices, {len(hidden)} items hidden, {len(hidden & shown)} came back, {restocks} restocks")
    assert {"false_zeros", "stale", "http_error"} == {kind for kind, count in struck.items() if count}
    assert [] == [at for at, *_ in week.edits if _within(at, NIGHT)]
    assert min(week.sales, len(week.hidden_by_people), prices, len(hidden & shown), restocks) > 0
    lied_about = [asin for asin, asked in week.asked.items() if any(_within(at, LIES) for at in asked)]
    assert lied_about


def test_at_the_end_every_listing_shows_what_it_should(week: Week) -> None:
    """Price, visibility and stock of every item of every shop, also of those that must not be touched."""
    now = week.clock.now()
    last = {asin: truth for asin in week.asked for truth in week.last_told(asin, now)[:1]}
    silent = {"failure": "no answer"}
    expected = expected_after_run(
        week.listings,
        week.before_the_end,
        week.day.accounts[:-1],
        lambda asin: last.get(asin, silent),
        week.ours_to_show - set(week.hidden_by_people),
        week.filtered_twice,
    )
    shown = {key: (item["price_jpy"], item["visible"], item["stock"]) for key, item in week.day.shown().items()}
    wrong = {key: (expected[key], shown[key]) for key in expected if expected[key] != shown[key]}
    right = sum(shown[key][1] for key in expected)
    print(f"\nof {len(expected)} items {len(expected) - len(wrong)} show what they should, {right} of them are public")
    assert {} == wrong
    assert right > LISTINGS // 3


def test_the_mass_false_zero_hid_nothing(week: Week) -> None:
    """What was hidden while Amazon said zero of nearly everything could not be sold in truth."""
    hidden = [(at, key) for at, key, fields in week.edits if fields.get("visible") == "0" and _within(at, ZEROS)]
    shown_jpy = {key: item["price_jpy"] for key, item in week.day.shown().items()}
    wrong = []
    for at, key in hidden:
        prices = [
            int(fields["price"]) for when, k, fields in week.edits if k == key and when <= at and "price" in fields
        ]
        cost = cost_jpy(week.day.control.truth(week.asin_of[key], at))
        if cost is not None and not breaks_floor(prices[-1] if prices else shown_jpy[key], cost):
            wrong.append(key)
    print(f"\nhidden in the hour of the false zeros: {len(hidden)}, of these for no reason: {len(wrong)}")
    assert [] == wrong


def test_nothing_hidden_by_a_person_was_ever_shown(week: Week) -> None:
    """Rule 3, by the emulator's list of edits and by what it shows at the end."""
    shown = week.day.shown()
    assert [] == [key for key in week.hidden_by_people if shown[key]["visible"]]
    assert [] == [
        (at, key)
        for at, key, fields in week.edits
        if fields.get("visible") == "1" and key in week.hidden_by_people and at >= week.hidden_by_people[key]
    ]


def test_no_price_below_the_floor_was_ever_sent(week: Week) -> None:
    """Rule 2, by the emulator's list: each price was at least 1.05 times what Amazon had last said it charges."""
    wrong, judged = [], 0
    for at, key, fields in week.edits:
        if "price" not in fields:
            continue
        costs = [cost for truth in week.last_told(week.asin_of[key], at) if (cost := cost_jpy(truth)) is not None]
        judged += 1
        if not costs or breaks_floor(int(fields["price"]), costs[0]):
            wrong.append((at, key, fields, costs[:1]))
    print(f"\n{judged} prices sent, {len(wrong)} below the floor")
    assert judged
    assert [] == wrong


def test_every_run_adds_up(week: Week) -> None:
    """Rule 6, 169 times."""
    sums = "pushed + unchanged + held + blocked + skipped + failed"
    assert week.day.history(f"select count(*) as n from run_metrics where targets <> {sums}") == [{"n": 0}]
    assert week.day.history("select count(*) as n from run_metrics") == [{"n": HOURS + 1}]
