"""Opening the state: an earlier version's database goes on, what is none is said in one line and without a password."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import create_engine, select

from ecauto_pipeline.errors import SettingsError
from ecauto_pipeline.state import revisions
from ecauto_pipeline.state.database import Database
from ecauto_pipeline.state.every_table import every_table
from ecauto_pipeline.state.migrations import RETIRED
from ecauto_pipeline.state.schema import asins, listings
from ecauto_pipeline.state.schema_decisions import diffs
from ecauto_pipeline.state.sqlite_caches import CACHE_KB, OTHER_CACHES_KB


def _url(path: Path) -> str:
    return f"sqlite:///{path.as_posix()}"


INDEXES = [
    str(index.name)
    for table, column in ((asins, "last_viewed_at"), (listings, "listed"))
    for index in table.indexes
    if column in f"{index.columns.keys()} {index.dialect_options['sqlite']['where']}"
]
"""Which name one of the columns that are missing."""


def test_an_earlier_database_gains_what_it_lacks_and_keeps_its_rows(tmp_path: Path) -> None:
    """Three columns and their indexes fewer: opened again it has them, and every row is as it was."""
    path = tmp_path / "state.db"
    database = Database(_url(path))
    with database.write() as connection:
        connection.execute(asins.insert(), [{"asin": "B000000001", "price_jpy": 1980}])
    database.close()
    old = sqlite3.connect(path)
    for name in revisions.sqlite_triggers():
        old.execute(f"DROP TRIGGER {name}")
    for name in INDEXES:
        old.execute(f"DROP INDEX {name}")
    old.execute("ALTER TABLE asins DROP COLUMN last_viewed_at")
    old.execute("ALTER TABLE listings DROP COLUMN listed")
    old.execute("ALTER TABLE diffs DROP COLUMN profit_jpy")
    old.commit()
    old.close()
    database = Database(_url(path))
    with database.read() as connection:
        assert 1980 == connection.execute(asins.select()).one().price_jpy
        assert [] == connection.execute(listings.select()).all()
        assert [] == connection.execute(diffs.select()).all()
        names = {row[0] for row in connection.exec_driver_sql("SELECT name FROM sqlite_master")}
    database.close()
    assert {*INDEXES, *revisions.sqlite_triggers()} <= names


def _made_of(path: Path) -> set[tuple[str, str, str]]:
    with closing(sqlite3.connect(path)) as state:
        return {(kind, name, sql) for kind, name, sql in state.execute("SELECT type, name, sql FROM sqlite_master")}


def test_a_new_database_is_what_sqlalchemy_makes_of_the_tables(tmp_path: Path) -> None:
    """The same tables and indexes to the letter, though they are not asked for one by one; and the triggers."""
    ours, theirs = tmp_path / "ours.db", tmp_path / "theirs.db"
    Database(_url(ours)).close()
    engine = create_engine(_url(theirs))
    every_table.create_all(engine)
    with engine.begin() as connection:
        revisions.complete(connection)
    engine.dispose()
    assert _made_of(theirs) == _made_of(ours)


@pytest.mark.parametrize(
    "harm",
    [
        "DROP TABLE marks",
        "DROP INDEX ix_listings_taking_part",
        "DROP TRIGGER asins_revision",
        "DROP TRIGGER asins_revision; DROP INDEX ix_asins_viewed; ALTER TABLE asins DROP COLUMN last_viewed_at",
        f"CREATE TABLE {RETIRED[0]} (run_id TEXT)",
    ],
)
def test_a_database_that_was_complete_once_is_looked_at_again(tmp_path: Path, harm: str) -> None:
    """What another program or version did to it since is mended by the next opening, of the same process too."""
    path = tmp_path / "state.db"
    Database(_url(path)).close()
    whole = {(kind, name) for kind, name, _ in _made_of(path)}
    with closing(sqlite3.connect(path)) as other:
        other.executescript(harm)
    Database(_url(path)).close()
    with closing(sqlite3.connect(path)) as state:
        columns = {row[1] for row in state.execute("PRAGMA table_info(asins)")}
    assert whole == {(kind, name) for kind, name, _ in _made_of(path)}
    assert "last_viewed_at" in columns


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("nonsense", "no address of a database"),
        ("mysql://x", "neither sqlite nor postgresql"),
        ("postgresql+nodriver://u:geheim@127.0.0.1:1/x", "no address of a database"),
        ("postgresql://u@127.0.0.1:geheim/x", "no address of a database: its port is no number"),
        ("sqlite://u:geheim@/x", "no address of a database"),
    ],
)
def test_what_is_no_database_is_said(url: str, said: str) -> None:
    """One of ours, with the key to look at; never a password."""
    with pytest.raises(SettingsError, match=said) as raised:
        Database(url)
    assert "geheim" not in str(raised.value)


def test_a_broken_file_is_said(tmp_path: Path) -> None:
    """No trace of SQLAlchemy for the owner: which file, and that it is no database."""
    path = tmp_path / "state.db"
    path.write_bytes(b"this is no database" * 100)
    with pytest.raises(SettingsError, match="file is not a database"):
        Database(_url(path))


def test_a_statement_is_compiled_once_for_every_database_of_a_process(tmp_path: Path) -> None:
    """Whoever opens state.db again, or another one, finds what was compiled for the first."""
    hits = []
    for name in ("one.db", "two.db"):
        database = Database(_url(tmp_path / name))
        with database.read() as connection:
            query = select(listings.c.asin, asins.c.doubt).join(asins, asins.c.asin == listings.c.asin).limit(7)
            hits.append(connection.execute(query).context.cache_hit.name)
        database.close()
    assert ["CACHE_MISS", "CACHE_HIT"] == hits


def _connection_of(state: Database) -> int:
    with state.read() as connection:
        return id(connection.connection.driver_connection)


def test_whoever_works_alone_fills_the_memory_of_one_connection(tmp_path: Path) -> None:
    """After threads had a connection each, one that reads again and again is given the same."""
    state = Database(_url(tmp_path / "state.db"))
    with state.read(), state.read(), state.read():
        pass
    assert 1 == len({_connection_of(state) for _ in range(5)})
    state.close()


def test_connections_that_nobody_uses_are_closed_with_what_they_have_in_memory(tmp_path: Path) -> None:
    """Those in use go on, and whoever comes next opens one."""
    state = Database(_url(tmp_path / "state.db"))
    with state.read() as used:
        with state.read() as idle:
            left = idle.connection.driver_connection
        state.close_idle()
        assert left is not None
        with pytest.raises(sqlite3.ProgrammingError, match="closed"):
            left.execute("SELECT 1")
        assert [] == used.execute(listings.select()).all()
    with state.write() as connection:
        connection.execute(asins.insert(), [{"asin": "B000000001"}])
    state.close()


def test_one_connection_keeps_much_of_the_file_in_memory_and_each_other_little(tmp_path: Path) -> None:
    """However many shops are read or written at the same time; when it is closed, the next one that opens is the one.

    No limit is the process's: whoever came last had no page in memory, and master.db's pages were flushed one by one.
    """
    state = Database(_url(tmp_path / "state.db"))
    kept = [-CACHE_KB, -OTHER_CACHES_KB, -OTHER_CACHES_KB]
    for _ in range(2):
        with state.read() as first, state.read() as second, state.read() as third:
            assert kept == [one.exec_driver_sql("PRAGMA cache_size").scalar() for one in (first, second, third)]
            assert 0 == first.exec_driver_sql("PRAGMA soft_heap_limit").scalar()
        state.close_idle()
    state.close()
