"""Tools over a real register and the emulator's shops: for the tests of reading."""

from __future__ import annotations

import logging
import sqlite3
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select, update

from ecauto_pipeline.clock import ManualClock, to_ms
from ecauto_pipeline.emulator.server import EmulatorServer
from ecauto_pipeline.register.master import Register
from ecauto_pipeline.settings import parse
from ecauto_pipeline.shops.protocol import key_of
from ecauto_pipeline.state import runs as run_book
from ecauto_pipeline.state.schema import asins, listings
from ecauto_pipeline.state.schema_decisions import journal
from ecauto_pipeline.sync.context import Run, Tools
from ecauto_pipeline.sync.listings import read
from ecauto_pipeline.sync.sections import ListingsReport
from ecauto_pipeline_tests.not_needed import NOT_NEEDED
from ecauto_pipeline_tests.shops.base.shops_at_hand import authorise, set_up
from ecauto_pipeline_tests.state.blank import blank_state

NOON = datetime(2026, 11, 10, 3, 10, tzinfo=UTC)


@dataclass
class ShopBench:
    """One installation: its state, its register, its shops."""

    emulator: EmulatorServer
    clock: ManualClock
    tools: Tools
    folder: Path
    runs: int = 0
    untouched: set[tuple[Any, ...]] = field(default_factory=set)
    """What a generated test has left alone in all of its examples."""
    sound_rows: list[tuple[int, int, str]] = field(default_factory=list)
    """(listing, product, item) of rows that a generated test may spoil."""

    @classmethod
    def at(cls, folder: Path, emulator: EmulatorServer, clock: ManualClock, accounts: tuple[str, ...]) -> ShopBench:
        document: dict[str, Any] = {"base": {"accounts": [{"id": account} for account in accounts]}}
        settings = parse(document, folder, str(folder / "data"))
        rows = emulator.control.register_rows()
        register = Register.create(settings.master_db, rows["products"], rows["listings"])
        shops = {}
        for account in accounts:
            hands = set_up(folder, emulator.url, clock, account=account)
            authorise(hands, emulator, clock)
            shops[key_of(hands.shop)] = hands.shop
        log = logging.getLogger("ecauto.test")
        state = blank_state(settings.data_dir / "state.db")
        tools = Tools(
            settings=settings,
            clock=clock,
            state=state,
            history=NOT_NEEDED,
            register=register,
            shops=shops,
            log=log,
        )
        return cls(emulator, clock, tools, folder)

    def read(self, **options: Any) -> ListingsReport:
        self.runs += 1
        run = Run(f"run-{self.runs}", "stock_sync", ("2026-11-10-12:00",), self.clock.now(), **options)
        with self.tools.state.write() as connection:
            run_book.begin(connection, run.run_id, run.job, run.partition_key, run.started_at, run.dry_run)
        return read.run(self.tools.for_run(run))

    def listing(self, item_id: int, account: str = "base_account_1") -> Any:
        query = select(listings).where(listings.c.account_id == account, listings.c.item_id == str(item_id))
        with self.tools.state.read() as connection:
            return connection.execute(query).one()

    def rows(self) -> list[Any]:
        with self.tools.state.read() as connection:
            return list(connection.execute(select(listings)))

    def asin(self, asin: str) -> Any:
        with self.tools.state.read() as connection:
            return connection.execute(select(asins).where(asins.c.asin == asin)).one_or_none()

    def pretend(self, item_id: int, **values: Any) -> None:
        """Change what state.db holds of a listing."""
        with self.tools.state.write() as connection:
            connection.execute(update(listings).where(listings.c.item_id == str(item_id)).values(**values))

    def owner_writes(self, statement: str, *values: Any) -> None:
        """Another program of the owner changes master.db."""
        with sqlite3.connect(self.tools.settings.master_db) as database:
            database.execute(statement, values)

    def calls(self, operation: str, since: int = 0) -> int:
        return len(self.emulator.control.calls(since=since, operation=operation))

    def last_call(self) -> int:
        return max((call["seq"] for call in self.emulator.control.calls()), default=0)


def journalled(bench: ShopBench, item_id: int, after: int, outcome: str | None, kind: str = "visibility") -> None:
    """An edit in our journal, now."""
    now = to_ms(bench.clock.now())
    row: dict[str, Any] = {"update_id": f"u{item_id}-{after}-{now}", "key": f"k{item_id}-{now}", "diff_id": "d"}
    row |= {"run_id": "r", "platform": "base", "account_id": "base_account_1", "item_id": str(item_id), "asin": "x"}
    row |= {"kind": kind, "before": 1 - after, "after": after, "outcome": outcome, "intent_at": now}
    with bench.tools.state.write() as connection:
        connection.execute(insert(journal).values(**row))
