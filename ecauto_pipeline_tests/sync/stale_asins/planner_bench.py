"""A shop's state as the planner meets it, built row by row. Not for: asking or pushing."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import insert, update

from ecauto_pipeline.clock import ManualClock, to_ms
from ecauto_pipeline.settings import Settings
from ecauto_pipeline.state import runs as run_book
from ecauto_pipeline.state.database import Database
from ecauto_pipeline.state.plans import Target, targets_of_run
from ecauto_pipeline.state.schema import asins, listings
from ecauto_pipeline.sync.context import Run, Tools
from ecauto_pipeline.sync.run_record import keep
from ecauto_pipeline.sync.sections import FetchReport, PlanReport
from ecauto_pipeline.sync.stale_asins import plan as stale_asins
from ecauto_pipeline_tests.not_needed import NOT_NEEDED
from ecauto_pipeline_tests.state.blank import blank_state

START = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)  # 10:00 in Japan


def asin_no(number: int) -> str:
    return f"B{number:09d}"


class PlannerBench:
    """One installation with a clock moved by hand; Amazon is whatever `answer` says."""

    def __init__(self, folder: Path, url: str = "", **settings: Any) -> None:
        """`url`: where state is kept, "" = a file in `folder`."""
        self.clock = ManualClock(START)
        self.database = Database(url) if url else blank_state(folder / "state.db")
        self.tools = Tools(
            settings=Settings(root=folder, **settings),
            clock=self.clock,
            state=self.database,
            history=NOT_NEEDED,
            register=NOT_NEEDED,
            shops={},
            sp_accounts=(),
            log=logging.getLogger("planner"),
        )
        self.runs = 0

    def list_asins(self, numbers: Iterable[int], account: str = "shop_1", listed: int = 1) -> None:
        """One listing of each in an account."""
        rows = [
            {"platform": "base", "account_id": account, "item_id": str(n), "asin": asin_no(n), "listed": listed}
            for n in numbers
        ]
        with self.database.write() as connection:
            connection.execute(insert(listings), rows)

    def know(self, numbers: Iterable[int], age: timedelta = timedelta(), **columns: object) -> None:
        """State of ASINs whose every figure has this age, answered with success, unless said otherwise."""
        at = to_ms(self.clock.now() - age)
        stamps = dict.fromkeys(("price_at", "stock_at", "detail_at", "probe_at"), at)
        facts = {"status": "success", "price_jpy": 1000, "in_stock": 1, "probe_offer_count": 3, **stamps, **columns}
        with self.database.write() as connection:
            connection.execute(insert(asins), [{"asin": asin_no(n), **facts} for n in numbers])

    def set(self, number: int, **columns: object) -> None:
        with self.database.write() as connection:
            connection.execute(update(asins).where(asins.c.asin == asin_no(number)).values(**columns))

    def run(self, **options: Any) -> Run:
        self.runs += 1
        now = self.clock.now()
        run = replace(Run(f"run_{self.runs}", "stock_sync", ("2026-11-23-10:00",), now), **options)
        with self.database.write() as connection:
            run_book.begin(connection, run.run_id, run.job, run.partition_key, run.started_at, run.dry_run)
        return run

    def plan(self, **options: Any) -> tuple[PlanReport, list[Target]]:
        run = self.run(**options)
        report = stale_asins.run(self.tools.for_run(run))
        return report, self.targets(run)

    def fetched(self, **figures: Any) -> None:
        """A run that reports these figures of its asking."""
        run = self.run()
        with self.database.write() as connection:
            keep(connection, run.run_id, "sp_api_snapshots", FetchReport(**figures))

    def targets(self, run: Run) -> list[Target]:
        with self.database.read() as connection:
            return targets_of_run(connection, run.run_id)

    def answer(self, targets: Iterable[Target]) -> None:
        """Amazon answers all of it now, nothing has changed."""
        at = to_ms(self.clock.now())
        with self.database.write() as connection:
            known = {row.asin for row in connection.execute(asins.select().with_only_columns(asins.c.asin))}
            for target in targets:
                full = {"price_at": at, "detail_at": at} if target.operation == "detail" else {}
                stamps = {"stock_at": at, "probe_at": at, "probe_offer_count": 3, **full}
                if target.asin not in known:
                    connection.execute(insert(asins), {"asin": target.asin})
                settled = {"status": "success", "wants_detail": "", "doubt": "", **stamps}
                connection.execute(update(asins).where(asins.c.asin == target.asin).values(**settled))
