"""Ask Amazon what this run's plan wants to know, as fast as the rates allow, for one slice of time.

The operations of every role work side by side, each in its own bucket of each SP account; every batch is committed
before the next call, so a run that dies at any instant costs at most the calls in flight.
Not for: what to ask (sync/stale_asins) or what the answers mean for a shop (sync/diffs).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Protocol

from ecauto_pipeline.amazon.operation import Operation
from ecauto_pipeline.domain.model import Answer, Role
from ecauto_pipeline.domain.offers.learning import LearnRules
from ecauto_pipeline.domain.offers.second_opinion import Verdict
from ecauto_pipeline.errors import NothingDone
from ecauto_pipeline.settings import Settings
from ecauto_pipeline.state import asins, leases, locks, plans
from ecauto_pipeline.state import runs as run_book
from ecauto_pipeline.state.calls import counted, failed_for
from ecauto_pipeline.state.plans import Target
from ecauto_pipeline.sync.context import Context, Progress, Tools
from ecauto_pipeline.sync.operations_now import OperationsNow, present_operations
from ecauto_pipeline.sync.run_record import keep
from ecauto_pipeline.sync.sections import FetchReport
from ecauto_pipeline.sync.sp_api_snapshots.batch import Asking
from ecauto_pipeline.sync.sp_api_snapshots.health_watch import HealthWatch
from ecauto_pipeline.sync.sp_api_snapshots.odd_shapes import end_of_asking, keep_examples
from ecauto_pipeline.sync.sp_api_snapshots.opinions import refused_since, to_be_asked
from ecauto_pipeline.sync.sp_api_snapshots.queues import ASKING, Work
from ecauto_pipeline.sync.sp_api_snapshots.tally import Tally
from ecauto_pipeline.sync.sp_api_snapshots.workers import Workers
from ecauto_pipeline.sync.stale_asins.plan import plan_more
from ecauto_pipeline.sync.stale_asins.take_up import WorkInHand, work_in_hand

_LOOK_S = 0.1  # real time between two looks at the workers: how fast a stop is noticed
_TELL_EVERY_S = 2.0
_SPARE = 0.1  # of a slice: with less time left than this, no second list is made
_LEAVE_S = 1.0  # real time that workers get to end by themselves when somebody asked us to stop


def operations(tools: Tools) -> tuple[Operation[Answer], ...]:
    """Every operation that asks about price and stock, under the owner's rule and limits."""
    return tools.operations.under(tools.settings).of(*ASKING)


def _asked_now(context: Context, now: OperationsNow) -> tuple[Operation[Answer], ...]:
    """The same without a second opinion that was refused as a whole of late, or that nobody can ask."""
    with context.state.read() as connection:
        wanted = to_be_asked(connection, context.clock.now())
    ids = [account.account_id for account in context.sp_accounts]
    return tuple(
        one
        for one in operations(context)
        if one.role is not Role.OPINION or (wanted and any(now.may_ask(account, one.name) for account in ids))
    )


def learn_rules(settings: Settings) -> LearnRules:
    """The owner's settings as far as learning needs them."""
    return LearnRules(
        max_move_ratio=settings.guards.max_move_ratio,
        confirm_after=settings.offers.confirm_after,
        sweep_jpy=max(1, settings.pricing.min_diff_jpy),
    )


class Meanwhile(Protocol):
    """What goes on beside the questions. `failure`: what ends the run over it, None while all is well."""

    failure: BaseException | None

    def answered(self, asins: Iterable[str]) -> None:
        """Told of ASINs that are gone or dearer, by an answer that is committed."""

    def look(self) -> None:
        """Called several times a second; must not wait."""

    @property
    def busy(self) -> bool:
        """Whether something of it is under way."""

    def wait(self, seconds: float) -> None:
        """At most about so long (real time) for what is under way."""


def run(context: Context, meanwhile: Meanwhile | None = None) -> FetchReport:
    """Ask what the plan in hand still holds, for at most `run.slice_s`. Raises Stopped when asked to end.

    What was answered since the plan was made is not asked again; what is being asked by another run is left to it.
    A run with `fetch` False makes no call.
    """
    if not context.run.fetch:
        return _report(context, Tally(), (), 0, 0, 0.0)
    hand = work_in_hand(context)
    planned, began = hand.targets, context.clock.monotonic()
    if not planned:
        return _report(context, Tally(), (), 0, 0, 0.0, hand.continues)
    if not context.sp_accounts:
        raise NothingDone(
            f"{len(planned)} ASINs are to be asked about, and there is no SP-API account to ask with",
            ja=f"問い合わせるASINが {len(planned)} 件ありますが、SP-APIのアカウントがありません",
        )
    if hand.continues:
        context.log.info("goes on with the plan of run %s: %d ASINs left", hand.continues[:8], len(planned))
    deadline = began + context.run.slice_s
    tally, work = Tally(), Work((), (), ())
    present = present_operations(context)
    asked_with = _asked_now(context, present)
    opinion = any(one.role is Role.OPINION for one in asked_with)
    rules = replace(learn_rules(context.settings), opinion=opinion)
    watch = HealthWatch(present.health)
    told = (meanwhile.answered,) if meanwhile is not None else ()
    asking = Asking(context, work, tally, rules, deadline, hand.plan.made_at, watch, *told)
    try:
        while planned:
            _queue_planned(context, watch, planned, work, tally, opinion)
            workers = Workers(context, work, asking, tally, deadline, any(t.operation == "detail" for t in planned))
            gone = asking.opinions.refused
            try:
                workers.start(one for one in asked_with if not gone or one.role is not Role.OPINION)
                _supervise(context, workers, work, tally, asking, (began, deadline), meanwhile)
            finally:
                workers.halt()
                if context.stop.is_set() or workers.failure is not None:
                    workers.join(_LEAVE_S)
            if context.stop.is_set() or workers.failure is not None:
                break
            planned = _more(context, hand, work, began, deadline)
    finally:
        with context.state.write(locks.run(context.run.run_id)) as connection:
            leases.release(connection, asking.owner)
            for account in context.sp_accounts:
                account.ledger.flush(connection)
    now = context.clock.monotonic()
    if meanwhile is not None:
        _end_of(context, meanwhile)
    if workers.failure is not None:
        raise workers.failure
    context.go_on()
    report = _report(
        *(context, tally, asking.zeros.tripped(), work.planned, work.left, now - began), continues=hand.continues
    )
    if work.left == 0:
        with context.state.write(locks.plan(hand.plan.partition_key, hand.plan.lane)) as connection:
            plans.finish(connection, hand.plan.plan_id, context.clock.now())
    elif report.asked == 0 and report.others == 0 and now < deadline and not (workers.no_slot or workers.down):
        raise NothingDone(
            f"{work.left} ASINs were to be asked about, there was time, and nothing was asked",
            ja=f"問い合わせるASINが {work.left} 件あり、時間もあったのに、何も問い合わせませんでした",
        )
    return report


def _queue_planned(
    context: Context, watch: HealthWatch, planned: list[Target], work: Work, tally: Tally, opinion: bool
) -> None:
    """Where a second opinion is asked, a doubt takes a detail first: what is doubted now is what it is asked about.
    Where nobody can sweep, what was to be swept is asked in detail, after everything else."""
    tally.audit(target.asin for target in planned if target.reason == "audit")
    sweeps = [target.asin for target in planned if target.operation == "sweep"]
    details = [target.asin for target in planned if target.operation == "detail"]
    now, names = context.clock.now(), [one.name for one in operations(context) if one.role is Role.SWEEP]
    if not any(watch.may_ask(account.account_id, name, now) for account in context.sp_accounts for name in names):
        sweeps, details = [], details + sweeps
    work.add(
        sweep=sweeps,
        detail=details,
        second_looks=(target.asin for target in planned if target.reason == "second_look" and not opinion),
    )


def _more(context: Context, hand: WorkInHand, work: Work, began: float, deadline: float) -> list[Target]:
    """More to ask when the list was done long before the slice: the rates were better than the plan knew."""
    now = context.clock.monotonic()
    if work.left or deadline - now < _SPARE * context.run.slice_s:
        return []
    with context.state.read() as connection:
        plan = plans.by_id(connection, hand.plan.plan_id) or hand.plan
    if context.run.spend == "due" and not plan.left_over and not hand.continues:
        return []
    return plan_more(context, plan, now - began, deadline - now)


def _supervise(
    context: Context,
    workers: Workers,
    work: Work,
    tally: Tally,
    asking: Asking,
    span: tuple[float, float],
    meanwhile: Meanwhile | None,
) -> None:
    """Tell people how it goes and keep our claims alive until the workers are done or somebody wants us to end."""
    told = beaten = span[0]
    while workers.busy and not context.stop.is_set() and workers.failure is None:
        workers.join(_LOOK_S)  # real time: a clock moved by hand must not run away while the workers work
        now = context.clock.monotonic()
        if meanwhile is not None:
            meanwhile.look()
        if now - told >= _TELL_EVERY_S:
            told = now
            context.progress(_progress(context, work, tally, now, span))
            keep_examples(context)
        if now - beaten >= leases.RENEW_EVERY_S:
            beaten = now
            with context.state.write(locks.run(context.run.run_id)) as connection:
                leases.renew(connection, asking.owner, context.clock.now())
                run_book.beat(connection, context.run.run_id, context.clock.now())
    context.progress(_progress(context, work, tally, context.clock.monotonic(), span))


def _end_of(context: Context, meanwhile: Meanwhile) -> None:
    """Let what is under way beside the questions come to its end: the next step reads what it leaves behind."""
    while meanwhile.busy and not context.stop.is_set():
        meanwhile.wait(_LOOK_S)
    if meanwhile.busy:  # somebody waits for us to go
        meanwhile.wait(_LEAVE_S)
    if meanwhile.failure is not None:
        raise meanwhile.failure


def _progress(
    tools: Tools,
    work: Work,
    tally: Tally,
    now: float,
    span: tuple[float, float],
) -> Progress:
    left = work.left
    statuses = tally.snapshot()
    used, allowed = tally.used_share(), tally.allowed_calls()
    details: dict[str, object] = {"asked": sum(statuses.values()), **statuses}
    for name, calls in sorted(tally.calls().items()):
        details[f"calls {name}"] = calls
        details[f"allowed {name}"] = allowed.get(name, 0.0)
        if name in used:
            details[f"used % {name}"] = round(100 * used[name], 1)
    elapsed, asked = max(now - span[0], 0.001), max(work.planned - left, 0)
    remaining = min(left * elapsed / asked if asked else span[1] - now, span[1] - now) if left else 0.0
    return Progress("sp_api_snapshots", asked, work.planned, max(0.0, remaining), details)


def _report(
    context: Context,
    tally: Tally,
    not_believed: tuple[str, ...] | list[str],
    planned: int,
    left: int,
    seconds: float,
    continues: str = "",
) -> FetchReport:
    keep_examples(context)
    with context.state.write() as connection:
        calls = counted(connection, context.run.run_id)
        names = {f"{account}/{operation}": figures for (account, operation), figures in sorted(calls.items())}
        figures = tally.figures
        confirms = {operation.name for operation in context.operations.of(Role.CONFIRM)}
        opinions = {operation.name for operation in context.operations.of(Role.OPINION)}
        refused_opinion = refused_since(connection)
        present = present_operations(context, connection)
        report = FetchReport(
            planned=planned,
            asked=figures["asked"],
            by_status=dict(sorted(tally.statuses.items())),
            by_reason=dict(tally.reasons.most_common()),
            calls={name: made for name, (made, _, _) in names.items()},
            refused={name: refused for name, (_, refused, _) in names.items() if refused},
            failed_calls=sum(failed for (_, name), (_, _, failed) in calls.items() if name not in opinions),
            odd_shapes=end_of_asking(context, connection),
            failed_for=tuple(one for one in failed_for(connection, context.run.run_id) if one[0] not in opinions),
            used_share=tally.used_share(),
            left_over=left,
            others=figures["others"],
            doubts_open=asins.count_doubts(connection, context.lane.shops),
            second_looks=sum(made for (_, operation), (made, _, _) in calls.items() if operation in confirms),
            not_believed=tuple(not_believed),
            zeros_not_believed=dict(sorted(tally.not_believed.items())),
            by_operation=tally.of_operations(),
            unanswered=tally.unanswered(),
            doubted=tally.doubted(),
            probe_audited=figures["probe_audited"],
            probe_missed=figures["probe_missed"],
            sweep_answers=figures["sweep_answers"],
            sweep_unknown=figures["sweep_unknown"],
            silent_again=figures["silent_again"],
            opinions={str(one): figures[f"opinion_{one}"] for one in Verdict if figures[f"opinion_{one}"]},
            audits={str(one): figures[f"audit_{one}"] for one in Verdict if figures[f"audit_{one}"]},
            opinion_refused=refused_opinion[0] if refused_opinion else 0,
            down=present.down,
            seconds=round(seconds, 3),
            continues=continues,
        )
        keep(connection, context.run.run_id, "sp_api_snapshots", report)
    return report
