"""New orders: a sensor that looks for them every two minutes, and the job that it starts when there are any.

A look is one list call a shop and no run (docs/decisions/a-look-is-no-run.md); the run asks Amazon about the goods and
tells the owner. Messages that a channel did not take are tried again with every look. Shops without orders are not
asked, and without a shop that has them nothing is. Not for: what a run does (sync/orders, alerts/orders.py).
"""

import threading
from datetime import datetime

import dagster as dg

from ecauto_pipeline.alerts.orders import tell_orders
from ecauto_pipeline.clock import SystemClock
from ecauto_pipeline.defs.failures import in_words
from ecauto_pipeline.defs.lanes import ORDERS_TAG, config_of, tags_of
from ecauto_pipeline.defs.living_runs import active_runs, stands_before
from ecauto_pipeline.defs.metadata import figures
from ecauto_pipeline.defs.resources import Pipeline
from ecauto_pipeline.domain.lanes import Lane, in_turn
from ecauto_pipeline.errors import EcautoError
from ecauto_pipeline.settings import Settings
from ecauto_pipeline.state.orders import unsettled
from ecauto_pipeline.sync.orders.new_orders import Looked, look
from ecauto_pipeline.sync.orders.watch import run as watch
from ecauto_pipeline.wiring.lanes import working_lanes
from ecauto_pipeline.wiring.open import open_tools

LOOK_EVERY_S = 120
LOOKS_FOR_S = 25.0
"""After so long a look gives up what it still waits for: Dagster ends a sensor's look after a minute."""
CALL_TIMEOUT_S = 10.0
AGAIN_AFTER_S = 600.0
"""After a run that failed, which people are told of as of any other."""


@dg.op(description="Keeps new orders, asks Amazon about their goods at once, and tells the owner.")
@in_words
def order_watch_op(context: dg.OpExecutionContext, pipeline: Pipeline) -> None:
    report = watch(pipeline.context)
    told = tell_orders(pipeline.context) if not pipeline.context.run.dry_run else None
    sent = {"messages_sent": told.sent, "messages_refused": len(told.failures)} if told is not None else {}
    context.add_output_metadata(figures(report) | sent)


@dg.job(
    description="新しい注文: looks up at Amazon what new orders would cost now, and tells the owner.",
    tags={"dagster/priority": "10"},  # before whatever waits: somebody is about to buy
)
def order_watch() -> None:
    order_watch_op()


def build_new_orders(settings: Settings, status: dg.DefaultSensorStatus) -> dg.SensorDefinition:
    """The sensor `new_orders`, over the lanes that have an active shop."""
    lanes, clock = working_lanes(settings), SystemClock()

    @dg.sensor(
        job=order_watch,
        minimum_interval_seconds=LOOK_EVERY_S,
        default_status=status,
        description="Looks for new orders, one list call a shop, and starts order_watch when there are any.",
    )
    def new_orders(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason | list[dg.RunRequest]:
        asked: list[dg.RunRequest] = []
        why_not: list[str] = []
        unseen, until = "", clock.monotonic() + LOOKS_FOR_S
        for lane in in_turn(lanes, context.cursor or ""):
            left_s = until - clock.monotonic()
            if left_s <= 0:
                unseen = lane.id
                break
            said = _asked_for(context.instance, settings, lane, left_s)
            if isinstance(said, dg.RunRequest):
                asked.append(said)
            else:
                why_not.append(said)
        if len(lanes) > 1:
            context.update_cursor(unseen)
        if not asked:
            return dg.SkipReason("; ".join(dict.fromkeys(why_not)))
        return asked[0] if len(asked) == 1 else asked

    return new_orders


def _asked_for(instance: dg.DagsterInstance, settings: Settings, lane: Lane, left_s: float) -> dg.RunRequest | str:
    """A run for the new orders of a lane's shops, or why there is to be none. What ails one lane stops no other."""
    try:
        looked, waiting = _look(settings, lane, left_s)
    except EcautoError as error:  # status and doctor say it too; a run would fail of it
        return f"{error.said('ja')} / {error}"
    with open_tools(settings, offline=True) as tools:
        told = tell_orders(tools, looked.spent)
        if not looked.new and not waiting:
            return _nothing_new(looked, told.sent, len(told.failures))
        active = active_runs(instance, tools, order_watch.name)
        living = [one for one in active if stands_before(one, lane.id)]
        now = tools.clock.now()
    if living:
        return f"前の実行がまだ動いています / run {living[0].run.run_id[:8]} still works"
    if _failed_lately(instance, now, lane):
        return "前の実行が失敗しました。しばらくして再試行します / the last run failed, tried again soon"
    config = {"trigger": "order", **config_of(lane)}
    return dg.RunRequest(run_config={"resources": {"pipeline": {"config": config}}}, tags=tags_of(lane, ORDERS_TAG))


def _failed_lately(instance: dg.DagsterInstance, now: datetime, lane: Lane) -> bool:
    """Whether the newest run of the job and lane failed a moment ago: the next one would hardly fare better."""
    of_lane = dg.RunsFilter(job_name=order_watch.name, tags=tags_of(lane, ORDERS_TAG))
    newest = instance.get_run_records(of_lane, limit=1)
    failed = [one for one in newest if one.dagster_run.status == dg.DagsterRunStatus.FAILURE]
    return any(one.end_time is not None and now.timestamp() - one.end_time < AGAIN_AFTER_S for one in failed)


def _look(settings: Settings, lane: Lane, left_s: float) -> tuple[Looked, int]:
    """What the shops say, and how many of their rows still wait for Amazon. Raises SettingsError, RegisterError."""
    stop = threading.Event()
    giving_up = threading.Timer(left_s, stop.set)
    giving_up.daemon = True
    giving_up.start()
    try:
        opened = open_tools(settings, stop=stop, run_id=order_watch.name, shops_alone_s=CALL_TIMEOUT_S, lane=lane)
        with opened as tools:
            looked = look(tools)
            with tools.state.read() as connection:
                waiting = [row for row in unsettled(connection) if lane.has(row.found.key.account)]
                return looked, len(waiting)
    finally:
        giving_up.cancel()


def _nothing_new(looked: Looked, sent: int, failed: int) -> str:
    said = "新しい注文はありません / no new orders"
    said += f"; {sent} messages sent" if sent else ""
    said += f"; {failed} messages refused, tried again" if failed else ""
    said += f"; {len(looked.spent)} shops out of calls" if looked.spent else ""
    said += (
        f"; {len(looked.not_read)} shops not read: {', '.join(sorted(set(looked.not_read.values())))}"
        if (looked.not_read)
        else ""
    )
    return said
