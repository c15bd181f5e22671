"""The order of the steps, once: what the assets, the command line's runs, tests and benchmarks all go by.

A step reads what is in state, never what an earlier step of the same run has in hand; so each may also run alone.
Not for: what a step does (its own module) or how Dagster shows it (defs/assets.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from ecauto_pipeline.process_memory import give_back
from ecauto_pipeline.sync.base_updates import push
from ecauto_pipeline.sync.context import Context, Run
from ecauto_pipeline.sync.diffs import price, visibility
from ecauto_pipeline.sync.listings import read
from ecauto_pipeline.sync.publish import publish_run
from ecauto_pipeline.sync.push_while_asking import PushWhileAsking
from ecauto_pipeline.sync.run_record import Section, SectionName, begin_run, end_run
from ecauto_pipeline.sync.sections import FetchReport
from ecauto_pipeline.sync.sp_api_snapshots import fetch
from ecauto_pipeline.sync.stale_asins import plan


def _always(_run: Run) -> bool:
    return True


def ask(context: Context) -> FetchReport:
    """Ask Amazon; where the run goes on to its push, what stops a wrong sale leaves while it asks."""
    run = context.run
    early = run.push_while_asking and run.push and not run.dry_run and run.max_items is None
    return fetch.run(context, PushWhileAsking(context) if early else None)


@dataclass(frozen=True, slots=True)
class Step:
    """One step: the asset it makes, which is its section's name too; what it comes `after`; whether a run wants it."""

    name: SectionName
    run: Callable[[Context], Section]
    after: tuple[SectionName, ...] = ()
    wanted: Callable[[Run], bool] = _always

    def work(self, context: Context) -> Section:
        """The step done, and the memory that it took given back: what the next one needs it reads from state."""
        section = self.run(context)
        _rest(context)
        return section


LINE = (
    Step("listings", read.run),
    Step("stale_asins", plan.run, ("listings",)),
    Step("sp_api_snapshots", ask, ("stale_asins",)),
    Step("price_diffs", price.run, ("sp_api_snapshots",)),
    Step("visibility_diffs", visibility.run, ("sp_api_snapshots",), lambda run: run.include_visibility),
    Step("base_updates", push.run, ("price_diffs", "visibility_diffs"), lambda run: run.push),
)
"""In the order in which one process works; what stands in `after` comes before."""

STEPS: Mapping[str, Step] = MappingProxyType({step.name: step for step in LINE})


def run_line(context: Context) -> dict[str, Section]:
    """The whole of one run: begun, every step it wants, ended, published. What each step reported, by its name."""
    begin_run(context)
    reported: dict[str, Section] = {step.name: step.work(context) for step in LINE if step.wanted(context.run)}
    finish(context)
    return reported


def finish(context: Context) -> None:
    """Close the run and carry what is settled into history."""
    end_run(context)
    publish_run(context)
    _rest(context)


def _rest(context: Context) -> None:
    context.state.close_idle()
    give_back()
