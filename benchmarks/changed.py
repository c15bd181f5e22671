"""What reading and judging cost a run where little has changed, beside doing it to everything: processor seconds by
step.

    python -m benchmarks.changed [--listings 10000 100000] [--changes 2000]

One shop in its steady state, read and judged once; then, over the same state.db and master.db in the same process: a
run in which nothing has changed, one after so many answers with another price (each is a push that is stored), one with
nothing new after it (what was not sent stands, and is judged by every run), and the same with `judge_all`, as `ecauto
sync --all` and once a day. The table stands in docs/performance.md. Not for: memory and pushing (diffs.py), or
Dagster's own part of a run.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

from sqlalchemy import update

from benchmarks.diffs import NOW, Case, _tools, fill, wanted
from ecauto_pipeline.clock import ManualClock, to_ms
from ecauto_pipeline.domain.model import AccountKey
from ecauto_pipeline.register.master import Register
from ecauto_pipeline.settings import parse
from ecauto_pipeline.shops.protocol import Item
from ecauto_pipeline.state.database import Database
from ecauto_pipeline.state.schema import asins
from ecauto_pipeline.sync.context import Run, Tools
from ecauto_pipeline.sync.diffs import price, visibility
from ecauto_pipeline.sync.listings import read
from ecauto_pipeline.sync.run_record import begin_run
from ecauto_pipeline_tests.sync.diffs.selling import HonestShop

SHOP = AccountKey("base", "shop_1")
HEAD = (
    "| listings | run | judged | master.db | listings s | price s | visibility s | together, of all |\n"
    "|---|---|---|---|---|---|---|---|"
)
PAGE_ITEMS = 100
SETTLED_S = 60.0
"""The register was written so long ago."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Processor seconds of each step of one run, how many listings were judged, whether master.db was read."""

    listings_s: float
    price_s: float
    visibility_s: float
    judged: int
    read: bool

    @property
    def together_s(self) -> float:
        return self.listings_s + self.price_s + self.visibility_s


class QuietShop(HonestShop):
    """So many items that have not changed for days: what a list of what is new begins with is one page of them."""

    def __init__(self, count: int) -> None:
        super().__init__(SHOP.account_id)
        self.count = count

    def items(self, modified_since: datetime | None = None) -> Iterator[list[Item]]:
        most = self.count if modified_since is None else PAGE_ITEMS
        for start in range(0, most, PAGE_ITEMS):
            yield [self._item(number) for number in range(start, min(start + PAGE_ITEMS, self.count))]

    @staticmethod
    def _item(number: int) -> Item:
        code, modified = f"b-B{number:09d}-20251101000000", NOW - timedelta(days=2)
        return Item(str(number), code, "", wanted(number), 1, True, False, modified)


def register(path: Path, count: int) -> Register:
    """The shop's master.db, which nobody has written to for a while."""
    asins_of = [f"B{number:09d}" for number in range(count)]
    of_shop = {"platform": SHOP.platform, "account_id": SHOP.account_id, "status": "listed", "visibility": "public"}
    rows = (
        {"asin": asin, "platform_item_id": str(n), "sku": str(n), "selling_price": wanted(n), **of_shop}
        for n, asin in enumerate(asins_of)
    )
    Register.create(path, ({"asin": asin, "title_ja": "品"} for asin in asins_of), rows)
    return Register(path, wall_s=lambda: time.time() + SETTLED_S)


def cost_of(tools: Tools, clock: ManualClock, name: str, *, judge_all: bool = False) -> Cost:
    """One run's reading and judging, a minute after the last."""
    clock.advance(60)
    context = tools.for_run(Run(name, "full_sync", ("2026-06-01-12:00",), clock.now(), judge_all=judge_all))
    begin_run(context)
    times = [time.process_time()]
    listed = read.run(context)
    times.append(time.process_time())
    prices = price.run(context)
    times.append(time.process_time())
    visibility.run(context)
    times.append(time.process_time())
    reading, prices_s, visibility_s = (after - before for before, after in pairwise(times))
    return Cost(reading, prices_s, visibility_s, prices.judged or 0, listed.register.unchanged_since is None)


def measure(count: int, changes: int) -> list[tuple[str, Cost]]:
    """Every case of a shop of this size, in order."""
    with tempfile.TemporaryDirectory() as folder:
        settings = parse({"base": {"accounts": [{"id": "shop_1"}]}}, Path(folder))
        database = Database(f"sqlite:///{folder}/state.db")
        fill(database, Case("", count, 0, None))
        clock = ManualClock(NOW)
        tools = _tools(settings, database, clock, {SHOP: QuietShop(count)})
        tools = replace(tools, register=register(Path(folder) / "master.db", count))
        found = [("the first", cost_of(tools, clock, "run-1"))]
        found.append(("nothing has changed", cost_of(tools, clock, "run-2")))
        found.append(("nothing has changed, --all", cost_of(tools, clock, "run-3", judge_all=True)))
        dearer(database, changes, clock)
        found.append((f"{changes:,} prices moved", cost_of(tools, clock, "run-4")))
        found.append((f"{changes:,} pushes stand", cost_of(tools, clock, "run-5")))
        found.append((f"{changes:,} pushes stand, --all", cost_of(tools, clock, "run-6", judge_all=True)))
        database.close()
    return found


def dearer(database: Database, changes: int, clock: ManualClock) -> None:
    """Amazon answers of so many ASINs that they cost 300 yen more."""
    now = to_ms(clock.now())
    answer = update(asins).where(asins.c.asin < f"B{changes:09d}")
    moved = {"price_jpy": asins.c.price_jpy + 300, "snapshot_id": "moved", "price_at": now, "stock_at": now}
    with database.write() as connection:
        connection.execute(answer.values(moved))


def table(count: int, costs: list[tuple[str, Cost]]) -> list[str]:
    """Lines of the page."""
    everything = dict(costs)["nothing has changed, --all"].together_s
    return [
        f"| {count:,} | {name} | {cost.judged:,} | {'read' if cost.read else 'unchanged'} | {cost.listings_s:.2f} "
        f"| {cost.price_s:.2f} | {cost.visibility_s:.2f} | {cost.together_s / everything:.2f} |"
        for name, cost in costs
    ]


def main() -> int:
    """Print the table."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--listings", type=int, nargs="+", default=[10_000, 100_000])
    options.add_argument("--changes", type=int, default=2_000)
    chosen = options.parse_args()
    print(HEAD, flush=True)
    for count in chosen.listings:
        print("\n".join(table(count, measure(count, chosen.changes))), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
