"""What a person may choose in the launchpad, as enums: Dagster refuses any other word before a run starts.

Each has a member for "nothing chosen", which leaves it to the job's policy or to ecauto.toml. Not for: what a job may
do by itself (jobs.py) or what a choice means for a step (sync/context.py).
"""

from __future__ import annotations

from enum import Enum
from typing import Literal

from ecauto_pipeline.sync.context import IncludePrice


class PriceChoice(Enum):
    """`include_price`: which prices the run may send."""

    as_the_job_says = "as the job says"
    never = "never"
    floor = "floor"
    all = "all"

    def or_else(self, default: IncludePrice) -> IncludePrice:
        """The choice, or `default` where there is none."""
        return _PRICES.get(self, default)


class SpendChoice(Enum):
    """`spend`: how the calls to Amazon are spent."""

    as_ecauto_toml_says = "as ecauto.toml says"
    due = "due"
    budget = "budget"

    def or_else(self, default: Literal["due", "budget"]) -> Literal["due", "budget"]:
        """The choice, or `default` where there is none."""
        return _SPENDS.get(self, default)


class Trigger(Enum):
    """`trigger`: who asked for the run."""

    manual = "manual"
    schedule = "schedule"
    next_slice = "next_slice"
    order = "order"
    backfill = "backfill"
    cli = "cli"


_PRICES: dict[PriceChoice, IncludePrice] = {
    PriceChoice.never: "never",
    PriceChoice.floor: "floor",
    PriceChoice.all: "all",
}
_SPENDS: dict[SpendChoice, Literal["due", "budget"]] = {SpendChoice.due: "due", SpendChoice.budget: "budget"}
