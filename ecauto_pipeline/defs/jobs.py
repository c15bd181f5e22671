"""The jobs people and schedules start, and what each may do where the launchpad says nothing else.

A policy stands here for every job, those of by_hand.py too; a run of no job of ours (materialize) has its own.
Not for: when they start (schedules.py, sensors.py) or the forms of the jobs by hand (by_hand.py).
"""

from __future__ import annotations

from dataclasses import dataclass

import dagster as dg

from ecauto_pipeline.settings import Settings
from ecauto_pipeline.sync.context import IncludePrice
from ecauto_pipeline.sync.line import LINE
from ecauto_pipeline.sync.log_files import SYNC, VALIDATION


@dataclass(frozen=True, slots=True)
class JobPolicy:
    """What the runs of a job may do. `prices` None: as ecauto.toml says ([schedules] include_price)."""

    prices: IncludePrice | None = "all"
    visibility: bool = True  # hide, show and restock; the launchpad may forbid it, never allow it
    fetch: bool = True  # ask Amazon
    push: bool = True  # send the shops edits
    log: str = SYNC  # which dated log file it writes

    def include_price(self, settings: Settings) -> IncludePrice:
        """Which prices a run of this job may send by default."""
        return self.prices if self.prices is not None else settings.schedules.include_price


STOCK_ASSETS = tuple(step.name for step in LINE)
PRICE_ASSETS = tuple(name for name in STOCK_ASSETS if name != "visibility_diffs")

stock_sync = dg.define_asset_job(
    "stock_sync",
    selection=list(STOCK_ASSETS),
    description="毎時の在庫同期: visibility, stock and prices ([schedules] include_price says which).",
)
price_sync = dg.define_asset_job(
    "price_sync",
    selection=list(PRICE_ASSETS),
    description="毎日02:00の価格同期: prices alone; hides nothing but a loss that can't be corrected now.",
)
full_sync = dg.define_asset_job(
    "full_sync",
    selection=list(STOCK_ASSETS),
    description="価格・公開状態・在庫をすべて同期: price, visibility and stock in one run.",
)
validate_cache = dg.define_asset_job(
    "validate_cache",
    selection=["listings", "stale_asins", "sp_api_snapshots"],
    description="キャッシュの検証と補充: fetches what is missing or too old; pushes nothing.",
)

SYNC_JOBS = [stock_sync, price_sync, full_sync, validate_cache]

MATERIALIZE = JobPolicy()
"""Assets that a person materializes or backfills, of whatever job: everything, for one chooses the assets."""

POLICIES = {
    "stock_sync": JobPolicy(prices=None),
    "price_sync": JobPolicy(visibility=False),
    "full_sync": JobPolicy(),
    "validate_cache": JobPolicy(push=False, log=VALIDATION),
    "catalog_refresh": JobPolicy(push=False),
    "order_watch": JobPolicy(push=False),
    "release_holds": JobPolicy(fetch=False),
    "rollback_run": JobPolicy(fetch=False),
    "apply_plan": JobPolicy(fetch=False),
}


def policy_of(job_name: str) -> JobPolicy:
    """What runs of this job may do; of an unknown one (Dagster's own job behind Materialize): MATERIALIZE."""
    return POLICIES.get(job_name, MATERIALIZE)


def pushes_in_the_end(run: dg.DagsterRun, include_visibility: bool) -> bool:
    """Whether this run's steps go on to judging and pushing, so that what it finds may leave while it still asks.

    Whoever materializes the asking alone has asked for no edit.
    """
    if run.step_keys_to_execute is not None:
        steps = set(run.step_keys_to_execute)
    elif run.asset_selection is not None:
        steps = {key.to_user_string() for key in run.asset_selection}
    else:
        return True
    judged = {"price_diffs", "visibility_diffs"} if include_visibility else {"price_diffs"}
    return {*judged, "base_updates"} <= steps
