"""Laws of the register, whichever database it lies in: each a function of a register with the rows below.

Run on SQLite by test_both.py, on PostgreSQL by proofs/fleet/test_register.py.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from ecauto_pipeline.register.master import Register
from ecauto_pipeline.register.rows import CatalogueUpdate, ListingUpdate, OddRow, ProductUpdate
from ecauto_pipeline_tests.register.test_master import LISTING, PRODUCT

AT = datetime(2026, 11, 26, 3, 0, tzinfo=UTC)
_MADE = {"created_at": "2025-11-01 00:00:00", "updated_at": "2025-11-01 00:00:00"}
PRODUCTS: list[dict[str, Any]] = [
    {
        **PRODUCT,
        "category": None,
        "description_ja": " \t　\n",
        "images": '["https://example.com/1.jpg"]',
        "last_fetched_at": "2026-11-25T12:00:00.5",
    },
    {
        **PRODUCT,
        **_MADE,
        "asin": "B000000002",
        "title_ja": "あ",
        "description_ja": None,
        "brand": None,
        "category": "台所",
        "images": "[]",
        "amazon_price_jpy": None,
        "amazon_in_stock": 0,
        "last_fetched_at": "2026-11-25 12:00:00",
    },
]
LISTINGS: list[dict[str, Any]] = [
    {**LISTING, "updated_at": _MADE["updated_at"], "account_id": " SHOP_1 "},
    {
        **LISTING,
        "updated_at": _MADE["updated_at"],
        "asin": "B000000002",
        "sku": None,
        "account_id": "shop_2",
        "visibility": "hidden",
        "status": "active",
    },
]


def rows_mean_the_same(register: Register) -> None:
    """Prices, flags, the two spellings of a time, statuses and accounts."""
    read = register.read()
    assert [] == read.odd
    first, second = sorted(read.products, key=lambda row: row.asin)
    fetched = (first.last_fetched_at, second.last_fetched_at)
    assert (1984, None) == (first.amazon_price_jpy, second.amazon_price_jpy)
    assert (True, False) == (first.amazon_in_stock, second.amazon_in_stock)
    assert (datetime(2026, 11, 25, 3, 0, 0, 500_000, UTC), datetime(2026, 11, 25, 12, tzinfo=UTC)) == fetched
    assert (True, False) == (first.has_title_ja, first.has_title_en)
    assert [(1, "SHOP_1", True, "listed"), (2, "shop_2", False, "listed")] == [
        (row.register_id, row.account_id, row.visible, row.status) for row in read.listings
    ]
    assert 2580 == read.listings[0].selling_price_jpy


def the_shops_of_a_lane_are_read_alone(register: Register) -> None:
    """Whatever the letters and blanks of an id."""
    read = register.read(["Shop_1"])
    assert (["B000000001"], [1]) == ([row.asin for row in read.products], [row.register_id for row in read.listings])


def rows_are_found_by_their_number(register: Register) -> None:
    """As a reading of everything has them; numbers that are not there are left out."""
    everything = register.read().listings
    assert everything == register.listing_rows([2, 99, 1, 1])
    assert [] == register.listing_rows([])


def texts_are_found(register: Register) -> None:
    """Titles by ASIN and in the order of their code points, goods, pictures, counts, some ASIN."""
    register.check()
    assert {"B000000002": "あ"} == register.titles(["B000000002", "B999999999"])
    assert ["B000000002", "B000000001"] == [asin for asin, _ in register.each_title(in_order=True)]
    assert {"B000000001": ("見本 🥄", "印", ""), "B000000002": ("あ", "", "台所")} == register.goods()
    assert (["https://example.com/1.jpg"], [], None) == tuple(
        register.images(asin) for asin in ("B000000001", "B000000002", "B999999999")
    )
    filled = {"products": 2, "title_ja": 2, "description_ja": 0, "brand": 1, "category": 1, "images": 1}
    assert filled == register.catalogue_filled()
    assert register.an_asin() in ("B000000001", "B000000002")
    assert (2, "") == register.look_over()


def what_lacks_text_is_named(register: Register) -> None:
    """By product the columns with nothing in them, or blanks, or a list of no picture; written, they are named no more,
    nor is a product that lacks nothing."""
    lacking = {
        "B000000001": ("description_ja", "category"),
        "B000000002": ("description_ja", "brand", "images"),
    }
    assert lacking == register.without_text()
    register.write_catalogue([CatalogueUpdate("B000000001", None, "説明", None, "台所")])
    register.write_catalogue([CatalogueUpdate("B000000002", None, "説明", images=("https://example.com/2.jpg",))])
    assert {"B000000002": ("brand",)} == register.without_text()


def only_what_was_said_is_written(register: Register) -> None:
    """None leaves a column as it is; rows that do not exist are not made."""
    before = register.read()
    updates = [ProductUpdate("B000000001", 2000, False, AT), ProductUpdate("B999999999", 1)]
    listings = [ListingUpdate(1, 3000), ListingUpdate(2, visible=True, in_stock_quantity=0), ListingUpdate(99, 1)]
    assert 3 == register.write_back(updates, listings)
    now = register.read()
    changed = {
        (table, name, old, new)
        for table in ("products", "listings")
        for one, other in zip(_sorted(before, table), _sorted(now, table), strict=True)
        for name, old in one.items()
        if (new := other[name]) != old
    }
    assert {
        ("products", "amazon_price_jpy", 1984, 2000),
        ("products", "amazon_in_stock", True, False),
        ("products", "last_fetched_at", datetime(2026, 11, 25, 3, 0, 0, 500_000, UTC), AT),
        ("listings", "selling_price_jpy", 2580, 3000),
        ("listings", "visible", False, True),
        ("listings", "in_stock_quantity", 1, 0),
    } == changed


def catalogue_text_never_vanishes(register: Register) -> None:
    """Nothing said leaves what is there."""
    updates = [CatalogueUpdate("B000000001", "新しい", " ", None, "100%", ("https://example.com/2.jpg",))]
    assert 1 == register.write_catalogue(updates)
    assert {"B000000001": "新しい"} == register.titles(["B000000001"])
    assert ("新しい", "印", "100%") == register.goods()["B000000001"]
    assert ["https://example.com/2.jpg"] == register.images("B000000001")
    assert 0 == register.write_catalogue([CatalogueUpdate("B000000002")])


def a_row_that_takes_nothing_stops_no_other(register: Register) -> None:
    """It is named; the others of its batch are written."""
    refused: list[OddRow] = []
    too_much = [ListingUpdate(1, in_stock_quantity=2**70), ListingUpdate(2, in_stock_quantity=5)]
    assert 1 == register.write_back(listings=too_much, refused=refused)
    assert ["1"] == [row.row for row in refused]
    assert [1, 5] == [row.in_stock_quantity for row in register.read().listings]


def _sorted(read: Any, table: str) -> list[dict[str, Any]]:
    return sorted(
        (asdict(row) for row in getattr(read, table)), key=lambda row: str(row.get("register_id", row["asin"]))
    )


LAWS: tuple[Callable[[Register], None], ...] = (
    rows_mean_the_same,
    the_shops_of_a_lane_are_read_alone,
    rows_are_found_by_their_number,
    texts_are_found,
    what_lacks_text_is_named,
    only_what_was_said_is_written,
    catalogue_text_never_vanishes,
    a_row_that_takes_nothing_stops_no_other,
)
