"""The one resource: what a run may do (the launchpad's fields), and the tools that wiring builds for it.

Built once a run, closed at its end: whatever the run left unpublished is then carried into history. Not for: what
a job may do by itself (jobs.py), questions, which open no run (questions.py), or what the steps do with it.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import datetime
from types import FrameType

import dagster as dg
from pydantic import Field, PrivateAttr

from ecauto_pipeline.alerts.rules.runs import HISTORY_PUBLISHED
from ecauto_pipeline.clock import SystemClock
from ecauto_pipeline.defs.checks import report_check
from ecauto_pipeline.defs.failures import failing_in_words, refused
from ecauto_pipeline.defs.jobs import policy_of, pushes_in_the_end
from ecauto_pipeline.defs.lanes import LANE_TAG, SIDE_BY_SIDE, tags_of
from ecauto_pipeline.defs.launchpad import PriceChoice, SpendChoice, Trigger
from ecauto_pipeline.defs.partitions import bad_key, first_hour, hour_key, keys_of
from ecauto_pipeline.domain.lanes import WHOLE_LANE, Lane, meets
from ecauto_pipeline.errors import SettingsError
from ecauto_pipeline.process_memory import share_one_area
from ecauto_pipeline.settings import Settings, load
from ecauto_pipeline.state.installation import remember_first_hour
from ecauto_pipeline.state.runs import asked_to_end_by
from ecauto_pipeline.sync.context import Context, Progress, Run, Tools
from ecauto_pipeline.sync.lane_lease import holding
from ecauto_pipeline.sync.publish import publish_run
from ecauto_pipeline.sync.run_record import begin_run, end_run, record_of
from ecauto_pipeline.sync.stale_asins.next_slice import slice_length_s
from ecauto_pipeline.wiring.accounts import known_accounts
from ecauto_pipeline.wiring.lanes import in_lane, known_lane
from ecauto_pipeline.wiring.open import open_tools

listeners: list[Callable[[Progress], None]] = []
"""Who else wants to hear of progress in this process: the command line's progress bar."""


class Pipeline(dg.ConfigurableResource["Pipeline"]):
    """One run's permissions, editable in the launchpad under resources > pipeline > config."""

    dry_run: bool = Field(False, description="ask Amazon and decide, but send BASE nothing and leave master.db alone")
    accounts: list[str] = Field(
        [],
        description="shops to work on, by id (platform:id where two have the same), refused unless known and active;"
        " empty = every active one",
    )
    max_items: int = Field(0, ge=0, description="listings at most, best sellers first; 0 = all")
    judge_all: bool = Field(
        False, description="judge every listing, not only what has changed since; else that is done once a day"
    )
    include_price: PriceChoice = Field(
        PriceChoice.as_the_job_says,
        description="never | floor (only below the margin floor) | all | as_the_job_says",
    )
    include_visibility: bool = Field(
        True, description="also hide, show and restock; price_sync hides a loss that can't be corrected now"
    )
    spend: SpendChoice = Field(
        SpendChoice.as_ecauto_toml_says, description="due | budget | as_ecauto_toml_says ([tiers] spend)"
    )
    slice_minutes: float = Field(0.0, ge=0, description="API time of this run; 0 = as ecauto.toml says")
    trigger: Trigger = Field(
        Trigger.manual, description="who asked for the run: manual | schedule | next_slice | order | backfill | cli"
    )
    slice_no: int = Field(1, ge=1, description="which slice of its hour this run is")
    lane: str = Field(
        "",
        description="the lane to work in, by id ([[lanes]] in ecauto.toml); empty = as tag ecauto/lane says, else all",
    )

    _context: Context | None = PrivateAttr(default=None)

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator[Pipeline]:
        settings = load()
        try:
            lane = self._lane(settings, context)
            in_lane(lane, known_accounts(settings, self.accounts))
            first = _first_hour(settings, context)
        except SettingsError as error:
            raise refused(error.said("ja"), error.said("en")) from error
        stop = threading.Event()
        run_id, job = (context.run.run_id, context.run.job_name) if context.run is not None else ("", "")
        log_name = policy_of(job).log
        opened = open_tools(settings, run_id=run_id, stop=stop, progress=_tell, log_name=log_name, lane=lane)
        by_hand = self.trigger is Trigger.cli
        share_one_area()
        with failing_in_words(), opened as tools, _stop_on_signal(stop):
            with tools.state.write() as connection:
                remember_first_hour(connection, first)
            with lane_held(context, tools, job):
                self._context = tools.for_run(self._describe(context, tools))
                begin_run(self._context)
                try:
                    yield self
                finally:
                    interrupted = stop.is_set() or _interrupted(context, run_id)
                    stop.set()
                    if interrupted and (by_hand or asked_to_end(tools, run_id)):
                        _cancel(context)
                    end_run(self._context)
                    if not interrupted:  # somebody waits for us to go: the next run publishes
                        _publish(context, self._context)

    @property
    def context(self) -> Context:
        """This run and the tools it works with."""
        if self._context is None:
            raise RuntimeError("the pipeline resource is not open")
        return self._context

    def _lane(self, settings: Settings, context: dg.InitResourceContext) -> Lane:
        """Raises SettingsError for a lane that ecauto.toml has not, and where tag and launchpad name two."""
        run = context.run
        tagged = run.tags.get(LANE_TAG, "") if run is not None else ""
        if self.lane and tagged and self.lane != tagged:
            raise SettingsError(
                f"lane {self.lane!r} was chosen, and tag {LANE_TAG} says {tagged!r}",
                ja=f"レーン {self.lane!r} が選ばれましたが、タグ {LANE_TAG} は {tagged!r} です",
            )
        lane = known_lane(settings, self.lane or tagged)
        tags = tags_of(lane, fleet=settings.fleet.on)
        untagged = bool(tags) and not tagged and run is not None and run.job_name not in SIDE_BY_SIDE
        if untagged and run is not None and context.instance is not None:
            context.instance.add_run_tags(run.run_id, tags)  # too late to wait itself, but others wait for it
        return lane

    def _describe(self, context: dg.InitResourceContext, tools: Tools) -> Run:
        run = context.run
        if run is None:
            raise RuntimeError("the pipeline resource belongs to a run")
        policy = policy_of(run.job_name)
        visibility = self.include_visibility and policy.visibility
        spend = self.spend.or_else(tools.settings.tiers.spend)
        keys = keys_of(dict(run.tags)) or (hour_key(tools.clock.now()),)
        return Run(
            run_id=run.run_id,
            job=run.job_name if not run.job_name.startswith("__") else "materialize",
            partition_keys=keys,
            started_at=tools.clock.now(),
            dry_run=self.dry_run,
            include_price=self.include_price.or_else(policy.include_price(tools.settings)),
            include_visibility=visibility,
            hide_failed_prices=self.include_visibility,
            push=policy.push,
            push_while_asking=policy.push and pushes_in_the_end(run, visibility),
            fetch=policy.fetch,
            accounts=in_lane(tools.lane, known_accounts(tools.settings, self.accounts)),
            max_items=self.max_items or None,
            judge_all=self.judge_all,
            spend=spend,
            slice_s=self.slice_minutes * 60 or slice_length_s(tools, spend),
            trigger=Trigger.backfill.value if len(keys) > 1 else self.trigger.value,
            slice_no=self.slice_no,
            lane=tools.lane.id,
            retries=run.parent_run_id or "",
        )


def lane_held(context: dg.InitResourceContext, tools: Tools, job: str) -> AbstractContextManager[object]:
    """In a fleet: nobody else's run works on this lane meanwhile, nor does one that Dagster calls over."""
    run, instance = context.run, context.instance
    if not tools.settings.fleet.on or run is None:
        return nullcontext()

    def is_over(run_id: str) -> bool:
        other = instance.get_run_by_id(run_id) if instance is not None else None
        return run_id in (run.run_id, run.parent_run_id) or (other is not None and other.is_finished)

    lanes = (WHOLE_LANE, *(one.id for one in tools.settings.lanes))
    beside = [one for one in lanes if one != tools.lane.id and meets(one, tools.lane.id)]
    own, *others = [f"{one}/{job}" if job in SIDE_BY_SIDE else one for one in (tools.lane.id, *beside)]
    return holding(tools, own, run.run_id, is_over, others)


def _first_hour(settings: Settings, context: dg.InitResourceContext) -> datetime:
    """The installation's first hour. Raises SettingsError where an hour of the run is none of its hours."""
    now = SystemClock().now()
    first = first_hour(settings, now)
    keys = keys_of(dict(context.run.tags)) if context.run is not None else ()
    for key in (*keys[:1], *keys[-1:]):
        problem = bad_key(key, first, now)
        if problem is not None:
            ja, en = problem
            raise SettingsError(f"partition: {en}", ja=f"対象の時間: {ja}")
    return first


def _publish(context: dg.InitResourceContext, work: Context) -> None:
    """Carry what the run left into history, and say how that went where no step of the run says it.

    Where its last step did so, nothing of the run is left: what others have done since is the next run's, and so is
    what could not be loaded because somebody holds the database.
    """
    done = record_of(work, work.run.run_id).history
    if done is not None and not done.problem:
        return
    report = publish_run(work)
    said = record_of(work, work.run.run_id).base_updates is not None
    if context.instance is not None and context.run is not None and (not said or report.damaged or report.problem):
        report_check(context.instance, context.run, work, HISTORY_PUBLISHED)


def _interrupted(context: dg.InitResourceContext, run_id: str) -> bool:
    """Whether a step was broken off. Inside steps Dagster catches SIGTERM in our place: `stop` knows nothing of it.

    Between them its executor sees to it (in_process.py).
    """
    if context.instance is None or not run_id:
        return False
    failures = context.instance.all_logs(run_id, of_type=dg.DagsterEventType.STEP_FAILURE)
    return any(
        "DagsterExecutionInterruptedError" in str(entry.get_dagster_event().step_failure_data.error_display_string)
        for entry in failures
    )


def asked_to_end(tools: Tools, run_id: str) -> bool:
    """Whether it was a person who interrupted this run, wherever it was launched (sync/people/stop_run.py)."""
    with tools.state.read() as connection:
        return asked_to_end_by(connection, run_id) != ""


def _cancel(context: dg.InitResourceContext) -> None:
    """A person broke the run off (Ctrl-C, `ecauto runs stop`): Dagster is to show it as canceled, not as failed."""
    if context.instance is not None and context.run is not None:
        context.instance.report_run_canceling(context.run)


def _tell(progress: Progress) -> None:
    for listener in list(listeners):
        listener(progress)


@contextmanager
def _stop_on_signal(stop: threading.Event) -> Iterator[None]:
    """SIGTERM and Ctrl-C set `stop` first, then do what they did before (Dagster's own interruption)."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}

    def handle(number: int, frame: FrameType | None) -> None:
        stop.set()
        earlier = before[signal.Signals(number)]
        if callable(earlier):
            earlier(number, frame)

    for number in before:
        signal.signal(number, handle)
    try:
        yield
    finally:
        for number, earlier in before.items():
            signal.signal(number, earlier)
