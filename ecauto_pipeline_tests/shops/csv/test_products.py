"""The product file of a cart: encodings, columns, damaged rows, damaged files."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecauto_pipeline.errors import SettingsError, Transport
from ecauto_pipeline.settings import CsvShops, parse
from ecauto_pipeline.shops.csv import products
from ecauto_pipeline.shops.protocol import Item

NOON = datetime(2026, 11, 10, 3, 0, tzinfo=UTC)
HEAD = "item_id,sku,title,price,visible,stock\n"
ROW = "77,B000000001,湯のみ,2580,1,3\n"


def items(data: str | bytes, encoding: str = "utf-8", **table: Any) -> dict[str, Item]:
    settings = CsvShops.model_validate({"encoding": encoding, **table})
    return products.parse(data if isinstance(data, bytes) else data.encode(encoding), settings, NOON)


def refusal(data: str | bytes, **table: Any) -> str:
    with pytest.raises(Transport) as refused:
        items(data, **table)
    return refused.value.reason


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932"])
def test_a_row_is_an_item_in_every_encoding(encoding: str) -> None:
    """UTF-8 with and without its mark, and Windows' Shift_JIS, give the same items."""
    item = Item("77", "B000000001", "湯のみ", 2580, 3, True, False, None, NOON)
    assert {"77": item} == items(HEAD + ROW, encoding)


def test_a_mark_at_the_beginning_says_more_than_the_settings() -> None:
    """A cart that was set to UTF-8 is read as UTF-8, whatever ecauto.toml still says."""
    assert "湯のみ" == items((HEAD + ROW).encode("utf-8-sig"), "cp932")["77"].title


def test_another_encoding_makes_the_file_unread() -> None:
    """Guessed text would be wrong ids."""
    assert "wrong_encoding" == refusal((HEAD + ROW).encode("cp932"))
    assert "wrong_encoding" == refusal((HEAD + ROW).encode("utf-16"))


def test_a_quoted_cell_may_hold_lines_commas_and_quotes() -> None:
    """Descriptions do."""
    found = items(HEAD + '77,,"湯のみ, ""大""\n\n直径 8cm",2580,0,3\n\n78,,b,1000,1,0\n')
    assert ('湯のみ, "大"\n\n直径 8cm', False) == (found["77"].title, found["77"].visible)
    assert (1000, True, 0) == (found["78"].price_jpy, found["78"].visible, found["78"].stock)


def test_columns_are_found_by_their_names_wherever_they_stand() -> None:
    """A cart's other columns are passed over, its own names and values are in the settings."""
    columns = {"item_id": "商品番号", "price": "販売価格", "visible": "公開", "stock": "在庫数", "sku": "", "title": ""}
    data = "在庫数,商品番号,ポイント,公開,販売価格\n5,a-1,10,表示,1980\n6,a-2,10,非表示,500\n7,a-3,10,?,500\n"
    found = items(data, columns=columns, visible_value="表示", hidden_value="非表示")
    assert [True, False, None] == [item.visible for item in found.values()]
    assert (1980, 5) == (found["a-1"].price_jpy, found["a-1"].stock)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        ("", "missing_column"),
        ("item_id,sku,title,visible,stock\n77,,a,1,1\n", "missing_column"),
        ("item_id,sku,title,price,price,visible,stock\n77,,a,1,1,1,1\n", "missing_column"),
        (HEAD, "no_rows"),
        (HEAD + ROW + "78,,a,25", "damaged_file"),
        (HEAD + ROW + '78,,"a,2580', "damaged_file"),
        (HEAD + ROW + "\0\0\0\0", "damaged_file"),
        (HEAD + ",,a,2580,1,1\n", "row_without_id"),
        (HEAD.replace("item_id,sku", "sku,item_id") + ",77,a,b,2580,1,1\n" + ",78,a,100,1,1\n", "damaged_file"),
    ],
)
def test_a_file_that_is_not_sure_as_a_whole_is_not_read(data: str, why: str) -> None:
    """Nothing is concluded from half a file, one without a column, or one whose rows can't be told."""
    assert why == refusal(data)


@pytest.mark.parametrize("price", ["", "abc", "12.5", "¥1,280", "-100", "1e3", "٣"])
def test_a_price_that_is_no_number_of_yen_is_that_rows_trouble(price: str) -> None:
    """It is unknown, never zero; the row's other figures and the other rows stand."""
    found = items(HEAD + f'77,,a,"{price}",1,3\n' + "78,,b,1000,1,1\n")
    assert (None, True, 3) == (found["77"].price_jpy, found["77"].visible, found["77"].stock)
    assert 1000 == found["78"].price_jpy


def test_a_row_of_too_many_cells_is_an_item_of_which_nothing_is_known() -> None:
    """An unquoted comma shifts what follows: only the id in front of it is sure."""
    found = items(HEAD + "77,,湯のみ, 大,2580,1,3\n" + ROW.replace("77", "78"))
    assert (None, None, None) == (found["77"].price_jpy, found["77"].visible, found["77"].stock)
    assert 2580 == found["78"].price_jpy


def test_an_id_in_two_rows_is_believed_in_neither() -> None:
    """Variations or a mistake: no edit may rest on it."""
    item = items(HEAD + ROW + ROW.replace("2580", "2980"))["77"]
    assert (None, None, None, True) == (item.price_jpy, item.visible, item.stock, item.has_variations)


def test_a_time_of_change_is_japanese_wall_clock() -> None:
    """Where the cart has such a column."""
    head = HEAD.replace("stock", "stock,updated")
    found = items(head + ROW.replace("3\n", "3,2026/11/10 12:00:00\n"), columns={"modified": "updated"})
    assert NOON == found["77"].modified_at


_TEXT = st.text(st.characters(codec="cp932", exclude_characters="\0", exclude_categories=["Cc", "Cs"]))


@given(
    rows=st.dictionaries(
        st.from_regex(r"[A-Za-z0-9-]{1,12}", fullmatch=True),
        st.tuples(_TEXT, st.integers(1, 10**6), st.booleans(), st.integers(0, 999)),
        min_size=1,
    ),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "cp932"]),
)
def test_what_a_cart_wrote_is_what_is_read(rows: dict[str, tuple[str, int, bool, int]], encoding: str) -> None:
    """Any title in any of the encodings: the same ids and figures come back."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(HEAD.strip().split(","))
    writer.writerows([key, "", title, price, int(shown), stock] for key, (title, price, shown, stock) in rows.items())
    found = items(text.getvalue().encode(encoding), encoding)
    assert {key: row[1:] for key, row in rows.items()} == {
        key: (item.price_jpy, item.visible, item.stock) for key, item in found.items()
    }


def test_settings_that_cannot_be_told_apart_are_refused(tmp_path: Path) -> None:
    """Public and hidden must be two words, and each column has its own name."""
    for table in ({"hidden_value": "1"}, {"columns": {"price": "item_id"}}):
        with pytest.raises(SettingsError):
            parse({"csv": table}, tmp_path)
