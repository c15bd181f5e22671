"""How well fetching uses what Amazon allows, and what it costs itself.

    python -m benchmarks.fetch [--part use|change|counts|cost] [--rate 1.0] [--calls 305] [--processes 1 2 4]

The emulator runs as a process of its own and enforces the advertised rate exactly (token bucket, burst 1, no slack).
* use: `--calls` calls of each of the four operations at `--rate` calls a second, by 1, 2 and 4 processes at once. What
  is asked is known already: of the details every second price has tripled since, a doubt for the second opinion, which
  checks unchanged answers as well; of one ASIN in ten it can't say, so a confirm is asked.
* change: the rate is halved in mid-run and restored later.
* counts: calls of a first fill of 10,000 ASINs and of an hourly check of which 3% changed.
* cost: processor time a 20-ASIN call, and memory over 5,000 calls (100,000 ASINs in one run).
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import psutil

from benchmarks.far_emulator import FarEmulator
from ecauto_pipeline.clock import SystemClock
from ecauto_pipeline.state import asins as asins_in_state
from ecauto_pipeline.sync.sp_api_snapshots import fetch
from ecauto_pipeline_tests.sync.sp_api_snapshots.means import a_run, kept, plan, rows_of, tools_at

CLOCK = SystemClock()
SWEEP, DETAIL, CONFIRM = "getCompetitivePricing", "getItemOffersBatch", "getItemOffers"
OPINION = "getCompetitiveSummary"
DOCUMENTED = {SWEEP: 0.5, DETAIL: 0.1, CONFIRM: 0.5}
LEAST_USE, LEAST_USE_CHANGED, MOST_CPU_MS, MOST_GROWTH_MB, MOST_RSS_MB = 0.97, 0.90, 15.0, 20.0, 400.0
TENTHS = 10
FILL_RATE, FILL_BURST = 50.0, 5  # what is known beforehand is asked faster than anything is measured
JUMP = 3  # a price that has grown so many times is doubted
UNSURE_EVERY = 10  # of one ASIN in so many the second opinion can't say


def _fetcher(
    folder: str, url: str, number: int, slice_s: float, sweep: list[str], detail: list[str], ready: Any, go: Any
) -> None:
    """One process: the same wishes as all others, the same account, its own connections; every unchanged answer may be
    checked."""
    tools = tools_at(Path(folder), url, CLOCK, document={"sp_api": {"audit_share": 1.0}}, timeout_s=30.0)
    tools.sp_accounts[0].check()
    run = a_run(f"run{number}", CLOCK.now(), slice_s)
    plan(tools.for_run(run), detail=detail, sweep=sweep)
    ready.release()
    go.wait()
    fetch.run(tools.for_run(run))


def known(emulator: FarEmulator, folder: Path, sweep: list[str], detail: list[str]) -> None:
    """Let the state in `folder` know all these ASINs, and half of `detail` at a third of their price.

    Asked in a folder beside it, so that no bucket of `folder` has been called from.
    """
    emulator.rates(FILL_RATE, FILL_BURST)
    filling = tools_at(_new(folder / "fill"), emulator.url, CLOCK, timeout_s=30.0)
    run = a_run("fill", CLOCK.now(), 3600)
    plan(filling.for_run(run), detail=[*sweep, *detail])
    fetch.run(filling.for_run(run))
    rows = rows_of(filling, [*sweep, *detail])
    for asin in detail[::2]:
        if (price := rows[asin].price_jpy) is not None:
            rows[asin] = replace(rows[asin], price_jpy=price // JUMP)
    with tools_at(folder, emulator.url, CLOCK).state.write() as connection:
        asins_in_state.write(connection, rows.values())
    emulator.say(
        "faults",
        **{"kind": "item_error", "operation": OPINION, "asins": detail[::UNSURE_EVERY]},
        **{"status": 500, "code": "InternalFailure", "message": "We encountered an internal error."},
    )


def use(emulator: FarEmulator, folder: Path, processes: int, rate: float, calls: int) -> bool:
    """Print how much of each bucket was used; False when too little, or anything was refused."""
    asins, slice_s = emulator.ask("world/asins"), calls / rate
    sweep, detail = asins[: calls * 20 + 400], asins[calls * 20 + 400 : calls * 40 + 1200]
    known(emulator, folder, sweep, detail)
    emulator.rates(rate)
    context = multiprocessing.get_context("spawn")
    ready, go = context.Semaphore(0), context.Event()
    workers = [
        context.Process(target=_fetcher, args=(str(folder), emulator.url, n, slice_s, sweep, detail, ready, go))
        for n in range(processes)
    ]
    for worker in workers:
        worker.start()
    for _ in workers:
        ready.acquire()
    since = emulator.last_call()
    end = time.time() + slice_s
    go.set()
    for worker in workers:
        worker.join()
    fine = True
    for operation in (SWEEP, DETAIL, CONFIRM, OPINION):
        seen = [call for call in emulator.calls(since) if call["operation"] == operation]
        refused = sum(call["http_status"] == 429 for call in seen)
        first = min(datetime.fromisoformat(call["at"]).timestamp() for call in seen)
        allowed = rate * (end - first) + 1
        share = (len(seen) - refused) / allowed
        fine &= share >= LEAST_USE and not refused
        print(f"| {processes} | {operation} | {len(seen)} | {allowed:.0f} | {share:.1%} | {refused} |", flush=True)
    asked = Counter(
        (call["operation"], asin)
        for call in emulator.calls(since)
        if call["http_status"] == 200
        for asin in _asins(call)
    )
    doubled = sum(count > 1 for (operation, _), count in asked.items() if operation != CONFIRM)
    if doubled:
        print(f"{doubled} ASINs asked twice")
    return fine and not doubled


def _asins(call: dict[str, Any]) -> list[str]:
    return call.get("asins") or call.get("details", {}).get("asins") or []


def change(emulator: FarEmulator, folder: Path, rate: float) -> bool:
    """Halve the detail rate in mid-run, restore it later; print refusals and use by phase."""
    phase_s = 60 / rate
    emulator.rates(rate)
    tools = tools_at(folder, emulator.url, CLOCK)
    asins = emulator.ask("world/asins")[: (60 * 3 * 20)]
    run = a_run("run", CLOCK.now(), 3 * phase_s)
    plan(tools.for_run(run), detail=asins)
    since = emulator.last_call()
    edges: list[datetime] = []

    def script() -> None:
        edges.append(CLOCK.now())
        for factor in (0.5, 1.0):
            time.sleep(phase_s)
            emulator.rates(rate * factor, 1, DETAIL)
            edges.append(CLOCK.now())

    thread = threading.Thread(target=script)
    thread.start()
    report = fetch.run(tools.for_run(run))
    edges.append(CLOCK.now())
    thread.join()
    calls = [call for call in emulator.calls(since) if call["operation"] == DETAIL]
    fine = True
    for name, factor, begin, end in zip(
        ("before", "halved", "restored"), (1, 0.5, 1), edges[:-1], edges[1:], strict=True
    ):
        seen = [call for call in calls if begin <= datetime.fromisoformat(call["at"]) < end]
        refused = sum(call["http_status"] == 429 for call in seen)
        allowed = rate * factor * (end - begin).total_seconds()
        share = (len(seen) - refused) / allowed
        fine &= share >= LEAST_USE_CHANGED and refused <= 2
        print(f"| {name} | {rate * factor:g}/s | {len(seen) - refused} | {allowed:.0f} | {share:.1%} | {refused} |")
    rows = Counter(row.asin for row in kept(tools) if row.operation == DETAIL)
    lost = report.planned - report.left_over - len(rows)
    doubled = sum(count > 1 for count in rows.values())
    print(f"lost {lost}, doubled {doubled} (of {report.asked} answers)")
    return fine and not lost and not doubled


def counts(emulator: FarEmulator, folder: Path, number: int) -> bool:
    """Calls of a first fill and of an hourly check with 3% changed, and the time they take at the documented rates."""
    emulator.rates(25.0, 3)
    asins = emulator.ask("world/asins")
    trial = tools_at(folder / "trial", emulator.url, CLOCK)
    for run_id, wish in (("fill", {"detail": asins}), ("look", {"sweep": asins})):
        run = a_run(run_id, CLOCK.now(), 3600)
        plan(trial.for_run(run), **wish)
        fetch.run(trial.for_run(run))
    quiet = {row.asin for row in kept(trial, "look") if row.operation == SWEEP and row.status == "success"}
    quiet -= {row.asin for row in kept(trial, "look") if row.operation != SWEEP}
    chosen = [asin for asin, row in rows_of(trial, asins).items() if asin in quiet and row.status == "success"][:number]
    tools = tools_at(folder, emulator.url, CLOCK)
    made: list[tuple[str, Counter[str]]] = []
    for name in ("first fill", "hourly check, 3% changed"):
        changed = chosen[:: 100 // 3][: number * 3 // 100] if made else []
        for asin in changed:
            price = rows_of(tools, [asin])[asin].price_jpy or 1000
            emulator.say(f"world/asins/{asin}", price_jpy=price + max(200, price // 10))
        run, since = a_run(name, CLOCK.now(), 3600), emulator.last_call()
        plan(tools.for_run(run), detail=() if made else chosen, sweep=chosen if made else ())
        fetch.run(tools.for_run(run))
        made.append((name, Counter(call["operation"] for call in emulator.calls(since))))
    print(f"| {len(chosen):,} ASINs | sweep | detail | confirm | time at the documented rates |\n|---|---|---|---|---|")
    for name, calls in made:
        hours = max(calls[op] / DOCUMENTED[op] for op in DOCUMENTED) / 3600
        print(f"| {name} | {calls[SWEEP]} | {calls[DETAIL]} | {calls[CONFIRM]} | {hours:.2f} h |")
    single = len(chosen) / DOCUMENTED[CONFIRM] / 3600
    print(f"| the design's arithmetic: one call an ASIN | 0 | 0 | {len(chosen):,} | {single:.2f} h |")
    fill, hourly = made[0][1], made[1][1]
    whole = -(-len(chosen) // 20)
    return (fill[DETAIL], hourly[SWEEP]) == (whole, whole) and hourly[DETAIL] <= whole // 25


def cost(emulator: FarEmulator, folder: Path, calls: int) -> bool:
    """Memory of a run of so many detail calls in one process, and processor time of a second run, which doubts nothing.

    The first run asks about everything for the first time: a twentieth is out of stock and gets a second look.
    """
    emulator.rates(200.0, 20)
    asins = emulator.ask("world/asins")[: calls * 20]
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_measured, args=(str(folder), emulator.url, asins, theirs))
    process.start()
    (seen_mb, most_mb, made, seconds), (cpu_ms, again) = ours.recv()
    process.join()
    print("| calls | ASINs | resident memory at each tenth of the run | most | seconds |\n|---|---|---|---|---|")
    tenths = ", ".join(f"{mb:.0f}" for mb in seen_mb)
    print(f"| {made} | {len(asins):,} | {tenths} MB | {most_mb:.0f} MB | {seconds:.0f} |")
    print(f"\nprocessor time: {cpu_ms:.1f} ms a 20-ASIN call (over {again} calls, the process as a whole)")
    flat = all(abs(mb - seen_mb[0]) <= MOST_GROWTH_MB for mb in seen_mb)
    return cpu_ms <= MOST_CPU_MS and flat and most_mb <= MOST_RSS_MB


def _measured(folder: str, url: str, asins: list[str], out: Any) -> None:
    limits = {operation: {"rate_per_s": 200.0, "burst": 20.0} for operation in (DETAIL, CONFIRM)}
    tools = tools_at(Path(folder), url, CLOCK, document={"sp_api": {"limits": limits}}, timeout_s=30.0)
    me = psutil.Process()
    seen: list[float] = []

    def watch(progress: Any) -> None:
        if progress.done >= (len(seen) + 1) * len(asins) // TENTHS:
            seen.append(me.memory_info().rss / 1e6)

    def ask(run_id: str, wanted: list[str]) -> tuple[int, float, float]:
        run = a_run(run_id, CLOCK.now(), 3600)
        plan(tools.for_run(run), detail=wanted)
        cpu, began = time.process_time(), time.monotonic()
        report = fetch.run(tools.for_run(run))
        made = sum(calls for name, calls in report.calls.items() if not name.endswith("lwaToken"))
        return made, time.process_time() - cpu, time.monotonic() - began

    tools = replace(tools, progress=watch)
    made, _, seconds = ask("first", asins)
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    again, cpu, _ = ask("second", asins[: min(len(asins), 20_000)])
    out.send(((seen, most, made, seconds), (cpu * 1000 / again, again)))


def main() -> int:
    """Print the tables; 1 when a limit is missed."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--part", choices=("use", "change", "counts", "cost"), nargs="+")
    options.add_argument("--rate", type=float, default=1.0, help="calls a second of each bucket")
    options.add_argument("--calls", type=int, default=305, help="calls that each bucket allows in a run of `use`")
    options.add_argument("--processes", type=int, nargs="+", default=[1, 2, 4])
    options.add_argument("--asins", type=int, default=10_000, help="ASINs of `counts`")
    options.add_argument("--cost-calls", type=int, default=5_000, help="calls of `cost`")
    chosen = options.parse_args()
    parts, fine = chosen.part or ["use", "change", "counts", "cost"], True
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if "use" in parts:
            print(f"## use, {chosen.rate:g} calls/s in each bucket\n")
            print("| processes | operation | calls | allowed | used | refused |\n|---|---|---|---|---|---|", flush=True)
            for processes in chosen.processes:
                with FarEmulator(folder / f"world-use{processes}", chosen.calls * 42 + 2000) as emulator:
                    fine &= use(emulator, _new(folder / f"use{processes}"), processes, chosen.rate, chosen.calls)
        if "change" in parts:
            print("\n## change\n\n| rate | | calls | allowed | used | refused |\n|---|---|---|---|---|---|", flush=True)
            with FarEmulator(folder / "world-change", 6000) as emulator:
                fine &= change(emulator, _new(folder / "change"), chosen.rate)
        if "counts" in parts:
            print("\n## counts\n", flush=True)
            with FarEmulator(folder / "world-counts", int(chosen.asins * 1.2)) as emulator:
                _new(folder / "counts" / "trial")
                fine &= counts(emulator, folder / "counts", chosen.asins)
        if "cost" in parts:
            print("\n## cost\n", flush=True)
            with FarEmulator(folder / "world-cost", chosen.cost_calls * 20 + 100) as emulator:
                fine &= cost(emulator, _new(folder / "cost"), chosen.cost_calls)
    print("\nevery limit kept" if fine else "\na limit was missed")
    return int(not fine)


def _new(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder


if __name__ == "__main__":
    sys.exit(main())
