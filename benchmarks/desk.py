"""What the desk's pages cost with 100,000 listings: server time and memory (figures in docs/performance.md).

    python -m benchmarks.desk [--write] [--times 5]

`ecauto desk` is a process of its own over the project of desk_world.py, asked over HTTP; a page is built and drawn on
the server, what the browser does with it is not measured. The median of so many times; memory is the most that the
process had. A new page is a line of `PAGES`. Exit code 1 where a limit is exceeded.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

import psutil
import requests

from benchmarks.desk_past import ANSWERS, DAYS, LARGE_RUN
from benchmarks.desk_world import COUNT, HELD, a_large_project, asin_of, item_of
from benchmarks.diffs import PAGE as PAPER
from ecauto_pipeline.clock import jst, to_ms
from ecauto_pipeline.wiring.ports import free_port

HEADING = "## The owner's desk"
PAGE_LIMIT_S, MEMORY_LIMIT_MB = 2.0, 250


@dataclass(frozen=True, slots=True)
class Page:
    """`limit_s` None: a file, whose time is that of all its rows."""

    name: str
    path: str
    limit_s: float | None = PAGE_LIMIT_S


PAGES = (
    Page("today", "/ja"),
    Page(f"holds, {HELD:,} rows", "/ja/holds"),
    Page("items, last changed first", "/ja/items"),
    Page("items, search by title", f"/ja/items?q={quote('イヤホン 型番123')}"),
    Page("items, search by ASIN", f"/ja/items?q={asin_of(12_345)}"),
    Page("items, at a loss", "/ja/items?filter=loss"),
    Page("items, hidden by us, with a rule", "/ja/items?filter=hidden:ours,rule"),
    Page("items, by profit", "/ja/items?sort=profit"),
    Page("items, by title", "/ja/items?sort=title"),
    Page("items, the last page", f"/ja/items?page={COUNT // 50}"),
    Page("one item", f"/ja/items/{item_of(12_345)}"),
    Page("one item, 90 days", f"/ja/items/{item_of(12_345)}?days=90"),
    Page("changes", "/ja/changes"),
    Page("changes of three weeks ago", f"/ja/changes?day={jst(datetime.now(UTC)).date() - timedelta(days=21)}"),
    Page("runs", "/ja/runs"),
    Page("runs, from history", f"/ja/runs?kept=history&before={to_ms(datetime.now(UTC) - timedelta(days=35))}."),
    Page("one run of two weeks ago", "/ja/runs/kept-01000"),
    Page("one run of long ago", f"/ja/runs/{LARGE_RUN}"),
    Page("rules", "/ja/rules"),
    Page("money", "/ja/money"),
    Page("setup", "/ja/setup"),
    Page(f"items as CSV, {COUNT:,} rows", "/ja/items.csv", None),
)


@dataclass(frozen=True, slots=True)
class Measured:
    page: Page
    seconds: float

    @property
    def kept(self) -> bool:
        return self.page.limit_s is None or self.seconds <= self.page.limit_s


def measure(config: Path, times: int) -> tuple[list[Measured], int]:
    """Each page, and the most memory of the process in MB."""
    port = free_port()
    command = [sys.executable, "-c", "from ecauto_pipeline.cli import main; main()", "desk", "--port", str(port)]
    process = subprocess.Popen(command, env={**os.environ, "ECAUTO_CONFIG": str(config)}, stdout=subprocess.DEVNULL)
    try:
        _wait_for(f"http://127.0.0.1:{port}/desk.css", process)
        found, most = [], 0
        for page in PAGES:
            spent = []
            for _ in range(times if page.limit_s is not None else 1):
                started = time.perf_counter()
                answer = requests.get(f"http://127.0.0.1:{port}{page.path}", timeout=300)
                spent.append(time.perf_counter() - started)
                answer.raise_for_status()
            most = max(most, _memory_mb(process.pid))
            found.append(Measured(page, statistics.median(spent)))
            print(f"{page.name:40} {found[-1].seconds:6.2f} s  {most} MB", flush=True)
        return found, most
    finally:
        process.terminate()
        process.wait()


def _memory_mb(pid: int) -> int:
    """The most it ever had, where the system keeps that; else what it has."""
    status = Path(f"/proc/{pid}/status")
    if status.is_file():
        peak = next((line for line in status.read_text().splitlines() if line.startswith("VmHWM")), "")
        if peak:
            return int(peak.split()[1]) // 1024
    return int(psutil.Process(pid).memory_info().rss) // 2**20


def _wait_for(address: str, process: subprocess.Popen[bytes]) -> None:
    for _ in range(300):
        if process.poll() is not None:
            raise SystemExit("the desk did not start")
        try:
            requests.get(address, timeout=5)
        except requests.ConnectionError:
            time.sleep(0.2)
        else:
            return
    raise SystemExit("the desk did not answer")


def paper(found: list[Measured], most: int) -> str:
    """The section of docs/performance.md."""
    lines = [
        f"`python -m benchmarks.desk`: {COUNT:,} listings in two shops, {HELD:,} changes that wait,"
        f" {DAYS} days of past with {ANSWERS:,} answers; the time from the question to the whole answer of the server,"
        " drawing included, and the memory of its process.",
        "",
        "| page | server time | limit |",
        "|---|---|---|",
    ]
    for one in found:
        limit = "" if one.page.limit_s is None else f"< {one.page.limit_s:g} s"
        lines.append(f"| {one.page.name} | {one.seconds:.2f} s | {limit} |")
    return "\n".join([*lines, f"| memory at most | {most} MB | < {MEMORY_LIMIT_MB} MB |", ""])


def _write(section: str) -> None:
    text = PAPER.read_text(encoding="utf-8")
    before, _, after = text.partition(f"{HEADING}\n")
    _, mark, rest = after.partition("\n## ")
    PAPER.write_text(f"{before.rstrip()}\n\n{HEADING}\n\n{section}{mark}{rest}", encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--write", action="store_true", help="put the figures into docs/performance.md")
    parser.add_argument("--times", type=int, default=5, help="how often each page is asked for")
    parser.add_argument("--project", type=Path, help="a folder in which the project is kept for the next time")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.project or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        config = folder / "ecauto.toml"
        found, most = measure(config if config.is_file() else a_large_project(folder), given.times)
    if given.write:
        _write(paper(found, most))
    print(paper(found, most))
    return 0 if all(one.kept for one in found) and most <= MEMORY_LIMIT_MB else 1


if __name__ == "__main__":
    sys.exit(main())
