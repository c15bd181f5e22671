"""Fifty kills of fetching runs, each the retry of the first: nothing acknowledged is lost, doubled or asked again, no
claim is stuck. Doubts stand over most of the kills: the second opinion that settles them is the slowest question."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import time
from collections import Counter
from datetime import datetime
from pathlib import Path

from sqlalchemy import insert, select

from ecauto_pipeline.clock import SystemClock
from ecauto_pipeline.emulator.server import EmulatorServer
from ecauto_pipeline.state import leases
from ecauto_pipeline.state.schema import listings
from ecauto_pipeline.state.schema_calls import leases as lease_table
from ecauto_pipeline.sync.sp_api_snapshots import fetch
from ecauto_pipeline_tests.sync.sp_api_snapshots.means import a_run, kept, plan, rows_of, tools_at

_KILLS = 50
_RATES = {"getItemOffersBatch": 8.0, "getItemOffers": 8.0, "getCompetitivePricing": 8.0, "getCompetitiveSummary": 1.0}
_LIMITS = {"sp_api": {"limits": {name: {"rate_per_s": rate} for name, rate in _RATES.items()}}}
_CLOCK = SystemClock()


def _fetching(folder: str, url: str, run_id: str, started_at: datetime) -> None:
    run = a_run(run_id, started_at, 3600, retries="run")
    fetch.run(tools_at(Path(folder), url, _CLOCK, document=_LIMITS).for_run(run))


def test_fifty_kills_at_random_moments_cost_at_most_the_calls_in_flight(tmp_path: Path) -> None:
    """After each kill: every row seen before is still there, none is there twice, and the retry goes on at once. Over
    all of them no operation is asked twice about an ASIN whose answer was kept, a doubted one neither, and what
    was asked in vain is at most one call of each operation a kill."""
    chance, context = random.Random(11), multiprocessing.get_context("spawn")
    with EmulatorServer(clock=_CLOCK, seed=11, listings=6000, accounts=1, speed=1.0) as world:
        for operation, rate_per_s in _RATES.items():
            world.control.set_rate(operation, rate_per_s)
        asins = world.control.asins()
        tools, started = tools_at(tmp_path, world.url, _CLOCK, document=_LIMITS), _CLOCK.now()
        rows_listed = [
            {"platform": "base", "account_id": "a", "item_id": str(number), "asin": asin, "listed": 1}
            for number, asin in enumerate(asins)
        ]
        with tools.state.write() as connection:
            connection.execute(insert(listings), rows_listed)
        plan(tools.for_run(a_run("run", started, 3600)), detail=asins[:3000], sweep=asins[3000:])
        kept_ids: set[str] = set()
        for number in range(_KILLS + 1):
            process = context.Process(
                target=_fetching, args=(str(tmp_path), world.url, f"retry {number}", started), daemon=True
            )
            process.start()
            if number < _KILLS:
                before, deadline = len(kept_ids), time.monotonic() + 60
                while len(kept(tools)) == before and process.is_alive() and time.monotonic() < deadline:
                    time.sleep(0.02)
                time.sleep(chance.uniform(0, 0.6))
                os.kill(process.pid or 0, signal.SIGKILL)
            process.join(600)
            rows = [row.snapshot_id for row in kept(tools)]
            assert len(rows) == len(set(rows))
            assert kept_ids <= set(rows)
            kept_ids = set(rows)
            now = _CLOCK.now()
            with tools.state.read() as connection:
                held = leases.read(connection, list(connection.execute(select(lease_table.c.name)).scalars()))
            assert all(lease.expires_at <= now + leases.LIFE for lease in held)
            assert all(leases.stale(lease, now) for lease in held)
        asked = Counter((row.operation, row.asin) for row in kept(tools))
        unknown = [row.asin for row in rows_of(tools, asins).values() if row.status is None and not row.error_reason]
        assert [] == unknown
        assert {1} == set(asked.values()), "a doubt is put to another operation; none is asked twice"
        answered = [call for call in world.control.calls(api="sp_api") if call["http_status"] == 200]
        sent = Counter((call["operation"], asin) for call in answered for asin in call["details"].get("asins", ()))
        in_vain = Counter(operation for operation, _ in (sent - asked).elements())
        most = {operation.name: _KILLS * operation.batch for operation in fetch.operations(tools)}
        assert {} == {name: count for name, count in in_vain.items() if count > most[name]}, "the calls in flight"
