"""What tests and benchmarks of fetching need: a client of the emulator, tools over a fresh state.db, a plan.

Not for: anything that is not about asking Amazon.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Row, select

from ecauto_pipeline.amazon.client import SpApiClient
from ecauto_pipeline.amazon.credentials import Credentials
from ecauto_pipeline.clock import Clock, SystemClock
from ecauto_pipeline.domain.offers.learning import AsinRow
from ecauto_pipeline.emulator.credentials import MARKETPLACE_ID, SP_ACCOUNTS
from ecauto_pipeline.register.master import Register
from ecauto_pipeline.settings import parse
from ecauto_pipeline.state import asins, plans
from ecauto_pipeline.state import runs as run_book
from ecauto_pipeline.state.buckets import Buckets
from ecauto_pipeline.state.calls import MOST_HELD, CallLedger
from ecauto_pipeline.state.database import Database
from ecauto_pipeline.state.plans import Target
from ecauto_pipeline.state.schema import observations
from ecauto_pipeline.sync.context import Context, Run, Tools
from ecauto_pipeline.sync.sp_api_snapshots import fetch
from ecauto_pipeline.sync.stale_asins.plan import scope_of
from ecauto_pipeline_tests.not_needed import NOT_NEEDED
from ecauto_pipeline_tests.state.blank import blank_state


def tools_at(
    folder: Path,
    url: str,
    clock: Clock,
    accounts: int = 1,
    document: dict[str, Any] | None = None,
    timeout_s: float = 5.0,
    timeline: str | None = None,
    stop: threading.Event | None = None,
    state_url: str = "",
) -> Tools:
    """Tools whose SP accounts call `url`, state in `folder` or at `state_url`; what fetching does not need is absent.

    Unchanged answers are not audited unless `document` says so: which ones would be depends on the day.
    """
    document = document or {}
    settings = parse({**document, "sp_api": {"audit_share": 0.0, **document.get("sp_api", {})}}, folder)
    state = Database(state_url) if state_url else blank_state(folder / "state.db")
    tools = Tools(
        settings=settings,
        clock=clock,
        state=state,
        history=NOT_NEEDED,
        register=Register(settings.master_db),
        shops={},
        sp_accounts=[],
        log=logging.getLogger("ecauto.test"),
        stop=stop or threading.Event(),
    )
    pace = Buckets(state, clock, timeline)
    clients = [
        SpApiClient(
            account.id,
            Credentials(account.refresh_token, account.client_id, account.client_secret),
            url,
            url,
            MARKETPLACE_ID,
            clock,
            pace,
            CallLedger(state, hold=MOST_HELD),
            timeout_s,
            tools.stop,
            may_send=state.may_send,
        )
        for account in SP_ACCOUNTS[:accounts]
    ]
    return replace(tools, sp_accounts=clients)


def a_run(run_id: str, started_at: datetime, slice_s: float = 600.0, **more: Any) -> Run:
    """A run that fetches."""
    return Run(run_id, "stock_sync", ("2026-01-05-12:00",), started_at, slice_s=slice_s, **more)


def fetching_process(folder: Path, url: str, run_id: str, started_at: datetime) -> None:
    """What a process of its own does: it asks what the run has still to ask. It stands here, since the process imports
    where it stands."""
    tools = tools_at(folder, url, SystemClock())
    fetch.run(tools.for_run(a_run(run_id, started_at)))


def plan(
    context: Context, detail: Iterable[str] = (), sweep: Iterable[str] = (), reasons: dict[str, str] | None = None
) -> None:
    """Write down what the run is to ask, as the planner would."""
    wanted = [(asin, "detail") for asin in detail] + [(asin, "sweep") for asin in sweep]
    rows = [
        Target(seq, asin, operation, (reasons or {}).get(asin, "stock_due"), "low")
        for seq, (asin, operation) in enumerate(wanted)
    ]
    run = context.run
    with context.state.write() as connection:
        run_book.begin(connection, run.run_id, run.job, run.partition_key, run.started_at, run.dry_run)
        plans.write_plan(
            *(connection, run.run_id, run.partition_key, run.lane, scope_of(run), run.started_at), rows, left_over=0
        )


def rows_of(tools: Tools, wanted: Sequence[str]) -> dict[str, AsinRow]:
    """What is believed of these ASINs."""
    with tools.state.read() as connection:
        return asins.read(connection, wanted)


def kept(tools: Tools, run_id: str | None = None) -> list[Row[Any]]:
    """The observations in state.db, oldest first."""
    query = select(observations).order_by(observations.c.seq)
    if run_id is not None:
        query = query.where(observations.c.run_id == run_id)
    with tools.state.read() as connection:
        return list(connection.execute(query))
