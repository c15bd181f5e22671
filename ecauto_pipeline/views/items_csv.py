"""The list of items as a CSV that a spreadsheet opens, and each item as plain values.

A cell of text that a spreadsheet would take for a formula gets a ' before it: titles come from outside.
Not for: which items (items.py).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from ecauto_pipeline.clock import jst
from ecauto_pipeline.domain.reasons import WORDS
from ecauto_pipeline.domain.words import HIDDEN_BY
from ecauto_pipeline.views.item_filters import STATES
from ecauto_pipeline.views.items import Item

BOM = "\ufeff"
"""Without it Excel takes UTF-8 for another encoding."""
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
_HEADS = {
    "title": ("商品名", "title"),
    "shop": ("ショップ", "shop"),
    "item_id": ("商品ID", "item id"),
    "asin": ("ASIN", "ASIN"),
    "code": ("商品コード", "code"),
    "price_jpy": ("価格(円)", "price (yen)"),
    "cost_jpy": ("Amazonの価格(円)", "price at Amazon (yen)"),
    "profit_jpy": ("利益(円)", "profit (yen)"),
    "confirmed_at": ("Amazonの情報の日時", "confirmed at"),
    "state": ("状態", "state"),
    "hidden_by": ("非公開にした者", "hidden by"),
    "changed_at": ("最後の変更", "last change"),
    "held": ("確認待ち", "waits for a person"),
    "blocked": ("上限・下限で中止", "stopped by a limit"),
    "unwatched": ("同期されていない理由", "not watched because"),
    "unconfirmed": ("未確認のまま公開中", "on show, not confirmed"),
    "rule_lines": ("規則の行", "lines of rules"),
}


def csv_lines(items: Iterable[Item], language: str) -> Iterator[str]:
    """The lines of the file, heads first; times are Japanese."""
    english = language == "en"
    yield BOM + _line(words[english] for words in _HEADS.values())
    for item in items:
        yield _line(harmless(cell) if isinstance(cell, str) else cell for cell in _cells(item, english).values())


def document(item: Item) -> dict[str, Any]:
    """The item as plain values; codes as they are, times with their zone."""
    standing = item.standing
    return {
        "platform": item.key.platform,
        "account_id": item.key.account_id,
        "shop": item.shop,
        "item_id": item.key.item_id,
        "asin": item.asin,
        "code": item.code,
        "title": item.title,
        "price_jpy": item.price_jpy,
        "cost_jpy": item.cost_jpy,
        "profit_jpy": item.profit_jpy,
        "confirmed_at": None if item.confirmed_at is None else jst(item.confirmed_at).isoformat(timespec="seconds"),
        "changed_at": None if item.changed_at is None else jst(item.changed_at).isoformat(timespec="seconds"),
        "state": standing.state,
        "hidden_by": standing.hidden_by,
        "held": standing.held,
        "blocked": standing.blocked,
        "loss": standing.loss,
        "unwatched": standing.unwatched,
        "unconfirmed": standing.unconfirmed,
        "rule_lines": list(item.rule_lines),
    }


def harmless(text: str) -> str:
    """Text that no spreadsheet reckons with."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def _cells(item: Item, english: bool) -> dict[str, object]:
    standing = item.standing
    yes = "yes" if english else "はい"
    return {
        "title": item.title,
        "shop": item.shop,
        "item_id": item.key.item_id,
        "asin": item.asin,
        "code": item.code,
        "price_jpy": item.price_jpy,
        "cost_jpy": item.cost_jpy,
        "profit_jpy": item.profit_jpy,
        "confirmed_at": _moment(item.confirmed_at),
        "state": STATES[standing.state][english],
        "hidden_by": HIDDEN_BY[standing.hidden_by][english] if standing.hidden_by in HIDDEN_BY else "",
        "changed_at": _moment(item.changed_at),
        "held": yes if standing.held else "",
        "blocked": yes if standing.blocked else "",
        "unwatched": WORDS[standing.unwatched][english] if standing.unwatched in WORDS else standing.unwatched,
        "unconfirmed": yes if standing.unconfirmed else "",
        "rule_lines": " ".join(map(str, item.rule_lines)),
    }


def _moment(at: datetime | None) -> str:
    return "" if at is None else f"{jst(at):%Y-%m-%d %H:%M}"


def _line(cells: Iterable[object]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow(list(cells))
    return line.getvalue()
