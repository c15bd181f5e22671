"""A whole installation in a folder, against an emulator in this process: what scenarios are played on.

`ShopDay` seeds the register and the tokens, opens the tools, and runs the line step by step as the Dagster assets do.
Not for: laws (the tests) or Dagster (test_through_dagster.py).
"""

from __future__ import annotations

import json
import os
import sqlite3
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from ecauto_pipeline.clock import Clock, ManualClock, SystemClock
from ecauto_pipeline.defs.partitions import hour_key
from ecauto_pipeline.emulator.credentials import base_app
from ecauto_pipeline.emulator.server import EmulatorServer
from ecauto_pipeline.history.load_report import LoadReport
from ecauto_pipeline.history.store import HistoryStore
from ecauto_pipeline.register.master import Register
from ecauto_pipeline.settings import Settings, parse
from ecauto_pipeline.sync.context import Run, Tools
from ecauto_pipeline.sync.line import run_line
from ecauto_pipeline.wiring.history_place import history_of
from ecauto_pipeline.wiring.lanes import in_lane, known_lane
from ecauto_pipeline.wiring.open import open_tools
from ecauto_pipeline_tests.duckdb_asked import asked_of
from ecauto_pipeline_tests.state.blank import put_blank_state
from ecauto_pipeline_tests.state.lock_watch import hold_to_locks


@dataclass(frozen=True)
class RunResult:
    """What the steps of one run reported, by step, and what the run's row says."""

    run_id: str
    reports: Mapping[str, Any]
    day: ShopDay

    @cached_property
    def figures(self) -> dict[str, Any]:
        """The run's row of history as its own file has it: no database is made for that. Without moments: for one of
        them Arrow loads pandas."""
        (file,) = (self.day.settings.data_dir / "history" / "run_metrics").rglob(f"{self.run_id}*.parquet")
        rows = pq.ParquetFile(file).read(use_threads=False)
        assert 1 == rows.num_rows
        told = (column for column in rows.schema if not pa.types.is_timestamp(column.type))
        return {column.name: rows.column(column.name)[0].as_py() for column in told}


class _LoadsWhenAsked(HistoryStore):
    """History whose database nobody can have now, until it is asked: of many runs, one load is enough."""

    def load(self, *, keeper: bool = True) -> LoadReport:
        return LoadReport(0, 0, deferred=True, rebuilt=False, reason="")


class ShopDay:
    """One installation. `document` is merged over the settings that point at the emulator.

    `loads_when_asked`: runs write history and leave its database alone; a day that asks little of it is played sooner.
    """

    def __init__(
        self,
        folder: Path,
        emulator: EmulatorServer,
        clock: Clock | None = None,
        document: dict[str, Any] | None = None,
        *,
        loads_when_asked: bool = False,
    ) -> None:
        self.loads_when_asked = loads_when_asked
        self.folder, self.emulator, self.clock = folder, emulator, clock or SystemClock()
        self.control = emulator.control
        self.accounts = sorted({item["account"] for item in self._listed_items()})
        self.settings = self._settings(document or {})
        self._seed()

    def advance(self, seconds: float) -> None:
        """Time goes on by so much; for a day whose clock is moved by hand."""
        assert isinstance(self.clock, ManualClock)
        self.clock.advance(seconds)

    def _listed_items(self) -> list[dict[str, Any]]:
        return [item for n in range(1, 41) for item in _items(self.control, f"base_account_{n}")]

    def _settings(self, document: dict[str, Any]) -> Settings:
        last = self.accounts[-1] if len(self.accounts) > 1 else ""
        base = {
            "endpoint": f"{self.emulator.url}/1",
            "accounts": [
                {"id": account, "active": account != last, "redirect_uri": base_app(account).redirect_uri}
                for account in self.accounts
            ],
        }
        sp_api = {"endpoint": self.emulator.url, "lwa_endpoint": self.emulator.url}
        own: dict[str, dict[str, Any]] = {"sp_api": sp_api, "base": base}
        merged = own | {
            name: {**own.get(name, {}), **value} if isinstance(value, dict) else value
            for name, value in document.items()
        }
        return parse(_frozen(merged), self.folder)

    def _seed(self) -> None:
        if self.settings.master_db.exists():
            return
        put_blank_state(self.settings.data_dir / "state.db")
        rows = self.control.register_rows()
        self.settings.master_db.parent.mkdir(parents=True, exist_ok=True)
        Register(self.settings.master_db).create(self.settings.master_db, rows["products"], rows["listings"])
        for account in self.settings.base.accounts:
            token_file = self.settings.token_file(account)
            token_file.parent.mkdir(parents=True, exist_ok=True)
            token_file.write_text(json.dumps(self.control.issue_base_tokens(account.id)), encoding="utf-8")

    @contextmanager
    def tools(self, run_id: str = "", lane: str = "") -> Iterator[Tools]:
        of_lane = known_lane(self.settings, lane)
        with open_tools(self.settings, clock=self.clock, run_id=run_id, lane=of_lane) as tools:
            hold_to_locks(tools.state)
            yield tools

    def run(self, job: str = "full_sync", **options: Any) -> RunResult:
        """One run of the line, in the order of the assets; `lane`: of its shops alone."""
        run_id = options.pop("run_id", "") or str(uuid.uuid4())
        now = self.clock.now()
        keys = options.pop("partition_keys", (hour_key(now),))
        run = Run(run_id=run_id, job=job, partition_keys=keys, started_at=now, **options)
        with self.tools(run_id, run.lane) as tools:
            if self.loads_when_asked:
                stored = tools.history
                tools = replace(tools, history=_LoadsWhenAsked(stored.directory, stored.database, self.clock))
            accounts = in_lane(tools.lane, run.accounts)
            reports = run_line(tools.for_run(replace(run, accounts=accounts)))
        return RunResult(run_id, reports, self)

    def load_history(self) -> HistoryStore:
        """Into history.duckdb, all that was written; where it lies. No shop and no state is opened for it."""
        stored = history_of(self.settings, os.environ, self.clock)
        assert not stored.load().deferred
        return stored

    def history(self, query: str, *values: object) -> list[dict[str, Any]]:
        """Rows of history.duckdb, into which all that was written is loaded.

        Damage that no load comes to is met by who looks: the next load mends it.
        """
        stored = self.load_history()
        try:
            return self._rows_of_history(query, values)
        except duckdb.IOException:
            assert stored.verify().damage
            assert stored.load().rebuilt
            return self._rows_of_history(query, values)

    def _rows_of_history(self, query: str, values: Sequence[object]) -> list[dict[str, Any]]:
        names, rows = asked_of(self.settings.data_dir / "history.duckdb", query, values)
        return [dict(zip(names, row, strict=True)) for row in rows]

    def register(self, query: str, *values: object) -> list[dict[str, Any]]:
        """Rows of master.db."""
        connection = sqlite3.connect(self.settings.master_db)
        connection.row_factory = sqlite3.Row
        try:
            return [dict(row) for row in connection.execute(query, values)]
        finally:
            connection.close()

    def shown(self) -> dict[tuple[str, str], dict[str, Any]]:
        """What every item shows now, by account and item id: price_jpy, visible, stock."""
        return {
            (item["account"], str(item["item_id"])): item
            for account in self.accounts
            for item in _items(self.control, account)
        }

    def edits(self, since: int = 0) -> list[dict[str, Any]]:
        """The edits that the emulator saw, in order."""
        calls = self.control.calls(since=since, api="base")
        return [call for call in calls if call["operation"] in ("items/edit", "items/edit_stock")]


def _items(control: Any, account: str) -> list[dict[str, Any]]:
    try:
        return list(control.items(account))
    except (KeyError, LookupError, ValueError):
        return []


def _frozen(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _frozen(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return tuple(_frozen(inner) for inner in value)
    return value
