"""What each step of a run reports of itself: one section of the run's record a step, written by that step alone.

Figures, summary, checks, alert rules and run_metrics read these fields; nothing else goes from step to step but what is
in state. Not for: what pushing reports (push_section.py), keeping or reading them (run_record.py) or measuring.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from ecauto_pipeline.domain.call_failures import CallsMet, commonest
from ecauto_pipeline.domain.freshness.ages import ERROR, REASONS
from ecauto_pipeline.domain.lanes import WHOLE_LANE
from ecauto_pipeline.domain.model import Status
from ecauto_pipeline.domain.offers.second_opinion import Audited, Verdict
from ecauto_pipeline.domain.operations_down import OperationDown
from ecauto_pipeline.domain.reasons import MASS_ZERO
from ecauto_pipeline.sync.file_trouble import FileTrouble, RulesReport
from ecauto_pipeline.sync.register_report import RegisterReport

_TOKEN = "lwaToken"  # how calls to Login with Amazon stand in the ledger


@dataclass(frozen=True, slots=True)
class StartReport:
    """What the run set out to do. `trigger`: who asked for it; `fetch`: whether asking Amazon is part of its job."""

    trigger: str = "manual"
    slice_no: int = 1
    fetch: bool = True
    lane: str = WHOLE_LANE


@dataclass(frozen=True, slots=True)
class StoppedShop:
    """A shop that a person lets nothing be sent to: who said so, and since when."""

    account: str
    who: str
    since: datetime


@dataclass(frozen=True, slots=True)
class ShopsReport:
    """The shops and what waits in them, at one moment.

    `held_open`: held rows that wait for a person; `token_days_left`: of the first refresh token to die, None = unknown;
    `breakers`: (account, reason) of shops that can't be worked on; `shops`: every one looked at; `token_days`: by shop,
    where it is known; `stopped`: those that a person lets nothing be sent to.
    """

    held_open: int = 0
    token_days_left: float | None = None
    breakers: tuple[tuple[str, str], ...] = ()
    shops: tuple[str, ...] = ()
    token_days: Mapping[str, float] = field(default_factory=dict)
    stopped: tuple[StoppedShop, ...] = ()


@dataclass(frozen=True, slots=True)
class Fault:
    """An error that nobody foresaw, in one shop's work: what was done, where (`module:line`), the error's type."""

    account: str
    doing: str
    place: str
    error: str


@dataclass(frozen=True, slots=True)
class ListingsReport:
    """One reading. `listings` take part; `items` are in the shops; the mappings are by account, orphan kind or hider.

    `not_read`: accounts whose items could not be read to the end, with the reason; `orders_not_read` likewise.
    `token_files`: accounts whose tokens in use stand in state alone, with why their file could not be written.
    `faults`: what went wrong in one shop's reading and was not foreseen. `blocklist`: why it can't be read, None = it
    can. `register`: what was read of master.db. `rules`: the owner's rules per item.
    """

    listings: int = 0
    items: int = 0
    by_account: Mapping[str, int] = field(default_factory=dict)
    orphans: Mapping[str, int] = field(default_factory=dict)
    orphan_examples: tuple[str, ...] = ()
    hidden_by: Mapping[str, int] = field(default_factory=dict)
    modes: Mapping[str, str] = field(default_factory=dict)
    pages: Mapping[str, int] = field(default_factory=dict)
    not_read: Mapping[str, str] = field(default_factory=dict)
    orders_not_read: Mapping[str, str] = field(default_factory=dict)
    token_files: Mapping[str, str] = field(default_factory=dict)
    sales: int = 0
    blocked: int = 0
    blocklist: FileTrouble | None = None
    faults: tuple[Fault, ...] = ()
    shops: ShopsReport = field(default_factory=ShopsReport)
    register: RegisterReport = field(default_factory=RegisterReport)
    rules: RulesReport = field(default_factory=RulesReport)


@dataclass(frozen=True, slots=True)
class Survey:
    """How fresh everything is at this moment. A cache hit is an ASIN that is not due.

    `missing`: never answered (キャッシュなし); `price_expired` / `stock_expired`: answered, and older than it may be
    (価格期限切れ / 在庫期限切れ; one ASIN can be both); `oldest_stock_s`: by tier, None where nothing was answered;
    `overdue`: answered, older than twice what their tier allows, and not because Amazon's last answer was none;
    `waiting`: of those due, the ones that failed so often that their turn comes later.
    """

    total_asins: int = 0
    cache_hits: int = 0
    cache_misses: int = 0
    missing: int = 0
    price_expired: int = 0
    stock_expired: int = 0
    by_reason: Mapping[str, int] = field(default_factory=dict)
    by_tier: Mapping[str, int] = field(default_factory=dict)
    due_by_tier: Mapping[str, int] = field(default_factory=dict)
    oldest_stock_s: Mapping[str, float | None] = field(default_factory=dict)
    overdue: int = 0
    waiting: int = 0

    @property
    def due_but_failed(self) -> int:
        """Due only because the last answer was none: asked again by every run, no reason to start another."""
        return self.by_reason.get(REASONS[ERROR], 0)


@dataclass(frozen=True, slots=True)
class ViewsReport:
    """`read` rows made sense, `counted` were new, `unknown` name an item of no listing; `problems`: (line, why) of rows
    left out; `trouble`: why nothing in the file can be read, None = it can.

    `version`: the file as it was when all of it had been counted, "" while something of it has to be read again.
    """

    read: int = 0
    counted: int = 0
    unknown: int = 0
    problems: tuple[tuple[int, str], ...] = ()
    version: str = ""
    trouble: FileTrouble | None = None


@dataclass(frozen=True, slots=True)
class PlanReport:
    """What is to be asked. `planned_seconds`: the whole run but its pushing, 0 where nothing makes it wait for Amazon.

    `left_over`: due and more than a slice can ask; `short_by`: by how many times the tiers ask for more than the budget
    (spend = "budget"); `blind`: why the sweep is not used, "" when it is.
    """

    survey: Survey = field(default_factory=Survey)
    detail_asins: int = 0
    sweep_asins: int = 0
    planned_calls: Mapping[str, int] = field(default_factory=dict)
    planned_seconds: float = 0.0
    planned_fetch_s: float = 0.0
    left_over: int = 0
    spend: str = "due"
    short_by: float = 0.0
    blind: str = ""
    views: ViewsReport = field(default_factory=ViewsReport)


@dataclass(frozen=True, slots=True)
class FetchReport:
    """One run's questions to Amazon. Every asked ASIN is in `by_status` once a request.

    `calls`, `refused` (429) and `used_share` by "account/operation"; `used_share`: calls made of the calls that the
    rate allowed while there was work. `left_over`: planned or found and not asked. `doubts_open`: second looks owed.
    `not_believed`: operations whose zeros were too many at once; `zeros_not_believed`: how many, by operation.
    `silent_again`: answers that were none, of ASINs that had none the last times either.
    `failed_for`: (operation, reason, calls that failed for it). `odd_shapes`: (operation, shape, ASINs) of answers that
    were not as documented, whatever was made of them. `by_operation`: (answers, those that were none),
    doubted zeros left out. `unanswered`: (operation, ASIN, reason, how often in a row), `doubted`: (operation, ASIN,
    price believed so far), the worst few of each operation. `others`: ASINs another run answered meanwhile.
    `continues`: the run whose plan this one went on with, "" where its own.
    `opinions`: verdicts of the second opinion, whose calls are in `calls` and whose answers are in no other figure;
    `audits`: its verdicts on answers that had changed nothing, which settle nothing.
    `opinion_refused`: the HTTP status with which all of it was refused, 0 = it was not. `down`: operations that were
    down when the run's questions ended.
    """

    planned: int = 0
    asked: int = 0
    by_status: Mapping[str, int] = field(default_factory=dict)
    by_reason: Mapping[str, int] = field(default_factory=dict)
    calls: Mapping[str, int] = field(default_factory=dict)
    refused: Mapping[str, int] = field(default_factory=dict)
    failed_calls: int = 0
    failed_for: tuple[tuple[str, str, int], ...] = ()
    odd_shapes: tuple[tuple[str, str, int], ...] = ()
    used_share: Mapping[str, float] = field(default_factory=dict)
    left_over: int = 0
    others: int = 0
    doubts_open: int = 0
    second_looks: int = 0
    not_believed: tuple[str, ...] = ()
    zeros_not_believed: Mapping[str, int] = field(default_factory=dict)
    by_operation: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    unanswered: tuple[tuple[str, str, str, int], ...] = ()
    doubted: tuple[tuple[str, str, int | None], ...] = ()
    probe_audited: int = 0
    probe_missed: int = 0
    sweep_answers: int = 0
    sweep_unknown: int = 0
    silent_again: int = 0
    opinions: Mapping[str, int] = field(default_factory=dict)
    audits: Mapping[str, int] = field(default_factory=dict)
    opinion_refused: int = 0
    down: tuple[OperationDown, ...] = ()
    seconds: float = 0.0
    continues: str = ""

    @property
    def answers(self) -> int:
        """Requested ASINs that got their one row, whatever it said."""
        return sum(self.by_status.values())

    @property
    def silent(self) -> int:
        """Requested ASINs that went without an answer. A zero that was not believed is an answer; one that was believed
        when it came, and lost its credit later, was never counted with these."""
        return self.by_status.get(Status.API_ERROR, 0) - self.by_reason.get(MASS_ZERO, 0)

    @property
    def sp_api_calls(self) -> int:
        """Calls that ask about ASINs; fetching a token is none."""
        return sum(made for name, made in self.calls.items() if not name.endswith(f"/{_TOKEN}"))

    @property
    def audited(self) -> Audited:
        """The audits of which the second opinion could speak."""
        contradicted = self.audits.get(Verdict.CONTRADICTS, 0)
        return Audited(self.audits.get(Verdict.AGREES, 0) + contradicted, contradicted)

    def calls_met(self, operation: str = "") -> CallsMet | None:
        """The commonest reason of failed calls, of all operations or of one; what no token came for is each one's.

        None: no call failed for a reason that is about calls.
        """
        failed = [
            (name, why, calls) for name, why, calls in self.failed_for if operation in ("", name) or name == _TOKEN
        ]
        asked = self.sp_api_calls
        if operation:
            asked = sum(made for name, made in self.calls.items() if name.endswith(f"/{operation}"))
        without_token = sum(calls for name, _, calls in failed if name == _TOKEN)
        return commonest(((why, calls) for _, why, calls in failed), asked + without_token)
