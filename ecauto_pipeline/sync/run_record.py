"""The record of a run: who it was, when, and one section a step that it did, each a frozen dataclass.

A step that was not done has no section: None, "was not measured in this run", which is neither zero nor well.
Not for: the sections themselves (sections.py), or what their figures mean (alerts/).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from functools import cache
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import Connection

from ecauto_pipeline.domain.lanes import WHOLE_LANE
from ecauto_pipeline.domain.liveness import LONGEST_SILENCE, stands_in_the_way
from ecauto_pipeline.domain.model import Status
from ecauto_pipeline.domain.selling.row_counts import RowCounts
from ecauto_pipeline.errors import NotOnRecord
from ecauto_pipeline.state import runs as run_book
from ecauto_pipeline.state.owner import is_this_process, new_owner
from ecauto_pipeline.state.runs import RunRow
from ecauto_pipeline.sync.catalogue_section import CatalogueReport
from ecauto_pipeline.sync.context import Context, Tools
from ecauto_pipeline.sync.diff_section import MASS_HOLDS, DiffReport
from ecauto_pipeline.sync.history_section import HistoryReport
from ecauto_pipeline.sync.order_section import OrdersReport
from ecauto_pipeline.sync.push_section import HandReport, PushReport
from ecauto_pipeline.sync.sections import FetchReport, ListingsReport, PlanReport, ShopsReport, StartReport

_ASKING_LOOKED_AT = 20
"""Newest runs among which the last that called Amazon is looked for."""

Section = (
    StartReport
    | ListingsReport
    | PlanReport
    | FetchReport
    | DiffReport
    | PushReport
    | HandReport
    | CatalogueReport
    | OrdersReport
    | HistoryReport
)
SectionName = Literal[
    "start",
    "listings",
    "stale_asins",
    "sp_api_snapshots",
    "early_updates",
    "price_diffs",
    "visibility_diffs",
    "base_updates",
    "by_hand",
    "catalog_refresh",
    "order_watch",
    "history",
]
SECTIONS: Mapping[SectionName, type[Section]] = {
    "start": StartReport,
    "listings": ListingsReport,
    "stale_asins": PlanReport,
    "sp_api_snapshots": FetchReport,
    "early_updates": PushReport,
    "price_diffs": DiffReport,
    "visibility_diffs": DiffReport,
    "base_updates": PushReport,
    "by_hand": HandReport,
    "catalog_refresh": CatalogueReport,
    "order_watch": OrdersReport,
    "history": HistoryReport,
}
"""Every section by its name, which is the asset's or the job's: the shape that is kept and read back. `early_updates`:
what sp_api_snapshots let leave while it asked; base_updates counts it in."""


_NOT_OF_THE_RECORD = ("sections", "owner", "stop_by")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """One run. Times aware UTC; `ended_at` None while it goes on."""

    run_id: str
    job: str
    partition_key: str
    started_at: datetime
    ended_at: datetime | None = None
    heartbeat_at: datetime | None = None
    dry_run: bool = False
    lane: str = WHOLE_LANE
    start: StartReport | None = None
    listings: ListingsReport | None = None
    stale_asins: PlanReport | None = None
    sp_api_snapshots: FetchReport | None = None
    early_updates: PushReport | None = None
    price_diffs: DiffReport | None = None
    visibility_diffs: DiffReport | None = None
    base_updates: PushReport | None = None
    by_hand: HandReport | None = None
    catalog_refresh: CatalogueReport | None = None
    order_watch: OrdersReport | None = None
    history: HistoryReport | None = None

    @property
    def execution_seconds(self) -> float | None:
        """How long the run took, None while it goes on."""
        return None if self.ended_at is None else max(0.0, (self.ended_at - self.started_at).total_seconds())

    @property
    def planned_seconds(self) -> float | None:
        """What the run was reckoned to take, its pushing included; 0 where nothing makes it wait for Amazon."""
        if self.stale_asins is None:
            return None
        asking_s, pushing_s = self.stale_asins.planned_seconds, self.base_updates.planned_s if self.base_updates else 0
        return asking_s + pushing_s if asking_s > 0 else asking_s

    @property
    def pushed(self) -> PushReport | None:
        """What was sent to the shops, by the line or by hand."""
        return self.by_hand.pushed if self.by_hand is not None else self.base_updates

    @property
    def edits(self) -> int:
        """Calls to change something at the shops, those of a run that ended while it still asked included."""
        sent = self.pushed or self.early_updates
        return sent.edits if sent is not None else 0

    @property
    def changed(self) -> int | None:
        """Targets set at the shops, None until something was sent."""
        if self.account is not None:
            return self.account.pushed
        return self.early_updates.account.pushed if self.early_updates is not None else None

    @property
    def shops(self) -> ShopsReport | None:
        """The shops as this run saw them last."""
        if self.pushed is not None:
            return self.pushed.shops
        return self.listings.shops if self.listings is not None else None

    @property
    def account(self) -> RowCounts | None:
        """The account of the whole run: what was judged, and what became of it. None until something was sent.

        The judging steps count a push as pushed; the pushing step brings the correction.
        """
        if self.by_hand is not None:
            return self.by_hand.account
        if self.base_updates is None:
            return None
        judged = [one.account for one in (self.price_diffs, self.visibility_diffs) if one is not None]
        if not judged:  # the push step alone was asked for
            return self.base_updates.account
        return sum(judged, self.base_updates.correction)

    @property
    def guard_stopped(self) -> int:
        """Rows that a guard of a whole account holds back, of a plan that a person applied too."""
        judged = sum(one.guard_stopped for one in (self.price_diffs, self.visibility_diffs) if one is not None)
        return judged + sum(self.by_hand.refused.get(reason, 0) for reason in MASS_HOLDS if self.by_hand is not None)

    @property
    def reasons(self) -> Mapping[str, int]:
        """Targets by "end:reason", of judging and of sending together."""
        counts: Counter[str] = Counter()
        for one in (self.price_diffs, self.visibility_diffs, self.pushed):
            counts.update(one.reasons if one is not None else {})
        return counts

    @property
    def errors(self) -> int:
        """ASINs without an answer and edits that failed."""
        silent = self.sp_api_snapshots.by_status.get(Status.API_ERROR, 0) if self.sp_api_snapshots is not None else 0
        return silent + (self.account.failed if self.account is not None else 0)

    @property
    def left_over(self) -> int | None:
        """ASINs that were due, or planned, and not asked about."""
        asked, planned = self.sp_api_snapshots, self.stale_asins
        return asked.left_over if asked is not None else planned.left_over if planned is not None else None


def begin_run(context: Context) -> None:
    """Open the run's record."""
    run = context.run
    with context.state.write() as connection:
        for dead in (one for one in run_book.unended(connection) if _over(one, context.clock.now())):
            run_book.end_at_last_sign(connection, dead.run_id)
            context.log.warning("run %s died without a word; what it kept is published now", dead.run_id)
        if run.retries:  # Dagster retries a run when it is over: no need to wait out its silence
            run_book.end_at_last_sign(connection, run.retries)
        who = (run.run_id, run.job, run.partition_key, run.started_at, run.dry_run, new_owner(), run.lane)
        run_book.begin(connection, *who)
        keep(connection, run.run_id, "start", StartReport(run.trigger, run.slice_no, run.fetch, run.lane))


def _over(run: RunRow, now: datetime) -> bool:
    """Whether nobody works on it any more. One of this very process that long gave no sign was broken off in it."""
    if is_this_process(run.owner):
        return now - (run.heartbeat_at or run.started_at) > LONGEST_SILENCE
    return not stands_in_the_way(run_book.life(run, now))


def end_run(context: Context) -> None:
    """Close the run's record; it is then published."""
    with context.state.write() as connection:
        run_book.end(connection, context.run.run_id, context.clock.now())


def keep(connection: Connection, run_id: str, name: SectionName, section: Section) -> None:
    """Keep the section of a step, in place of what it reported before. Of a run that nobody began nothing is kept."""
    if type(section) is not SECTIONS[name]:
        raise TypeError(f"{name} is no {type(section).__name__}")
    run_book.write_section(connection, run_id, name, _adapter(name).dump_json(section).decode())


def record_of(tools: Tools, run_id: str) -> RunRecord:
    """The record of a run as it stands. Raises NotOnRecord for a run nobody began."""
    with tools.state.read() as connection:
        found = read_record(connection, run_id)
    if found is None:
        raise NotOnRecord(f"no run {run_id}", ja=f"実行 {run_id} の記録はありません")
    return found


def read_record(connection: Connection, run_id: str) -> RunRecord | None:
    """The record of a run as it stands, None for a run nobody began."""
    row = run_book.read(connection, run_id)
    return as_record(row) if row is not None else None


def recent_records(connection: Connection, limit: int) -> list[RunRecord]:
    """The newest runs, newest first."""
    return [as_record(row) for row in run_book.recent(connection, limit)]


def as_record(row: RunRow) -> RunRecord:
    """The record of a run as kept. A section of another version's shape is one that was not measured."""
    who = {one.name: getattr(row, one.name) for one in fields(RunRow) if one.name not in _NOT_OF_THE_RECORD}
    read: dict[str, Any] = {name: _read(name, row.sections[name]) for name in SECTIONS if name in row.sections}
    return RunRecord(**who, **read)


def sections_of_hour(connection: Connection, partition_key: str, name: SectionName) -> list[Section]:
    """What a step reported in each run of one hour that was no dry run, newest first."""
    found = (_read(name, text) for _, text in run_book.sections(connection, name, live_of_hour=partition_key))
    return [one for one in found if one is not None]


def recent_plans(connection: Connection, limit: int) -> list[PlanReport]:
    """What the newest planning runs planned, newest first."""
    found = (_read("stale_asins", text) for _, text in run_book.sections(connection, "stale_asins", limit=limit))
    return [one for one in found if isinstance(one, PlanReport)]


def last_asking(connection: Connection) -> FetchReport | None:
    """What the newest run that called Amazon reported of it; None where none of the last ones did."""
    rows = run_book.sections(connection, "sp_api_snapshots", limit=_ASKING_LOOKED_AT)
    found = (_read("sp_api_snapshots", text) for _, text in rows)
    return next((one for one in found if isinstance(one, FetchReport) and one.calls), None)


def recent_pushes(connection: Connection, limit: int, besides: str = "") -> list[PushReport]:
    """What the newest pushing runs pushed, but for run `besides`; newest first."""
    rows = run_book.sections(connection, "base_updates", limit=limit)
    found = (_read("base_updates", text) for run_id, text in rows if run_id != besides)
    return [one for one in found if isinstance(one, PushReport)]


def recent_of_lane(connection: Connection, lane: str, since: datetime, limit: int) -> list[RunRecord]:
    """The newest runs since then that work on a lane's shops, newest first: what they planned and asked, no more."""
    wanted = ("stale_asins", "sp_api_snapshots")
    return [as_record(row) for row in run_book.page(connection, limit, sections=wanted, lane=lane, since=since)]


def _read(name: SectionName, text: str) -> Section | None:
    try:
        return _adapter(name).validate_json(text)
    except ValidationError:
        return None


@cache
def _adapter(name: SectionName) -> TypeAdapter[Section]:
    return TypeAdapter(SECTIONS[name])
