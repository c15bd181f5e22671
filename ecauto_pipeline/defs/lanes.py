"""Whose lane a run of Dagster's is: the tag that says it, and what else of a run does.

On one machine runs of the whole (one lane with every shop, the default) carry no tag, so that nothing limits how many
of them run side by side. In a fleet they do: a lane has one run at a time there, and one that waits in Dagster's queue
keeps no worker waiting. Not for: which lanes there are (wiring/lanes.py) or what a run does in its lane (sync/).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dagster as dg

from ecauto_pipeline.domain.lanes import WHOLE_LANE, Lane

LANE_TAG = "ecauto/lane"
"""dagster.yaml lets one run of each of its values work at a time."""

SIDE_BY_SIDE = frozenset({"order_watch"})
"""Jobs whose runs wait for no other run of their lane, and so carry no tag: somebody is about to buy."""
ORDERS_TAG = "ecauto/orders_of_lane"
"""The lane of a run of `order_watch`."""


def tags_of(lane: Lane, tag: str = LANE_TAG, *, fleet: bool = False) -> dict[str, str]:
    """The tags of a run that is asked for in this lane. `fleet`: the whole is tagged as well."""
    return {tag: lane.id} if fleet or not lane.whole else {}


def config_of(lane: Lane) -> dict[str, str]:
    """What the launchpad of such a run says."""
    return {} if lane.whole else {"lane": lane.id}


def lane_id(run: dg.DagsterRun) -> str:
    """The lane of a run that was asked for: by its tag, else by its launchpad, else the whole."""
    return run.tags.get(LANE_TAG) or _chosen(run.run_config) or WHOLE_LANE


def _chosen(run_config: Mapping[str, Any]) -> str:
    """The lane that the launchpad names, "" = none."""
    config: Any = run_config.get("resources", {}).get("pipeline", {}).get("config", {})
    return str(config.get("lane", "")) if isinstance(config, Mapping) else ""
