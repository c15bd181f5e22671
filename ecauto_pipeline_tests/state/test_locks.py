"""What a write's names let it touch, and in which order they are taken."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import update

from ecauto_pipeline.domain.model import AccountKey
from ecauto_pipeline.state import locks
from ecauto_pipeline.state.database import Database
from ecauto_pipeline.state.every_table import every_table
from ecauto_pipeline.state.schema import listings
from ecauto_pipeline.state.schema_calls import buckets
from ecauto_pipeline_tests.state.lock_watch import hold_to_locks

SHOP = locks.shop(AccountKey("base", "a"))


def test_names_are_taken_in_one_order() -> None:
    """Whoever takes several waits for nobody who waits for him; none twice."""
    names = [*locks.asins(["B2", "B1"]), SHOP, locks.sp_account("x"), *locks.asins(["B1"])]
    assert locks.in_order(names) == locks.in_order(names[::-1])
    assert 4 == len(locks.in_order(names)[1])


@pytest.mark.parametrize(
    ("lock", "reach"),
    [
        (None, "whole"),
        (locks.publish(), "whole"),
        (SHOP, "beside"),
        ([SHOP, locks.bucket("x", "op")], "beside"),
        (locks.bucket("x", "op"), "apart"),
        (locks.ledger(), "apart"),
    ],
    ids=["no name", "publish", "shop", "shop and bucket", "bucket", "ledger"],
)
def test_the_farthest_name_says_how_far_a_write_reaches(lock: locks.Locks, reach: str) -> None:
    """No name is the whole state; what stands apart waits for nobody but its own."""
    assert reach == locks.in_order(lock)[0]


def test_a_name_stands_for_tables_that_there_are() -> None:
    """And the ledger's is only added to."""
    named = frozenset[str]().union(locks.ADDED_ANYWHERE, *locks.TABLES.values())
    assert set() == named - set(every_table.tables)


def test_a_write_beyond_its_names_is_found(tmp_path: Path) -> None:
    """A shop's name is none for a bucket, nor is the whole state's; a bucket's none for a listing."""
    database = Database(f"sqlite:///{tmp_path / 'state.db'}")
    hold_to_locks(database)
    with database.write(SHOP) as connection:
        connection.execute(update(listings).values(listed=1))
    for lock, table in ((SHOP, buckets), (None, buckets), (locks.bucket("x", "op"), listings)):
        with pytest.raises(AssertionError, match=table.name), database.write(lock) as connection:
            connection.execute(update(table).values({table.c[0]: "x"}))
    database.close()
