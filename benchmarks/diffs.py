"""What deciding and pushing cost: the limits of the shop (figures in docs/performance.md).

    python -m benchmarks.diffs [--write]

Each case runs in a process of its own, so that its peak memory is its own. Deciding: price and visibility steps over
one state.db; memory is what they add to the process. Pushing: 12,081 items in one shop of an emulator, then 200 of them
dearer at Amazon; the calls are those that the emulator saw. `--write` puts the figures into docs/performance.md.
Exit code 1 where a limit is exceeded.
"""

from __future__ import annotations

import argparse
import json
import logging
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
from sqlalchemy import insert

from ecauto_pipeline.clock import Clock, ManualClock, SystemClock, to_ms
from ecauto_pipeline.domain.model import AccountKey
from ecauto_pipeline.settings import Settings, parse
from ecauto_pipeline.shops.protocol import Abilities
from ecauto_pipeline.state.database import Database
from ecauto_pipeline.state.schema import asins, listings, shop_accounts
from ecauto_pipeline.state.upsert import upsert
from ecauto_pipeline.sync.base_updates import push
from ecauto_pipeline.sync.context import Run, Tools
from ecauto_pipeline.sync.diff_section import DiffReport
from ecauto_pipeline.sync.diffs import price, visibility

NOW = datetime(2026, 6, 1, 3, 0, tzinfo=UTC)
PAGE = Path(__file__).parent.parent / "docs" / "performance.md"
HEADING = "## Diffs and pushes"
MIB = 2**20


@dataclass(frozen=True, slots=True)
class Case:
    """So many listings, of which so many prices moved; `stale`: nothing is known of any ASIN."""

    name: str
    count: int
    moved: int
    limit_s: float | None
    limit_mib: float | None = None
    stale: bool = False


CASES = (
    Case("12,081 listings, 0 diffs", 12_081, 0, 2.0),
    Case("12,081 listings, 200 diffs", 12_081, 200, 2.0),
    Case("100,000 listings, 2,000 diffs", 100_000, 2_000, 5.0, 500.0),
    Case("100,000 listings, nothing known yet (every row skipped)", 100_000, 0, None, 500.0, stale=True),
)


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured line. `limit` "" = no limit was set for it."""

    case: str
    what: str
    value: str
    limit: str
    kept: bool


class _NoShop:
    """Deciding never speaks to a shop."""

    platform = "base"
    abilities = Abilities()
    account_id = "shop_1"


def fill(database: Database, case: Case) -> None:
    """One shop in its steady state: shown what is wanted, but for the prices that moved."""
    now = to_ms(NOW)
    with database.write() as connection:
        row = {"platform": "base", "account_id": "shop_1", "read_at": now}
        connection.execute(insert(shop_accounts).values(**row))
        for start in range(0, case.count, 20_000):
            numbers = range(start, min(case.count, start + 20_000))
            connection.execute(insert(listings), [_listing(n, now, moved=n < case.moved) for n in numbers])
            if not case.stale:
                connection.execute(insert(asins), [_fact(n, now) for n in numbers])


def _cost(number: int) -> int:
    return 1000 + number % 9_000


def wanted(number: int) -> int:
    return (_cost(number) * 13 // 10 + 5) // 10 * 10


def _listing(number: int, now: int, *, moved: bool) -> dict[str, object]:
    return {
        "platform": "base",
        "account_id": "shop_1",
        "item_id": str(number),
        "asin": f"B{number:09d}",
        "shown_price_jpy": wanted(number) + (300 if moved else 0),
        "shown_visible": 1,
        "shown_stock": 1,
        "read_at": now,
        "present": 1,
        "listed": 1,
    }


def _fact(number: int, now: int) -> dict[str, object]:
    return {
        "asin": f"B{number:09d}",
        "status": "success",
        "price_jpy": _cost(number),
        "in_stock": 1,
        "price_at": now,
        "stock_at": now,
        "snapshot_id": f"snapshot-{number}",
    }


def measure(case: Case) -> list[Figure]:
    """Decide over a fresh state.db, three times; the best time and the most memory of both steps together."""
    seconds, memory_mib = float("inf"), 0.0
    for _ in range(3):
        with tempfile.TemporaryDirectory() as folder:
            settings = parse({"base": {"accounts": [{"id": "shop_1"}]}}, Path(folder))
            database = Database(f"sqlite:///{folder}/state.db")
            fill(database, case)
            tools = _tools(settings, database, ManualClock(NOW), {AccountKey("base", "shop_1"): _NoShop()})
            run = Run("bench", "full_sync", ("2026-06-01-12:00",), NOW)
            with _PeakMemory() as memory:
                started = time.perf_counter()
                report: DiffReport = price.run(tools.for_run(run)) + visibility.run(tools.for_run(run))
                seconds = min(seconds, time.perf_counter() - started)
            memory_mib = max(memory_mib, memory.added_mib)
            database.close()
    if not report.account.adds_up() or report.account.targets != 3 * case.count or report.to_push != case.moved:
        raise SystemExit(f"{case.name}: wrong account {report.account}")
    limit = f"< {case.limit_s:g} s" if case.limit_s else ""
    figures = [Figure(case.name, "both steps", f"{seconds:.2f} s", limit, not case.limit_s or seconds < case.limit_s)]
    if case.limit_mib:
        kept = memory_mib < case.limit_mib
        figures.append(Figure(case.name, "memory", f"{memory_mib:.0f} MiB", f"< {case.limit_mib:g} MB", kept))
    return figures


def measure_pushing() -> list[Figure]:
    """12,081 items, 200 diffs, then the same again: list calls and edits as the emulator counted them."""
    from ecauto_pipeline.emulator.server import EmulatorServer
    from ecauto_pipeline.sync.listings import read
    from ecauto_pipeline_tests.scenarios.shop_day import ShopDay

    name, clock = "12,081 items in one shop", SystemClock()
    with tempfile.TemporaryDirectory() as folder, EmulatorServer(seed=1, listings=1, accounts=1) as emulator:
        account = emulator.control.about()["shops"][0]
        emulator.control.set_base_limits(per_hour=50_000)
        day = ShopDay(Path(folder), emulator, document={"base": {"limits": {"per_hour": 50_000}}})
        _grow(day, account, 12_081)
        figures = []
        for number, what in enumerate(("full read, 0 diffs", "incremental read, 200 diffs")):
            before = len(emulator.control.calls(api="base"))
            with day.tools(f"bench-{number}") as tools:
                run = Run(f"bench-{number}", "full_sync", ("2026-06-01-12:00",), clock.now())
                read.run(tools.for_run(run))
                _answer(tools, clock, moved=(0, 200)[number])
                price.run(tools.for_run(run))
                visibility.run(tools.for_run(run))
                started = time.perf_counter()
                push.run(tools.for_run(run))
                seconds = time.perf_counter() - started
            calls = [call["operation"] for call in emulator.control.calls(api="base")[before:]]
            lists, edits = calls.count("items"), calls.count("items/edit")
            most, wanted = ((121, 0), (3, 200))[number]
            figures.append(Figure(name, f"{what}: list calls", str(lists), f"<= {most}", 0 < lists <= most))
            figures.append(Figure(name, f"{what}: edits", str(edits), f"= {wanted}", edits == wanted))
            if edits:
                figures.append(Figure(name, "pushing, an edit", f"{1000 * seconds / edits:.0f} ms", "", True))
    return figures


def _grow(day: Any, account: str, count: int) -> None:
    """Items and register rows of our own, shown at what they should cost."""
    import sqlite3
    from contextlib import closing

    have = {int(item["item_id"]) for item in day.control.items(account)}
    with closing(sqlite3.connect(day.settings.master_db)) as register, register:
        missing = count - len(have)
        for number in range(missing):
            if number % 100 == 0:  # listed over the days before, a hundred every ten minutes
                day.control.set_offset(-600.0 * (1 + (missing - number) // 100))
            item_id, asin = 5_000_000 + number, f"B{number:09d}"
            day.control.add_item(account, item_id, f"品 {number}", wanted(number))
            register.execute("INSERT OR IGNORE INTO products (asin) VALUES (?)", (asin,))
            register.execute(
                "INSERT INTO listings (asin, platform, account_id, platform_item_id, sku, selling_price, currency,"
                " in_stock_quantity, status, visibility) VALUES (?, 'base', ?, ?, ?, ?, 'JPY', 1, 'listed', 'public')",
                (asin, account, str(item_id), f"b-{asin}-20251101000000", wanted(number)),
            )
    day.control.set_offset(0.0)


def _answer(tools: Tools, clock: Clock, moved: int) -> None:
    """Amazon's side: every ASIN as it was, but `moved` of them that cost 300 yen more."""
    now = to_ms(clock.now())
    facts = [_fact(number, now) for number in range(12_100)]
    for number in range(moved):
        facts[number]["price_jpy"] = _cost(number) + 300
    with tools.state.write() as connection:
        upsert(connection, asins, facts)


def _tools(settings: Settings, database: Database, clock: Clock, shops: dict[AccountKey, Any]) -> Tools:
    unused: Any = None
    log = logging.getLogger("bench")
    return Tools(settings=settings, clock=clock, state=database, history=unused, register=unused, shops=shops, log=log)


class _PeakMemory:
    """What a piece of work adds to the memory of this process, sampled."""

    def __enter__(self) -> _PeakMemory:
        self._process, self._over = psutil.Process(), threading.Event()
        self._start = self._peak = self._process.memory_info().rss
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    @property
    def added_mib(self) -> float:
        return float(self._peak - self._start) / MIB

    def _watch(self) -> None:
        while not self._over.wait(0.01):
            self._peak = max(self._peak, self._process.memory_info().rss)


def page(figures: list[Figure]) -> str:
    """The section of docs/performance.md."""
    lines = [
        HEADING,
        "",
        "`python -m benchmarks.diffs --write` measured this: the best of three times; memory is what deciding adds.",
        "",
        "| case | what | measured | limit |",
        "|---|---|---|---|",
        *(f"| {figure.case} | {figure.what} | {figure.value} | {figure.limit} |" for figure in figures),
    ]
    return "\n".join(lines) + "\n"


def write(figures: list[Figure], path: Path = PAGE) -> None:
    """Put the section into the page, in place of the one that is there."""
    text = path.read_text(encoding="utf-8") if path.exists() else "# Performance\n"
    before, found, rest = text.partition(f"{HEADING}\n")
    after = rest.partition("\n## ") if found else ("", "", "")
    tail = f"\n## {after[2]}" if after[1] else ""
    path.write_text(f"{before.rstrip()}\n\n{page(figures)}{tail}", encoding="utf-8")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="put the figures into docs/performance.md")
    parser.add_argument("--case", type=int, help="(one case, as JSON; used by the program itself)")
    options = parser.parse_args(arguments)
    if options.case is not None:
        measured = measure(CASES[options.case]) if options.case < len(CASES) else measure_pushing()
        print(json.dumps([asdict(figure) for figure in measured]))
        return 0
    figures: list[Figure] = []
    for number in range(len(CASES) + 1):
        command = [sys.executable, "-m", "benchmarks.diffs", "--case", str(number)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, encoding="utf-8")
        if done.returncode:
            sys.stderr.write(done.stderr)
            return 1
        figures += [Figure(**figure) for figure in json.loads(done.stdout.splitlines()[-1])]
    print(page(figures))
    if options.write:
        write(figures)
    return 0 if all(figure.kept for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
