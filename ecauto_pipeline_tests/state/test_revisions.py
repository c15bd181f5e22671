"""What a decision reads of a row changes the row's revision, whoever writes it; what none reads leaves it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import delete, insert, select, update

from ecauto_pipeline.domain.model import ListingKey
from ecauto_pipeline.state.database import Database
from ecauto_pipeline.state.joined_listings import note_joined
from ecauto_pipeline.state.register_looks import carry
from ecauto_pipeline.state.revisions import ASIN_INPUTS, JOIN_INPUTS, JOURNAL_INPUTS, LISTING_INPUTS
from ecauto_pipeline.state.schema import asins, listings
from ecauto_pipeline.state.schema_decisions import diffs, journal
from ecauto_pipeline.state.upsert import upsert

KEY = {"platform": "base", "account_id": "shop_1", "item_id": "1"}
EDIT = {"update_id": "u", "key": "k", "diff_id": "d", "run_id": "r", **KEY, "asin": "B1", "kind": "price"}
SKIP = {"diff_id": "d", "run_id": "r", "kind": "price", **KEY, "asin": "B1", "decided_at": 1}


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    made = Database(f"sqlite:///{tmp_path_factory.mktemp('state') / 'state.db'}")
    yield made
    made.close()


@pytest.fixture(autouse=True)
def one_of_each(database: Database) -> None:
    with database.write() as connection:
        for table in (journal, diffs, listings, asins):
            connection.execute(delete(table))
        connection.execute(insert(listings).values(**KEY, asin="B1"))
        connection.execute(insert(asins).values(asin="B1"))


def revision(database: Database, table: Any = listings) -> int:
    with database.read() as connection:
        return int(connection.execute(select(table.c.revision)).scalar_one())


def other(table: Any, column: str) -> object:
    return "other" if str(table.c[column].type) == "TEXT" else 7


@pytest.mark.parametrize(
    ("table", "column"),
    [(listings, name) for name in LISTING_INPUTS] + [(asins, name) for name in ASIN_INPUTS],
    ids=lambda value: value if isinstance(value, str) else value.name,
)
def test_what_a_decision_reads_changes_the_revision(database: Database, table: Any, column: str) -> None:
    """Once by another value, from nothing and to nothing too; not by the same value again."""
    nothing = "" if not table.c[column].nullable and str(table.c[column].type) == "TEXT" else None
    values = [other(table, column), other(table, column), nothing if table.c[column].nullable or nothing == "" else 0]
    seen = []
    for value in values:
        with database.write() as connection:
            connection.execute(update(table).values({column: value}))
        seen.append(revision(database, table))
    assert [1, 1, 2] == seen


@pytest.mark.parametrize(
    ("table", "values"),
    [
        (listings, {"read_at": 7, "identifier": "x", "priced_jpy": 7, "price_said": "", "price_judged_at": 7}),
        (asins, {"detail_at": 7, "probe_at": 7, "tau_s": 1.0, "orders_30d": 2.0, "failures": 3}),
    ],
    ids=["listings", "asins"],
)
def test_what_no_decision_reads_does_not(database: Database, table: Any, values: dict[str, object]) -> None:
    """A reading that finds all as it was, a planned time, a verdict that is kept: nothing to judge again."""
    with database.write() as connection:
        connection.execute(update(table).values(**values))
    assert 0 == revision(database, table)


@pytest.mark.parametrize("column", JOIN_INPUTS)
def test_what_joining_reads_or_writes_marks_the_row(database: Database, column: str) -> None:
    """Once by another value, not by the same again; who has joined it takes the mark away as of what he saw, and a
    change after that stands."""

    def change(value: object) -> Any:
        with database.write() as connection:
            connection.execute(update(listings).values({column: value}))
            return connection.execute(select(listings.c.unjoined)).scalar_one()

    def joined(seen: int) -> Any:
        with database.write() as connection:
            note_joined(connection, KEY["platform"], KEY["account_id"], {KEY["item_id"]: seen})
            return connection.execute(select(listings.c.unjoined)).scalar_one()

    value = other(listings, column)
    assert [2, 2, 2, None] == [change(value), change(value), joined(1), joined(2)]
    assert [None, 1] == [change(value), change("x" if isinstance(value, str) else 8)]


@pytest.mark.parametrize("before", [None, 1, 3])
def test_a_side_that_we_wrote_is_a_change_of_its_own(database: Database, before: int | None) -> None:
    """Who read the row before, marked or not, takes no mark of it away."""
    with database.write() as connection:
        connection.execute(update(listings).values(unjoined=before))
        carry(connection, "one stamp", "another", [ListingKey(**KEY)])
        note_joined(connection, KEY["platform"], KEY["account_id"], {KEY["item_id"]: before or 0})
        assert (before or 0) + 1 == connection.execute(select(listings.c.unjoined)).scalar_one()


def test_what_joining_does_not_touch_marks_nothing(database: Database) -> None:
    """A price that was read, a verdict, an edit of ours."""
    with database.write() as connection:
        note_joined(connection, KEY["platform"], KEY["account_id"], {KEY["item_id"]: 1})
        connection.execute(update(listings).values(shown_price_jpy=7, hidden_by="ours", read_at=7, price_said=""))
        assert connection.execute(select(listings.c.unjoined)).scalar_one() is None


def test_a_row_that_is_written_anew_over_the_old_one_counts_as_well(database: Database) -> None:
    """Readings and answers are upserts."""
    with database.write() as connection:
        upsert(connection, listings, [{**KEY, "shown_price_jpy": 1300}])
        upsert(connection, asins, [{"asin": "B1", "stock_at": 7}])
    assert (1, 1) == (revision(database), revision(database, asins))


def test_an_asin_that_leaves_changes_its_listings(database: Database) -> None:
    """One that comes back begins to count anew, and could be taken for the one that left."""
    with database.write() as connection:
        connection.execute(delete(asins))
    assert 1 == revision(database)


def test_an_edit_and_what_becomes_of_it_changes_its_listing(database: Database) -> None:
    """When it is intended, at each thing that is told of it, and when it is withdrawn; not when it goes to history."""
    seen = []
    with database.write() as connection:
        connection.execute(insert(journal).values(**EDIT, intent_at=1))
    seen.append(revision(database))
    with database.write() as connection:
        connection.execute(update(journal).values(attempts=1, attempted_at=2, written_back=1, exported=1))
    seen.append(revision(database))
    for name in JOURNAL_INPUTS:
        with database.write() as connection:
            connection.execute(update(journal).values({name: other(journal, name)}))
        seen.append(revision(database))
    with database.write() as connection:
        connection.execute(delete(journal))
    seen.append(revision(database))
    assert [1, 1, *range(2, 3 + len(JOURNAL_INPUTS))] == seen


@pytest.mark.parametrize(("decision", "changes"), [("skipped", 1), ("push", 0)])
def test_a_skip_that_leaves_the_record_is_said_again(database: Database, decision: str, changes: int) -> None:
    """Its listing is judged again, so that it is stored again; of a push that is over nothing has to be said."""
    with database.write() as connection:
        connection.execute(insert(diffs).values(**SKIP, decision=decision))
        connection.execute(delete(diffs))
    assert changes == revision(database)


def test_changes_of_asins_are_numbered_and_no_number_comes_twice(database: Database) -> None:
    """One that comes, one that changes: each gets a number above all before, also where the row that had the highest
    one has left; who knows up to which he has looked finds the rest."""
    seen = []

    def number() -> None:
        with database.read() as connection:
            seen.append(int(connection.execute(select(asins.c.change_number)).scalar_one()))

    number()
    for statement in (update(asins).values(stock_at=7), update(asins).values(stock_at=7), delete(asins)):
        with database.write() as connection:
            connection.execute(statement)
            if statement.is_delete:
                connection.execute(insert(asins).values(asin="B2"))
        number()
    first = seen[0]
    assert [first, first + 1, first + 1, first + 2] == seen
