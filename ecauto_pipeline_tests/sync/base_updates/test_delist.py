"""A9: two proofs, a control, a cap."""

from __future__ import annotations

from pathlib import Path

from ecauto_pipeline.errors import ItemGone, ItemRefused
from ecauto_pipeline.shops.protocol import Item
from ecauto_pipeline.sync.people.rollback import rollback_run
from ecauto_pipeline_tests.sync.diffs.selling import HonestShop, World


class ShopWithoutDetails(HonestShop):
    """Answers every question about one item with `error`."""

    def __init__(self, account_id: str, error: Exception) -> None:
        super().__init__(account_id)
        self.error = error

    def item(self, item_id: str) -> Item:
        self.reads.append(item_id)
        raise self.error


class ShopThatShowsWhatItCannotEdit(HonestShop):
    """The page of item 1 is there, although it can't be edited."""

    def item(self, item_id: str) -> Item:
        return super().item("2" if item_id == "1" else item_id)


def _gone(world: World, count: int, of: int) -> None:
    for number in range(1, of + 1):
        world.list_item(str(number), 3000 if number <= count else 2580, cost_jpy=1984)
    for number in range(1, count + 1):
        del world.shop.stock[str(number)]


def test_a9_two_proofs_and_a_canary_make_a_candidate(tmp_path: Path) -> None:
    """edit: bad_item_id, detail: no_item, canary resolves: marked, no longer tried, reversible, nothing deleted."""
    world = World(tmp_path)
    _gone(world, 1, of=200)
    account, report = world.sync()
    assert (("shop_1", "1"),) == report.delist.marked
    assert ("delisted_candidate", 0) == (world.listing("1")["delist"], world.listing("1")["listed"])
    assert (1, 1) == (account.failed, account.pushed)
    edits = len(world.shop.edits)
    world.sync()
    assert edits == len(world.shop.edits)
    rollback_run(world.tools.for_run(world.run()), "run-1")
    assert "" == world.listing("1")["delist"]


def test_a9_a_malformed_question_proves_nothing(tmp_path: Path) -> None:
    """detail -> no_item_id: our own fault, no absence, and the canary fails with it."""
    world = World(tmp_path, ShopWithoutDetails("shop_1", ItemRefused("no_item_id")))
    _gone(world, 1, of=50)
    _, report = world.sync()
    assert () == report.delist.marked
    assert ("1", "delist", "skipped", "canary_failed") in world.decisions()


def test_a9_a_shop_that_denies_everything_delists_nothing(tmp_path: Path) -> None:
    """The canary is said to be gone, too: the shop is confused."""
    world = World(tmp_path, ShopWithoutDetails("shop_1", ItemGone("no_item")))
    _gone(world, 1, of=50)
    _, report = world.sync()
    assert () == report.delist.marked


def test_an_item_that_resolves_is_no_candidate(tmp_path: Path) -> None:
    """bad_item_id on edit, but its page is there: skipped(resolves)."""
    world = World(tmp_path, ShopThatShowsWhatItCannotEdit("shop_1"))
    _gone(world, 1, of=50)
    _, report = world.sync()
    assert ((), True) == (report.delist.marked, ("1", "delist", "skipped", "resolves") in world.decisions())


def test_a9_a_mass_of_gone_items_is_held(tmp_path: Path) -> None:
    """21 of 50 at once: none marked, held as mass_delist."""
    world = World(tmp_path)
    _gone(world, 21, of=50)
    account, report = world.sync()
    assert ((), 21) == (report.delist.marked, account.held)
    assert {"mass_delist"} == {row["reason"] for row in world.rows(decision="held", kind="delist")}


def test_a_dry_run_has_no_evidence(tmp_path: Path) -> None:
    """It edits nothing, so nothing is called gone."""
    world = World(tmp_path)
    _gone(world, 1, of=50)
    _, report = world.sync(dry_run=True)
    assert 0 == report.delist.account.targets
