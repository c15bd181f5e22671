"""What 100,000 rules per item cost: taking them in, and deciding by them (figures in docs/performance.md).

    python -m benchmarks.rules [--write]

100,000 listings in one shop, each with a title, brand and category, and 100,000 rules of every kind of selector, so
that every listing has at least one of its own. Deciding is measured in processor time, price and visibility steps
together, each time in a process of its own, with the rules and without, in turn: other work on the machine
concerns both alike. Setting one rule and taking one away are measured in a process of their own, memory is what they
add to it. Exit code 1 where a limit is exceeded.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlalchemy import insert

from benchmarks.diffs import CASES, NOW, PAGE, _NoShop, _PeakMemory, _tools, fill
from ecauto_pipeline.clock import ManualClock
from ecauto_pipeline.domain.model import AccountKey
from ecauto_pipeline.domain.selling.rules_file import COLUMNS
from ecauto_pipeline.register.master import Register
from ecauto_pipeline.settings import parse
from ecauto_pipeline.state.database import Database
from ecauto_pipeline.state.schema import catalogue
from ecauto_pipeline.sync.context import Run, Tools
from ecauto_pipeline.sync.diffs import price, visibility
from ecauto_pipeline.sync.listings.item_rules import take_up_rules
from ecauto_pipeline.sync.people.rule_edits import set_rule, unset_rule
from ecauto_pipeline.sync.people.rules import import_rules

CASE = CASES[2]
HEADING = "## Rules per item"
TIMES = 3
IMPORT_LIMIT_S = 10.0
RATIO_LIMIT = 1.3
ONE_RULE_LIMIT_S, ONE_RULE_LIMIT_MIB = 2.0, 100.0
LAST_ASIN, FIRST_ASIN = f"B{99_999:09d}", f"B{80_000:09d}"
"""Of a listing without a line of its own, and of the first line about an ASIN alone."""
OF_KIND = {"item_id": 80_000, "asin": 10_000, "title_contains": 5_000, "brand": 3_000, "category": 2_000}


def rules() -> str:
    """A file of 100,000 rules that leave every price as it is: what is measured is the looking up and heeding."""
    lines, number = [",".join(COLUMNS)], 0
    for kind, count in OF_KIND.items():
        for _ in range(count):
            cells = dict(zip(COLUMNS, [""] * len(COLUMNS), strict=True))
            cells |= {"item_id": str(number), "asin": f"B{number:09d}"} if kind == "item_id" else {}
            told = {"asin": f"B{number:09d}", "title_contains": f"型番{number}号", "brand": f"ブランド{number}"}
            told["category"] = f"カテゴリ{number}"
            cells |= {kind: told[kind]} if kind != "item_id" else {}
            cells |= {"min_price_jpy": "600", "max_price_jpy": "99000", "markup_ratio": "1.3", "note": f"{number}番"}
            lines.append(",".join(cells[name] for name in COLUMNS))
            number += 1
    return "\r\n".join([*lines, ""])


def world(folder: Path) -> tuple[Tools, Database]:
    """A shop in its steady state, its catalogue known."""
    settings = parse({"base": {"accounts": [{"id": "shop_1"}]}}, folder)
    database = Database(settings.state_url())
    fill(database, CASE)
    with database.write() as connection:
        for start in range(0, CASE.count, 20_000):
            connection.execute(insert(catalogue), [_goods(number) for number in range(start, start + 20_000)])
    tools = _tools(settings, database, ManualClock(NOW), {AccountKey("base", "shop_1"): _NoShop()})
    return replace(tools, register=Register.create(settings.master_db, [], [])), database


def _goods(number: int) -> dict[str, object]:
    title = f"【Amazon.co.jp限定】ワイヤレスイヤホン Bluetooth 5.3 防水 軽量 黒 型番{number}号 (正規品)"
    return {
        "asin": f"B{number:09d}",
        "title": title,
        "brand": f"ブランド{number}",
        "category": f"カテゴリ{number}",
        "basic_at": 1,
    }


def decide(tools: Tools) -> float:
    """Processor time of both steps."""
    context = tools.for_run(Run("bench", "full_sync", ("2026-06-01-12:00",), NOW, dry_run=True))
    started = time.process_time()
    report = price.run(context) + visibility.run(context)
    seconds = time.process_time() - started
    if report.account.targets != 3 * CASE.count or report.to_push != CASE.moved:
        raise SystemExit(f"wrong account {report.account}")
    return seconds


def measure(folder: Path) -> list[tuple[str, str, str, bool]]:
    """(what, measured, limit, kept)."""
    tools, database = world(folder)
    bare = [_of_a_process(folder)]
    started = time.process_time()
    taken = import_rules(tools, rules().encode("utf-8-sig"))
    imported = time.process_time() - started
    started = time.process_time()
    again = take_up_rules(tools, list(tools.shops))
    read = time.process_time() - started
    if taken.rules != CASE.count or again.listings != CASE.count or again.trouble is not None:
        raise SystemExit(f"the rules were not taken up: {again}")
    database.close()
    one_more, one_less = (_of_one_rule(folder, which) for which in ("--set", "--unset"))
    ruled = [_of_a_process(folder) for _ in range(TIMES)]
    # without: the same state, no rule beside any listing
    state = Database(tools.settings.state_url())
    with state.write() as connection:
        connection.exec_driver_sql("UPDATE listings SET item_rules = ''")
        connection.exec_driver_sql("DELETE FROM item_rules")
    state.close()
    bare += [_of_a_process(folder) for _ in range(TIMES - 1)]
    with_rules, without = statistics.median(ruled), statistics.median(bare)
    ratio = with_rules / without
    return [
        ("importing the file", f"{imported:.1f} s", f"<= {IMPORT_LIMIT_S:g} s", imported <= IMPORT_LIMIT_S),
        ("a reading that finds it as it was", f"{read:.1f} s", "", True),
        ("deciding without rules", f"{without:.2f} s", "", True),
        ("deciding with them", f"{with_rules:.2f} s", "", True),
        ("ratio", f"{ratio:.2f}", f"<= {RATIO_LIMIT:g}", ratio <= RATIO_LIMIT),
        *_rows("setting one rule more", one_more),
        *_rows("taking one away from the middle", one_less),
    ]


def _rows(what: str, measured: tuple[float, float]) -> list[tuple[str, str, str, bool]]:
    seconds, mib = measured
    return [
        (what, f"{seconds:.2f} s", f"<= {ONE_RULE_LIMIT_S:g} s", seconds <= ONE_RULE_LIMIT_S),
        (f"{what}, memory", f"{mib:.0f} MiB", f"<= {ONE_RULE_LIMIT_MIB:g} MiB", mib <= ONE_RULE_LIMIT_MIB),
    ]


def _of_one_rule(folder: Path, which: str) -> tuple[float, float]:
    command = [sys.executable, "-m", "benchmarks.rules", which, str(folder)]
    seconds, mib = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    return float(seconds), float(mib)


def _one_rule_here(folder: Path, *, more: bool) -> str:
    """Seconds of processor time, MiB."""
    settings: Any = parse({"base": {"accounts": [{"id": "shop_1"}]}}, folder)
    database = Database(settings.state_url())
    tools = _tools(settings, database, ManualClock(NOW), {AccountKey("base", "shop_1"): _NoShop()})
    with _PeakMemory() as memory:
        started = time.process_time()
        if more:
            set_rule(tools, LAST_ASIN, {"min_price_jpy": "700"}, "bench")
        else:
            unset_rule(tools, FIRST_ASIN, "bench")
        seconds = time.process_time() - started
    database.close()
    return f"{seconds} {memory.added_mib}"


def _of_a_process(folder: Path) -> float:
    command = [sys.executable, "-m", "benchmarks.rules", "--decide", str(folder)]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def _decide_here(folder: Path) -> float:
    settings: Any = parse({"base": {"accounts": [{"id": "shop_1"}]}}, folder)
    database = Database(settings.state_url())
    tools = _tools(settings, database, ManualClock(NOW), {AccountKey("base", "shop_1"): _NoShop()})
    try:
        return decide(tools)
    finally:
        database.close()


def page(figures: list[tuple[str, str, str, bool]]) -> str:
    """The section of docs/performance.md."""
    head = "`python -m benchmarks.rules --write`: 100,000 listings, 100,000 rules, processor time; the median of three."
    rows = [f"| {what} | {measured} | {limit} |" for what, measured, limit, _ in figures]
    return "\n".join([HEADING, "", head, "", "| what | measured | limit |", "|---|---|---|", *rows]) + "\n"


def write(text: str, path: Path = PAGE) -> None:
    """Put the section into the page, in place of the one that is there."""
    before, found, rest = path.read_text(encoding="utf-8").partition(f"{HEADING}\n")
    after = rest.partition("\n## ") if found else ("", "", "")
    tail = f"\n## {after[2]}" if after[1] else ""
    path.write_text(f"{before.rstrip()}\n\n{text}{tail}", encoding="utf-8")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="put the figures into docs/performance.md")
    parser.add_argument("--decide", type=Path, help="(one measurement; used by the program itself)")
    for which in ("--set", "--unset"):
        parser.add_argument(which, type=Path, help="(one measurement; used by the program itself)")
    options = parser.parse_args(arguments)
    if options.set is not None or options.unset is not None:
        print(_one_rule_here(options.set or options.unset, more=options.set is not None))
        return 0
    if options.decide is not None:
        print(_decide_here(options.decide))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        figures = measure(Path(folder))
    print(page(figures))
    if options.write:
        write(page(figures))
    return 0 if all(kept for *_, kept in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
