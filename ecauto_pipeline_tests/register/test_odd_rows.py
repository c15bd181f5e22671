"""Rows of the register that make no sense: named by their place, and no other row's matter."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ecauto_pipeline.register.master import Register
from ecauto_pipeline.register.rows import MOST_YEN
from ecauto_pipeline_tests.examples import examples

TABLES = """
CREATE TABLE products (asin, title_ja, amazon_price_jpy, amazon_in_stock, last_fetched_at, last_sold_at,
    last_viewed_at);
CREATE TABLE listings (id INTEGER PRIMARY KEY, asin, platform, account_id, platform_item_id, sku, selling_price,
    in_stock_quantity, status, visibility);
"""
GOOD = {"asin": "B000000001", "platform": "base", "account_id": "shop_1", "platform_item_id": "77", "status": "listed"}
LISTING = ("asin", "platform", "account_id", "platform_item_id", "sku", "selling_price", "in_stock_quantity", "status")
PRODUCT = ("asin", "title_ja", "amazon_price_jpy", "amazon_in_stock", "last_fetched_at", "last_sold_at")
VALUES = st.one_of(
    st.none(),
    st.sampled_from(["", "-5", "1e400", "NaN", "2026-99-99", "9999-12-31T23:59:59", "0001-01-01 00:00:00", "listed"]),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(),
    st.binary(max_size=12),
    st.text(st.characters(codec="utf-8"), max_size=12),
    st.binary(max_size=6).map(lambda data: ("as text", data)),
)


def written(database: sqlite3.Connection, table: str, row: dict[str, object]) -> int:
    marks = ", ".join("CAST(? AS TEXT)" if isinstance(value, tuple) else "?" for value in row.values())
    values = [value[1] if isinstance(value, tuple) else value for value in row.values()]
    return int(database.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})", values).lastrowid or 0)


@settings(max_examples=examples(20), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.fixed_dictionaries({}, optional=dict.fromkeys(LISTING, VALUES)), max_size=4),
    st.lists(st.fixed_dictionaries({}, optional=dict.fromkeys(PRODUCT, VALUES)), max_size=4),
)
def test_no_row_keeps_another_from_being_read(
    tmp_path: Path, listings: list[dict[str, object]], products: list[dict[str, object]]
) -> None:
    """Any value of any type in any column: every other row is read, and what is read is text, yen and times."""
    path = tmp_path / "master.db"
    path.unlink(missing_ok=True)
    with closing(sqlite3.connect(path)) as database:
        database.executescript(f"PRAGMA synchronous = OFF; {TABLES}")
        for row in listings:
            written(database, "listings", GOOD | row)
        last = written(database, "listings", GOOD | {"platform_item_id": "88", "selling_price": 2580})
        for row in (*products, {"asin": "B000000001", "title_ja": "品", "amazon_price_jpy": 1984}):
            written(database, "products", {"asin": "B000000002"} | row)
        database.commit()
    read = Register(path).read()
    whole = next(one for one in read.listings if one.register_id == last)
    assert ("88", 2580, "listed") == (whole.item_id, whole.selling_price_jpy, whole.status)
    assert (1984, True, False) == (
        read.products[-1].amazon_price_jpy,
        read.products[-1].has_title_ja,
        read.products[-1].has_title_en,
    )
    assert len(listings) + 1 == len(read.listings)
    for one in read.listings:
        assert "b'" not in one.asin + one.item_id + one.status + one.platform
        assert one.selling_price_jpy is None or 1 <= one.selling_price_jpy <= MOST_YEN


@pytest.mark.parametrize(
    ("row", "column", "value"),
    [
        ({"selling_price": -5}, "selling_price", "-5"),
        ({"selling_price": 1e300}, "selling_price", "1e+300"),
        ({"selling_price": "much"}, "selling_price", "'much'"),
        ({"selling_price": b"\0\1"}, "selling_price", "b'\\x00\\x01'"),
        ({"asin": None}, "asin", "None"),
        ({"asin": " "}, "asin", "' '"),
        ({"asin": b"B000000001"}, "asin", "b'B000000001'"),
        ({"platform_item_id": b"77"}, "platform_item_id", "b'77'"),
        ({"platform_item_id": 7.5}, "platform_item_id", "7.5"),
        ({"platform_item_id": ("as text", b"7\xff")}, "platform_item_id", "'7\ufffd'"),
        ({"status": b"listed"}, "status", "b'listed'"),
        ({"selling_price": None}, "", ""),
        ({"selling_price": 0}, "", ""),
        ({"platform_item_id": None, "selling_price": -5}, "", ""),
        ({"status": "draft", "selling_price": -5}, "", ""),
    ],
)
def test_a_value_that_can_not_be_is_named(tmp_path: Path, row: dict[str, object], column: str, value: str) -> None:
    """By table, id, column and value; what was never said, never published or is not listed is nobody's trouble."""
    path = tmp_path / "master.db"
    with closing(sqlite3.connect(path)) as database:
        database.executescript(TABLES)
        number = written(database, "listings", GOOD | row)
        database.commit()
    found = [(one.table, one.row, one.column, one.value) for one in Register(path).read().odd]
    assert ([("listings", str(number), column, value)] if column else []) == found
