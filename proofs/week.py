"""Days of a shop on a clock moved by hand, and all that goes wrong in them: what the proofs of a week look back on.

Prices move, goods sell out and come back or become far dearer, sales zero stock, people hide things, Amazon lies for an
hour (stale prices), one mass false zero, one night without BASE. Answers come from the emulator's lists and its world.
Not for: laws (test_week.py, test_explain.py).
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from ecauto_pipeline.clock import ManualClock
from ecauto_pipeline.emulator.chance import text_key, uniform
from ecauto_pipeline.emulator.server import EmulatorServer
from ecauto_pipeline_tests.scenarios.expectation import Key, cost_jpy
from ecauto_pipeline_tests.scenarios.shop_day import ShopDay

START = datetime(2026, 6, 1, 0, 0, tzinfo=UTC)
HOURS = 24 * 7
LISTINGS = 300
CALM = 26  # hours at the end in which nothing new goes wrong
ZEROS, LIES, NIGHT = (50, 51), (70, 71), (90, 98)  # hours; the night is 03:00 to 11:00 in Japan
JUMP, JUMPS = 30, 12  # hour, and how many goods become far dearer in it
ZERO_SHARE, LIED_AS_OF = 0.9, START + timedelta(hours=40)
OUT_OF_STOCK: dict[str, object] = {"known": True, "failure": None, "offers": []}


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
            {"kind": "false_zeros", "share": ZERO_SHARE, **between(*ZEROS)},
            {"kind": "stale", "as_of": LIED_AS_OF.isoformat(), **between(*LIES)},
            {"kind": "http_error", "status": 503, "api": "base", **between(*NIGHT)},
        )
        for hour in range(HOURS):
            if self.clock.now() < START + timedelta(hours=hour):
                self.clock.set(START + timedelta(hours=hour))
            if hour == JUMP:
                self.prices_jump()
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

    def prices_jump(self) -> None:
        """Some goods become three times as dear at once, for good: too much to be believed without a person."""
        public = {key for key, item in self.day.shown().items() if item["visible"]}
        ours = sorted(key for key in self.asin_of if key in public and key[0] in self.day.accounts[:-1])
        for key in self.chance.sample(ours, JUMPS):
            cost = cost_jpy(self.day.control.truth(self.asin_of[key]))
            if cost is not None:
                offer = {"seller_id": "A1SELLER", "price_jpy": cost * 3, "max_hours": 24}
                self.day.control.set_truth(self.asin_of[key], offers=[offer])

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
        if within(at, ZEROS) and uniform(0, text_key(asin)) < ZERO_SHARE:
            return OUT_OF_STOCK
        return self.day.control.truth(asin, LIED_AS_OF if within(at, LIES) else at)

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


def between(first: int, last: int) -> dict[str, str]:
    start, until = START + timedelta(hours=first), START + timedelta(hours=last)
    return {"start": start.isoformat(), "until": until.isoformat()}


def within(moment: datetime, hours: tuple[int, int]) -> bool:
    return START + timedelta(hours=hours[0]) <= moment < START + timedelta(hours=hours[1])


@contextmanager
def played(folder: Path) -> Iterator[Week]:
    """A week that is over."""
    clock = ManualClock(START)
    with EmulatorServer(clock=clock, seed=3, listings=LISTINGS, accounts=3, speed=20.0) as emulator:
        week = Week(ShopDay(folder, emulator, clock), clock)
        week.play()
        yield week
