"""Waits out a shop whose calls are back in a moment, so that a run needn't leave its work to the next one.

That is so at the edge of an hour: it begins within a minute, or the shop still counts the one before
(domain/selling/window_edges.py). What takes longer is the next run's.
Not for: sensors and commands, which do not wait.
"""

from __future__ import annotations

from datetime import timedelta

from ecauto_pipeline.errors import BudgetSpent
from ecauto_pipeline.sync.context import Tools

A_MOMENT = timedelta(minutes=1)
MOST_WAITS = 5
"""In one reading, or one worker: by then the shop means it."""


def back_in_a_moment(tools: Tools, spent: BudgetSpent) -> bool:
    """Whether waiting it out is worth while."""
    return spent.until - tools.clock.now() <= A_MOMENT


def wait_out(tools: Tools, spent: BudgetSpent) -> None:
    """Wait until this shop may be asked again. Raises Stopped."""
    seconds = (spent.until - tools.clock.now()).total_seconds()
    tools.clock.sleep(max(0.0, seconds), wake=tools.stop)
    tools.go_on()
