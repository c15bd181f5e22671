"""Holding a shop is a sign of life: a run that pushes for an hour is not taken for dead."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from ecauto_pipeline.domain.model import AccountKey
from ecauto_pipeline.state import leases
from ecauto_pipeline.state import runs as run_book
from ecauto_pipeline.sync.base_updates.push_lease import PushLease
from ecauto_pipeline_tests.sync.diffs.selling import World


def test_taking_and_keeping_a_shop_beats(tmp_path: Path) -> None:
    """Every time that the lease is renewed, and not in between."""
    world = World(tmp_path)
    context = world.tools.for_run(world.run())
    run_id, began = context.run.run_id, context.clock.now()
    with world.state.write() as connection:
        run_book.begin(connection, run_id, "full_sync", "", began - timedelta(hours=1), False)
    lease, beats = PushLease(context, AccountKey("base", "shop_1")), []

    def heartbeat() -> timedelta | None:
        with world.state.read() as connection:
            row = run_book.read(connection, run_id)
        return None if row is None or row.heartbeat_at is None else row.heartbeat_at - began

    assert lease.claim()
    for seconds in (0.0, leases.RENEW_EVERY_S / 2, leases.RENEW_EVERY_S):
        context.clock.sleep(seconds)
        assert lease.renew()
        beats.append(heartbeat())
    assert [timedelta(0), timedelta(0), timedelta(seconds=15)] == beats
