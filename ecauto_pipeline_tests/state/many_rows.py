"""The laws of writing and asking for many rows at once, for a state of either kind.

test_many_rows.py holds SQLite to them, proofs/fleet/test_many_rows.py PostgreSQL, which gets rows as one text and names
as one array. Not for: what the rows mean.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from ecauto_pipeline.state import asins, leases
from ecauto_pipeline.state.database import Database
from ecauto_pipeline.state.schema import asins as asins_table
from ecauto_pipeline.state.schema import listings
from ecauto_pipeline.state.schema_calls import buckets
from ecauto_pipeline.state.upsert import add_rows, upsert

NOW = datetime(2026, 11, 26, 3, tzinfo=UTC)
ODD_TEXTS = (
    "",
    "null",
    "NULL",
    "{}",
    '{"a",b}',
    "it's",
    '"',
    "\\",
    "\\n",
    "a\nb",
    "%s",
    ":rows",
    "価格 🈁",
    "a,b",
    " ",
)


def comes_back_as_it_went(database: Database) -> None:
    """Text is kept to the letter, numbers to the digit, nothing stays nothing, True is 1; what no row names has its
    default."""
    rows = [{"asin": f"B{n}", "reason": text, "price_jpy": n} for n, text in enumerate(ODD_TEXTS)]
    last = {"asin": "B", "reason": "x", "price_jpy": None}
    far = {"account": "a", "operation": "b", "rate_per_s": 0.1 + 0.2, "burst": 1e-300, "tokens": -1 / 3}
    with database.write() as connection:
        upsert(connection, asins_table, [*rows, last])
        upsert(connection, asins_table, [{"asin": "B", "in_stock": True, "is_prime": False, "price_at": 2**53 + 1}])
        upsert(connection, buckets, [{**far, "updated_at": 1}])
    with database.read() as connection:
        for row in rows:
            assert row == _row(connection, asins_table, row)
        whole = _row(connection, asins_table, {"asin": "B"})
        assert far == _row(connection, buckets, far)
    assert (None, 1, 0, 2**53 + 1) == tuple(whole[one] for one in ("price_jpy", "in_stock", "is_prime", "price_at"))
    assert ("x", "", 0) == (whole["reason"], whole["doubt"], whole["failures"])


def the_last_of_one_key_stands(database: Database) -> None:
    """As if each row had been written after the one before; a column that is kept stays as the first one had it."""
    key = {"platform": "base", "account_id": "shop"}
    with database.write() as connection:
        for first, second in ((1, 2), (3, 4)):
            upsert(
                connection,
                listings,
                [
                    {**key, "item_id": "2", "shown_stock": 9, "first_seen_at": 9},
                    {**key, "item_id": "1", "shown_stock": first, "first_seen_at": first},
                    {**key, "item_id": "1", "shown_stock": second, "first_seen_at": second},
                ],
                keep=("first_seen_at",),
            )
    with database.read() as connection:
        found = connection.execute(select(listings.c.item_id, listings.c.shown_stock, listings.c.first_seen_at)).all()
    assert [("1", 4, 1), ("2", 9, 9)] == sorted(tuple(row) for row in found)


def what_is_there_may_stay_or_is_an_error(database: Database) -> None:
    """Rows are added; one that is there already is refused with all the others, or stays as it is while they come."""
    with database.write() as connection:
        add_rows(connection, asins_table, [])
        add_rows(connection, asins_table, [{"asin": "B1", "price_jpy": 1}])
    more = [{"asin": name, "price_jpy": 2} for name in ("B0", "B1", "B2", "B2")]
    with pytest.raises(IntegrityError), database.write() as connection:
        add_rows(connection, asins_table, more)
    assert {"B1": 1} == _prices(database)
    with database.write() as connection:
        add_rows(connection, asins_table, more, known_stay=True)
    assert {"B0": 2, "B1": 1, "B2": 2} == _prices(database)


def each_is_found_by_its_name(database: Database) -> None:
    """Whatever letters it has, among more than one statement asks for; what is not there is an empty row."""
    names = [*ODD_TEXTS, *(f"B{number:04d}" for number in range(1_100))]
    with database.write() as connection:
        upsert(connection, asins_table, [{"asin": name, "reason": name} for name in names])
    with database.read() as connection:
        found = asins.read(connection, [*names, "unheard of"])
    assert {name: name for name in names} | {"unheard of": ""} == {name: row.reason for name, row in found.items()}


def claims_are_given_back_by_name(database: Database) -> None:
    """Of one owner those that are named, of many; none where none is; all where nothing is said; another's never."""
    names = [*ODD_TEXTS[1:], *(f"fetch/B{number:04d}" for number in range(600))]
    with database.write() as connection:
        assert names == leases.claim(connection, names, "me", NOW)
        assert ["x"] == leases.claim(connection, ["x", "null"], "other", NOW)
        leases.release(connection, "me", [])
        assert len(names) == len(leases.read(connection, names))
        leases.release(connection, "me", [*names[:-1], "x"])
        assert {names[-1]: "me", "x": "other"} == {
            one.name: one.owner for one in leases.read(connection, [*names, "x"])
        }
        leases.release(connection, "me")
        assert ["x"] == [one.name for one in leases.read(connection, [*names, "x"])]


LAWS = (
    comes_back_as_it_went,
    the_last_of_one_key_stands,
    what_is_there_may_stay_or_is_an_error,
    each_is_found_by_its_name,
    claims_are_given_back_by_name,
)


def _row(connection: Any, table: Any, like: dict[str, Any]) -> dict[str, Any]:
    key = [column == like[column.name] for column in table.primary_key]
    row = connection.execute(select(table).where(*key)).one()._asdict()
    return {name: row[name] for name in like} if len(like) > 1 else row


def _prices(database: Database) -> dict[str, int]:
    with database.read() as connection:
        return {row.asin: row.price_jpy for row in connection.execute(select(asins_table))}
