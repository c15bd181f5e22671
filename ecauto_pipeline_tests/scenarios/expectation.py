"""What every item must show after a first sync, worked out anew from the world and the owner's words.

Shares no code with the rules it judges. Not for: anything but the first run (later ones depend on the past).
"""

from __future__ import annotations

import re
from typing import Any

_SKU = re.compile(r"^(?:b|s|e|ya|base)-([A-Z0-9]{10})-\d{8,14}(?:_\d+)?$")


def expected_after_first_sync(
    listings: list[dict[str, Any]], before: dict[tuple[str, str], dict[str, Any]], active: list[str], truth: Any
) -> dict[tuple[str, str], tuple[int, bool, int]]:
    """(price, visible, stock) by account and item id, of every item of every account."""
    expected = {key: (item["price_jpy"], item["visible"], item["stock"]) for key, item in before.items()}
    for row in listings:
        key = (row["account_id"], str(row["platform_item_id"]))
        item = before.get(key)
        if item is None or row["platform"].lower() != "base" or row["account_id"] not in active:
            continue
        if row["status"] not in ("listed", "active") or not item["editable"]:
            continue
        code = _SKU.match(item["identifier"] or "")
        if code and code[1] != row["asin"]:
            continue
        expected[key] = _wanted(item, row, truth(row["asin"]))
    return expected


def _wanted(item: dict[str, Any], row: dict[str, Any], truth: dict[str, Any]) -> tuple[int, bool, int]:
    price, visible, stock = item["price_jpy"], item["visible"], item["stock"]
    if truth["failure"] is not None:  # no answer: nothing moves
        return price, visible, stock
    if not truth["known"] or not truth["offers"]:
        return price, False, stock
    fitting = [offer for offer in truth["offers"] if _fits(offer)]
    if not fitting:  # must be said twice, an hour apart
        return price, visible, stock
    cost = _best(fitting)["price_jpy"]
    marked_up = cost * 13 // 10
    wanted = (marked_up + 5) // 10 * 10
    at_a_loss = price * 100 < cost * 105
    sellable = 500 <= wanted <= 100_000 and wanted * 100 >= cost * 105 and wanted <= cost * 2
    moves = abs(wanted - price) >= 100 or at_a_loss
    held = moves and abs(wanted - price) * 2 > price
    if moves and sellable and not held:
        price, at_a_loss = wanted, False
    ours_to_show = visible or row["visibility"] == "hidden"
    visible = ours_to_show and not at_a_loss
    if visible and not item["variations"] and stock == 0:
        stock = 1
    return price, visible, stock


def _fits(offer: dict[str, Any]) -> bool:
    return (
        offer["condition"].lower() == "new"
        and offer["shipping_jpy"] == 0
        and not offer["availability"].startswith("FUTURE_")
        and offer["max_hours"] is not None
        and offer["max_hours"] <= 72
        and offer["currency"] == "JPY"
    )


def _best(offers: list[dict[str, Any]]) -> dict[str, Any]:
    def score(offer: dict[str, Any]) -> int:
        points = 1000 if offer["availability"] == "NOW" else 0
        points += 72 - offer["max_hours"]
        return points + (100 if offer["prime"] else 0) + (50 if offer["fba"] else 0)

    return min(offers, key=lambda offer: (-score(offer), offer["price_jpy"], offer["seller_id"]))
