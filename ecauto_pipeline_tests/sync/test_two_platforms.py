"""Two shops of the same id on two platforms are two shops, from the decision to the rollback."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ecauto_pipeline.domain.model import AccountKey
from ecauto_pipeline.state import leases
from ecauto_pipeline.state.schema import shop_accounts
from ecauto_pipeline.sync.people.holds import approve, list_holds
from ecauto_pipeline.sync.people.rollback import rollback_run
from ecauto_pipeline_tests.sync.diffs.selling import HonestShop, RestrictedShop, World

HERE, THERE = AccountKey("base", "tokyo"), AccountKey("elsewhere", "tokyo")


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path, HonestShop("tokyo"), HonestShop("tokyo", "elsewhere"))


def both(world: World, price_jpy: int = 2000, **fields: Any) -> None:
    """The same item id, the same ASIN, in both shops."""
    world.list_item("1", price_jpy, cost_jpy=2000, asin="B000000001", shop=0, **fields)
    world.list_item("1", price_jpy, cost_jpy=2000, asin="B000000001", shop=1, **fields)


def test_each_gets_its_own_edit_and_is_told_apart_by_its_platform(world: World) -> None:
    """Same id, same item id: neither decision takes the other's place, and reports name each with its platform."""
    both(world)
    account, report = world.sync()
    assert (2, ["base:tokyo", "elsewhere:tokyo"]) == (account.pushed, list(report.by_account))
    assert [2600, 2600] == [shop.stock["1"].price_jpy for shop in world.shops]


def test_a_run_for_one_of_them_leaves_the_other_alone(world: World) -> None:
    """`accounts` of a run means the shop, not everything that has its id."""
    both(world)
    world.sync(accounts=(THERE,))
    assert [2000, 2600] == [shop.stock["1"].price_jpy for shop in world.shops]
    assert {"elsewhere"} == {row["platform"] for row in world.rows()}


def test_a_word_on_holds_counts_for_one_of_them(world: World) -> None:
    """Approving what one shop has waiting approves nothing of the other's."""
    both(world, price_jpy=12_000)
    world.sync()
    approve(world.tools, account=THERE, who="tanaka")
    assert [HERE] == [hold.key.account for hold in list_holds(world.tools)]
    world.sync()
    assert [12_000, 2600] == [shop.stock["1"].price_jpy for shop in world.shops]


def test_a_restriction_stops_one_of_them(tmp_path: Path) -> None:
    """The breaker of a shop is that shop's."""
    world = World(tmp_path, RestrictedShop("tokyo"), HonestShop("tokyo", "elsewhere"))
    both(world)
    _, report = world.sync()
    assert (("base:tokyo", "access_denied"),) == report.alerts
    assert [("base", "access_denied"), ("elsewhere", "")] == [
        (row["platform"], row["breaker"]) for row in world.rows(shop_accounts)
    ]
    assert 2600 == world.shops[1].stock["1"].price_jpy


def test_they_are_pushed_to_side_by_side(world: World) -> None:
    """The lease of one does not keep anybody from the other."""
    both(world)
    with world.state.write() as connection:
        name = f"push:{HERE}"
        leases.claim(connection, [name], leases.new_owner(), world.clock.now(), timedelta(hours=1))
    _, report = world.sync()
    assert ({"skipped:pushed_elsewhere": 1}, 2600) == (dict(report.reasons), world.shops[1].stock["1"].price_jpy)


def test_a_run_is_taken_back_in_both(world: World) -> None:
    """Rollback reads each shop for its own rows."""
    both(world, price_jpy=2400)
    world.sync()
    rollback_run(world.tools.for_run(world.run()), "run-1")
    assert [2400, 2400] == [shop.stock["1"].price_jpy for shop in world.shops]
