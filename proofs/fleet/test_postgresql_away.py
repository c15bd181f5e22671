"""PostgreSQL goes away for a moment, or the line to it does: what was written stands once, what was not is told.

Not for: many writers at once (test_races.py) or runs that wake up late (test_fencing.py).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from functools import partial

import pytest
from sqlalchemy import Connection, func, select
from sqlalchemy.exc import DBAPIError

from ecauto_pipeline.errors import SettingsError
from ecauto_pipeline.state import locks, migrations
from ecauto_pipeline.state.database import Database
from ecauto_pipeline.state.postgresql import CommitUnknown
from ecauto_pipeline.state.schema_notes import messages
from ecauto_pipeline.state.store_failed import store_failed
from ecauto_pipeline.state.upsert import upsert
from proofs.fleet.cut_line import CutLine
from proofs.fleet.servers import PostgreSQL
from proofs.fleet.tables import migrated

AWAY_S = 5.0


@pytest.fixture
def own_server() -> Iterator[PostgreSQL]:
    """One that a test may kill."""
    with PostgreSQL() as server:
        yield server


def _note(connection: Connection, name: str) -> None:
    upsert(connection, messages, [{"message_id": name, "made_at": 1, "document": "{}"}])


def _notes(database: Database) -> list[str]:
    with database.read() as connection:
        return sorted(connection.execute(select(messages.c.message_id)).scalars())


def test_a_state_that_nobody_migrated_names_the_command(postgresql_url: str) -> None:
    """Neither made in passing, beside others, nor opened half; one of a later program is left alone."""
    with pytest.raises(SettingsError, match="has no tables yet; run: ecauto fleet migrate"):
        Database(postgresql_url)
    migrated(postgresql_url)
    database = Database(postgresql_url)
    with database.write() as connection:
        connection.exec_driver_sql(f"UPDATE schema_version SET version = {migrations.VERSION + 1}")
    database.close()
    with pytest.raises(SettingsError, match="a newer program wrote it"):
        Database(postgresql_url)
    with pytest.raises(SettingsError, match="a newer program wrote it"):
        migrated(postgresql_url)


def test_a_restart_of_five_seconds_loses_and_doubles_nothing(own_server: PostgreSQL) -> None:
    """Killed -9 under four threads that write without pause: what may be done again is, what raised was not kept (or
    nobody knows, and that is what it says), and everybody goes on within moments of its return."""
    url = migrated(own_server.url(own_server.new_database()))
    database, over = Database(url), threading.Event()
    told: dict[str, list[str]] = {"again": [], "once": [], "refused": [], "unknown": [], "strange": []}

    def write(worker: int) -> None:
        number = 0
        while not over.is_set():
            number += 1
            again, once = f"again-{worker}-{number}", f"once-{worker}-{number}"
            database.write_again(partial(_note, name=again), locks.run(str(worker)))
            told["again"].append(again)
            try:
                with database.write(locks.run(str(worker))) as connection:
                    _note(connection, once)
                told["once"].append(once)
            except DBAPIError as error:
                end = "unknown" if isinstance(error, CommitUnknown) else "refused"
                told[end if store_failed(error) else "strange"].append(once)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for one in threads:
        one.start()
    time.sleep(2)
    own_server.kill()
    time.sleep(AWAY_S)
    own_server.start()
    back, before = time.monotonic(), len(told["again"])
    while len(told["again"]) < before + 20 and time.monotonic() < back + 30:
        time.sleep(0.05)
    went_on_s = time.monotonic() - back
    over.set()
    for one in threads:
        one.join(60)
    kept = _notes(database)
    database.close()
    assert sorted([*told["again"], *told["once"]]) == sorted(set(kept).difference(told["unknown"]))
    assert len(told["refused"]) + len(told["unknown"]) <= len(threads)
    assert [] == told["strange"]
    assert went_on_s < 10


@pytest.mark.parametrize("where", ["before", "after"])
@pytest.mark.parametrize("again", [True, False], ids=["again", "once"])
def test_a_commit_that_nobody_answered_is_asked_about(postgresql_server: PostgreSQL, where: str, again: bool) -> None:
    """Cut before it arrived, nothing was kept, and it is raised or done again; cut before its answer came, it was kept,
    and is neither raised nor done again."""
    name = postgresql_server.new_database()
    migrated(postgresql_server.url(name))
    line = CutLine(postgresql_server.port)
    database = Database(postgresql_server.url(name).replace(str(postgresql_server.port), str(line.port)))
    raised = False
    line.cut = where
    try:
        if again:
            database.write_again(lambda connection: _note(connection, "one"), locks.run("r"))
        else:
            with database.write(locks.run("r")) as connection:
                _note(connection, "one")
    except DBAPIError:
        raised = True
    found = _notes(database)
    database.close()
    line.close()
    postgresql_server.drop_database(name)
    assert 1 == line.cuts
    assert ((where == "before" and not again), [] if raised else ["one"]) == (raised, found)


def test_a_read_is_one_snapshot(state_url: str) -> None:
    """What is written meanwhile is not seen in the middle of it."""
    database = Database(state_url)
    count = select(func.count()).select_from(messages)
    with database.read() as reading:
        assert 0 == reading.execute(count).scalar()
        with database.write(locks.run("r")) as connection:
            _note(connection, "one")
        assert 0 == reading.execute(count).scalar()
    assert ["one"] == _notes(database)
    database.close()
