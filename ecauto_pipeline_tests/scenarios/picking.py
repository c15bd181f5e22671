"""Listings to play a case on: chosen because nothing else about them could explain what happens to them.

Not for: laws.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from ecauto_pipeline_tests.scenarios.shop_day import ShopDay

_SKU = re.compile(r"b-([A-Z0-9]{10})-\d{14}")


@dataclass(frozen=True, slots=True)
class Listed:
    """One ASIN offered once, in one active shop."""

    account: str
    item_id: str
    asin: str
    price_jpy: int


def sound(day: ShopDay, count: int, account: str | None = None) -> list[Listed]:
    """Listings public, in stock, editable, plain and alone, with their ASIN pinned to a cost that asks for no edit."""
    shown = day.shown()
    rows = day.register("select asin, account_id, platform_item_id, status, platform, visibility from listings")
    offered: dict[str, int] = {}
    for row in rows:
        offered[row["asin"]] = offered.get(row["asin"], 0) + 1
    found: list[Listed] = []
    for row in rows:
        item = shown.get((row["account_id"], str(row["platform_item_id"])))
        if item is None or row["account_id"] == day.accounts[-1] or (account and row["account_id"] != account):
            continue
        code = _SKU.fullmatch(item["identifier"] or "")
        if offered[row["asin"]] > 1 or code is None or code[1] != row["asin"] or row["status"] != "listed":
            continue
        if not (item["visible"] and item["editable"] and item["stock"] > 0 and not item["variations"]):
            continue
        if not 1300 <= item["price_jpy"] <= 20_000:
            continue
        found.append(Listed(row["account_id"], str(row["platform_item_id"]), row["asin"], item["price_jpy"]))
        costs(day, found[-1], cost_of(item["price_jpy"]))
        if len(found) == count:
            return found
    raise LookupError(f"the world has only {len(found)} such listings, not {count}")


def cost_of(price_jpy: int) -> int:
    """What Amazon must charge for the shown price to be right."""
    return price_jpy * 10 // 13


def selling(cost_jpy: int) -> int:
    """The owner's simple markup: 1.3 times, truncated, half up to ten yen."""
    return (cost_jpy * 13 // 10 + 5) // 10 * 10


def costs(day: ShopDay, listed: Listed, cost_jpy: Any, **more: Any) -> None:
    """From now on Amazon has one offer for it, which suits the owner's rule but for what `more` says."""
    day.control.set_truth(
        listed.asin, offers=[{"seller_id": "A1SELLER", "price_jpy": cost_jpy, "max_hours": 24} | more]
    )


def sold_out(day: ShopDay, listed: Listed) -> None:
    """From now on Amazon has no offer for it."""
    day.control.set_truth(listed.asin, offers=[])


def edits_of(day: ShopDay, listed: Listed, since: int = 0) -> list[dict[str, str]]:
    """The fields of each edit of it that the shop saw after call number `since`."""
    return [
        dict(call["details"]["fields"])
        for call in day.edits(since)
        if (call["account"], str(call["details"]["item_id"])) == (listed.account, listed.item_id)
    ]


def seen(day: ShopDay) -> int:
    """The number of the last call that the emulator saw."""
    return max((call["seq"] for call in day.control.calls()), default=0)


def asked_about(day: ShopDay, asin: str, since: int = 0) -> list[str]:
    """The operations by which Amazon was asked about it after call number `since`."""
    calls = day.control.calls(since=since, api="sp_api")
    return [call["operation"] for call in calls if asin in call["details"].get("asins", ())]


def item_of(day: ShopDay, listed: Listed) -> dict[str, Any]:
    """What the shop shows of it now."""
    item = day.control.item(listed.account, int(listed.item_id))
    assert item is not None
    return item
