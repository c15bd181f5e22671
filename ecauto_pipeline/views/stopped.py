"""Pushing that stands stopped, for the line that every page shows. Not for: stopping (sync/people/stop.py)."""

from __future__ import annotations

from ecauto_pipeline.doctor.health import StopSeen
from ecauto_pipeline.doctor.health_facts import stops_seen
from ecauto_pipeline.sync.context import Tools


def pushing_stopped(tools: Tools) -> tuple[StopSeen, ...]:
    """Each stop with the shop's name ("" = every shop), who said so, and since when."""
    with tools.state.read() as connection:
        return stops_seen(connection, tools.settings)
