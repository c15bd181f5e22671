"""A shop whose customers order, watched: for the tests of orders, from their finding to their telling.

Not for: laws (the tests).
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select

from ecauto_pipeline.clock import ManualClock
from ecauto_pipeline.emulator.server import EmulatorServer
from ecauto_pipeline.state.schema import asins, listings, observations
from ecauto_pipeline.state.schema_notes import orders
from ecauto_pipeline.sync.context import Context, Run
from ecauto_pipeline.sync.line import finish
from ecauto_pipeline.sync.listings import read
from ecauto_pipeline.sync.order_section import OrdersReport
from ecauto_pipeline.sync.orders import watch
from ecauto_pipeline.sync.run_record import begin_run
from ecauto_pipeline_tests.scenarios.shop_day import ShopDay

START = datetime(2026, 11, 10, 3, 10, tzinfo=UTC)
SHOP = "base_account_1"


@dataclass
class OrderBench:
    """`day` with one active shop, read once; the watch has begun."""

    day: ShopDay
    clock: ManualClock
    emulator: EmulatorServer

    @contextmanager
    def run(self, job: str = "order_watch", run_id: str = "", **options: Any) -> Iterator[Context]:
        run = Run(run_id or str(uuid.uuid4()), job, ("2026-11-10-12:00",), self.clock.now(), **options)
        with self.day.tools(run.run_id) as tools:
            context = tools.for_run(run)
            begin_run(context)
            yield context

    def watch(self, published: bool = False, **options: Any) -> OrdersReport:
        """One run of the watch."""
        with self.run(**options) as context:
            report = watch.run(context)
            if published:
                finish(context)
        return report

    def read(self) -> int:
        """The hourly reading; returns the sales it counted."""
        with self.run("stock_sync") as context:
            return read.run(context).sales

    def goods(self, number: int = 0) -> dict[str, Any]:
        """An item whose ASIN no other item has: item_id, asin, price_jpy; the same number is the same item."""
        found = self.emulator.control.items(SHOP)
        times = Counter(item["asin"] for item in found)
        listed = self._all(select(listings.c.item_id).where(listings.c.asin.is_not(None)))
        known = {row.item_id for row in listed}
        return [item for item in found if times[item["asin"]] == 1 and str(item["item_id"]) in known][number]

    def offer(self, asin: str, price_jpy: int, seller: str = "A1SELLER") -> None:
        """From now on Amazon has exactly this offer: new, free shipping, Prime from Amazon's own stock."""
        self.emulator.control.set_truth(asin, offers=[{"seller_id": seller, "price_jpy": price_jpy}])

    def sell(self, item_id: int, **how: Any) -> dict[str, Any]:
        return self.emulator.control.sell(SHOP, item_id, **how)

    def rows(self) -> list[Any]:
        """The table of orders, oldest first."""
        return self._all(select(orders).order_by(orders.c.sold_at, orders.c.order_id))

    def asin(self, asin: str) -> Any:
        return self._all(select(asins).where(asins.c.asin == asin))[0]

    def orders_30d(self, asin: str) -> float:
        """How many orders it is counted for, fading."""
        found = self._all(select(asins.c.orders_30d).where(asins.c.asin == asin))
        return float(found[0].orders_30d) if found else 0.0

    def asked(self, asin: str) -> list[Any]:
        """What is kept of asking about it and not in history yet."""
        return self._all(select(observations).where(observations.c.asin == asin))

    def calls(self, operation: str, since: int = 0) -> list[dict[str, Any]]:
        return self.emulator.control.calls(since=since, operation=operation)

    def last_call(self) -> int:
        return max((call["seq"] for call in self.emulator.control.calls()), default=0)

    def _all(self, query: Any) -> list[Any]:
        with self.day.tools() as tools, tools.state.read() as connection:
            return list(connection.execute(query))


@contextmanager
def order_bench(
    folder: Path, document: dict[str, Any] | None = None, *, size: int = 40, begun: bool = True, speed: float = 1.0
) -> Iterator[OrderBench]:
    """The bench, with an emulator of its own on the same clock."""
    clock = ManualClock(START)
    with EmulatorServer(clock=clock, seed=4, listings=size, accounts=2, speed=speed) as emulator:
        bench = OrderBench(ShopDay(folder, emulator, clock, document, loads_when_asked=True), clock, emulator)
        bench.read()
        if begun:
            bench.watch()
            clock.advance(60)
        yield bench
