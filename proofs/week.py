"""Days of a shop on a clock moved by hand, and all that goes wrong in them: what the proofs of a week look back on.

Costs rise, goods sell out and come back or become far dearer, sales zero stock, people hide things, Amazon lies for an
hour (stale prices), one mass false zero of the v0 family, one night without BASE, two prices that BASE won't have. The
settings are those of the ecauto.toml that comes with the project. Every hour has the runs that the schedules start, and
one hour all the slices after it that the sensor launches. Answers come from the emulator's lists and its world.
Not for: laws (test_week.py, test_explain.py).
"""

from __future__ import annotations

import random
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from ecauto_pipeline.clock import ManualClock
from ecauto_pipeline.defs.jobs import policy_of
from ecauto_pipeline.emulator.chance import text_key, uniform
from ecauto_pipeline.emulator.server import EmulatorServer
from ecauto_pipeline.sync.stale_asins.next_slice import decide_next, slice_length_s
from ecauto_pipeline_tests.scenarios.expectation import Key, cost_jpy, ours_to_edit
from ecauto_pipeline_tests.scenarios.picking import cost_of
from ecauto_pipeline_tests.scenarios.shop_day import ShopDay
from proofs.losses import Loss, Seen, losses
from proofs.rising_costs import offer, write_rises

START = datetime(2026, 6, 1, 0, 0, tzinfo=UTC)
HOURS = 24 * 7
LISTINGS = 300
CALM = 26  # hours at the end in which nothing new goes wrong
ZEROS, LIES, NIGHT = (50, 51), (70, 71), (90, 98)  # hours; the night is 03:00 to 11:00 in Japan
JUMP, JUMPS = 30, 12  # hour, and how many goods become far dearer in it
BUSY = 60  # hour of which every slice is played
REFUSED = HOURS - 23  # hour from which BASE won't change two prices; what it refuses rests a day, beyond the week's end
TO_LAUNCH_S = 25.0  # from one slice to the next: the sensor looks, the run's process starts
ZERO_SHARE, LIED_AS_OF = 0.9, START + timedelta(hours=40)
OUT_OF_STOCK: dict[str, object] = {"known": True, "failure": None, "offers": []}
ECAUTO_TOML = Path(__file__).parents[1] / "ecauto.toml"


@dataclass(frozen=True, slots=True)
class Slice:
    """One run: when it began, and how long it was to ask."""

    began: datetime
    slice_s: float


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
        self.at_first = day.shown()
        self.ours_to_show = {key for key, item in self.at_first.items() if item["visible"]} | by_scripts
        self.before_the_end: dict[Key, dict[str, Any]] = {}
        self.asked: dict[str, list[datetime]] = defaultdict(list)
        self.edits: list[tuple[datetime, Key, dict[str, str]]] = []
        self.runs: list[Slice] = []
        sound = self.sound_listings()
        self.price_refused, self.price_kept = sound[:2]
        self.rising = write_rises(
            day, random.Random(8), [self.asin_of[key] for key in sound[2:]], START, HOURS - CALM, BUSY
        )

    def sound_listings(self) -> list[Key]:
        """Listings of one ASIN each that are public and ours to edit, in an order of chance."""
        keys = [
            (row["account_id"], str(row["platform_item_id"]))
            for row in self.listings
            if (item := self.at_first.get((row["account_id"], str(row["platform_item_id"])))) is not None
            and ours_to_edit(row, item, self.day.accounts[:-1])
            and item["visible"]
            and 700 <= item["price_jpy"] <= 20_000
            and not item["variations"]
        ]
        offered = Counter(self.asin_of.values())
        keys = [key for key in sorted(keys) if offered[self.asin_of[key]] == 1]
        return random.Random(9).sample(keys, len(keys))

    def play(self) -> None:
        for key in (self.price_refused, self.price_kept):
            self.day.control.set_truth(self.asin_of[key], offers=[offer(cost_of(self.at_first[key]["price_jpy"]))])
        self.day.control.add_faults(
            {"kind": "false_zeros", "family": "pricing/v0", "share": ZERO_SHARE, **between(*ZEROS)},
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
            if hour == REFUSED:
                self.prices_are_refused()
            self.run("stock_sync", trigger="schedule")
            if hour % 24 == 17:  # 02:00 in Japan
                self.run("price_sync", trigger="schedule")
            if hour == BUSY:
                self.next_slices()
        self.clock.advance(25 * 3600)  # everything is due once more
        self.before_the_end = self.day.shown()
        self.run("full_sync", spend="due")
        self.look_back()

    def run(self, job: str, **options: Any) -> None:
        """One run of this job as it runs by itself; `options` as a person would choose them."""
        policy, settings = policy_of(job), self.day.settings
        options = {"spend": settings.tiers.spend, "include_visibility": policy.visibility} | options
        with self.day.tools() as tools:
            slice_s = slice_length_s(tools, options["spend"])
        self.runs.append(Slice(self.clock.now(), slice_s))
        self.day.run(job, include_price=policy.include_price(settings), slice_s=slice_s, **options)

    def next_slices(self) -> None:
        """What the sensor launches for the rest of the hour, one after the other."""
        while True:
            self.clock.advance(TO_LAUNCH_S)
            with self.day.tools() as tools:
                decision = decide_next(tools, [])
            if not decision.launch:
                return
            self.run("stock_sync", trigger="next_slice", slice_no=decision.slice_no)

    def prices_are_refused(self) -> None:
        """Two goods come to cost what they sell for; BASE refuses one new price, and keeps the other in a sale."""
        shown = self.day.shown()
        self.day.control.add_faults(
            {"kind": "price_refused", "item_ids": [int(self.price_refused[1])]},
            {"kind": "price_kept", "item_ids": [int(self.price_kept[1])]},
        )
        account, item_id = self.price_kept
        high = shown[self.price_kept]["price_jpy"] + 1000
        self.day.control.edit_item(account, int(item_id), proper_price_jpy=high)
        for key in (self.price_refused, self.price_kept):
            cost = int(cost_of(shown[key]["price_jpy"]) * 1.3)
            self.day.control.set_truth(self.asin_of[key], offers=[offer(cost)])

    def prices_jump(self) -> None:
        """Some goods become three times as dear at once, for good: too much to be believed without a person."""
        public = {key for key, item in self.day.shown().items() if item["visible"]}
        taken = {*self.rising, self.asin_of[self.price_refused], self.asin_of[self.price_kept]}
        ours = sorted(
            key
            for key, asin in self.asin_of.items()
            if key in public and key[0] in self.day.accounts[:-1] and asin not in taken
        )
        for key in self.chance.sample(ours, JUMPS):
            cost = cost_jpy(self.day.control.truth(self.asin_of[key]))
            if cost is not None:
                self.day.control.set_truth(self.asin_of[key], offers=[offer(cost * 3)])

    def people_and_customers(self, hour: int) -> None:
        control = self.day.control
        spared = {self.price_refused, self.price_kept}
        for account in self.day.accounts[:-1]:
            items = [
                item
                for item in control.items(account)
                if item["visible"] and not item["variations"] and (account, str(item["item_id"])) not in spared
            ]
            if hour % 5 == 1 and items:
                control.sell(account, self.chance.choice(items)["item_id"])
                self.sales += 1
            if hour % 23 == 4 and items:
                item = self.chance.choice(items)
                control.edit_item(account, item["item_id"], visible=False)
                self.hidden_by_people[account, str(item["item_id"])] = self.clock.now()

    def look_back(self) -> None:
        """When the emulator answered about which ASIN, and the edits that took effect, by its own list of calls."""
        for call in self.day.control.calls(api="sp_api"):
            if call["http_status"] == 200 and call["operation"] in ("getItemOffersBatch", "getItemOffers"):
                for asin in call["details"]["asins"]:
                    self.asked[asin].append(datetime.fromisoformat(call["at"]))
        for call in self.day.edits():
            if call["http_status"] == 200:
                key = call["account"], str(call["details"]["item_id"])
                at, fields = datetime.fromisoformat(call["at"]), dict(call["details"]["fields"])
                if key == self.price_kept and at >= START + timedelta(hours=REFUSED):
                    fields.pop("price", None)  # said to be taken, and without effect
                if fields:
                    self.edits.append((at, key, fields))

    def losses(self) -> list[Loss]:
        """Every loss on show, of every listing that BASE lets us edit, up to now."""
        happened: dict[Key, list[Seen]] = defaultdict(list)
        for at, key, fields in self.edits:
            price_jpy = int(fields["price"]) if "price" in fields else None
            visible = fields["visible"] == "1" if "visible" in fields else None
            happened[key].append(Seen(at, price_jpy=price_jpy, visible=visible))
        for key, at in self.hidden_by_people.items():
            happened[key].append(Seen(at, visible=False))
        found: list[Loss] = []
        for row in self.listings:
            key = (row["account_id"], str(row["platform_item_id"]))
            item = self.at_first.get(key)
            if item is None or not ours_to_edit(row, item, self.day.accounts[:-1]):
                continue
            told = [(at, self.told(row["asin"], at)) for at in self.asked[row["asin"]]]
            costs = [Seen(at, of_cost=True, cost_jpy=cost_jpy(truth)) for at, truth in told if truth["failure"] is None]
            found += losses(key, item["price_jpy"], item["visible"], [*costs, *happened[key]], self.clock.now())
        return found

    def allowed(self, moment: datetime) -> timedelta:
        """How long a loss may last that was first seen then: the slice of its run, and two minutes."""
        slice_s = next(run.slice_s for run in reversed(self.runs) if run.began <= moment)
        return timedelta(seconds=slice_s + 120)

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
def played(folder: Path, spend: str | None = None, speed: float = 1.0) -> Iterator[Week]:
    """A week that is over. `spend`: as the project's own ecauto.toml says, unless said here."""
    clock = ManualClock(START)
    ours = tomllib.loads(ECAUTO_TOML.read_text(encoding="utf-8"))
    document = {table: keys for table, keys in ours.items() if table not in ("mode", "emulator")}
    if spend is not None:
        document["tiers"] = {**document["tiers"], "spend": spend}
    with EmulatorServer(clock=clock, seed=3, listings=LISTINGS, accounts=3, speed=speed) as emulator:
        week = Week(ShopDay(folder, emulator, clock, document), clock)
        week.play()
        yield week
