"""A state that was restored from a backup of hours ago: what it no longer knows is found again, nothing goes astray."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from ecauto_pipeline.clock import ManualClock
from ecauto_pipeline.emulator.server import EmulatorServer
from ecauto_pipeline.sync.run_record import record_of
from ecauto_pipeline_tests.scenarios.picking import cost_of, costs, edits_of, seen, sound
from ecauto_pipeline_tests.scenarios.shop_day import ShopDay

_START = datetime(2026, 6, 1, 1, 10, tzinfo=UTC)


def _copied(source: Path, target: Path) -> None:
    """All of a database in place of another, as a backup is taken and put back."""
    with closing(sqlite3.connect(source)) as read, closing(sqlite3.connect(target)) as written:
        read.backup(written)


def test_what_was_done_since_a_backup_is_found_again_and_not_done_twice(tmp_path: Path) -> None:
    """Prices were sent after the backup: the restored state asks Amazon again and compares with what the shop shows,
    so that nothing is sent once more; a price that moved meanwhile is; the numbers add up."""
    clock = ManualClock(_START)
    with EmulatorServer(clock=clock, seed=21, listings=24, accounts=2, speed=200.0) as emulator:
        day = ShopDay(tmp_path / "day", emulator, clock, loads_when_asked=True)
        sent, moves = sound(day, 2, day.accounts[0])
        state, backup = day.settings.data_dir / "state.db", tmp_path / "backup.db"
        day.run()
        _copied(state, backup)
        day.advance(25 * 3600)
        costs(day, sent, cost_of(sent.price_jpy) + 400)
        since = seen(day)
        day.run()
        assert 1 == len(edits_of(day, sent, since))
        shown = day.shown()[day.accounts[0], sent.item_id]["price_jpy"]
        _copied(backup, state)
        costs(day, moves, cost_of(moves.price_jpy) + 400)
        since = seen(day)
        result = day.run()
        assert [0, 1] == [len(edits_of(day, one, since)) for one in (sent, moves)]
        assert shown == day.shown()[day.accounts[0], sent.item_id]["price_jpy"]
        with day.tools() as tools:
            account = record_of(tools, result.run_id).account
        assert account is not None
        assert account.adds_up()
