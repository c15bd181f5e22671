"""The seeded shops fit their register, except where real ones do not."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

import pytest

from ecauto_pipeline.clock import ManualClock
from ecauto_pipeline.emulator.control import Control
from ecauto_pipeline.emulator.state import Emulation
from ecauto_pipeline_tests.emulator.conftest import START

_MADE = re.compile(r"(?:b|s|e|ya|base)-[A-Z0-9]{10}-\d+(?:_\d+)?")


@pytest.fixture(scope="module")
def control() -> Control:
    return Control(Emulation(ManualClock(START), seed=1, listings=1000, accounts=3))


@pytest.fixture(scope="module")
def register(control: Control) -> dict[str, list[dict[str, Any]]]:
    return control.register_rows()


@pytest.fixture(scope="module")
def items(control: Control) -> dict[str, dict[str, Any]]:
    """BASE items by id as text, of all shops."""
    shops = control.about()["shops"]
    return {str(item["item_id"]): item for account in shops for item in control.items(account)}


def test_the_register_has_its_sizes_and_keys(register: dict[str, list[dict[str, Any]]]) -> None:
    """1,000 listings of 900 ASINs in three shops; (asin, platform, account) and sku are unique."""
    listings = register["listings"]
    assert (900, 1000) == (len(register["products"]), len(listings))
    assert {"base_account_1", "base_account_2", "base_account_3"} == {row["account_id"] for row in listings}
    assert 1000 == len({(row["asin"], row["platform"], row["account_id"]) for row in listings})
    skus = [row["sku"] for row in listings if row["sku"] is not None]
    assert len(skus) == len(set(skus))
    assert {row["asin"] for row in listings} == {row["asin"] for row in register["products"]}


def test_the_register_carries_every_hazard(register: dict[str, list[dict[str, Any]]]) -> None:
    """Two clocks in one column, missing prices, old spellings and states, codes of every form."""
    products, listings = register["products"], register["listings"]
    for column in ("updated_at", "created_at"):
        assert {True, False} == {"T" in row[column] for row in products}
    assert {True, False} == {"T" in row["updated_at"] for row in listings}
    assert {"base", "BASE"} == {row["platform"] for row in listings}
    statuses = Counter(row["status"] for row in listings)
    assert {"listed", "active", "pending", "delisted", "deleted", "failed", "queued"} == set(statuses)
    assert any(row["selling_price"] is None for row in listings)
    assert {None, ""} < {row["sku"] for row in listings}
    forms = Counter(re.split(r"-", row["sku"] or "-")[0] for row in listings)
    assert {"b", "s", "e", "ya", "base", "abc"} < set(forms)
    assert any(re.fullmatch(r"B0[A-Z0-9]{8}|\d{9}[\dX]", row["sku"] or "") for row in listings)
    assert any(re.fullmatch(r"[bs]-.{10}-\d{8}", row["sku"] or "") for row in listings)
    assert any(re.search(r"_\d$", row["sku"] or "") for row in listings)
    assert any(row["amazon_price_jpy"] is None for row in products)
    assert any(row["last_fetched_at"] is None for row in products)
    assert any(row["title_ja"] is None for row in products)
    assert any(re.search("[🎁✨㊗🐈㎥]", row["title_ja"] or "") for row in products)
    assert all(isinstance(row["platform_item_id"], str | None) for row in listings)


def test_orphans_stand_on_both_sides(
    register: dict[str, list[dict[str, Any]]], items: dict[str, dict[str, Any]]
) -> None:
    """Some listed rows point at items that are gone, some items have no row; all others find each other."""
    listings = register["listings"]
    live = [row for row in listings if row["status"] in ("listed", "active")]
    gone = [row for row in live if row["platform_item_id"] not in items]
    assert 4 == len(gone)
    strays = set(items) - {row["platform_item_id"] for row in listings}
    assert 3 <= len(strays) <= 10
    assert all(items[row["platform_item_id"]]["account"] == row["account_id"] for row in live if row not in gone)
    assert all(row["platform_item_id"] is None for row in listings if row["status"] == "pending")


def test_hidden_items_tell_who_hid_them(
    register: dict[str, list[dict[str, Any]]], items: dict[str, dict[str, Any]]
) -> None:
    """Hidden in BASE and in the register: the old scripts. Hidden in BASE alone: a person. Never the other way."""
    pairs = Counter(
        (items[row["platform_item_id"]]["visible"], row["visibility"])
        for row in register["listings"]
        if row["platform_item_id"] in items
    )
    assert 15 == pairs[False, "public"]
    assert pairs[False, "hidden"] >= 20
    assert (True, "hidden") not in pairs
    assert pairs[True, "public"] > 900


def test_prices_are_mostly_on_the_formula(
    control: Control, register: dict[str, list[dict[str, Any]]], items: dict[str, dict[str, Any]]
) -> None:
    """Most shown prices follow from the register's cost; some are off by less than 100 yen, some by more, some sell
    at a loss."""
    cost = {row["asin"]: row["amazon_price_jpy"] for row in register["products"]}
    kinds: Counter[str] = Counter()
    for row in register["listings"]:
        item = items.get(row["platform_item_id"] or "")
        if item is None or cost[row["asin"]] is None:
            continue
        off = abs(item["price_jpy"] - (int(cost[row["asin"]] * 1.3) + 5) // 10 * 10)
        kinds["on" if off == 0 else "near" if off < 100 else "far"] += 1
        now = control.truth(row["asin"])["level_jpy"]
        kinds["loss"] += item["price_jpy"] < now * 1.05
    assert kinds["on"] > 800
    assert kinds["near"] > 30
    assert kinds["far"] > 40
    assert kinds["loss"] >= 20


def test_shops_hold_the_odd_kinds_of_items(control: Control, items: dict[str, dict[str, Any]]) -> None:
    """Variations, digital goods, sold-out shelves that are still shown, and orders behind them."""
    assert any(item["variations"] for item in items.values())
    assert any(not item["editable"] for item in items.values())
    empty = [item for item in items.values() if item["stock"] == 0 and item["visible"]]
    assert 15 <= len(empty) <= 25
    ordered = {order["item_id"] for account in control.about()["shops"] for order in control.orders(account)}
    assert {item["item_id"] for item in empty} <= ordered


def test_the_same_seed_makes_the_same_shops(register: dict[str, list[dict[str, Any]]]) -> None:
    """Seed, size and hour of birth decide everything; another seed makes another world."""
    again = Control(Emulation(ManualClock(START), seed=1, listings=1000, accounts=3))
    other = Control(Emulation(ManualClock(START), seed=2, listings=1000, accounts=3))
    assert register == again.register_rows()
    assert set(again.asins()).isdisjoint(other.asins())


@pytest.mark.parametrize(("listings", "accounts"), [(1, 1), (7, 3), (40, 1), (150, 5)])
def test_small_worlds_stand(listings: int, accounts: int) -> None:
    """Any size works; a single shop has no doubles."""
    control = Control(Emulation(ManualClock(START), seed=4, listings=listings, accounts=accounts))
    rows = control.register_rows()["listings"]
    assert listings == len(rows) == len({(row["asin"], row["account_id"]) for row in rows})


def test_a_world_begun_anew_is_a_new_one() -> None:
    """Plans that are kept are those of the same seed, sizes and moment, whatever somebody did with the rows he got."""
    clock = ManualClock(START)
    control = Control(Emulation(clock, seed=5, listings=40, accounts=2))
    for row in control.register_rows()["listings"]:
        row.clear()
    for seed, later_s in ((5, 0.0), (6, 0.0), (6, 86_400.0), (5, 0.0)):
        clock.advance(later_s)
        control.reset(seed=seed)
        new = Control(Emulation(ManualClock(clock.now()), seed=seed, listings=40, accounts=2))
        assert new.register_rows() == control.register_rows()
        assert [new.items(f"base_account_{n}") for n in (1, 2)] == [control.items(f"base_account_{n}") for n in (1, 2)]
