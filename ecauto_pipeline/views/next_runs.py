"""When the jobs run next by themselves: by the cron lines of [schedules], in live mode alone.

Not for: firing them (defs/schedules.py) or telling that they don't (doctor/health.py).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from ecauto_pipeline.clock import jst
from ecauto_pipeline.domain.cron import next_tick
from ecauto_pipeline.settings import Settings
from ecauto_pipeline.views.run_words import job_words


@dataclass(frozen=True, slots=True)
class NextRun:
    """One schedule. `at`: its next tick; None = its line is not understood here. `off`: it is switched off."""

    job: str
    at: datetime | None
    off: bool = False


def next_runs(settings: Settings, now: datetime, switched_off: Collection[str] = ()) -> tuple[NextRun, ...]:
    """The schedules, the next one first; () where runs are started by hand (emulated mode)."""
    if settings.mode != "live":
        return ()
    lines = settings.schedules
    crons = {"stock_sync": lines.stock, "price_sync": lines.price, "catalog_refresh": lines.catalog}
    found = [NextRun(job, next_tick(cron, jst(now)), f"{job}_schedule" in switched_off) for job, cron in crons.items()]
    return tuple(sorted(found, key=lambda one: (one.off, one.at is None, one.at or now)))


def words(run: NextRun, language: str) -> str:
    """ "在庫の同期 11-23 18:00"."""
    english = language == "en"
    name = job_words(run.job, language)
    if run.off:
        return f"{name}: switched off" if english else f"{name}: 停止中"
    if run.at is None:
        return f"{name}: by its own schedule" if english else f"{name}: 設定した予定のとおり"
    return f"{name} {run.at:%m-%d %H:%M}"
