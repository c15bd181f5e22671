"""The asset that can be looked at before money is spent: what the limits in force can keep fresh.

Not partitioned, in no schedule: materialize it when a shop grows. Not for: the flow (assets.py).
"""

from math import isfinite

import dagster as dg

from ecauto_pipeline.defs.failures import in_words
from ecauto_pipeline.reports.capacity import capacity as capacity_now
from ecauto_pipeline.reports.capacity import markdown
from ecauto_pipeline.settings import load
from ecauto_pipeline.wiring.open import open_tools


class CapacityConfig(dg.Config):
    """A supposed shop; 0 = this one as it is."""

    listings: int = 0
    sp_accounts: int = 0


@dg.asset(
    group_name="capacity",
    owners=["team:shop"],
    kinds={"sqlite"},
    description="One row per limit: what Amazon's and BASE's limits allow, and what this shop asks of them (per hour).",
)
@in_words
def capacity(config: CapacityConfig) -> dg.MaterializeResult:
    from ecauto_pipeline.reports.capacity_picture import capacity_load  # matplotlib is slow to import
    from ecauto_pipeline.reports.drawing import as_markdown

    settings = load()
    with open_tools(settings, offline=True) as tools:
        found = capacity_now(tools, config.listings or None, config.sp_accounts or None)
    figures = {
        "detail_load": found.detail_load,
        "sweep_load": found.sweep_load,
        "first_fill_h": found.first_fill_h,
    }
    picture = as_markdown("capacity", capacity_load(found, settings.alerts.language))
    return dg.MaterializeResult(
        metadata={
            "asins": found.shop.asins,
            "fits": found.fits,
            **{name: figure for name, figure in figures.items() if isfinite(figure)},  # nobody asks: there is none
            "accounts_needed": found.accounts_needed,
            "pushes_per_day": found.pushes_per_day,
            "answer": dg.MetadataValue.md(markdown(found, settings.alerts.language)),
            "picture": dg.MetadataValue.md(picture),
        }
    )
