"""Sensor `next_slice`: launches the next slice of the hour, of each lane that has work and budget left.

Lanes are looked at one after the other, for at most some seconds a tick: where there are many, the next tick begins
with the first that had no look. Not for: the decision (domain/freshness/slicing.py) or what a slice does.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import dagster as dg

from ecauto_pipeline.defs.jobs import stock_sync
from ecauto_pipeline.defs.lanes import SIDE_BY_SIDE, config_of, tags_of
from ecauto_pipeline.defs.living_runs import active_runs, stands_before
from ecauto_pipeline.defs.partitions import hour_key
from ecauto_pipeline.defs.run_keys import died, free_key, tick_key
from ecauto_pipeline.domain.lanes import Lane, in_turn
from ecauto_pipeline.settings import Settings
from ecauto_pipeline.sync.context import Tools
from ecauto_pipeline.sync.stale_asins.next_slice import NextSlice, decide_next
from ecauto_pipeline.wiring.lanes import working_lanes
from ecauto_pipeline.wiring.open import open_tools

LOOK_EVERY_S = {"budget": 10, "due": 30}
"""By `[tiers] spend`. Where every call is to be used, a slice begins as the one before ends; where only what is due is
asked there is mostly one an hour, and a look costs Dagster's processes more than ours."""
LOOKS_FOR_S = 5.0
TOO_EARLY = (
    "前の実行が記録を始める前に終わりました。しばらくして再試行します / "
    "the last run died before it opened its record, tried again soon"
)


def build_next_slice(settings: Settings, status: dg.DefaultSensorStatus) -> dg.SensorDefinition:
    """The sensor, over the lanes of these settings that have an active shop."""
    lanes = working_lanes(settings)

    @dg.sensor(
        job=stock_sync,
        minimum_interval_seconds=LOOK_EVERY_S[settings.tiers.spend],
        default_status=status,
        description="Launches the next slice of the hour while it has work and budget left, lane by lane.",
    )
    def next_slice(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason | list[dg.RunRequest]:
        with open_tools(settings, offline=True) as tools:
            asked, why_not, unseen = look(context.instance, tools, lanes, context.cursor or "")
        if len(lanes) > 1:
            context.update_cursor(unseen)
        if not asked:
            return dg.SkipReason(", ".join(dict.fromkeys(why_not.values())))
        return asked[0] if len(asked) == 1 else asked

    return next_slice


def look(
    instance: dg.DagsterInstance, tools: Tools, lanes: Sequence[Lane], first: str = ""
) -> tuple[list[dg.RunRequest], dict[str, str], str]:
    """One look, from lane `first` on: what is asked for, by lane why nothing is, and the lane that had no look."""
    asked: list[dg.RunRequest] = []
    why_not: dict[str, str] = {}
    runs = [one for one in active_runs(instance, tools) if one.run.job_name not in SIDE_BY_SIDE]
    until = tools.clock.monotonic() + LOOKS_FOR_S
    for lane in in_turn(lanes, first):
        if (asked or why_not) and tools.clock.monotonic() > until:
            return asked, why_not, lane.id
        now = tools.clock.now()
        key = hour_key(now)
        living = [one.run.run_id for one in runs if stands_before(one, lane.id)]
        tick = tick_key(stock_sync.name, key, lane)
        decision = decide_next(tools.in_lane(lane), living, partial(died, instance, tick, now))
        run_key = free_key(instance, _key_of(lane, decision, key), now) if decision.launch else None
        if run_key is not None:
            asked.append(_slice_of(lane, decision, key, run_key, tools.settings))
        else:
            why_not[lane.id] = TOO_EARLY if decision.launch else decision.reason
    return asked, why_not, ""


def _key_of(lane: Lane, decision: NextSlice, key: str) -> str:
    """It names the run that the slice follows, so that no slice is asked for twice. `key`: the hour's partition."""
    return f"{key}:{decision.slice_no}:{decision.after_run}" + ("" if lane.whole else f":{lane.id}")


def _slice_of(lane: Lane, decision: NextSlice, key: str, run_key: str, settings: Settings) -> dg.RunRequest:
    config = {"trigger": "next_slice", "slice_no": decision.slice_no, "spend": settings.tiers.spend}
    return dg.RunRequest(
        run_key=run_key,
        partition_key=key,
        run_config={"resources": {"pipeline": {"config": {**config, **config_of(lane)}}}},
        tags=tags_of(lane, fleet=settings.fleet.on),
    )
