"""A bad setting has put wrong prices on sale in several shops, and each has spent its hour but for what is kept.

Not for: laws (test_emergency.py, and proofs/test_emergency.py with 12,000 of them).
"""

from __future__ import annotations

import math
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import update

from ecauto_pipeline.clock import ManualClock
from ecauto_pipeline.domain.selling.call_shares import allowance
from ecauto_pipeline.emulator.server import EmulatorServer
from ecauto_pipeline.settings import BaseFees, Pricing, Settings
from ecauto_pipeline.state.schema_calls import windows
from ecauto_pipeline.sync.context import Run
from ecauto_pipeline.sync.people.holds import approve, list_holds
from ecauto_pipeline.sync.people.rollback import RollbackReport, rollback_run
from ecauto_pipeline.sync.people.stop import stop_pushing
from ecauto_pipeline_tests.scenarios.shop_day import ShopDay

COST_JPY, RIGHT_JPY = 2000, 2600
START = datetime(2026, 6, 1, 1, 10, tzinfo=UTC)
EDIT_S = 0.5
"""What an edit takes at BASE, as the plan of a run reckons."""


@dataclass
class Emergency:
    """Shops of `items` each, all of them wrong; `runs`: what put the prices there."""

    day: ShopDay
    clock: ManualClock
    per_hour: int
    good: Settings
    runs: list[str] = field(default_factory=list)
    rollbacks: int = 0

    def go_wrong(self) -> int:
        """Push the wrong prices, a person saying yes to whatever is held; how many are on sale then."""
        self.day.run()
        self.spoil()
        for _ in range(2):
            run = self.day.run("price_sync")
            if run.figures["pushed"]:  # one that was held as a whole has nothing to take back
                self.runs.append(run.run_id)
            if not self.say_yes():
                break
        return len(self.wrong_and_on_sale())

    def say_yes(self) -> bool:
        """A person approves whatever is held; whether anything was."""
        with self.day.tools() as tools:
            held = bool(list_holds(tools))
            if held:
                approve(tools, everything=True, who="owner")
        return held

    def spoil(self) -> None:
        """The bad setting: sold for what it costs, and nobody counts BASE's fees."""
        free = BaseFees(plan="custom", payment_ratio=0.0, payment_fixed_jpy=0, service_ratio=0.0)
        self.day.settings = self.good.model_copy(
            update={
                "base": self.good.base.model_copy(update={"fees": free}),
                "pricing": Pricing(markup_ratio=1.0),
                "guards": self.good.guards.model_copy(update={"min_markup_ratio": 0.5}),
            }
        )

    def spend_the_hour(self) -> None:
        """By our own count and by BASE's: only what is kept is left of this hour."""
        limits = self.good.base.limits.model_copy(update={"per_hour": self.per_hour})
        narrow = self.good.base.model_copy(update={"limits": limits})
        self.good, self.day.settings = (
            one.model_copy(update={"base": narrow}) for one in (self.good, self.day.settings)
        )
        left = self.per_hour - allowance(self.per_hour, "edit")
        usage = {shop["account"]: shop for shop in self.day.control.stats()["shops"]}
        for account in self.day.accounts:
            used = usage[account]["in_hour"]
            self.day.control.set_base_limits(account, per_hour=used + left)
        with self.day.tools() as tools, tools.state.write() as connection:
            hour = update(windows).where(windows.c.span == "hour")
            connection.execute(hour.values(calls=allowance(self.per_hour, "edit")))

    def stop(self) -> None:
        with self.day.tools() as tools:
            stop_pushing(tools, (), "owner")

    def mend(self) -> None:
        """The setting is what it was."""
        self.day.settings = self.good

    def take_back(self) -> RollbackReport:
        """One rollback of all that went wrong."""
        self.rollbacks += 1
        run_id = f"rollback-{self.rollbacks}"
        with self.day.tools(run_id) as tools:
            report = rollback_run(tools.for_run(Run(run_id, "rollback_run", (), self.clock.now())), *self.runs)
        assert report.account.adds_up()
        return report

    def wrong_and_on_sale(self) -> set[tuple[str, str]]:
        """By the emulator's own list."""
        own = {key: item for key, item in self.day.shown().items() if item["title"].startswith("emergency")}
        return {
            key for key, item in own.items() if item["visible"] and item["stock"] > 0 and item["price_jpy"] != RIGHT_JPY
        }

    def calls_since(self, mark: int) -> Counter[str]:
        """Calls that each shop took since then, by the emulator's list."""
        return Counter(call["account"] for call in self.day.control.calls(since=mark, api="base"))

    def mark(self) -> int:
        return max((call["seq"] for call in self.day.control.calls(api="base")), default=0)


@contextmanager
def emergency(folder: Path, shops: int, items: int, per_hour: int = 5000) -> Iterator[Emergency]:
    """`shops` active shops that all list the same `items` goods at the right price; nothing is wrong yet.

    `per_hour`: BASE's limit from `spend_the_hour` on.
    """
    clock = ManualClock(START)
    with EmulatorServer(
        clock=clock, seed=3, listings=math.ceil(items * 1.2) + 1, accounts=shops + 1, speed=1000.0
    ) as emulator:
        day = ShopDay(folder, emulator, clock)
        asins = [str(row["asin"]) for row in day.control.register_rows()["products"]][:items]
        assert items == len(asins)
        rows = []
        for asin in asins:
            day.control.set_truth(asin, price_jpy=COST_JPY, in_stock=True)
        for place, account in enumerate(day.accounts[:shops], start=1):
            for number, asin in enumerate(asins, start=900_000_000 + 1000 * place):
                day.control.add_item(account, number, f"emergency {asin}", RIGHT_JPY, identifier=asin)
                rows.append((asin, "base", account, str(number), float(RIGHT_JPY), 1, "listed", "public"))
        register = sqlite3.connect(day.settings.master_db)
        with register:
            register.execute("DELETE FROM listings")
            register.executemany(
                "INSERT INTO listings (asin, platform, account_id, platform_item_id, selling_price, in_stock_quantity,"
                " status, visibility) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                rows,
            )
        register.close()
        yield Emergency(day, clock, per_hour, day.settings)
