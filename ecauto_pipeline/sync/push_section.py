"""What pushing and what follows it report: edits, write-back to the register, delisting, and work a person started.

Not for: the sections of the steps before it (sections.py) or pushing (base_updates/).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ecauto_pipeline.domain.selling.row_counts import RowCounts
from ecauto_pipeline.sync.sections import Fault, ShopsReport


@dataclass(frozen=True, slots=True)
class WriteBackReport:
    """Rows handed over by table. `problem`: why nothing (more) was written, "" = all is well; the next run repeats.

    `problem_ja`: the same for a Japanese reader.
    """

    listings: int = 0
    products: int = 0
    problem: str = ""
    problem_ja: str = ""


@dataclass(frozen=True, slots=True)
class DelistReport:
    """One target a listing that an edit of this run called gone. `marked`: (account, item_id) of new candidates."""

    account: RowCounts = field(default_factory=RowCounts)
    marked: tuple[tuple[str, str], ...] = ()
    faults: tuple[Fault, ...] = ()


@dataclass(frozen=True, slots=True)
class PushReport:
    """What became of the rows this step took up.

    `account`: those rows alone, and what was delisted; `correction`: to be added to the account of the run's diff
    steps, which counted a PUSH as pushed. `reasons`: targets by "end:reason". `edits`: calls to change something.
    `unknown`: edits whose outcome nobody knows yet. `settled_*`: edits of earlier runs read back. `waiting`: rows kept
    for the next run; `out_of_calls`: (account, rows) of those that wait for BASE's next hour or day. `alerts`:
    (account, reason) of breakers that opened here. `oldest_pushed_data_s` with the `oldest_allowed_s` of that row: the
    push whose data came nearest to its maximum age; `oldest_pushed`: (account, item_id, kind, asin) of it.
    `failures`: the first failed (account, item_id, kind, reason).
    `faults`: what went wrong with one shop or row and was not foreseen.
    `planned_s`: what the edits of the busiest shop were reckoned to take. `base_calls`, `base_errors`: of the run;
    `calls_of_shops`: (calls, errors) by shop.
    `catalogue_texts`: fields of master.db that hold text, by name; `catalogue_nulled`: those that held some at the run
    before and hold none now; None = not looked at. `catalogue_stamp`: what master.db was called then, "" = unknown.
    """

    account: RowCounts = field(default_factory=RowCounts)
    correction: RowCounts = field(default_factory=RowCounts)
    by_account: Mapping[str, RowCounts] = field(default_factory=dict)
    by_kind: Mapping[str, RowCounts] = field(default_factory=dict)
    reasons: Mapping[str, int] = field(default_factory=dict)
    edits: int = 0
    unknown: int = 0
    settled_done: int = 0
    settled_not_done: int = 0
    waiting: int = 0
    out_of_calls: tuple[tuple[str, int], ...] = ()
    alerts: tuple[tuple[str, str], ...] = ()
    oldest_pushed_data_s: float | None = None
    oldest_allowed_s: float | None = None
    oldest_pushed: tuple[str, str, str, str] | None = None
    failures: tuple[tuple[str, str, str, str], ...] = ()
    faults: tuple[Fault, ...] = ()
    planned_s: float = 0.0
    base_calls: int = 0
    base_errors: int = 0
    calls_of_shops: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    written_back: WriteBackReport = field(default_factory=WriteBackReport)
    delist: DelistReport = field(default_factory=DelistReport)
    shops: ShopsReport = field(default_factory=ShopsReport)
    catalogue_texts: Mapping[str, int] | None = None
    catalogue_stamp: str = ""
    catalogue_nulled: int | None = None
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class HandReport:
    """Work that a person started (release, rollback, apply): the whole `account` of it, and what was `refused` why.

    `left`: rows of a rollback that only wait, for calls, for another run or to be read back: the same again sends them.
    `stayed`: why, by diff_id, what a rollback was to send was refused at the last look or by the shop; some thousands.
    """

    account: RowCounts = field(default_factory=RowCounts)
    pushed: PushReport = field(default_factory=PushReport)
    refused: Mapping[str, int] = field(default_factory=dict)
    left: int = 0
    stayed: Mapping[str, str] = field(default_factory=dict)
