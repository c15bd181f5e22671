"""Finds out what does not happen in a live installation: nothing ran, the daemon is down, the disk is filling.

Asked by the next thing that runs. Not for: the rules (alerts/rules/silence.py) or telling anybody (alerts/announce.py).
"""

from __future__ import annotations

import shutil
from datetime import datetime

from ecauto_pipeline.alerts.rules.silence import daemon_down, disk_low, nothing_ran
from ecauto_pipeline.alerts.verdicts import Verdict
from ecauto_pipeline.doctor.health import DAEMON_BEATS
from ecauto_pipeline.domain.cron import longest_gap
from ecauto_pipeline.state import runs as run_book
from ecauto_pipeline.sync.context import Tools
from ecauto_pipeline.sync.stale_asins.next_slice import SYNC_JOBS


def silences(tools: Tools, daemon_at: datetime | None) -> tuple[Verdict, ...]:
    """One verdict a rule of silence, and one a lane that is silent or not while others run. `daemon_at`: the daemon's
    last sign of life, None where nothing is known of one.

    In emulated mode nothing is to run by itself: only the room on the disk is looked at.
    """
    settings, now = tools.settings, tools.clock.now()
    room = disk_low(shutil.disk_usage(settings.data_dir).free, settings.alerts.min_free_gb)
    if settings.mode != "live":
        return (room,)
    with tools.state.read() as connection:
        last = run_book.last_sign(connection, SYNC_JOBS)
        by_lane = {lane.id: run_book.last_sign(connection, SYNC_JOBS, lane.id) for lane in settings.lanes}
    period = longest_gap(settings.schedules.stock)
    whole = nothing_ran(last, period, now)
    each = [nothing_ran(at, period, now, lane) for lane, at in by_lane.items()] if whole.passed else []
    return whole, *each, daemon_down(daemon_at, DAEMON_BEATS, now), room
