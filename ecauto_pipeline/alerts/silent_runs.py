"""Runs that give no sign of life: the rule `run_stuck` for every job that runs or ran stuck before.

Not for: ending them (Dagster's run monitoring) or telling people (announce.py).
"""

from __future__ import annotations

from ecauto_pipeline.alerts.announce import firing_now
from ecauto_pipeline.alerts.rule import in_lane
from ecauto_pipeline.alerts.rules.runs import run_stuck
from ecauto_pipeline.alerts.verdicts import Verdict
from ecauto_pipeline.domain.liveness import LONGEST_SILENCE
from ecauto_pipeline.state import runs as run_book
from ecauto_pipeline.sync.context import Tools


def stuck_runs(tools: Tools, longest_silence_s: float = LONGEST_SILENCE.total_seconds()) -> tuple[Verdict, ...]:
    """One verdict a job and lane: its most silent open run, or "alive" where the rule fired and none is open now."""
    now = tools.clock.now()
    with tools.state.read() as connection:
        rows = run_book.unended(connection)
    worst: dict[str, Verdict] = {}
    for row in rows:
        job = in_lane(row.job, row.lane)
        verdict = run_stuck(row.run_id, job, row.heartbeat_at or row.started_at, now, longest_silence_s)
        if job not in worst or (verdict.value or 0) > (worst[job].value or 0):
            worst[job] = verdict
    for key, _ in firing_now(tools):
        rule, _, job = key.partition(":")
        if rule == "run_stuck" and job not in worst:
            worst[job] = run_stuck("", job, now, now, longest_silence_s)
    return tuple(worst[job] for job in sorted(worst))
