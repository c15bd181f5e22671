"""A shop whose cart takes files: what it shows, what it writes, and what goes wrong in one go."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ecauto_pipeline.clock import ManualClock
from ecauto_pipeline.domain.model import Kind
from ecauto_pipeline.errors import ItemGone, ItemRefused, Transport
from ecauto_pipeline.settings import parse
from ecauto_pipeline.shops.csv.shop import CsvShop
from ecauto_pipeline_tests.shops.csv.cart import FileCart

NOON = datetime(2026, 11, 10, 3, 0, tzinfo=UTC)


class Bench:
    """One cart, its clock, and shops opened on it, one a run."""

    def __init__(self, folder: Path, **table: object) -> None:
        self.cart, self.clock = FileCart(folder), ManualClock(NOON)
        self.settings = parse({"csv": {"accounts": (self.cart.account(),), **table}}, folder)
        self.cart.put("77", 2000, 1, 3)
        self.cart.put("78", 1000, 0, 0)
        self.cart.put("79", 500)
        self.cart.export(NOON - timedelta(hours=2))

    def shop(self, run_id: str = "run-1") -> CsvShop:
        return CsvShop(self.settings.csv.accounts[0], self.settings, self.clock, run_id)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_it_shows_what_its_export_says_as_of_its_time(bench: Bench) -> None:
    """The moment is the file's, not that of reading it."""
    (page,) = bench.shop().items()
    assert {NOON - timedelta(hours=2)} == {item.shown_at for item in page}
    assert ["77", "78", "79"] == [item.item_id for item in page]


def test_one_file_holds_the_changed_rows_and_columns_alone(bench: Bench) -> None:
    """No stock column where no stock changes; an empty cell leaves a figure alone."""
    shop = bench.shop()
    shop.edit("78", Kind.VISIBILITY, 1)
    shop.edit("77", Kind.PRICE, 2600)
    assert [] == bench.cart.files()
    shop.flush()
    (path,) = bench.cart.files()
    assert "store_20261110-120000000_run-1.csv" == path.name
    assert b"item_id,price,visible\r\n78,,1\r\n77,2600,\r\n" == path.read_bytes()
    shop.flush()
    assert [path] == bench.cart.files()


def test_nothing_to_change_is_no_file(bench: Bench) -> None:
    """A run without edits leaves the folder alone."""
    bench.shop().flush()
    assert [] == bench.cart.files()


def test_two_files_of_one_moment_do_not_take_each_others_place(bench: Bench) -> None:
    """A step that is run again within its run writes a file of its own."""
    for price in (2600, 2700):
        shop = bench.shop()
        shop.edit("77", Kind.PRICE, price)
        shop.flush()
    assert 2 == len(bench.cart.files())
    assert 2700 == bench.shop().item("77").price_jpy


def test_an_item_is_read_back_with_what_we_wrote_since_the_export(bench: Bench) -> None:
    """A younger update file counts, an older one has been imported or never will be."""
    shop = bench.shop()
    shop.edit("77", Kind.PRICE, 2600)
    shop.edit("77", Kind.VISIBILITY, 0)
    shop.flush()
    item = bench.shop("run-2").item("77")
    assert (2600, False, 3) == (item.price_jpy, item.visible, item.stock)
    bench.clock.advance(3600)
    bench.cart.export(NOON + timedelta(minutes=30))
    assert 2000 == bench.shop("run-3").item("77").price_jpy


def test_files_of_other_shops_and_of_people_are_not_ours(bench: Bench) -> None:
    """Only names of this account, with a time, are read back."""
    shop = bench.shop()
    shop.edit("77", Kind.PRICE, 2600)
    shop.flush()
    (path,) = bench.cart.files()
    for name in ("store_2" + path.name.removeprefix("store"), "memo.csv", "store_20269910-120000000_x.csv"):
        path.with_name(name).write_bytes(b"item_id,price\r\n77,1\r\n")
    assert 2600 == bench.shop("run-2").item("77").price_jpy


def test_an_update_file_that_was_damaged_is_not_guessed_at(bench: Bench) -> None:
    """Whether the edit happened stays unknown until the cart exports anew."""
    shop = bench.shop()
    shop.edit("77", Kind.PRICE, 2600)
    shop.flush()
    bench.cart.files()[0].write_bytes(b"item_id,price\r\n77,26,00\r\n")
    with pytest.raises(Transport, match="cells") as refused:
        bench.shop("run-2").item("77")
    assert "damaged_update" == refused.value.reason


@pytest.mark.parametrize("encoding", ["utf-8-sig", "cp932"])
def test_the_update_file_has_the_encoding_of_the_settings(tmp_path: Path, encoding: str) -> None:
    """Column names in Japanese, in what the cart reads."""
    columns = {"item_id": "商品番号", "price": "価格", "visible": "", "stock": "", "sku": "", "title": ""}
    bench = Bench(tmp_path, encoding=encoding, columns=columns)
    bench.cart.write("商品番号,価格\r\n77,2000\r\n".encode(encoding), NOON - timedelta(hours=1))
    shop = bench.shop()
    assert {Kind.PRICE} == shop.abilities.edits
    with pytest.raises(ItemRefused):
        shop.edit("77", Kind.STOCK, 1)
    shop.edit("77", Kind.PRICE, 2600)
    shop.flush()
    assert "商品番号,価格\r\n77,2600\r\n".encode(encoding) == bench.cart.files()[0].read_bytes()


def test_a_file_that_is_not_there_or_still_growing_is_not_read(bench: Bench) -> None:
    """Each with a word of why."""
    bench.cart.export(NOON - timedelta(seconds=3))
    with pytest.raises(Transport) as growing:
        list(bench.shop().items())
    bench.cart.items.unlink()
    with pytest.raises(Transport) as missing:
        list(bench.shop().items())
    bench.cart.items.mkdir()
    os.utime(bench.cart.items, (1, 1))
    with pytest.raises(Transport) as folder:
        list(bench.shop().items())
    assert ("being_written", "file_missing", "file_unreadable") == (
        growing.value.reason,
        missing.value.reason,
        folder.value.reason,
    )


def test_an_item_that_is_not_in_the_file_is_gone_in_the_words_of_a_shop(bench: Bench) -> None:
    """The same two proofs as anywhere: the edit, and the item itself."""
    with pytest.raises(ItemGone) as edit:
        bench.shop().edit("99", Kind.PRICE, 1000)
    with pytest.raises(ItemGone) as item:
        bench.shop().item("99")
    assert ("bad_item_id", "no_item") == (edit.value.reason, item.value.reason)


def test_without_a_folder_nothing_has_happened(bench: Bench) -> None:
    """A share that is not mounted is no place to make a folder."""
    bench.cart.updates.rmdir()
    shop = bench.shop()
    shop.edit("77", Kind.PRICE, 2600)
    with pytest.raises(Transport) as refused:
        shop.flush()
    assert ("no_folder", False) == (refused.value.reason, bench.cart.updates.exists())


def test_what_changed_last_comes_first_where_the_cart_says_so(tmp_path: Path) -> None:
    """A reading of what is new may end early; rows without a time are always read."""
    bench = Bench(tmp_path, columns={"sku": "", "title": "", "stock": "", "visible": "", "modified": "at"})
    rows = "77,1,2026-11-09 10:00\n78,1,2026-11-10 10:00\n79,1,\n"
    bench.cart.write(f"item_id,price,at\n{rows}".encode(), NOON - timedelta(hours=1))
    (page,) = bench.shop().items(NOON - timedelta(days=1))
    assert ["79", "78", "77"] == [item.item_id for item in page]
