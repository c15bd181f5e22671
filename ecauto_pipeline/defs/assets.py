"""The flow on one page, in order: listings -> stale_asins -> sp_api_snapshots -> diffs -> base_updates.

Each asset calls its step of the line (sync/line.py) and shows what it reported. Not for: how (sync/), in which order
(sync/line.py) or what may be done (resources.py).
"""

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

import dagster as dg

from ecauto_pipeline.defs.checks import results, specs
from ecauto_pipeline.defs.columns import column_schema
from ecauto_pipeline.defs.day_pictures import day_pictures
from ecauto_pipeline.defs.failures import in_words
from ecauto_pipeline.defs.metadata import live_progress, run_figures
from ecauto_pipeline.defs.resources import Pipeline
from ecauto_pipeline.sync.context import Context
from ecauto_pipeline.sync.line import STEPS, finish
from ecauto_pipeline.sync.run_record import SectionName

_JOB = "/locations/ecauto_pipeline/jobs"
"""Where the UI has a job's launchpad; the location is named so in workspace.yaml."""


class _Common(TypedDict):
    deps: Sequence[str]
    metadata: Mapping[str, Any]
    check_specs: Sequence[dg.AssetCheckSpec]
    backfill_policy: dg.BackfillPolicy
    owners: Sequence[str]
    group_name: str


def _of(asset: str) -> _Common:
    """What every asset of the line has: its place in the order, its columns, its checks, how it is backfilled."""
    return {
        "deps": list(STEPS[asset].after),
        "metadata": column_schema(asset),
        "check_specs": specs(asset),
        "backfill_policy": dg.BackfillPolicy.single_run(),
        "owners": ["team:shop"],
        "group_name": "sync",
    }


def _done(work: Context, asset: SectionName) -> dg.MaterializeResult:
    """The step done, its figures and what the asset's rules say of the run so far."""
    section = STEPS[asset].work(work)
    return dg.MaterializeResult(metadata=run_figures(work, asset, section), check_results=results(work, asset))


@dg.asset(
    **_of("listings"),
    kinds={"sqlite", "http"},
    description="One row per listing: master.db joined with what BASE shows (price in yen, public or hidden, stock).",
)
@in_words
def listings(context: dg.AssetExecutionContext, pipeline: Pipeline) -> dg.MaterializeResult:
    return _done(pipeline.context, "listings")


@dg.asset(
    **_of("stale_asins"),
    kinds={"sqlite"},
    description="One row per ASIN this slice asks about: new, failed, in doubt, or older than its tier allows.",
)
@in_words
def stale_asins(context: dg.AssetExecutionContext, pipeline: Pipeline) -> dg.MaterializeResult:
    return _done(pipeline.context, "stale_asins")


@dg.asset(
    **_of("sp_api_snapshots"),
    kinds={"amazon", "http"},
    description="One row per requested ASIN per request: what Amazon said (status, price in yen, offer count).",
)
@in_words
def sp_api_snapshots(context: dg.AssetExecutionContext, pipeline: Pipeline) -> dg.MaterializeResult:
    with live_progress(context, pipeline.context) as work:
        return _done(work, "sp_api_snapshots")


@dg.asset(
    **_of("price_diffs"),
    kinds={"sqlite"},
    description="One row per listing whose price (yen) should change, is held, blocked, or can't be judged.",
)
@in_words
def price_diffs(context: dg.AssetExecutionContext, pipeline: Pipeline) -> dg.MaterializeResult:
    return _done(pipeline.context, "price_diffs")


@dg.asset(
    **_of("visibility_diffs"),
    kinds={"sqlite"},
    description="One row per listing that should be shown, hidden or restocked (0/1), is held, or can't be judged.",
)
@in_words
def visibility_diffs(context: dg.AssetExecutionContext, pipeline: Pipeline) -> dg.MaterializeResult:
    return _done(pipeline.context, "visibility_diffs")


@dg.asset(
    **_of("base_updates"),
    kinds={"http", "duckdb"},
    description=(
        "One row per edit sent to BASE: hides first, then price rises, then the rest; before and after.\n\n"
        f"保留中の変更 / held rows: [release_holds]({_JOB}/release_holds/playground) ・ "
        f"取り消し / undo a run: [rollback_run]({_JOB}/rollback_run/playground) ・ "
        f"送信の停止 / stop all pushing: [stop_pushing]({_JOB}/stop_pushing/playground) ・ "
        f"理由 / why: [explain]({_JOB}/explain/playground)"
    ),
)
@in_words
def base_updates(context: dg.AssetExecutionContext, pipeline: Pipeline) -> dg.MaterializeResult:
    with live_progress(context, pipeline.context) as work:
        section = STEPS["base_updates"].work(work)
    finish(pipeline.context)
    drawn = day_pictures(context.instance, pipeline.context)
    shown = run_figures(pipeline.context, "base_updates", section)
    return dg.MaterializeResult(metadata=drawn | shown, check_results=results(work, "base_updates"))


ASSETS = [listings, stale_asins, sp_api_snapshots, price_diffs, visibility_diffs, base_updates]
