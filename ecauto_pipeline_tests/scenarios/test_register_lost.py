"""A night on which another program empties a shop's part of master.db: its goods are kept in step all the same."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from ecauto_pipeline.alerts.rules import judge
from ecauto_pipeline.alerts.setup import alert_setup
from ecauto_pipeline.clock import ManualClock
from ecauto_pipeline.emulator.server import EmulatorServer
from ecauto_pipeline.sync.run_record import record_of
from ecauto_pipeline_tests.scenarios.picking import cost_of, costs, edits_of, seen, sound
from ecauto_pipeline_tests.scenarios.shop_day import ShopDay

_START = datetime(2026, 6, 1, 1, 10, tzinfo=UTC)


def test_what_the_register_lost_changes_nothing_in_the_shop(tmp_path: Path) -> None:
    """Prices of both shops follow Amazon, nothing else is sent to the shop that was lost, the numbers add up; one
    alert, about that shop, with the command; what was sent is written back when the rows are there again."""
    clock = ManualClock(_START)
    with EmulatorServer(clock=clock, seed=21, listings=60, accounts=3, speed=200.0) as emulator:
        day = ShopDay(tmp_path, emulator, clock, loads_when_asked=True)
        lost, kept = day.accounts[:2]
        cases = {account: sound(day, 3, account) for account in (lost, kept)}
        day.run()
        day.advance(25 * 3600)
        for listed in (*cases[lost], *cases[kept]):
            costs(day, listed, cost_of(listed.price_jpy) + 400)
        whole, since = day.settings.master_db.read_bytes(), seen(day)
        with closing(sqlite3.connect(day.settings.master_db)) as register:
            register.execute("DELETE FROM listings WHERE account_id = ?", (lost,))
            register.commit()
        result = day.run()
        assert [1] * 6 == [len(edits_of(day, listed, since)) for listed in (*cases[lost], *cases[kept])]
        with day.tools() as tools:
            record = record_of(tools, result.run_id)
            said = [one for one in judge(record, alert_setup(tools)) if one.rule == "register_kept" and not one.passed]
        assert record.account is not None
        assert record.account.adds_up()
        assert [(lost, "ERROR", f"ecauto register accept {lost}")] == [
            (one.subject, one.severity, one.remedy) for one in said
        ]
        assert {"item_id", "asin"} == set(said[0].worst[0])
        day.settings.master_db.write_bytes(whole)
        day.advance(3600)
        assert () == day.run().reports["listings"].register.falls
        shown = day.shown()
        for listed in cases[lost]:
            query = "SELECT selling_price FROM listings WHERE account_id = ? AND platform_item_id = ?"
            assert [{"selling_price": shown[lost, listed.item_id]["price_jpy"]}] == day.register(
                query, lost, listed.item_id
            )
