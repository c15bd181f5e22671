"""The flow on one page, in order: listings -> stale_asins -> sp_api_snapshots -> diffs -> base_updates.

Each asset calls one step and shows what it reported. Not for: how (sync/) or what may be done (resources.py).
"""

from typing import Any

import dagster as dg

from ecauto_pipeline.defs.checks import results, specs
from ecauto_pipeline.defs.columns import column_schema
from ecauto_pipeline.defs.metadata import figures, live_progress
from ecauto_pipeline.defs.resources import Pipeline
from ecauto_pipeline.reports.asset_pictures import pictures_of_the_day
from ecauto_pipeline.sync.base_updates import push
from ecauto_pipeline.sync.diffs import price, visibility
from ecauto_pipeline.sync.listings import read
from ecauto_pipeline.sync.publish import publish
from ecauto_pipeline.sync.run_record import end_run
from ecauto_pipeline.sync.sp_api_snapshots import fetch
from ecauto_pipeline.sync.stale_asins import plan

_POLICY: dict[str, Any] = {
    "backfill_policy": dg.BackfillPolicy.single_run(),
    "owners": ["team:shop"],
    "group_name": "sync",
}
_JOB = "/locations/ecauto_pipeline/jobs"
"""Where the UI has a job's launchpad; the location is named so in workspace.yaml."""


@dg.asset(
    **_POLICY,
    metadata=column_schema("listings"),
    kinds={"sqlite", "http"},
    check_specs=specs("listings"),
    description="One row per listing: master.db joined with what BASE shows (price in yen, public or hidden, stock).",
)
def listings(context: dg.AssetExecutionContext, pipeline: Pipeline) -> dg.MaterializeResult:
    report = read.run(pipeline.context)
    return dg.MaterializeResult(metadata=figures(report), check_results=results(pipeline, "listings"))


@dg.asset(
    **_POLICY,
    metadata=column_schema("stale_asins"),
    deps=[listings],
    kinds={"sqlite"},
    check_specs=specs("stale_asins"),
    description="One row per ASIN this slice asks about: new, failed, in doubt, or older than its tier allows.",
)
def stale_asins(context: dg.AssetExecutionContext, pipeline: Pipeline) -> dg.MaterializeResult:
    report = plan.run(pipeline.context)
    return dg.MaterializeResult(metadata=figures(report), check_results=results(pipeline, "stale_asins"))


@dg.asset(
    **_POLICY,
    metadata=column_schema("sp_api_snapshots"),
    deps=[stale_asins],
    kinds={"amazon", "http"},
    check_specs=specs("sp_api_snapshots"),
    description="One row per requested ASIN per request: what Amazon said (status, price in yen, offer count).",
)
def sp_api_snapshots(context: dg.AssetExecutionContext, pipeline: Pipeline) -> dg.MaterializeResult:
    with live_progress(context, pipeline.context) as work:
        report = fetch.run(work)
    return dg.MaterializeResult(metadata=figures(report), check_results=results(pipeline, "sp_api_snapshots"))


@dg.asset(
    **_POLICY,
    metadata=column_schema("price_diffs"),
    deps=[sp_api_snapshots],
    kinds={"sqlite"},
    description="One row per listing whose price (yen) should change, is held, blocked, or can't be judged.",
)
def price_diffs(context: dg.AssetExecutionContext, pipeline: Pipeline) -> dg.MaterializeResult:
    report = price.run(pipeline.context)
    return dg.MaterializeResult(metadata=figures(report))


@dg.asset(
    **_POLICY,
    metadata=column_schema("visibility_diffs"),
    deps=[sp_api_snapshots],
    kinds={"sqlite"},
    description="One row per listing that should be shown, hidden or restocked (0/1), is held, or can't be judged.",
)
def visibility_diffs(context: dg.AssetExecutionContext, pipeline: Pipeline) -> dg.MaterializeResult:
    report = visibility.run(pipeline.context)
    return dg.MaterializeResult(metadata=figures(report))


@dg.asset(
    **_POLICY,
    metadata=column_schema("base_updates"),
    deps=[price_diffs, visibility_diffs],
    kinds={"http", "duckdb"},
    check_specs=specs("base_updates"),
    description=(
        "One row per edit sent to BASE: hides first, then price rises, then the rest; before and after.\n\n"
        f"保留中の変更 / held rows: [release_holds]({_JOB}/release_holds/playground) ・ "
        f"取り消し / undo a run: [rollback_run]({_JOB}/rollback_run/playground) ・ "
        f"理由 / why: [explain]({_JOB}/explain/playground)"
    ),
)
def base_updates(context: dg.AssetExecutionContext, pipeline: Pipeline) -> dg.MaterializeResult:
    with live_progress(context, pipeline.context) as work:
        report = push.run(work)
    end_run(pipeline.context)
    publish(pipeline.context)
    drawn = {title: dg.MetadataValue.md(text) for title, text in pictures_of_the_day(pipeline.context).items()}
    return dg.MaterializeResult(metadata=drawn | figures(report), check_results=results(pipeline, "base_updates"))


ASSETS = [listings, stale_asins, sp_api_snapshots, price_diffs, visibility_diffs, base_updates]
