"""Rows of master.db one by one: read as values, and what makes no sense in them named by its place.

A value that can't be is that row's matter, whatever it is: the register is years old and other programs write it.
Not for: what a well-formed value means (rows.py) or the file (master.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, TypeVar

from ecauto_pipeline.register import rows
from ecauto_pipeline.register.rows import ListingRow, OddRow, ProductRow

LONGEST = 40
"""Characters of a value that are shown."""
_TAKES_PART = "listed"
_R = TypeVar("_R")


def read_rows(
    found: Iterable[tuple[Any, ...]], read: Callable[[tuple[Any, ...], list[OddRow]], _R | None], odd: list[OddRow]
) -> list[_R]:
    """Every row that can be one, in order. Whatever is raised over a row is named in `odd` and costs that row alone."""
    values: list[_R] = []
    for number, row in enumerate(found, 1):
        try:
            value = read(row, odd)
        except Exception as error:  # nobody foresaw it: the row is named, the others are read
            odd.append(OddRow("listings" if read is listing else "products", f"#{number}", "", type(error).__name__))
            continue
        if value is not None:
            values.append(value)
    return values


def product(row: tuple[Any, ...], odd: list[OddRow]) -> ProductRow | None:
    """A row of products, None where it has no ASIN: REQUIRED columns, last_sold_at, last_viewed_at, title flags."""
    name, price, in_stock, fetched, sold, viewed, title_ja, title_en = row
    asin = rows.text(name)
    if not asin or rows.UNREADABLE in asin:
        odd.append(OddRow("products", shown(name), "asin", shown(name)))
        return None
    return ProductRow(
        asin=asin,
        amazon_price_jpy=rows.yen(price),
        amazon_in_stock=rows.flag(in_stock),
        last_fetched_at=rows.moment(fetched),
        last_sold_at=None if sold is None else _time(sold, asin, "last_sold_at", odd),
        last_viewed_at=None if viewed is None else _time(viewed, asin, "last_viewed_at", odd),
        has_title_ja=title_ja == 1,
        has_title_en=title_en == 1,
    )


def _time(value: object, asin: str, column: str, odd: list[OddRow]) -> datetime | None:
    found = rows.moment(value)
    if found is None and value != "":
        odd.append(OddRow("products", asin, column, shown(value)))
    return found


def listing(row: tuple[Any, ...], odd: list[OddRow]) -> ListingRow | None:
    """A row of listings, None where nothing tells it from others: REQUIRED columns and the SKU."""
    number, asin, platform, account, item, price, quantity, status, visibility, code = row
    register_id = rows.whole(int(number) if isinstance(number, str) and number.isdecimal() else number)
    if register_id is None:
        odd.append(OddRow("listings", shown(number), "id", shown(number)))
        return None
    read = ListingRow(
        register_id=register_id,
        asin=rows.text(asin),
        platform=rows.platform(platform),
        account_id=rows.text(account),
        item_id=rows.item_id(item),
        sku=rows.text(code),
        selling_price_jpy=rows.yen(price),
        in_stock_quantity=rows.whole(quantity),
        status=rows.status(status),
        visible=rows.visible(visibility),
    )
    if isinstance(status, bytes):
        odd.append(OddRow("listings", str(number), "status", shown(status)))
    elif read.status == _TAKES_PART and not (
        read.asin and read.platform and read.account_id and read.item_id and read.selling_price_jpy
    ):
        _look_at(read, {"asin": asin, "platform": platform, "account_id": account}, item, price, odd)
    return read


def _look_at(read: ListingRow, names: dict[str, Any], item: object, price: object, odd: list[OddRow]) -> None:
    """What makes no sense in a row that takes part. No item id: it was never published; no price: none is said."""
    place = str(read.register_id)
    if not read.item_id:
        if item is not None and item != "":
            odd.append(OddRow("listings", place, "platform_item_id", shown(item)))
        return
    if not read.asin:
        odd.append(OddRow("listings", place, "asin", shown(names.pop("asin"))))
    odd.extend(OddRow("listings", place, name, shown(one)) for name, one in names.items() if isinstance(one, bytes))
    if read.selling_price_jpy is None and price is not None and price != 0:
        odd.append(OddRow("listings", place, "selling_price", shown(price)))


def shown(value: object) -> str:
    """A value as people are shown it, in one short line."""
    said = repr(value[:LONGEST] if isinstance(value, str | bytes) else value)
    return said if len(said) <= LONGEST else f"{said[:LONGEST]}..."
