"""Runs started through the webserver, killed (-9) inside one asset, and taken up again: what is left, to be compared.

One emulator whose time stands still, so that every trial meets the same world; one webserver with its daemon; a data
folder that each trial begins anew. Not for: laws (scenarios/test_broken_runs.py, proofs/test_broken_runs.py).
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import sqlite3
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import dagster as dg
import duckdb
import psutil
import pytest

from ecauto_pipeline.clock import ManualClock
from ecauto_pipeline.defs.build import build_defs
from ecauto_pipeline.defs.partitions import hour_key
from ecauto_pipeline.emulator.server import EmulatorServer
from ecauto_pipeline.settings import parse
from ecauto_pipeline_tests.defs.installation import worked_since
from ecauto_pipeline_tests.processes import fresh
from ecauto_pipeline_tests.scenarios.webserver import ROOT, Webserver, webserver

ASSETS = ("listings", "stale_asins", "sp_api_snapshots", "price_diffs", "visibility_diffs", "base_updates")
WORLD: dict[str, Any] = {"seed": 11, "listings": 240, "accounts": 3, "speed": 1.0}
ACCOUNTS = ("base_account_1", "base_account_2")
NO_RETRY = {"dagster/max_retries": "0"}
_PATIENCE_S = 300.0
_T = TypeVar("_T")
_ASK_EVERY_S = 0.5
"""Of the webserver: each question is work for it, and the daemon takes seconds to launch a run again."""
_STEP_CPU_S, _STEP_S = 0.01, 0.25
"""A run that is to be killed inside a short asset is let go on for so much processor time, or so long, at once."""
_LOOK_S = 0.05
"""A run that is held may hold its record, too: so long a look waits for it."""


@dataclass(frozen=True, slots=True)
class Left:
    """What a trial left behind: shop, state and history, without the names of runs and without times."""

    items: dict[tuple[str, int], tuple[Any, ...]]
    asins: list[tuple[Any, ...]]
    listings: list[tuple[Any, ...]]
    waiting: list[tuple[Any, ...]]
    snapshots: frozenset[tuple[Any, ...]]
    diffs: frozenset[tuple[Any, ...]]
    done: Counter[tuple[Any, ...]]
    edits: Counter[tuple[str, str]]


class Trials:
    """One webserver and one emulator, used for one trial after the other."""

    def __init__(self, folder: Path, emulator: EmulatorServer, server: Webserver) -> None:
        self.folder, self.control, self.server = folder, emulator.control, server
        self.hour = hour_key(datetime.now(UTC))

    def begin(self) -> None:
        """The world and the installation as they were on the first day."""
        self.control.reset(**WORLD)
        for operation in ("getItemOffersBatch", "getItemOffers", "getCompetitivePricing", "getCompetitiveSummary"):
            self.control.set_rate(operation, 20.0, 10_000)  # this clock stands still: no bucket is filled again
        data = self.folder / "data"
        for entry in data.iterdir():
            if entry.name != "dagster":
                shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
        installed_a_day_ago(self.folder)  # an hour that begins between two trials changes nothing

    def run(self) -> str:
        """An undisturbed full run; its id."""
        run_id = self.server.launch("full_sync", self.hour)
        assert self.server.wait_for_run(run_id, _PATIENCE_S) == "SUCCESS"
        return run_id

    def killed_in(self, asset: str, *, retry: bool) -> tuple[str, int]:
        """A full run, killed inside `asset` after it has done a part of its work.

        Returns its id and the emulator's last call before the kill. `retry`: whether the daemon may launch it again.
        """
        run_id = self.server.launch("full_sync", self.hour, tags={} if retry else NO_RETRY)
        return run_id, self.kill(run_id, asset)

    def kill(self, run_id: str, asset: str) -> int:
        """Kill a run that works inside `asset` after it has done a part of it; the emulator's last call before."""
        last = self._kill(run_id, asset)
        assert self.server.wait_for_run(run_id, _PATIENCE_S) == "FAILURE"
        return last

    def killed_beside(self, asset: str) -> int:
        """As `killed_in`, but the run's process is begun here and not by the webserver: it costs less."""
        run_id = str(uuid.uuid4())
        process = fresh().Process(target=full_run, args=(self.folder, self.hour, run_id))
        process.start()
        last = self._kill(run_id, asset)
        process.join()
        return last

    def _kill(self, run_id: str, asset: str) -> int:
        record = RunRecord(self.folder, run_id)
        process = self._until(record.process)
        begun = {"sp_api_snapshots": self._answered, "base_updates": self._edited}.get(asset, lambda: True)
        before = ASSETS[max(0, ASSETS.index(asset) - 2)]  # on a busy machine one asset may be over between two looks
        self._until(lambda: record.begun(before) or record.begun(asset))
        while not (record.inside(asset) and begun()):
            assert not record.past(asset), f"{asset} was over before it could be killed"
            _let_go_on(process)
        process.send_signal(signal.SIGSTOP)  # it may be there before it was ever held
        last = max((call["seq"] for call in self.control.calls()), default=0)
        process.kill()
        return last

    def run_here(self) -> None:
        """An undisturbed full run in this process, on the same instance: it costs no process."""
        full_run(self.folder, self.hour, str(uuid.uuid4()))

    def retried(self, run_id: str) -> str:
        """The run that the daemon launched after this one; its id."""
        return self._until(lambda: self.server.retry_of(run_id), _ASK_EVERY_S)

    def wait_for_retry(self, run_id: str) -> str:
        """The daemon's retry of a run; its status at its end."""
        return self.server.wait_for_run(self.retried(run_id), _PATIENCE_S)

    def one_by_one(self) -> list[str]:
        """Each asset materialized alone, in order; the statuses."""
        return [self.server.wait_for_run(self.server.materialize(asset, self.hour), _PATIENCE_S) for asset in ASSETS]

    def one_by_one_here(self) -> list[bool]:
        """As `one_by_one`, each a run of its own in this process; whether each succeeded."""
        with _here(self.folder) as (definitions, instance):
            job = definitions.resolve_implicit_global_asset_job_def()
            chosen = ([dg.AssetKey(asset)] for asset in ASSETS)
            return [
                job.execute_in_process(
                    instance=instance, partition_key=self.hour, asset_selection=asset, raise_on_error=False
                ).success
                for asset in chosen
            ]

    def asked_since(self, last: int) -> Counter[str]:
        """How often each ASIN was in a getItemOffersBatch call after that one."""
        calls = self.control.calls(since=last, operation="getItemOffersBatch")
        return Counter(asin for call in calls for asin in call["details"].get("asins", call.get("asins", ())))

    def answered(self) -> set[str]:
        """ASINs whose detail answer settled them: an error is none, and a doubted answer is owed a second look."""
        rows = self.rows(
            "select o.asin from observations o join asins a on a.asin = o.asin"
            " where o.operation = 'getItemOffersBatch' and o.status <> 'api_error' and a.doubt = ''"
        )
        return {asin for (asin,) in rows}

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(f"file:{self.folder / 'data' / 'state.db'}?mode=ro", uri=True)) as state:
            return [tuple(row) for row in state.execute(query)]

    def left(self) -> Left:
        """Shop, state and history as they are now."""
        items = [item | {"account": account} for account in ACCOUNTS for item in self.control.items(account)]
        with duckdb.connect(str(self.folder / "data" / "history.duckdb"), read_only=True) as history:
            asked = history.execute(
                "select asin, status, price_jpy from snapshots where status <> 'api_error'"
            ).fetchall()
            decided = history.execute(
                "select kind, account_id, item_id, shown, wanted, decision, reason from diffs"
            ).fetchall()
            sent = history.execute(
                "select kind, account_id, item_id, before, after from updates where outcome = 'done'"
            ).fetchall()
        carried_out = [call for call in self.control.calls(operation="items/edit") if call["http_status"] == 200]
        return Left(
            items={(i["account"], i["item_id"]): (i["price_jpy"], i["visible"], i["stock"]) for i in items},
            asins=sorted(self.rows("select asin, status, price_jpy, in_stock, doubt, error_reason from asins")),
            listings=sorted(
                self.rows(
                    "select account_id, item_id, asin, shown_price_jpy, shown_visible, shown_stock, hidden_by, listed"
                    " from listings"
                )
            ),
            waiting=sorted(
                self.rows("select account_id, item_id, kind, wanted, decision, reason from diffs where state = 'open'")
            ),
            snapshots=frozenset(asked),  # a second look may be taken by either operation that sees offers
            diffs=frozenset(decided),
            done=Counter(sent),
            edits=Counter((str(c["details"]["item_id"]), str(sorted(c["details"]["fields"]))) for c in carried_out),
        )

    def _answered(self) -> bool:
        return len(self.rows("select 1 from observations limit 45")) >= 45

    def _edited(self) -> bool:
        return len(self.rows("select 1 from journal where outcome = 'done' limit 5")) >= 5

    def _until(self, found: Callable[[], _T | None], every_s: float = 0.05) -> _T:
        deadline = time.monotonic() + _PATIENCE_S
        while time.monotonic() < deadline:
            value = found()
            if value:
                return value
            time.sleep(every_s)
        raise TimeoutError("it did not happen")


@contextmanager
def _here(folder: Path) -> Iterator[tuple[dg.Definitions, dg.DagsterInstance]]:
    """The definitions, and the instance of the webserver, for this process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)  # where the paths of dagster.yaml begin
        patch.setenv("ECAUTO_CONFIG", str(folder / "ecauto.toml"))
        patch.delenv("ECAUTO_DATA_DIR", raising=False)
        with dg.DagsterInstance.from_config(str(folder)) as instance:
            yield build_defs(), instance


def full_run(folder: Path, hour: str, run_id: str) -> None:
    """A full run of this name in this process."""
    with _here(folder) as (definitions, instance):
        job = definitions.resolve_job_def("full_sync")
        assert job.execute_in_process(instance=instance, partition_key=hour, run_id=run_id).success


def _let_go_on(process: psutil.Process) -> None:
    """A little, and no further: however busy the machine is, a short asset is not missed."""
    assert process.status() != psutil.STATUS_ZOMBIE, "it ended before it could be killed"
    used, until = sum(process.cpu_times()[:2]), time.monotonic() + _STEP_S
    process.send_signal(signal.SIGCONT)
    while sum(process.cpu_times()[:2]) - used < _STEP_CPU_S and time.monotonic() < until:
        time.sleep(0.001)
    process.send_signal(signal.SIGSTOP)


_ENDS = frozenset({"STEP_SUCCESS", "STEP_FAILURE"})


class RunRecord:
    """Dagster's own record of one run, read beside Dagster."""

    def __init__(self, folder: Path, run_id: str) -> None:
        self._file = folder / "data" / "dagster" / "history" / "runs" / f"{run_id}.db"

    def process(self) -> psutil.Process | None:
        """The process that works on the run, None while there is none."""
        for (text,) in self._events("select event from event_logs where step_key is null order by id desc"):
            found = re.findall(r"pid: (\d+)", text)
            if found:
                return psutil.Process(int(found[-1]))
        return None

    def inside(self, asset: str) -> bool:
        """Whether the asset has begun and not ended."""
        return {"STEP_START"} == self._marks(asset)

    def past(self, asset: str) -> bool:
        return bool(_ENDS & self._marks(asset))

    def begun(self, asset: str) -> bool:
        """Whether the asset has begun; it may have ended since."""
        return bool(self._marks(asset))

    def _marks(self, asset: str) -> set[str]:
        """Which of its beginning and its ends Dagster has written down."""
        query = "select dagster_event_type from event_logs where step_key = ? and dagster_event_type in (?, ?, ?)"
        return {str(kind) for (kind,) in self._events(query, asset, "STEP_START", *sorted(_ENDS))}

    def _events(self, query: str, *values: str) -> list[tuple[Any, ...]]:
        if not self._file.exists():
            return []
        try:
            with closing(sqlite3.connect(f"file:{self._file}?mode=ro", uri=True, timeout=_LOOK_S)) as events:
                return events.execute(query, values).fetchall()
        except sqlite3.OperationalError:  # not made yet, or locked by the very run that is held at this moment
            return []


def installed_a_day_ago(folder: Path) -> None:
    """The installation's hours began yesterday."""
    worked_since(parse({}, folder), datetime.now(UTC) - timedelta(days=1))


@contextmanager
def trials(folder: Path) -> Iterator[Trials]:
    """Everything that trials need, ended at the end of the block."""
    with EmulatorServer(clock=ManualClock(datetime.now(UTC)), **WORLD) as emulator:
        shops = "".join(f'[[base.accounts]]\nid = "{account}"\n' for account in ACCOUNTS)
        (folder / "ecauto.toml").write_text(
            f'[sp_api]\nendpoint = "{emulator.url}"\nlwa_endpoint = "{emulator.url}"\n'
            f'[base]\nendpoint = "{emulator.url}/1"\n{shops}',
            encoding="utf-8",
        )
        project = (ROOT / "dagster.yaml").read_text(encoding="utf-8")
        (folder / "dagster.yaml").write_text(f"{project}run_queue:\n  dequeue_interval_seconds: 1\n", encoding="utf-8")
        os.environ.setdefault("DAGSTER_DISABLE_TELEMETRY", "1")
        os.environ.setdefault("DAGSTER_EVENT_LOG_CONSUMER_DAEMON_INTERVAL_SECONDS", "1")  # else the daemon waits for 5
        installed_a_day_ago(folder)
        with webserver(folder, copies=True) as server:
            yield Trials(folder, emulator, server)
