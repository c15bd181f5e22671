"""What every item must show after a run, worked out anew from the world and the owner's words.

Shares no code with the rules it judges, and asks the program nothing: what a run starts from is what the shops showed.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

Key = tuple[str, str]

_SKU = re.compile(r"^(?:b|s|e|ya|base)-([A-Z0-9]{10})-\d{8,14}(?:_\d+)?$")


def expected_after_first_sync(
    listings: list[dict[str, Any]], before: dict[tuple[str, str], dict[str, Any]], active: list[str], truth: Any
) -> dict[tuple[str, str], tuple[int, bool, int]]:
    """(price, visible, stock) by account and item id, of every item of every account.

    Nothing is filtered out twice in a first run; what both the shop and the register call hidden is ours to show.
    """
    hidden_by_scripts = {
        (row["account_id"], str(row["platform_item_id"])) for row in listings if row["visibility"] == "hidden"
    }
    may_show = {key for key, item in before.items() if item["visible"]} | hidden_by_scripts
    return expected_after_run(listings, before, active, truth, may_show, lambda _: False)


def expected_after_run(
    listings: list[dict[str, Any]],
    before: dict[Key, dict[str, Any]],
    active: list[str],
    truth: Callable[[str], dict[str, Any]],
    may_show: set[Key],
    filtered_twice: Callable[[str], bool],
) -> dict[Key, tuple[int, bool, int]]:
    """(price, visible, stock) by account and item id, of every item of every account, after a run that asked about all.

    `before`: what the shops showed when it began. `truth`: what Amazon last answered. `may_show`: items that no person
    hid. `filtered_twice`: whether Amazon's last two answers, an hour or more apart, held no offer that fits.
    """
    expected = {key: (item["price_jpy"], item["visible"], item["stock"]) for key, item in before.items()}
    for row in listings:
        key = (row["account_id"], str(row["platform_item_id"]))
        item = before.get(key)
        if item is None or not ours_to_edit(row, item, active):
            continue
        expected[key] = _wanted(item, truth(row["asin"]), key in may_show, filtered_twice(row["asin"]))
    return expected


def ours_to_edit(row: dict[str, Any], item: dict[str, Any], active: list[str]) -> bool:
    """Whether the register's row and the shop's item are one listing of an active shop that BASE lets us edit."""
    if row["platform"].lower() != "base" or row["account_id"] not in active:
        return False
    if row["status"] not in ("listed", "active") or not item["editable"]:
        return False
    code = _SKU.match(item["identifier"] or "")
    return code is None or code[1] == row["asin"]


def cost_jpy(truth: dict[str, Any]) -> int | None:
    """What Amazon charges by the owner's rule; None where nothing fits or there was no answer."""
    if truth["failure"] is not None or not truth["known"]:
        return None
    fitting = [offer for offer in truth["offers"] if _fits(offer)]
    return int(_best(fitting)["price_jpy"]) if fitting else None


def breaks_floor(price_jpy: int, cost: int) -> bool:
    """Below 1.05 times what Amazon charges, or a loss after BASE's fees (standard plan), here or a few yen above."""
    return price_jpy * 100 < cost * 105 or any(
        profit_jpy(price, cost) < 0 for price in range(price_jpy, price_jpy + 40)
    )


def profit_jpy(price_jpy: int, cost: int) -> int:
    """What is left after BASE's standard plan: 3.6% and 40 yen for the payment, 3% for the service, each rounded up."""
    return price_jpy - -(-price_jpy * 36 // 1000) - 40 - -(-price_jpy * 3 // 100) - cost


def _wanted(item: dict[str, Any], truth: dict[str, Any], may_show: bool, twice: bool) -> tuple[int, bool, int]:
    price, visible, stock = item["price_jpy"], item["visible"], item["stock"]
    if truth["failure"] is not None:  # no answer: nothing moves
        return price, visible, stock
    if not truth["known"] or not truth["offers"]:
        return price, False, stock
    cost = cost_jpy(truth)
    if cost is None:  # offers, none of which fits: must be said twice, an hour apart
        return price, visible and not twice, stock
    marked_up = cost * 13 // 10
    wanted = (marked_up + 5) // 10 * 10
    at_a_loss = breaks_floor(price, cost)
    sellable = 500 <= wanted <= 100_000 and not breaks_floor(wanted, cost) and wanted <= cost * 2
    moves = abs(wanted - price) >= 100 or at_a_loss
    held = moves and abs(wanted - price) * 2 > price
    if moves and sellable and not held:
        price, at_a_loss = wanted, False
    visible = may_show and not at_a_loss
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
        points: int = 1000 if offer["availability"] == "NOW" else 0
        points += 72 - offer["max_hours"]
        return points + (100 if offer["prime"] else 0) + (50 if offer["fba"] else 0)

    return min(offers, key=lambda offer: (-score(offer), offer["price_jpy"], offer["seller_id"]))
