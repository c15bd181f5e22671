"""Amazon failing in each of the ways it can, played on a shop through the emulator with a clock moved by hand.

A drill breaks something in the middle of a run, lets hours go by as the schedule would, does what a person has to do,
and looks at what became of it: by the emulator's list of edits and its world, by the alert rules, by `ecauto capacity`.
Not for: which drills there are (drills.py), the table (proofs/drills.py) or laws (test_drills.py).
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sp_api.auth.access_token_client import cache

from ecauto_pipeline.alerts.rules import judge
from ecauto_pipeline.alerts.setup import alert_setup
from ecauto_pipeline.alerts.shapes_heard import shapes_heard
from ecauto_pipeline.clock import ManualClock
from ecauto_pipeline.emulator.server import EmulatorServer
from ecauto_pipeline.reports.capacity import capacity, rows
from ecauto_pipeline.sync.run_record import record_of
from ecauto_pipeline.wiring.open import open_tools
from ecauto_pipeline_tests.scenarios.drills import Drill
from ecauto_pipeline_tests.scenarios.expectation import breaks_floor, cost_jpy
from ecauto_pipeline_tests.scenarios.picking import cost_of, costs, selling, sold_out, sound
from ecauto_pipeline_tests.scenarios.shop_day import RunResult, ShopDay

START = datetime(2026, 6, 8, 0, 0, tzinfo=UTC)
INTO_A_RUN_S = 40.0
"""So long after a run has begun everything breaks."""
SLICES_S = (0.0, 600.0, 600.0, 1800.0, 3600.0, 3600.0)
"""Pauses before the runs while it is broken: slices of an hour, then hour by hour."""
HOUR = 3600.0
SENSOR_LOOKS_EVERY = timedelta(minutes=5)
MOST_MINUTES, MOST_ASINS_OF_SHAPE = 15, 20
_NOT_JUDGED = "run_duration"
"""Workers that wait side by side move a clock set by hand one after another, so that a run's length means nothing here.
Of a run whose rates are cut while it is under way the alert is true: its plan could not know."""
_DETAILED = ("getItemOffersBatch", "getItemOffers")
_ASKS_OF_PRICES = re.compile(r"^(getItemOffersBatch|getItemOffers|getCompetitive\w+)$")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a drill. `minutes`: from the first call that met it to the end of the run whose record fires the
    alert (of a shape: to the next look of the sensor that hears of it, where that comes first), None = none fired;
    `alert`: its rule; `asins`: answers about so many ASINs were spoiled when it began to stand. `answered`:
    ASINs answered in the run after the person has acted; `overdue`: those older than twice what their tier allows when
    that run begins. `told`: what capacity says, in both languages.
    """

    drill: Drill
    struck: int
    wrong_hides: int
    wrong_prices: int
    edits: int
    alert: str
    minutes: float | None
    asins: int
    told: tuple[str, str]
    answered: int
    overdue: int

    @property
    def violations(self) -> list[str]:
        """What must not be, in words; nothing when all is well."""
        found = {
            "nothing met what was broken": not self.struck,
            "nothing was sent, so nothing is shown": not self.edits,
            f"{self.wrong_hides} wrong hides": self.wrong_hides,
            f"{self.wrong_prices} wrong prices": self.wrong_prices,
            f"alert {self.alert or 'none'}, not {self.drill.rule or 'none'}": self.alert != self.drill.rule,
            f"alert after {self.minutes} minutes": (self.minutes or 0.0) > MOST_MINUTES,
            f"{self.asins} ASINs before the alert": self.drill.shape and self.asins > MOST_ASINS_OF_SHAPE,
            f"{self.overdue} ASINs became too old": not self.drill.rule and self.overdue,
            "no answer after the person has acted": not self.answered,
        }
        return [words for words, broken in found.items() if broken]


class WatchedClock(ManualClock):
    """A clock moved by hand that lets somebody look each time anybody has waited."""

    def __init__(self, start: datetime) -> None:
        super().__init__(start)
        self._looking = threading.Lock()
        self.look: Callable[[], None] | None = None

    def sleep(self, seconds: float, wake: threading.Event | None = None) -> bool:
        woken = super().sleep(seconds, wake)
        if self.look is not None and self._looking.acquire(blocking=False):
            try:
                self.look()
            finally:
                self._looking.release()
        return woken


class Played:
    """A shop in which one drill is played. `listings`: how many it has."""

    def __init__(self, folder: Path, emulator: EmulatorServer, clock: WatchedClock, drill: Drill) -> None:
        self.day, self.clock, self.drill = ShopDay(folder, emulator, clock), clock, drill
        self.asin_of = {
            (row["account_id"], str(row["platform_item_id"])): row["asin"]
            for row in self.day.register("select account_id, platform_item_id, asin from listings")
        }
        self.before = 0
        self.heard: tuple[int, datetime] | None = None
        """A shape that is news was heard of in mid-run: ASINs about which it had come, and when people are told."""

    def play(self, into_a_run: timedelta, pauses: tuple[float, ...]) -> Outcome:
        """The whole of it."""
        day = self.day
        cache.clear()  # tokens of another emulator
        chosen = sound(day, 12)
        day.run(slice_s=HOUR)
        self.clock.advance(25 * HOUR)
        for number, one in enumerate(chosen):  # Amazon goes on living meanwhile
            if number % 3 == 0:
                sold_out(day, one)
            elif number % 3 == 1:
                costs(day, one, cost_of(one.price_jpy) * 13 // 10)
        known = self._failing(day.run(fetch=False).run_id)
        self.before = max(call["seq"] for call in day.control.calls())
        shown = day.shown()
        begin = (self.clock.now() + into_a_run).isoformat()
        faults = day.control.add_faults(*({**fault, "start": begin} for fault in self.drill.faults))
        alert, minutes, asins = "", None, 0
        for pause in pauses:
            self.clock.advance(pause)
            with self._listening() if self.drill.shape else nullcontext():
                run = day.run("stock_sync")
            fired = sorted(self._failing(run.run_id) - known)
            told_of = [rule for rule in fired if self.drill.rule in ("", rule)]
            if told_of and minutes is None and self._met():
                alert = told_of[0]
                asins, told_at = self.heard or (self._spoiled(), self.clock.now())
                minutes = (min(told_at, self.clock.now()) - self._met()[0]).total_seconds() / 60
        told = self._capacity("ja"), self._capacity("en")
        if self.drill.mended:
            day.control.remove_faults(*faults)
            cache.clear()
        after = self._after()
        hides, prices, edits = self._wrong(shown)
        return Outcome(
            *(self.drill, len(self._met()), hides, prices, edits, alert, minutes, asins, told),
            answered=after.reports["sp_api_snapshots"].by_status.get("success", 0),
            overdue=after.reports["stale_asins"].survey.overdue,
        )

    @contextmanager
    def _listening(self) -> Iterator[None]:
        """As sensor alerts_watch does, a look at what a run under way has met so far; it is told at its next look."""
        with open_tools(self.day.settings, clock=self.clock, offline=True) as tools:

            def look() -> None:
                if self.heard is None and shapes_heard(tools):
                    self.heard = self._spoiled(), self.clock.now() + SENSOR_LOOKS_EVERY

            self.clock.look = look
            try:
                yield
            finally:
                self.clock.look = None

    def _after(self) -> RunResult:
        """An hour later, the person having done what is to be done."""
        self.clock.advance(HOUR)
        if self.drill.change:
            self.day = ShopDay(self.day.folder, self.day.emulator, self.clock, self._document())
        return self.day.run("stock_sync", slice_s=HOUR)

    def _document(self) -> dict[str, Any]:
        url = self.day.emulator.url
        own = {"endpoint": url, "lwa_endpoint": url}
        return {name: {**(own if name == "sp_api" else {}), **value} for name, value in self.drill.change.items()}

    def _failing(self, run_id: str) -> set[str]:
        """The rules that this run's record fails, but for the one about its length."""
        with self.day.tools() as tools:
            found = {one.rule for one in judge(record_of(tools, run_id), alert_setup(tools)) if not one.passed}
        return found - {_NOT_JUDGED}

    def _capacity(self, language: str) -> str:
        """What it says of each operation that asks about prices and of the whole."""
        with self.day.tools() as tools:
            table = rows(capacity(tools), language)
        wanted = [row for row in table if _ASKS_OF_PRICES.match(row[0])]
        per_hour = "; ".join(f"{name} {figures.split(', ')[-1]}" for name, figures, _ in wanted)
        budget = next(f"{one[1]}" for one in table if one[0] in ("予算", "budget"))
        return f"{per_hour} → {budget}"

    def _met(self) -> list[datetime]:
        """When calls met what is broken, by the emulator's own list."""
        return [
            datetime.fromisoformat(call["at"])
            for call in self.day.control.calls(since=self.before)
            if call["api"] in ("lwa", "sp_api") and (call["http_status"] >= 400 or "fault" in call["outcome"])
        ]

    def _spoiled(self) -> int:
        """ASINs about which a spoiled answer came so far."""
        calls = self.day.control.calls(since=self.before, api="sp_api")
        return len({asin for call in calls if "fault" in call["outcome"] for asin in call["details"].get("asins", ())})

    def _asked(self) -> dict[str, list[datetime]]:
        """When the emulator answered in detail about which ASIN."""
        asked: dict[str, list[datetime]] = {}
        for call in self.day.control.calls(api="sp_api"):
            if call["http_status"] == 200 and call["operation"] in _DETAILED:
                for asin in call["details"]["asins"]:
                    asked.setdefault(asin, []).append(datetime.fromisoformat(call["at"]))
        return asked

    def _wrong(self, shown: dict[tuple[str, str], dict[str, Any]]) -> tuple[int, int, int]:
        """Hides and prices that Amazon's truth, at no time at which it was asked, gives reason for; and all edits."""
        asked = self._asked()
        price = {key: item["price_jpy"] for key, item in shown.items()}
        hides = prices = edits = 0
        for call in self.day.edits(self.before):
            key, at = (call["account"], str(call["details"]["item_id"])), datetime.fromisoformat(call["at"])
            fields, edits = call["details"]["fields"], edits + 1
            found = list(self._costs(asked.get(self.asin_of.get(key, ""), []), self.asin_of.get(key, ""), at))
            if fields.get("visible") == "0":
                hides += not any(cost is None or breaks_floor(price[key], cost) for cost in found)
            if "price" in fields:
                prices += int(fields["price"]) not in {selling(cost) for cost in found if cost is not None}
                price[key] = int(fields["price"])
        return hides, prices, edits

    def _costs(self, asked: list[datetime], asin: str, until: datetime) -> Iterator[int | None]:
        """What Amazon charged when it was asked, up to then; None = nothing that fits the owner's rule."""
        for at in asked:
            if at <= until:
                truth = self.day.control.truth(asin, at)
                if truth["failure"] is None:
                    yield cost_jpy(truth)


def play(
    drill: Drill,
    folder: Path,
    listings: int = 300,
    into_a_run_s: float = INTO_A_RUN_S,
    pauses: tuple[float, ...] = SLICES_S,
) -> Outcome:
    """One drill in a folder of its own. `pauses`: seconds before each run while it is broken."""
    clock = WatchedClock(START)
    with EmulatorServer(clock=clock, seed=9, listings=listings, accounts=2, speed=1.0) as emulator:
        return Played(folder, emulator, clock, drill).play(timedelta(seconds=into_a_run_s), pauses)
