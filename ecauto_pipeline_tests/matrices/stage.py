"""The place where a matrix is played: one emulator whose Amazon stands still, an installation begun anew each time.

With Amazon still, what an undisturbed installation leaves is the right answer for every disturbed one, whatever was
done to it and in however many runs it caught up. Not for: what is done to it (faults.py, surroundings.py, kills.py)
or what must hold (laws.py).
"""

from __future__ import annotations

import logging
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from sp_api.auth.access_token_client import cache

from ecauto_pipeline.clock import Clock, ManualClock
from ecauto_pipeline.defs.partitions import hour_key
from ecauto_pipeline.emulator.server import EmulatorServer
from ecauto_pipeline.settings import Settings
from ecauto_pipeline.sync.context import Run
from ecauto_pipeline.sync.line import LINE, finish
from ecauto_pipeline.sync.run_record import begin_run
from ecauto_pipeline.wiring.open import open_tools
from ecauto_pipeline_tests.scenarios.shop_day import ShopDay

START = datetime(2026, 6, 1, 1, 10, tzinfo=UTC)
WORLD: dict[str, Any] = {"seed": 11, "listings": 60, "accounts": 3, "speed": 1.0}
PAUSES_S = (4_200.0, 4_200.0, 26 * 3600.0, 26 * 3600.0)
"""Before the runs that follow a disturbed one: hours, then days; a spent budget or a closed shop lasts so long."""
BUSY_S = 60.0
"""So long a held database is waited for."""
PRICES = ("getItemOffersBatch", "getItemOffers", "getCompetitivePricing", "getCompetitiveSummary")
SWEEP = "getCompetitivePricing"
_PLENTY = 100_000
_SOLD_OUT = 4
"""ASINs that Amazon has not: their first answers are doubted and put to the second opinion. Too few for a mass."""
Edit = tuple[str, str, str, str]
Item = tuple[int, bool, int]
Asked = tuple[str, str]
"""(operation, ASIN)"""
PUBLISH = "publish"
"""What a run does after its last asset: its end, and the carrying of all that is settled into history."""
Around = Callable[[str], AbstractContextManager[object]]


@dataclass(frozen=True, slots=True)
class Seen:
    """What may be seen of an installation from outside. `edits`: (account, item, field, value), how often carried out;
    `items`: what every item shows; `answers`: (ASIN, status, price) of history that are Amazon's word; `priceless`:
    items of whose ASIN Amazon never said a price; `costs_jpy`: what it said of the others'; `unchanged`: ASINs that a
    sweep, which knows no price, found on sale.
    """

    edits: Counter[Edit]
    items: dict[tuple[str, str], Item]
    answers: frozenset[tuple[str, str, int | None]]
    priceless: frozenset[tuple[str, str]] = frozenset()
    unchanged: frozenset[str] = frozenset()
    costs_jpy: Mapping[tuple[str, str], int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AtAsset:
    """A case: something of this kind is so while one asset (or PUBLISH) works; `seed` chooses its details."""

    kind: str
    asset: str
    seed: int

    @property
    def name(self) -> str:
        return f"{self.kind}@{self.asset}"


class Stage:
    """One emulator in this process; `begin` gives an installation on its first day. `first_asked`: what an undisturbed
    one asks Amazon in its first run; `first_calls`: its calls by asset, as the emulator lists them. `struck`: how often
    what the case does met anything, `counted`: (what, how it went), both counted by whoever plays it. `undisturbed`
    False: for who compares with nothing; those three are empty then."""

    def __init__(self, folder: Path, emulator: EmulatorServer, clock: ManualClock, undisturbed: bool = True) -> None:
        self.folder, self.emulator, self.clock, self.control = folder, emulator, clock, emulator.control
        self._number = 0
        self._mounted: Path | None = None
        self.struck = 0
        self.first_asked: Counter[Asked] = Counter()
        self.first_calls: dict[str, list[dict[str, Any]]] = {}
        self.counted: Counter[tuple[str, str]] = Counter()
        self.undisturbed = self._undisturbed() if undisturbed else Seen(Counter(), {}, frozenset())

    @property
    def next_folder(self) -> Path:
        """Where the next installation will be."""
        return self.folder / str(self._number + 1)

    def begin(self, document: dict[str, Any] | None = None, disk_bytes: int = 0) -> ShopDay:
        """A new world, the same each time, and an empty data folder. The one before is gone.

        `disk_bytes`: on a disk of its own of this size (needs the right to mount), 0 = on the machine's.
        """
        self.clock.set(START)
        self.control.reset(**WORLD)
        cache.clear()  # python-amazon-sp-api keeps tokens of worlds that are no more
        for asin in self.control.asins():
            truth = self.control.truth(asin)
            if truth["failure"] is None and truth["known"]:
                self.control.set_truth(asin, offers=truth["offers"])
        for asin in self.control.asins()[:_SOLD_OUT]:
            self.control.set_truth(asin, in_stock=False)
        self.clear()
        self._number += 1
        folder = self.folder / str(self._number)
        folder.mkdir()
        if disk_bytes:
            size = f"size={disk_bytes}"
            subprocess.run(["mount", "-t", "tmpfs", "-o", size, "none", str(folder)], check=True)
            self._mounted = folder
        return ShopDay(folder, self.emulator, self.clock, document, loads_when_asked=True)

    def clear(self) -> None:
        """The installation that there is, is gone."""
        if self._mounted is not None:
            subprocess.run(["umount", "--lazy", str(self._mounted)], check=True)
            self._mounted = None
        shutil.rmtree(self.folder / str(self._number), ignore_errors=True)

    def set_generous_rates(self) -> None:
        """For a process with a clock of its own: Amazon refuses it nothing while this clock stands still."""
        for operation in PRICES:
            self.control.set_rate(operation, 20.0, _PLENTY)

    def count(self, what: str, how: str) -> None:
        """One more of these, for the verdict."""
        self.counted[what, how] += 1

    def asked(self) -> Counter[Asked]:
        """What Amazon was asked since the installation began, each time it was in a call."""
        calls = self.control.calls(api="sp_api")
        return Counter((call["operation"], asin) for call in calls for asin in call["details"].get("asins", ()))

    def _undisturbed(self) -> Seen:
        """What an installation leaves that nothing was done to, after as many runs."""
        day = self.begin()

        @contextmanager
        def around(asset: str) -> Iterator[None]:
            before = len(self.control.calls())
            yield
            self.first_calls[asset] = self.control.calls()[before:]

        one_run(day.settings, self.clock, around)
        self.first_asked = self.asked()
        for pause in PAUSES_S:
            self.clock.advance(pause)
            one_run(day.settings, self.clock)
        return seen(day)


@contextmanager
def stage(folder: Path, undisturbed: bool = True) -> Iterator[Stage]:
    clock = ManualClock(START)
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)  # a connection that is cut is what was asked for
    with EmulatorServer(clock=clock, **WORLD) as emulator:
        here = Stage(folder, emulator, clock, undisturbed)
        yield here
        here.clear()


def one_run(
    settings: Settings,
    clock: Clock,
    around: Around | None = None,
    busy_s: float = BUSY_S,
    run_id: str = "",
    retries: str = "",
) -> str:
    """One run of the line, in the order of the assets, each step inside `around(its name)`, its end inside
    `around(PUBLISH)`; the run's id.

    Whatever a step raises is raised, as in an asset: what comes after it is not done.
    """
    run_id, now = run_id or str(uuid4()), clock.now()
    run = Run(run_id, "full_sync", (hour_key(now),), now, retries=retries)
    with open_tools(settings, clock=clock, run_id=run_id, busy_timeout_s=busy_s) as tools:
        context = tools.for_run(run)
        begin_run(context)
        for step in LINE:
            if step.wanted(run):
                with around(step.name) if around else nullcontext():
                    step.run(context)
        with around(PUBLISH) if around else nullcontext():
            finish(context)
    return run_id


def seen(day: ShopDay) -> Seen:
    """An installation, from outside."""
    told = "select distinct asin, status, price_jpy from snapshots where status <> 'api_error'"
    swept = f"operation = '{SWEEP}' and status = 'success' and price_jpy is null"
    answers = day.history(f"{told} and not ({swept})")
    unchanged = day.history(f"select distinct asin from snapshots where {swept}")
    priced = {row["asin"]: row["price_jpy"] for row in answers if row["price_jpy"] is not None}
    found = day.register("select account_id, platform_item_id, asin from listings where platform_item_id is not null")
    listed = {(row["account_id"], row["platform_item_id"]): row["asin"] for row in found}
    return Seen(
        edits=edits_made(day),
        items=items_shown(day),
        answers=frozenset((row["asin"], row["status"], row["price_jpy"]) for row in answers),
        unchanged=frozenset(row["asin"] for row in unchanged),
        priceless=frozenset(item for item, asin in listed.items() if asin not in priced),
        costs_jpy={item: priced[asin] for item, asin in listed.items() if asin in priced},
    )


def items_shown(day: ShopDay) -> dict[tuple[str, str], Item]:
    return {key: (item["price_jpy"], item["visible"], item["stock"]) for key, item in day.shown().items()}


def edits_made(day: ShopDay) -> Counter[Edit]:
    """Every field of every edit that the shops carried out, by the emulator's own list of calls."""
    made: Counter[Edit] = Counter()
    for call in day.edits():
        if call["outcome"] == "ok" or call["outcome"].startswith("ok+"):
            fields = call["details"]["fields"]
            item = str(call["details"]["item_id"])
            made.update((call["account"], item, name, str(fields[name])) for name in fields)
    return made
