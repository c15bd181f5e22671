"""What a run's judging costs where little has changed, beside judging everything: processor seconds by step.

    python -m benchmarks.changed [--listings 10000 100000] [--changes 2000]

One shop in its steady state, judged once; then, over the same state.db in the same process: a run in which nothing has
changed, one after so many answers with another price (each is a push that is stored), one with nothing new after it
(what was not sent stands, and is judged by every run), and the same with `judge_all`, as `ecauto sync --all` and once
a day. The table stands in docs/performance.md. Not for: memory and pushing (diffs.py), or Dagster's own part of a run.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import update

from benchmarks.diffs import NOW, Case, _NoShop, _tools, fill
from ecauto_pipeline.clock import ManualClock, to_ms
from ecauto_pipeline.domain.model import AccountKey
from ecauto_pipeline.settings import parse
from ecauto_pipeline.state.database import Database
from ecauto_pipeline.state.schema import asins
from ecauto_pipeline.sync.context import Run, Tools
from ecauto_pipeline.sync.diffs import price, visibility

SHOP = AccountKey("base", "shop_1")
HEAD = "| listings | run | judged | price s | visibility s | together, of judging all |\n|---|---|---|---|---|---|"


@dataclass(frozen=True, slots=True)
class Cost:
    """Processor seconds of each step of one run, and how many listings the first looked at."""

    price_s: float
    visibility_s: float
    judged: int

    @property
    def together_s(self) -> float:
        return self.price_s + self.visibility_s


def cost_of(tools: Tools, clock: ManualClock, name: str, *, judge_all: bool = False) -> Cost:
    """One run's judging, a minute after the last."""
    clock.advance(60)
    context = tools.for_run(Run(name, "full_sync", ("2026-06-01-12:00",), clock.now(), judge_all=judge_all))
    began = time.process_time()
    prices = price.run(context)
    between = time.process_time()
    visibility.run(context)
    return Cost(between - began, time.process_time() - between, prices.judged or 0)


def measure(count: int, changes: int) -> list[tuple[str, Cost]]:
    """Every case of a shop of this size, in order."""
    with tempfile.TemporaryDirectory() as folder:
        settings = parse({"base": {"accounts": [{"id": "shop_1"}]}}, Path(folder))
        database = Database(f"sqlite:///{folder}/state.db")
        fill(database, Case("", count, 0, None))
        clock = ManualClock(NOW)
        tools = _tools(settings, database, clock, {SHOP: _NoShop()})
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
        f"| {count:,} | {name} | {cost.judged:,} | {cost.price_s:.2f} | {cost.visibility_s:.2f} "
        f"| {cost.together_s / everything:.2f} |"
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
