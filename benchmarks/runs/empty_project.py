"""Seven assets that do nothing, in the order of the program's: what a run of them costs is Dagster's own.

Loaded from its folder, without anything of the program. Not for: checks or storage of its own; Dagster as it comes.
"""

import dagster as dg

HOURS = dg.HourlyPartitionsDefinition("2026-01-01-00:00", timezone="Asia/Tokyo", fmt="%Y-%m-%d-%H:%M", end_offset=1)
AFTER = {
    "listings": (),
    "stale_asins": ("listings",),
    "sp_api_snapshots": ("stale_asins",),
    "price_diffs": ("sp_api_snapshots",),
    "visibility_diffs": ("sp_api_snapshots",),
    "base_updates": ("price_diffs", "visibility_diffs"),
    "capacity": (),
}


def _nothing(name: str, after: tuple[str, ...]) -> dg.AssetsDefinition:
    @dg.asset(name=name, deps=list(after), partitions_def=HOURS, backfill_policy=dg.BackfillPolicy.single_run())
    def asset() -> None:
        return None

    return asset


defs = dg.Definitions(
    assets=[_nothing(name, after) for name, after in AFTER.items()],
    jobs=[dg.define_asset_job("everything", selection=list(AFTER))],
    executor=dg.in_process_executor,
)
