"""The owner's page views as text: asin or item_id, viewed_at, count; one row an article and day, or finer.

Tolerant of what spreadsheets do (byte order mark, either spelling of the headings, slashes, an empty count); a row that
makes no sense is left out and named by its line. Not for: opening the file or counting (sync/stale_asins/views.py).
"""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from ecauto_pipeline.clock import JST

_HEADINGS = {
    "asin": ("asin",),
    "item_id": ("item_id", "item", "商品id"),
    "viewed_at": ("viewed_at", "last_viewed_at", "date", "日付", "閲覧日", "閲覧日時"),
    "count": ("count", "views", "pv", "閲覧数", "件数"),
}
_ASIN = re.compile(r"[A-Z0-9]{10}")
_AHEAD = timedelta(days=1)
_OLDEST = datetime(2000, 1, 1, tzinfo=UTC)
NO_HEADINGS = "no columns asin or item_id, and viewed_at"


@dataclass(frozen=True, slots=True)
class View:
    """`count` views of an article up to `viewed_at` (aware UTC). Exactly one of `asin` and `item_id` is not ""."""

    asin: str
    item_id: str
    viewed_at: datetime
    count: float


@dataclass(frozen=True, slots=True)
class ViewsFile:
    """What could be read, and what could not: (line, why)."""

    views: tuple[View, ...]
    problems: tuple[tuple[int, str], ...]


def parse(text: str, now: datetime) -> ViewsFile:
    """Total: a file without usable headings is one problem at line 1; a line that is none costs itself alone."""
    reader = csv.reader(io.StringIO(text, newline=""))
    views: list[View] = []
    problems: list[tuple[int, str]] = []
    columns: dict[str, int] | None = None
    while True:
        try:
            cells = next(reader)
            if not any(cell.strip() for cell in cells):
                continue
            if columns is None:
                columns = _columns(cells)
                if "viewed_at" not in columns or not columns.keys() & {"asin", "item_id"}:
                    return ViewsFile((), ((reader.line_num, NO_HEADINGS),))
                continue
            views.append(_view(cells, columns, now))
        except StopIteration:
            return ViewsFile(tuple(views), tuple(problems))
        except (ValueError, csv.Error) as error:
            problems.append((reader.line_num, str(error)))


def _columns(cells: list[str]) -> dict[str, int]:
    names = [cell.strip().lower().lstrip("﻿") for cell in cells]
    return {field: names.index(known[0]) for field, spellings in _HEADINGS.items() if (known := _in(spellings, names))}


def _in(spellings: tuple[str, ...], names: list[str]) -> list[str]:
    return [spelling for spelling in spellings if spelling in names]


def _view(cells: list[str], columns: dict[str, int], now: datetime) -> View:
    told = {field: cells[place].strip() if place < len(cells) else "" for field, place in columns.items()}
    asin = told.get("asin", "").upper()
    item_id = "" if asin else told.get("item_id", "").removesuffix(".0")
    if asin and not _ASIN.fullmatch(asin):
        raise ValueError(f"not an ASIN: {asin[:20]!r}")
    if not asin and not item_id:
        raise ValueError("neither ASIN nor item_id")
    return View(asin, item_id, _moment(told["viewed_at"], now), _count(told.get("count", "")))


def _moment(text: str, now: datetime) -> datetime:
    try:
        found = datetime.fromisoformat(text.replace("/", "-"))
    except ValueError:
        numbers = re.fullmatch(r"(\d{4})\D(\d{1,2})\D(\d{1,2})日?", text)
        if not numbers:
            raise ValueError(f"not a time: {text[:20]!r}") from None
        year, month, day = map(int, numbers.groups())
        found = datetime(year, month, day)  # noqa: DTZ001 - the zone follows
    found = found if found.tzinfo else found.replace(tzinfo=JST)
    if found > now + _AHEAD:
        raise ValueError(f"in the future: {text[:20]!r}")
    if found < _OLDEST:
        raise ValueError(f"before there was any shop: {text[:20]!r}")
    return found.astimezone(UTC)


def _count(text: str) -> float:
    if not text:
        return 1.0
    try:
        count = float(text.replace(",", ""))
    except ValueError:
        count = -1.0
    if not 0 <= count < 1e9:
        raise ValueError(f"not a count: {text[:20]!r}")
    return count
