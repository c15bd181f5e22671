"""Runs that give no sign of life: the rule `run_stuck` for every job that runs or ran stuck before.

Not for: ending them (Dagster's run monitoring) or telling people (announce.py).
"""

from __future__ import annotations

from sqlalchemy import select

from ecauto_pipeline.alerts.announce import firing_now
from ecauto_pipeline.alerts.rules import Verdict, run_stuck
from ecauto_pipeline.clock import from_ms
from ecauto_pipeline.state.schema import runs
from ecauto_pipeline.sync.context import Tools

LONGEST_SILENCE_S = 900.0
"""Steps beat at least once a batch (12 s); fifteen minutes are far more than any single call may take."""


def stuck_runs(tools: Tools, longest_silence_s: float = LONGEST_SILENCE_S) -> tuple[Verdict, ...]:
    """One verdict a job: its most silent open run, or "alive" where the rule fired and no run is open any more."""
    now = tools.clock.now()
    with tools.state.read() as connection:
        rows = connection.execute(
            select(runs.c.run_id, runs.c.job, runs.c.started_at, runs.c.heartbeat_at).where(runs.c.ended_at.is_(None))
        ).all()
    worst: dict[str, Verdict] = {}
    for row in rows:
        beat = from_ms(row.heartbeat_at or row.started_at)
        verdict = run_stuck(row.run_id, row.job, beat, now, longest_silence_s)
        if row.job not in worst or (verdict.value or 0) > (worst[row.job].value or 0):
            worst[row.job] = verdict
    for key, _ in firing_now(tools):
        rule, _, job = key.partition(":")
        if rule == "run_stuck" and job not in worst:
            worst[job] = run_stuck("", job, now, now, longest_silence_s)
    return tuple(worst[job] for job in sorted(worst))
