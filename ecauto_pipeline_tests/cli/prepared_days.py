"""Days on which something is wrong, each made in real places: state.db, Dagster's instance, files, environment.

Not for: laws (test_status_days.py).
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
from dagster._core.definitions.run_request import InstigatorType
from dagster._core.remote_origin import RemoteInstigatorOrigin
from dagster._core.scheduler.instigation import InstigatorState, InstigatorStatus, ScheduleInstigatorData
from dagster._daemon.types import DaemonHeartbeat
from sqlalchemy import insert

from ecauto_pipeline.cli.dagster_run import job_origin
from ecauto_pipeline.clock import ManualClock, jst, to_ms
from ecauto_pipeline.domain.model import AccountKey, Decision, Diff, Kind, ListingKey
from ecauto_pipeline.domain.selling.register_fall import RegisterCounts, believed_from
from ecauto_pipeline.register.tables import CREATE
from ecauto_pipeline.settings import parse
from ecauto_pipeline.state import decisions, register_counts, runs, shop_accounts, stops
from ecauto_pipeline.state.notices import Remembered, save_book, save_notice
from ecauto_pipeline.state.owner import new_owner
from ecauto_pipeline.state.register_counts import Watched
from ecauto_pipeline.state.schema import asins, listings
from ecauto_pipeline.sync.context import Tools
from ecauto_pipeline.sync.run_record import keep
from ecauto_pipeline.sync.sections import FetchReport
from ecauto_pipeline.views.status import gather
from ecauto_pipeline.wiring.open import open_tools

NOW = datetime(2026, 1, 5, 3, 30, tzinfo=UTC)
LIVE: dict[str, Any] = {
    "mode": "live",
    "base": {"accounts": [{"id": "shop_1"}, {"id": "shop_2"}]},
    "alerts": {"channels": [{"kind": "slack", "url_env": "SLACK"}], "min_free_gb": 0.0},
}
ENVIRON = {
    name: "x"
    for name in (
        *("SP_API_REFRESH_TOKEN", "LWA_APP_ID", "LWA_CLIENT_SECRET", "SLACK"),
        *("SHOP_1_CLIENT_ID", "SHOP_1_CLIENT_SECRET", "SHOP_2_CLIENT_ID", "SHOP_2_CLIENT_SECRET"),
    )
}


@dataclass(slots=True)
class Day:
    """An installation in live mode on which all is well; `prepare` of a bad day spoils it."""

    folder: Path
    tools: Tools
    instance: dg.DagsterInstance
    environ: dict[str, str] = field(default_factory=lambda: dict(ENVIRON))

    def ran(self, hours_ago: float, job: str = "stock_sync", owner: str = "", ended: bool = True, **more: Any) -> None:
        """A run of ours, as its record in state.db says."""
        at, run_id = NOW - timedelta(hours=hours_ago), f"{job}-{hours_ago}"
        with self.tools.state.write() as connection:
            runs.begin(connection, run_id, job, "", at, more.get("dry_run", False), owner or new_owner())
            if ended:
                runs.end(connection, run_id, at + timedelta(minutes=5))

    def daemon_beat(self, minutes_ago: float) -> None:
        at = (NOW - timedelta(minutes=minutes_ago)).timestamp()
        self.instance.add_daemon_heartbeat(DaemonHeartbeat(at, "SCHEDULER", "a-daemon", []))

    def dagster_run(self, job: str, status: dg.DagsterRunStatus) -> None:
        run = self.instance.add_run(dg.DagsterRun(job_name=job, status=dg.DagsterRunStatus.STARTED))
        event = (
            dg.DagsterEventType.RUN_FAILURE
            if status is dg.DagsterRunStatus.FAILURE
            else dg.DagsterEventType.RUN_SUCCESS
        )
        self.instance.report_dagster_event(dg.DagsterEvent(event.value, job), run.run_id)

    def status(self) -> dict[str, Any]:
        return gather(self.tools, self.folder, self.environ)


def with_day(folder: Path, template: Path, use: Callable[[Day], Any], language: str = "ja") -> Any:
    """A day on which all is well in `folder`, handed to `use`; `template`: a fresh Dagster home."""
    shutil.copytree(template, folder, dirs_exist_ok=True)
    _write_dagster_yaml(folder)
    for shop in ("shop_1", "shop_2"):
        token = folder / "data" / "tokens" / f"{shop}_token.json"
        token.parent.mkdir(parents=True, exist_ok=True)
        obtained = jst(NOW).replace(tzinfo=None).isoformat()
        token.write_text(json.dumps({"access_token": "a", "refresh_token": "r", "obtained_at": obtained}), "utf-8")
    with sqlite3.connect(folder / "data" / "master.db") as register:
        register.executescript(CREATE if isinstance(CREATE, str) else ";".join(CREATE))
    register.close()
    settings = parse({**LIVE, "alerts": {**LIVE["alerts"], "language": language}}, folder)
    with (
        open_tools(settings, environ=ENVIRON, clock=ManualClock(NOW), offline=True) as tools,
        dg.DagsterInstance.from_config(str(folder)) as instance,
    ):
        day = Day(folder, tools, instance)
        day.ran(0.5)
        day.daemon_beat(1)
        return use(day)


def dagster_home(folder: Path) -> Path:
    """A folder with an instance of Dagster in SQLite, as dagster.yaml of the project makes one."""
    folder.mkdir()
    (folder / "data" / "dagster").mkdir(parents=True)
    _write_dagster_yaml(folder)
    with dg.DagsterInstance.from_config(str(folder)) as instance:
        instance.get_runs()
    return folder


def _write_dagster_yaml(folder: Path) -> None:
    """The project's own, whose paths are relative to the folder that Dagster is started in."""
    text = (Path(__file__).parents[2] / "dagster.yaml").read_text(encoding="utf-8")
    (folder / "dagster.yaml").write_text(text.replace("data/dagster", f"{folder}/data/dagster"), encoding="utf-8")


def switch_off(day: Day, name: str) -> None:
    origin = RemoteInstigatorOrigin(job_origin("x").repository_origin, name)
    data = ScheduleInstigatorData("0 * * * *", NOW.timestamp())
    state = InstigatorState(origin, InstigatorType.SCHEDULE, InstigatorStatus.STOPPED, data)
    day.instance.add_instigator_state(state)


def owner_that_has_gone() -> str:
    program = "from ecauto_pipeline.state.owner import new_owner; print(new_owner())"
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.strip()


def block(day: Day, reason: str, until: datetime | None = None) -> None:
    with day.tools.state.write() as connection:
        shop_accounts.open_breaker(connection, "base", "shop_2", reason, NOW, until)


def stopped(day: Day) -> None:
    """Told by its alert too, which is no second trouble."""
    with day.tools.state.write() as connection:
        stops.put(connection, (), NOW, "owner")
    fires(day, "pushing_stopped:shop_2")


def register_shrank(day: Day) -> None:
    """Told by its alert too, which is no second trouble."""
    believed = believed_from(RegisterCounts(1200, 1150), NOW - timedelta(hours=3))
    with day.tools.state.write() as connection:
        watched = Watched(believed, RegisterCounts(310, 300))
        register_counts.save(connection, AccountKey("base", "shop_2"), watched)
    fires(day, "register_kept:shop_2")


def token_dies(day: Day, days: float) -> None:
    with day.tools.state.write() as connection:
        shop_accounts.record_refresh_expiry(connection, "base", "shop_1", NOW + timedelta(days=days))


def known_asins(day: Day, count: int, hours_ago: float, failed: bool = False) -> None:
    """Listings whose ASINs were answered then, and asked in vain since if `failed`."""
    at = to_ms(NOW - timedelta(hours=hours_ago))
    names = [f"B0{number:08d}" for number in range(count)]
    stamps = {"price_at": at, "stock_at": at, "detail_at": at, "status": "success", "price_jpy": 1000, "in_stock": 1}
    error = {"error_at": to_ms(NOW), "error_count": 9, "error_reason": "timeout"} if failed else {}
    with day.tools.state.write() as connection:
        connection.execute(insert(asins), [{"asin": name, **stamps, **error} for name in names])
        shop = {"platform": "base", "account_id": "shop_1", "listed": 1, "present": 1}
        connection.execute(insert(listings), [{**shop, "item_id": name, "asin": name} for name in names])


def hold(day: Day) -> None:
    key = ListingKey("base", "shop_1", "101")
    diff = Diff(key, "B000000001", Kind.PRICE, 1000, 9000, Decision.HELD, "move", snapshot_id="s")
    with day.tools.state.write() as connection:
        decisions.store(connection, "run", "", [diff], NOW, closed=False)


def fires(day: Day, rule: str) -> None:
    with day.tools.state.write() as connection:
        save_notice(connection, Remembered(rule, "firing", NOW, {"told": {}, "notice": {}}))


def channel_refuses(day: Day) -> None:
    with day.tools.state.write() as connection:
        save_book(connection, {"broken": {"slack:SLACK": "HTTP 404"}}, NOW)


def last_ran(day: Day, hours_ago: float) -> None:
    with day.tools.state.write() as connection:
        connection.exec_driver_sql("DELETE FROM runs")
    day.ran(hours_ago)


def secret_expired(day: Day) -> None:
    """As the last run met it; told by its alert too, which is no second trouble."""
    day.ran(0.4)
    report = FetchReport(
        calls={"sp_1/lwaToken": 2}, failed_calls=2, failed_for=(("lwaToken", "lwa_invalid_client", 2),)
    )
    with day.tools.state.write() as connection:
        keep(connection, "stock_sync-0.4", "sp_api_snapshots", report)
    fires(day, "sp_api_error_rate:getItemOffersBatch")


def disk_nearly_full(day: Day) -> None:
    """Told by its alert too, which is no second trouble."""
    settings = day.tools.settings
    alerts = settings.alerts.model_copy(update={"min_free_gb": 1e6})
    day.tools = replace(day.tools, settings=settings.model_copy(update={"alerts": alerts}))
    fires(day, "disk_low")


BAD_DAYS: dict[str, Callable[[Day], Any]] = {
    "a secret is missing": lambda day: day.environ.pop("LWA_CLIENT_SECRET"),
    "the disk is nearly full": disk_nearly_full,
    "master.db is gone": lambda day: (day.folder / "data/master.db").unlink(),
    "the client secret has expired": secret_expired,
    "Dagster's daemon is down": lambda day: day.daemon_beat(180),
    "a schedule is switched off": lambda day: switch_off(day, "stock_sync_schedule"),
    "no run for five hours": lambda day: last_ran(day, 5),
    "a run failed": lambda day: day.dagster_run("stock_sync", dg.DagsterRunStatus.FAILURE),
    "a run died (power cut)": lambda day: day.ran(0.4, owner=owner_that_has_gone(), ended=False),
    "BASE refuses a shop": lambda day: block(day, "access_denied"),
    "a shop's authorisation is refused": lambda day: block(day, "token"),
    "a shop's authorisation ends soon": lambda day: token_dies(day, 3),
    "a token file is missing": lambda day: (day.folder / "data/tokens/shop_2_token.json").unlink(),
    "master.db lost a shop's rows": register_shrank,
    "somebody stopped the pushing": stopped,
    "alerts don't arrive": channel_refuses,
    "data is stale": lambda day: known_asins(day, 10, 90),
    "an alert stands": lambda day: fires(day, "sp_api_error_rate"),
    "a change waits for a person": hold,
}
"""What happened -> how it is made. The runbook's table has a row for each."""


def kept_elsewhere(day: Day) -> None:
    """As docs/services.md has it for a daemon on a server. The files of before are still there, and say nothing now."""
    (day.folder / "dagster.yaml").write_text(
        "storage:\n  postgres:\n    postgres_db:\n      hostname: db\n      username: {env: PGUSER}\n", encoding="utf-8"
    )


def dagster_torn(day: Day) -> None:
    (day.folder / "data/dagster/history/runs.db").write_bytes(b"this is no database" * 500)
    for rest in ("-wal", "-shm"):
        (day.folder / f"data/dagster/history/runs.db{rest}").unlink(missing_ok=True)


UNKNOWN_DAYS: dict[str, Callable[[Day], Any]] = {
    "Dagster's records are in PostgreSQL": kept_elsewhere,
    "Dagster's records are damaged": dagster_torn,
}
"""Days on which nothing is known to be wrong, and not all could be looked at."""


def failed_then_well(day: Day) -> None:
    day.dagster_run("stock_sync", dg.DagsterRunStatus.FAILURE)
    day.dagster_run("full_sync", dg.DagsterRunStatus.SUCCESS)


GOOD_DAYS: dict[str, Callable[[Day], Any]] = {
    "nothing at all": lambda day: None,
    "BASE's calls of this hour are used up": lambda day: block(day, "hour_api_limit", NOW + timedelta(minutes=20)),
    "ASINs that never answer": lambda day: known_asins(day, 10, 90, failed=True),
    "an hour between two runs": lambda day: last_ran(day, 1.1),
    "a dry run in between": lambda day: day.ran(0.1, dry_run=True),
    "a failure that was made good": failed_then_well,
    "a question that failed": lambda day: day.dagster_run("explain", dg.DagsterRunStatus.FAILURE),
}
