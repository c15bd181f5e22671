"""Sensor `next_slice`: launches the next slice of the hour, of each lane that has work and budget left.

Lanes are looked at one after the other, for at most some seconds a tick: where there are many, the next tick begins
with the first that had no look. Not for: the decision (domain/freshness/slicing.py) or what a slice does.
"""

from __future__ import annotations

import dagster as dg

from ecauto_pipeline.defs.jobs import stock_sync
from ecauto_pipeline.defs.lanes import SIDE_BY_SIDE, config_of, tags_of
from ecauto_pipeline.defs.living_runs import active_runs, stands_before
from ecauto_pipeline.defs.partitions import hour_key
from ecauto_pipeline.domain.lanes import Lane, in_turn
from ecauto_pipeline.settings import Settings
from ecauto_pipeline.sync.stale_asins.next_slice import NextSlice, decide_next
from ecauto_pipeline.wiring.lanes import working_lanes
from ecauto_pipeline.wiring.open import open_tools

LOOK_EVERY_S = {"budget": 10, "due": 30}
"""By `[tiers] spend`. Where every call is to be used, a slice begins as the one before ends; where only what is due is
asked there is mostly one an hour, and a look costs Dagster's processes more than ours."""
LOOKS_FOR_S = 5.0


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
        asked: list[dg.RunRequest] = []
        why_not: dict[str, str] = {}
        unseen = ""
        with open_tools(settings, offline=True) as tools:
            runs = [one for one in active_runs(context.instance, tools) if one.run.job_name not in SIDE_BY_SIDE]
            key, until = hour_key(tools.clock.now()), tools.clock.monotonic() + LOOKS_FOR_S
            for lane in in_turn(lanes, context.cursor or ""):
                if (asked or why_not) and tools.clock.monotonic() > until:
                    unseen = lane.id
                    break
                living = [one.run.run_id for one in runs if stands_before(one, lane.id)]
                decision = decide_next(tools.in_lane(lane), living)
                if decision.launch:
                    asked.append(_slice_of(lane, decision, key, settings))
                else:
                    why_not[lane.id] = decision.reason
        if len(lanes) > 1:
            context.update_cursor(unseen)
        if not asked:
            return dg.SkipReason(", ".join(dict.fromkeys(why_not.values())))
        return asked[0] if len(asked) == 1 else asked

    return next_slice


def _slice_of(lane: Lane, decision: NextSlice, key: str, settings: Settings) -> dg.RunRequest:
    """`key`: the hour's partition. The run key names the run it follows, so that no slice is asked for twice."""
    config = {"trigger": "next_slice", "slice_no": decision.slice_no, "spend": settings.tiers.spend}
    return dg.RunRequest(
        run_key=f"{key}:{decision.slice_no}:{decision.after_run}" + ("" if lane.whole else f":{lane.id}"),
        partition_key=key,
        run_config={"resources": {"pipeline": {"config": {**config, **config_of(lane)}}}},
        tags=tags_of(lane, fleet=settings.fleet.on),
    )
