"""Laws of the owner's register."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ecauto_pipeline.errors import RegisterBusy, RegisterError
from ecauto_pipeline.register.master import Register
from ecauto_pipeline.register.rows import CatalogueUpdate, ListingUpdate, ProductUpdate
from ecauto_pipeline.shops.platforms import platform_named

PRODUCT = {"asin": "B000000001", "title_ja": "見本 🥄", "brand": "印", "amazon_price_jpy": 1984, "amazon_in_stock": 1}
LISTING = {
    "asin": "B000000001",
    "platform": "base",
    "account_id": "shop_1",
    "platform_item_id": "123",
    "sku": "b-B000000001-20251101000000",
    "selling_price": 2580.0,
    "in_stock_quantity": 1,
    "status": "listed",
    "visibility": "public",
}


def row_of(path: Path, table: str) -> dict[str, object]:
    with sqlite3.connect(path) as database:
        database.row_factory = sqlite3.Row
        return dict(database.execute(f"SELECT * FROM {table}").fetchone())


def test_a_path_with_odd_characters_is_a_path(tmp_path: Path) -> None:
    """Spaces, percent signs, question marks and Japanese are part of a file's name, not of an address."""
    path = tmp_path / "店 50% #1?" / "master.db"
    register = Register.create(path, [PRODUCT], [LISTING])
    assert ["B000000001"] == [row.asin for row in register.read().products]
    assert 1 == register.write_back(listings=[ListingUpdate(1, visible=False)])


def test_a_schema_that_is_no_text_is_a_damaged_register(tmp_path: Path) -> None:
    """SQLite quotes it in its own words, which Python can't say then: that is said, in both languages."""
    path = tmp_path / "master.db"
    register = Register.create(path, [PRODUCT], [LISTING])
    content = path.read_bytes()
    path.write_bytes(content.replace(b"CREATE TABLE", b"CREATE \x80ABLE"))
    with pytest.raises(RegisterError, match="malformed") as raised:
        register.read()
    assert "master.db が壊れています" == raised.value.ja


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda path: None, "no such register"),
        (lambda path: path.write_bytes(b"not a database at all, but long enough" * 50), "not a database"),
        (lambda path: path.write_bytes(b""), "no table"),
        (lambda path: sqlite3.connect(path).execute("CREATE TABLE products (asin)").connection.close(), "lacks"),
    ],
)
def test_what_is_no_register_is_said(tmp_path: Path, make: Callable[[Path], object], words: str) -> None:
    """Absent, not a database, without its tables or columns: one line that says which; nothing is created."""
    path = tmp_path / "master.db"
    make(path)
    existed = path.exists()
    for work in (Register(path).check, Register(path).read):
        with pytest.raises(RegisterError, match=words):
            work()
    assert existed == path.exists()


def test_the_shops_of_a_lane_are_read_alone_whatever_their_ids_look_like(tmp_path: Path) -> None:
    """In any letters, with blanks around them; what names no account is somebody's to see. The rest stays unread."""
    spellings = ("shop_1", "SHOP_1", " Shop_1\u3000", None, "", "shop_2", "shop_11")
    listed = [
        {**LISTING, "asin": f"B{number:09d}", "sku": str(number), "account_id": name}
        for number, name in enumerate(spellings)
    ]
    products = [{**PRODUCT, "asin": row["asin"]} for row in listed]
    register = Register.create(tmp_path / "master.db", products, listed)
    mine = register.read(["shop_1"])
    assert [f"B{number:09d}" for number in range(5)] == [row.asin for row in mine.listings]
    assert {row.asin for row in mine.listings} == {row.asin for row in mine.products}
    assert mine.listings == register.read().listings[:5]
    assert [f"B{number:09d}" for number in (3, 4)] == [row.asin for row in register.read([]).listings]


def test_the_spellings_of_years_become_one(tmp_path: Path) -> None:
    """Old names, ids as numbers, NULL and REAL prices, blank codes, both kinds of clocks, more tables and columns."""
    path = tmp_path / "master.db"
    with sqlite3.connect(path) as database:
        database.executescript(
            """
            CREATE TABLE products (asin TEXT PRIMARY KEY, amazon_price_jpy INTEGER, amazon_in_stock BOOLEAN,
                last_fetched_at, last_viewed_at, owner_note TEXT);
            CREATE TABLE listings (id INTEGER PRIMARY KEY, asin TEXT, platform TEXT, account_id TEXT,
                platform_item_id INTEGER, sku TEXT, selling_price REAL, in_stock_quantity INT, status TEXT,
                visibility TEXT, UNIQUE (asin, platform));
            CREATE TABLE upload_queue (id INTEGER);
            INSERT INTO products VALUES ('A', 0, NULL, '2025-11-20T09:00:00.5', '2025-11-20 09:00:00', 'x');
            INSERT INTO products VALUES ('B', 1358.0, 'true', 'yesterday', NULL, NULL);
            INSERT INTO listings VALUES (1, 'A', 'BASE', 'shop_1', 77, '', NULL, NULL, 'active', 'Hidden');
            INSERT INTO listings VALUES (2, 'B', 'base_main', 'shop_1', '88.0', NULL, 2580.9, 1, 'LISTED', NULL);
            """
        )
    read = Register(path).read()
    first, second = read.products
    assert (None, None) == (first.amazon_price_jpy, first.amazon_in_stock)
    assert datetime(2025, 11, 20, 0, 0, 0, 500_000, UTC) == first.last_fetched_at
    assert datetime(2025, 11, 20, 9, 0, tzinfo=UTC) == first.last_viewed_at
    assert (1358, True, None) == (second.amazon_price_jpy, second.amazon_in_stock, second.last_fetched_at)
    shown = [
        (platform_named(row.platform), row.item_id, row.sku, row.selling_price_jpy, row.status, row.visible)
        for row in read.listings
    ]
    assert [("base", "77", "", None, "listed", False), ("base", "88", "", 2580, "listed", None)] == shown


def test_only_the_named_columns_are_written(tmp_path: Path) -> None:
    """Every other column, `updated_at` too, stays to the byte; None leaves a named one alone."""
    path = tmp_path / "master.db"
    register = Register.create(path, [PRODUCT], [LISTING])
    products, listings = row_of(path, "products"), row_of(path, "listings")
    at = datetime(2026, 11, 10, 3, 0, tzinfo=UTC)
    register.write_back(
        [ProductUpdate("B000000001", amazon_in_stock=False, last_fetched_at=at)],
        [ListingUpdate(1, selling_price_jpy=2600)],
    )
    assert {**products, "amazon_in_stock": 0, "last_fetched_at": "2026-11-10T12:00:00.000000"} == row_of(
        path, "products"
    )
    assert {**listings, "selling_price": 2600.0} == row_of(path, "listings")
    assert at == register.read().products[0].last_fetched_at


def test_rows_that_do_not_exist_are_not_made(tmp_path: Path) -> None:
    """An update for an unknown ASIN or listing writes nothing."""
    register = Register.create(tmp_path / "master.db", [PRODUCT], [LISTING])
    assert 0 == register.write_back([ProductUpdate("B0XXXXXXXX", 100)], [ListingUpdate(99, 100)])
    assert (1, 1) == (len(register.read().products), len(register.read().listings))


def test_catalogue_text_never_vanishes(tmp_path: Path) -> None:
    """None, empty text and no images change nothing; text replaces text."""
    path = tmp_path / "master.db"
    register = Register.create(path, [{**PRODUCT, "images": '["a"]'}], [])
    before = row_of(path, "products")
    register.write_catalogue([CatalogueUpdate("B000000001", None, "", " ", None, ())])
    assert before == row_of(path, "products")
    register.write_catalogue([CatalogueUpdate("B000000001", title_ja="新しい㎥", images=("b", "c"))])
    assert {**before, "title_ja": "新しい㎥", "images": json.dumps(["b", "c"])} == row_of(path, "products")


def test_a_file_that_another_program_holds_is_busy(tmp_path: Path) -> None:
    """After the timeout RegisterBusy, and nothing is half written."""
    path = tmp_path / "master.db"
    Register.create(path, [PRODUCT], [LISTING])
    register = Register(path, busy_timeout_s=0.05)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(RegisterBusy):
        register.write_back([ProductUpdate("B000000001", 1)])
    assert 1984 == register.read().products[0].amazon_price_jpy
    other.execute("COMMIT")
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(RegisterBusy):
        register.read()
    other.close()
    assert 1 == register.write_back([ProductUpdate("B000000001", 1)])


def test_a_register_is_never_replaced(tmp_path: Path) -> None:
    """Seeding refuses a path where there is something."""
    path = tmp_path / "master.db"
    Register.create(path, [PRODUCT], [])
    with pytest.raises(RegisterError, match="already"):
        Register.create(path, [], [])
    assert 1 == len(Register(path).read().products)


def test_twenty_thousand_rows_are_read_whole(tmp_path: Path) -> None:
    """20,000 products and as many listings, not one lost. How long it takes is a proof's matter."""
    products = [{**PRODUCT, "asin": f"B{n:09d}", "last_fetched_at": "2025-11-20T09:00:00.5"} for n in range(20_000)]
    listings = [
        {**LISTING, "asin": f"B{n:09d}", "platform_item_id": str(n), "sku": f"b-B{n:09d}-20251101"}
        for n in range(20_000)
    ]
    register = Register.create(tmp_path / "master.db", products, listings)
    read = register.read()
    assert (20_000, 20_000) == (len(read.products), len(read.listings))
