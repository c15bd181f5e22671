"""Rows of the owner's register as values, with the spellings of years made one.

Platform and status are lower case, old names of a status translated; ids are text, yen whole, times aware UTC: text
with a `T` is a Japanese wall clock (written by Python), text with a space is UTC (written by SQLite). What makes no
sense is None or "", and is named (odd_rows.py). Not for: the file (master.py), or which platforms there are
(shops/platforms.py).
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone

MOST_YEN = 2**31 - 1
"""What is more is no price, and no database of ours keeps it."""
UNREADABLE = "\ufffd"
"""What stands for bytes that are no UTF-8 (master.py reads them so)."""
_EXACT = 2**53  # above it a float is no id any more: its neighbours are the same number
_JST = timezone(timedelta(hours=9))  # no summer time since 1951; a fixed offset reads 100,000 rows three times faster
_STATUSES = {"active": "listed"}
_VISIBLE = {"public": True, "hidden": False}


@dataclass(frozen=True, slots=True)
class ProductRow:
    """One ASIN of the register. What has a default only where the register has such columns."""

    asin: str
    amazon_price_jpy: int | None
    amazon_in_stock: bool | None
    last_fetched_at: datetime | None
    last_sold_at: datetime | None = None
    last_viewed_at: datetime | None = None
    has_title_ja: bool = False
    has_title_en: bool = False


@dataclass(frozen=True, slots=True)
class ListingRow:
    """One listing of the register. `item_id` "" where it was never published; `visible` None where it isn't said."""

    register_id: int
    asin: str
    platform: str
    account_id: str
    item_id: str
    sku: str
    selling_price_jpy: int | None
    in_stock_quantity: int | None
    status: str
    visible: bool | None


@dataclass(frozen=True, slots=True)
class OddRow:
    """A value that makes no sense, by its place. `row`: the listing's id, the product's ASIN; `value`: shortened."""

    table: str
    row: str
    column: str
    value: str


@dataclass(frozen=True, slots=True)
class RegisterRows:
    """Everything a run needs of the register, read in one moment. `odd`: what makes no sense in it, row by row;
    `stamp`: by which it can be known again (stamp.py), "" = it has to be read."""

    products: list[ProductRow]
    listings: list[ListingRow]
    odd: list[OddRow] = field(default_factory=list)
    stamp: str = ""


@dataclass(frozen=True, slots=True)
class ProductUpdate:
    """What Amazon said, for one row of products; None leaves a column as it is."""

    asin: str
    amazon_price_jpy: int | None = None
    amazon_in_stock: bool | None = None
    last_fetched_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ListingUpdate:
    """What the shop shows now, for one row of listings; None leaves a column as it is."""

    register_id: int
    selling_price_jpy: int | None = None
    visible: bool | None = None
    in_stock_quantity: int | None = None


@dataclass(frozen=True, slots=True)
class CatalogueUpdate:
    """Catalogue text of one ASIN; None and empty leave a column as it is. `images`: addresses."""

    asin: str
    title_ja: str | None = None
    description_ja: str | None = None
    brand: str | None = None
    category: str | None = None
    images: tuple[str, ...] | None = None


def platform(value: object) -> str:
    return text(value).lower()


def status(value: object) -> str:
    word = text(value).lower()
    return _STATUSES.get(word, word)


def item_id(value: object) -> str:
    """An id as text, whether the column holds text, a whole number, or a number that once was a float; else ""."""
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < _EXACT else ""
    said = text(value)
    if UNREADABLE in said:
        return ""
    return said.removesuffix(".0") if said.endswith(".0") and said[:-2].isdigit() else said


def yen(value: object) -> int | None:
    """Whole yen, fractions cut off; None for nothing, zero, less, more than MOST_YEN, and what is no number."""
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return None
    if not isinstance(value, (int, float)) or (isinstance(value, float) and not math.isfinite(value)):
        return None
    return int(value) if 1 <= value <= MOST_YEN else None


def whole(value: object) -> int | None:
    number = int(value) if isinstance(value, int) or (isinstance(value, float) and value.is_integer()) else None
    return number if number is not None and abs(number) <= MOST_YEN else None


def flag(value: object) -> bool | None:
    """A BOOLEAN of SQLite, however it was written."""
    if isinstance(value, str):
        return {"1": True, "true": True, "0": False, "false": False}.get(value.strip().lower())
    return bool(value) if isinstance(value, (int, float)) else None


def visible(value: object) -> bool | None:
    return _VISIBLE.get(text(value).lower())


def addresses(value: object) -> list[str]:
    """The addresses of a JSON list, or the only one; what is none is left out."""
    said = text(value)
    try:
        told = json.loads(said) if said.startswith("[") else [said]
    except (ValueError, RecursionError):
        return []
    return [one.strip() for one in told if isinstance(one, str) and one.strip().startswith(("https://", "http://"))]


def moment(value: object) -> datetime | None:
    """A time of the register in UTC; None where there is none or it can't be read."""
    if not isinstance(value, str) or not value:
        return None
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        return None
    if found.tzinfo is None:
        found = found.replace(tzinfo=_JST if "T" in value else UTC)
    try:
        return found.astimezone(UTC)
    except OverflowError:
        return None


def moment_text(at: datetime) -> str:
    """A time as the owner's programs write it: Japanese wall clock, `T`, microseconds, no zone."""
    return at.astimezone(_JST).replace(tzinfo=None).isoformat(timespec="microseconds")


def text(value: object) -> str:
    """A column's text without blanks around it, as SQLite's own programs see it: bytes are none, NUL ends it."""
    if isinstance(value, str):
        return (value.partition("\0")[0] if "\0" in value else value).strip()
    return "" if value is None or isinstance(value, bytes) else str(value)
