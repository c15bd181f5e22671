"""Pushing a run's decisions to the shops: one worker a shop, then the register is told.

One shop's failure, restriction or slowness never delays another. Not for: one shop's pushing (shop_worker.py), the last
look (recheck.py) or deciding (sync/diffs/price.py, sync/diffs/visibility.py).
"""

from __future__ import annotations

import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import asdict, replace

from ecauto_pipeline.domain.model import AccountKey, Decision
from ecauto_pipeline.domain.selling.guards import push_order
from ecauto_pipeline.domain.selling.row_counts import RowCounts
from ecauto_pipeline.shops.platforms import PLATFORMS
from ecauto_pipeline.state import calls, decisions, locks
from ecauto_pipeline.state.decisions import Decided
from ecauto_pipeline.state.stops import PAUSED
from ecauto_pipeline.sync.base_updates.catalogue import watch_catalogue
from ecauto_pipeline.sync.base_updates.delist import delist
from ecauto_pipeline.sync.base_updates.edit_calls import UNREACHABLE
from ecauto_pipeline.sync.base_updates.ends import RowOutcome, ShopReport
from ecauto_pipeline.sync.base_updates.push_totals import WORST_ROWS, together
from ecauto_pipeline.sync.base_updates.recheck import Gate, RulesGate
from ecauto_pipeline.sync.base_updates.safety import SafetyHides, hides_losses, is_hide_of_loss
from ecauto_pipeline.sync.base_updates.shop_worker import LookAgain, Order, ShopWorker, no_look
from ecauto_pipeline.sync.base_updates.write_back import write_back
from ecauto_pipeline.sync.context import Context, Progress, Tools
from ecauto_pipeline.sync.diff_section import NO_CALLS
from ecauto_pipeline.sync.diffs.evaluate import closed_accounts
from ecauto_pipeline.sync.faults import FAULT, fault_of
from ecauto_pipeline.sync.push_section import PushReport, WriteBackReport
from ecauto_pipeline.sync.room_for_threads import look_for_room
from ecauto_pipeline.sync.run_record import keep, read_record
from ecauto_pipeline.sync.shops_now import shops_now

STOP_WAIT_S = 2.0


def run(context: Context) -> PushReport:
    """Push every open decision of this run's scope (accounts and kinds), whoever decided it; then mark what is gone.

    What left while the run still asked is counted in. Raises Stopped; item errors are rows.
    """
    report = _push_open(context) if context.run.push else PushReport(dry_run=context.run.dry_run)
    early = _early_updates(context)
    report = report if early is None else together(early, report)
    report = watch_catalogue(context, report)
    with context.state.write(locks.run(context.run.run_id)) as connection:
        keep(connection, context.run.run_id, "base_updates", report)
    context.log.info("pushed: %s; edits %d, waiting %d", asdict(report.account), report.edits, report.waiting)
    return report


def _push_open(context: Context) -> PushReport:
    run = context.run

    def rows_of(account: AccountKey) -> Sequence[Decided]:
        with context.state.read() as connection:
            rows = decisions.to_push(connection, run.run_id, [account], dry_run=run.dry_run)
            if run.dry_run and run.retries:  # what a dry run decided is closed, and open to its retry alone
                judged = {row.target for row in rows if row.run_id == run.run_id}
                earlier = decisions.to_push(connection, run.retries, [account], dry_run=True)
                rows = [row for row in rows if row.target in judged]
                rows += [row for row in earlier if row.target not in judged]
        return [row for row in rows if row.diff.kind in run.kinds or (hides_losses(run) and is_hide_of_loss(row.diff))]

    report = push(context, rows_of, RulesGate(context), safety=True)
    gone = delist(context)
    return replace(
        report,
        delist=gone,
        account=report.account + gone.account,
        correction=report.correction + gone.account,
        faults=(*report.faults, *gone.faults),
    )


def _early_updates(context: Context) -> PushReport | None:
    with context.state.read() as connection:
        record = read_record(connection, context.run.run_id)
    return record.early_updates if record is not None else None


def push_own(context: Context) -> PushReport:
    """Push this run's decisions and nothing else."""

    def rows_of(account: AccountKey) -> Sequence[Decided]:
        with context.state.read() as connection:
            rows = decisions.to_push(connection, context.run.run_id, [account], dry_run=context.run.dry_run)
        return [row for row in rows if row.run_id == context.run.run_id]

    return push(context, rows_of, RulesGate(context))


def push(
    context: Context,
    rows_of: Callable[[AccountKey], Sequence[Decided]],
    gate: Gate,
    *,
    rollback_of: str = "",
    safety: bool = False,
    over: Callable[[], Collection[str]] | None = None,
    order: Order = push_order,
    ended: Callable[[RowOutcome], None] = lambda _ended: None,
    look_again: LookAgain = no_look,
) -> PushReport:
    """Push the rows of each of the run's accounts through `gate`, in this order. `rows_of` may be asked more than once.

    `rollback_of`: the runs that are taken back; whoever takes back has just read the items himself. `ended`: told of
    each row as it ends, by its shop's thread. `look_again`: as in shop_worker.py.
    `safety`: a listing whose price can't be corrected, a loss, is hidden (safety.py). `over`: asked at the end, for the
    decisions whose ends are reported; the others are still to be judged, and master.db is told when they are.
    """
    context.go_on()
    with context.state.read() as connection:
        closed = closed_accounts(context, connection, context.clock.now(), context.settings.ttl.price)
    if rollback_of:
        closed = {account: why for account, why in closed.items() if why != "not_read"}
    accounts = context.accounts
    rows = [_count(context, account, rows_of) for account in accounts]
    progress = _Progress(context, sum(rows), ended)
    workers = [
        ShopWorker(
            *(context, context.shops[account], lambda account=account: rows_of(account), gate),
            closed=closed.get(account, ""),
            rollback_of=rollback_of,
            order=order,
            ended=progress.ended,
            look_again=look_again,
            safety=SafetyHides(context, account) if safety else None,
        )
        for account in accounts
    ]
    _run_all(context, [worker.work for worker in workers])
    reports = [worker.report for worker in workers]
    for one in reports:
        if one.crash is not None:
            raise one.crash
    context.go_on()
    if over is not None:
        ids = over()
        for one in reports:
            one.ended = [end for end in one.ended if end.decided.diff_id in ids]
    told = WriteBackReport() if context.run.dry_run or over is not None else write_back(context)
    planned_s = max((n * context.shops[one].abilities.edit_s for one, n in zip(accounts, rows, strict=True)), default=0)
    report = replace(_report(context, reports, told), planned_s=planned_s)
    return _with_shops(context, report)


def _count(context: Context, account: AccountKey, rows_of: Callable[[AccountKey], Sequence[Decided]]) -> int:
    """How many there are; 0 where they can't be read: this shop's worker will say why."""
    try:
        return len(rows_of(account))
    except Exception as error:
        fault_of(context, account, "count", error)
        return 0


def _with_shops(context: Context, report: PushReport) -> PushReport:
    """What this run's calls to BASE came to, and the shops as pushing left them."""
    with context.state.read() as connection:
        of_shops = {platform: calls.counted(connection, context.run.run_id, api=platform) for platform in PLATFORMS}
        shops = shops_now(connection, context)
    by_shop: dict[str, tuple[int, int]] = {}
    for platform, counts in of_shops.items():
        for (account, _), (made, _, failed) in counts.items():
            name = context.name_of(AccountKey(platform, account))
            before = by_shop.get(name, (0, 0))
            by_shop[name] = (before[0] + made, before[1] + failed)
    silent = tuple(alert for alert in report.alerts if alert[1] == UNREACHABLE)
    return replace(
        report,
        base_calls=sum(made for made, _ in by_shop.values()),
        base_errors=sum(failed for _, failed in by_shop.values()),
        calls_of_shops=dict(sorted(by_shop.items())),
        shops=replace(shops, breakers=(*shops.breakers, *silent)),
    )


def _run_all(tools: Tools, jobs: Iterable[Callable[[], None]]) -> None:
    """Run them side by side to their ends; after a request to stop, for two seconds more at most.

    A call that hangs longer is left to die with the process: its intent is in the journal and is read back.
    """
    threads = [threading.Thread(target=job, daemon=True, name=f"push-{number}") for number, job in enumerate(jobs)]
    look_for_room(len(threads))
    for thread in threads:
        thread.start()
    left = STOP_WAIT_S
    while any(thread.is_alive() for thread in threads) and left > 0:
        for thread in threads:
            thread.join(timeout=0.05)
        left -= 0.05 * len(threads) if tools.stop.is_set() else 0.0
    if tools.stop.is_set():
        tools.go_on()


class _Progress:
    """Counts ends over all workers, and tells of each."""

    def __init__(self, tools: Tools, total: int, tell: Callable[[RowOutcome], None]) -> None:
        self._tools, self._total, self._tell = tools, total, tell
        self._lock = threading.Lock()
        self._ends: Counter[str] = Counter()

    def ended(self, ended: RowOutcome) -> None:
        self._tell(ended)
        with self._lock:
            self._ends[ended.end] += 1
            done = self._ends.total()
            self._tools.progress(Progress("base_updates", done, max(self._total, done), details=dict(self._ends)))


def _report(context: Context, reports: Sequence[ShopReport], told: WriteBackReport) -> PushReport:
    ended = [end for report in reports for end in report.ended]
    instead = {name: before for report in reports for name, before in report.instead.items()}
    own = sum(end.decided.run_id == context.run.run_id and end.decided.diff_id not in instead for end in ended)
    account = _row_counts(ended)
    by_account, by_kind = defaultdict(list), defaultdict(list)
    for end in ended:
        by_account[end.decided.diff.key.account].append(end)
        by_kind[end.decided.diff.kind.value].append(end)
    aged = [
        (end.data_age_s / end.allowed_s, end)
        for end in ended
        if end.end == "pushed" and end.data_age_s is not None and end.allowed_s
    ]
    oldest = max(aged, key=lambda pair: pair[0], default=(0.0, None))[1]
    failed = [end for end in ended if end.end == "failed"]
    return PushReport(
        account=account,
        correction=account + RowCounts(targets=-own, pushed=-own) + _counted_before(instead.values()),
        by_account={context.name_of(one): _row_counts(ends) for one, ends in sorted(by_account.items())},
        by_kind={name: _row_counts(ends) for name, ends in sorted(by_kind.items())},
        reasons=dict(sorted(Counter(f"{end.end}:{end.reason}" for end in ended if end.reason).items())),
        edits=sum(report.edits for report in reports),
        unknown=sum(report.unknown for report in reports),
        settled_done=sum(report.settled_done for report in reports),
        settled_not_done=sum(report.settled_not_done for report in reports),
        waiting=_waiting(ended),
        out_of_calls=_out_of_calls(context, ended),
        alerts=tuple(alert for report in reports for alert in report.alerts),
        oldest_pushed_data_s=oldest.data_age_s if oldest else None,
        oldest_allowed_s=oldest.allowed_s if oldest else None,
        oldest_pushed=(*_row(context, oldest)[:3], oldest.decided.diff.asin) if oldest else None,
        faults=tuple(fault for report in reports for fault in report.faults),
        failures=tuple(_row(context, end) for end in failed[:WORST_ROWS]),
        written_back=told,
        dry_run=context.run.dry_run,
    )


def _counted_before(decisions_before: Iterable[Decision | None]) -> RowCounts:
    """To be taken off the run's account: targets that were counted by what was decided of them before."""
    counts = Counter(before for before in decisions_before if before is not None)
    unchanged, skipped = counts[Decision.UNCHANGED], counts[Decision.SKIPPED]
    return RowCounts(targets=-unchanged - skipped, unchanged=-unchanged, skipped=-skipped)


def _row_counts(ended: Iterable[RowOutcome]) -> RowCounts:
    ends = Counter(end.end for end in ended)
    return RowCounts(targets=ends.total(), **{str(end): count for end, count in ends.items()})


def _row(tools: Tools, ended: RowOutcome) -> tuple[str, str, str, str]:
    key = ended.decided.diff.key
    return tools.name_of(key.account), key.item_id, ended.decided.diff.kind.value, ended.reason


WAITS = frozenset(
    (
        *(*NO_CALLS, "account_blocked", "not_read", "shop_unreachable"),
        *("pushed_elsewhere", "unsettled", "price_failed", PAUSED, FAULT),
    )
)
"""Why a row that was not sent is for the next run, or for the next call of the same rollback."""


def _waiting(ended: Iterable[RowOutcome]) -> int:
    return sum(end.end == "skipped" and end.reason in WAITS for end in ended)


def _out_of_calls(context: Context, ended: Iterable[RowOutcome]) -> tuple[tuple[str, int], ...]:
    """What was found waiting when it was to be sent, and what waited, by the steps of this run, when they judged:
    there what stands since earlier runs is counted, too."""
    found = (end for end in ended if end.end == "skipped" and end.reason in NO_CALLS)
    waiting = Counter(context.name_of(end.decided.diff.key.account) for end in found)
    with context.state.read() as connection:
        record = read_record(connection, context.run.run_id)
    for judged in (record.price_diffs, record.visibility_diffs) if record is not None else ():
        waiting += Counter(judged.out_of_calls if judged is not None else {})
    return tuple(sorted(waiting.items()))
