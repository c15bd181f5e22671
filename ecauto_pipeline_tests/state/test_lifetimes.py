"""Nothing in state.db grows without bound: every table has a stated life, and what is over leaves."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Integer, String, Table, func, insert, select

from ecauto_pipeline.clock import to_ms
from ecauto_pipeline.state import plans
from ecauto_pipeline.state.database import Database
from ecauto_pipeline.state.lifetimes import LIFETIMES, LOOK_EVERY, Lifetime, end_lives
from ecauto_pipeline.state.plans import Target
from ecauto_pipeline.state.schema import metadata
from ecauto_pipeline_tests.pages import read

NOW = datetime(2026, 11, 26, 3, tzinfo=UTC)
OVER: dict[str, dict[str, object]] = {
    "diffs": {"state": "closed", "exported": 1},
    "journal": {"outcome": "done", "exported": 1},
    "runs": {"exported": 1},
    "notices": {"state": "ok"},
    "listings": {"present": 0, "register_id": None},
    "orders": {"exported": 1, "message_id": "m"},
}
"""What makes a row's work over, besides its age, by table."""
STANDING = [
    ("diffs", {"state": "open", "exported": 1}),
    ("diffs", {"state": "approved", "exported": 1, "decision": "held"}),
    ("diffs", {"state": "rejected", "exported": 1, "decision": "held"}),
    ("diffs", {"state": "closed", "exported": 0}),
    ("journal", {"outcome": None, "exported": 0}),
    ("journal", {"outcome": "unknown", "exported": 1}),
    ("journal", {"outcome": "done", "exported": 0}),
    ("runs", {"exported": 0}),
    ("notices", {"state": "firing"}),
    ("notices", {"state": "ok", "rule": "_book"}),
    ("orders", {"exported": 0, "message_id": "m"}),
    ("orders", {"exported": 1, "message_id": ""}),
    ("listings", {"present": 1}),
    ("listings", {"present": 0, "register_id": 7}),
]
AGED = [life for life in LIFETIMES if life.forget is not None]


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{(tmp_path / 'state.db').as_posix()}")
    yield database
    database.close()


def _row(table: Table, moment: datetime, **values: object) -> dict[str, object]:
    """A row all of whose times are `moment`."""
    made: dict[str, object] = {}
    for column in table.columns:
        if column.name.endswith("_at") or column.name == "since":
            made[column.name] = to_ms(moment)
        elif column.name in ("exported", "present", "register_id"):
            continue
        elif column.primary_key or not column.nullable:
            made[column.name] = 0 if isinstance(column.type, Integer) else "x" if isinstance(column.type, String) else 0
    return made | values


def _count(database: Database, table: str) -> int:
    with database.read() as connection:
        return int(connection.execute(select(func.count()).select_from(metadata.tables[table])).scalar_one())


def test_every_table_has_a_stated_life() -> None:
    """A table without one would grow for years before anybody looked; the words are there in both languages."""
    assert sorted(metadata.tables) == sorted(life.table for life in LIFETIMES)
    assert all(life.ja and life.en for life in LIFETIMES)


@pytest.mark.parametrize("life", AGED, ids=lambda life: life.table)
def test_a_row_leaves_when_its_life_is_over_and_not_before(database: Database, life: Lifetime) -> None:
    """A minute before it is there, a minute after it has gone."""
    assert life.after is not None
    table = metadata.tables[life.table]
    with database.write() as connection:
        connection.execute(insert(table).values(_row(table, NOW - life.after, **OVER.get(life.table, {}))))
        end_lives(connection, NOW - timedelta(minutes=1))
    assert 1 == _count(database, life.table)
    with database.write() as connection:
        assert end_lives(connection, NOW + LOOK_EVERY)
    assert 0 == _count(database, life.table)


@pytest.mark.parametrize(("table", "values"), STANDING)
def test_what_is_still_needed_stays_however_old(database: Database, table: str, values: dict[str, object]) -> None:
    """What waits for a person, what nobody knows the end of, what history lacks, what a shop or the register has."""
    kind = metadata.tables[table]
    with database.write() as connection:
        connection.execute(insert(kind).values(_row(kind, NOW - timedelta(days=4000), **values)))
        end_lives(connection, NOW)
    assert 1 == _count(database, table)


@pytest.mark.parametrize("table", ["asins", "catalogue"])
def test_what_a_listing_has_lives_as_long_as_it(database: Database, table: str) -> None:
    """An ASIN in a shop is never forgotten, however long Amazon has been silent about it."""
    kind, listings = metadata.tables[table], metadata.tables["listings"]
    with database.write() as connection:
        connection.execute(insert(kind).values(_row(kind, NOW - timedelta(days=4000), asin="B000000001")))
        connection.execute(insert(listings).values(_row(listings, NOW, asin="B000000001", present=1)))
        end_lives(connection, NOW)
    assert 1 == _count(database, table)


def test_a_hold_about_an_item_that_has_long_gone_goes_with_it(database: Database) -> None:
    """Nobody can decide about what is neither in the shop nor in the register."""
    diffs, listings = metadata.tables["diffs"], metadata.tables["listings"]
    old = NOW - timedelta(days=100)
    with database.write() as connection:
        connection.execute(insert(diffs).values(_row(diffs, old, state="open", decision="held", exported=1)))
        connection.execute(insert(listings).values(_row(listings, old, present=0)))
        end_lives(connection, NOW)
    assert (0, 0) == (_count(database, "diffs"), _count(database, "listings"))


@pytest.mark.parametrize(
    ("kind", "said", "hours", "left"),
    [
        ("price", "", 25, 0),
        ("visibility", "no_offer", 25, 0),
        ("stock", "", 25, 0),
        ("price", "", 23, 1),
        ("price", "never_fetched", 71, 1),
        ("price", "never_fetched", 73, 0),
        ("price", None, 71, 1),
        ("delist", "", 71, 1),
    ],
)
def test_a_skip_that_is_said_no_more_leaves_after_a_day(
    database: Database, kind: str, said: str | None, hours: int, left: int
) -> None:
    """A first fill skips every listing twice, and says it of hardly any a day later; what is said still, or has to be
    judged, is what the next run compares with."""
    diffs, listings = metadata.tables["diffs"], metadata.tables["listings"]
    skip = _row(diffs, NOW - timedelta(hours=hours), decision="skipped", reason="never_fetched", kind=kind)
    all_said = dict.fromkeys(("price_said", "visibility_said", "stock_said"), "never_fetched") | {f"{kind}_said": said}
    of_listing = {name: value for name, value in all_said.items() if name in listings.columns}
    with database.write() as connection:
        connection.execute(insert(listings).values(_row(listings, NOW, present=1, **of_listing)))
        connection.execute(insert(diffs).values(skip | {"state": "closed", "exported": 1}))
        connection.execute(insert(diffs).values(skip | {"state": "closed", "exported": 0, "diff_id": "not in history"}))
        end_lives(connection, NOW)
    assert left + 1 == _count(database, "diffs")


@pytest.mark.parametrize(("finished", "hours", "left"), [(True, 23, 2), (True, 25, 0), (False, 71, 2), (False, 73, 0)])
def test_the_list_of_a_plan_that_is_finished_leaves_after_a_day(
    database: Database, finished: bool, hours: int, left: int
) -> None:
    """432 plans of three days would be a quarter of state.db; one that is unfinished may still be taken up."""
    made_at = NOW - timedelta(hours=hours)
    with database.write() as connection:
        listed = [Target(number, f"B{number}", "detail", "stock_due", "low") for number in range(2)]
        plan = plans.write_plan(connection, "run", "2026-11-26-12:00", "", "{}", made_at, listed, left_over=0)
        if finished:
            plans.finish(connection, plan.plan_id, made_at)
        end_lives(connection, NOW)
        assert (hours < 72) == (plans.of_run(connection, "run") is not None)
    assert left == _count(database, "plan_targets")


def test_the_look_costs_nothing_more_than_once_an_hour(database: Database) -> None:
    """A shop with 53 runs an hour looks through its tables once in it; a clock set back does not stop it for long."""
    moments = [NOW + timedelta(minutes=minutes) for minutes in (0, 1, 59, 60, 61)] + [NOW - timedelta(days=1)]
    with database.write() as connection:
        done = [end_lives(connection, moment) for moment in moments]
    assert [True, False, False, True, False, True] == done


def test_the_file_shrinks_when_most_of_it_is_free(database: Database) -> None:
    """State of a shop that was large once does not stay large; while another writes, nobody waits for it."""
    table, path = metadata.tables["observations"], Path(str(database.url.database))
    rows = [_row(table, NOW, seq=n, snapshot_id=str(n), offers_json="x" * 2_000) for n in range(10_000)]
    with database.write() as connection:
        connection.execute(insert(table), rows)
    assert not database.give_back_space()
    with database.write() as connection:
        connection.execute(table.delete())
    large = path.stat().st_size
    other = Database(str(database.url))
    with other.write():
        assert not database.give_back_space()
    other.close()
    said: list[str] = []
    with database.engine.connect() as connection:
        raw = connection.connection.driver_connection
        assert isinstance(raw, sqlite3.Connection)
        raw.set_trace_callback(said.append)
    assert database.give_back_space()
    assert path.stat().st_size < large / 10
    assert not database.give_back_space()
    stored = [one for one in said if one == "VACUUM" or "temp_store" in one]
    assert ["PRAGMA temp_store = FILE", "VACUUM", "PRAGMA temp_store = MEMORY"] == stored, "a whole file in memory"


def test_the_lives_are_on_the_page() -> None:
    """docs/architecture.md shows the declaration, row by row."""
    page = read("docs/architecture.md")
    assert [] == [life.table for life in LIFETIMES if f"| `{life.table}` | {life.en} |" not in page]
