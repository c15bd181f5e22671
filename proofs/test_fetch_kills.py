"""Fifty kills of a fetching run: nothing acknowledged is lost, doubled or asked again, no claim is stuck."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import time
from collections import Counter
from datetime import datetime
from pathlib import Path

from sqlalchemy import select

from ecauto_pipeline.clock import SystemClock
from ecauto_pipeline.emulator.server import EmulatorServer
from ecauto_pipeline.state import leases
from ecauto_pipeline.state.schema_calls import leases as lease_table
from ecauto_pipeline.sync.sp_api_snapshots import fetch
from ecauto_pipeline_tests.sync.sp_api_snapshots.means import a_run, kept, plan, tools_at

_KILLS = 50
_CLOCK = SystemClock()


def _fetching(folder: str, url: str, started_at: datetime) -> None:
    fetch.run(tools_at(Path(folder), url, _CLOCK).for_run(a_run("run", started_at, 3600)))


def test_fifty_kills_at_random_moments_cost_at_most_the_calls_in_flight(tmp_path: Path) -> None:
    """After each kill: every row seen before is still there, none is there twice, and the restart goes on at once."""
    chance, context = random.Random(11), multiprocessing.get_context("spawn")
    with EmulatorServer(clock=_CLOCK, seed=11, listings=6000, accounts=1, speed=1.0) as world:
        for operation in ("getItemOffersBatch", "getItemOffers", "getCompetitivePricing"):
            world.control.set_rate(operation, 8.0)
        asins = world.control.asins()
        tools, started = tools_at(tmp_path, world.url, _CLOCK), _CLOCK.now()
        plan(tools.for_run(a_run("run", started, 3600)), detail=asins[:3000], sweep=asins[3000:])
        kept_ids: set[str] = set()
        for number in range(_KILLS + 1):
            process = context.Process(target=_fetching, args=(str(tmp_path), world.url, started), daemon=True)
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
        assert set(asins) == {asin for _, asin in asked}
        assert {1} == {count for (operation, _), count in asked.items() if operation != "getItemOffers"}
        answered = [call for call in world.control.calls(api="sp_api") if call["http_status"] == 200]
        sent = Counter((call["operation"], asin) for call in answered for asin in call["details"]["asins"])
        again = sum(count - 1 for count in sent.values())
        assert again <= _KILLS * (20 + 20 + 1), "at most the calls in flight at each kill"
