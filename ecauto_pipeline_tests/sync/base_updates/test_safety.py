"""A price that the shop does not take ends in safety: hidden at once where it sells at a loss, and not sent again."""

from __future__ import annotations

from pathlib import Path

import pytest

from ecauto_pipeline.domain.model import Kind
from ecauto_pipeline.errors import ItemRefused, Transport
from ecauto_pipeline.shops.protocol import Abilities, Item, key_of
from ecauto_pipeline.sync.base_updates.safety import SafetyHides
from ecauto_pipeline.sync.people.holds import approve, reject
from ecauto_pipeline_tests.sync.diffs.selling import HonestShop, ShopWithRefusals, World, refusing

ASIN = "B000000001"
PRICE, HIDE = ("1", "price", 2990), ("1", "visibility", 0)


class ShopInASale(HonestShop):
    """Takes every price and goes on showing its own; its answer says so, or (`silent`) repeats ours."""

    def __init__(self, account_id: str, silent: bool = False) -> None:
        super().__init__(account_id)
        self.silent = silent

    def edit(self, item_id: str, kind: Kind, value: int) -> Item | None:
        if kind is not Kind.PRICE:
            return super().edit(item_id, kind, value)
        self.edits.append((item_id, kind, value))
        return None if self.silent else self.stock[item_id]


class ShopOfPricesAlone(ShopWithRefusals):
    """Lets nothing but its prices be changed."""

    abilities = Abilities(edits=frozenset((Kind.PRICE,)))


def _refusing(error: Exception) -> ShopWithRefusals:
    return ShopWithRefusals("shop_1", refusing("1", error, Kind.PRICE))


def _hour(world: World, cost_jpy: int = 2300, shows: int | None = None) -> None:
    """An hour later Amazon has been asked again and the shop been read."""
    world.later(hours=1)
    world.amazon(ASIN, cost_jpy)
    world.read_shops()
    if shows is not None:
        world.change("1", shown_price_jpy=shows)


def test_a_loss_that_cannot_be_corrected_is_off_sale_in_the_same_run(tmp_path: Path) -> None:
    """Refused for good or not, the price shown breaks the floor: hidden by us, and the numbers of the run add up."""
    world = World(tmp_path, _refusing(ItemRefused("validation_error")))
    world.list_item("1", 2400, cost_jpy=2300)
    account, report = world.sync()
    assert [PRICE, HIDE] == world.shop.edits
    assert (3, 1, 1, 1) == (account.targets, account.pushed, account.failed, account.unchanged)
    assert {"failed:validation_error": 1} == dict(report.reasons)
    assert (0, "ours", "price_failed") == tuple(
        world.listing("1")[name] for name in ("shown_visible", "hidden_by", "hidden_reason")
    )


def test_the_same_edit_is_not_sent_again(tmp_path: Path) -> None:
    """For a day nothing is sent; then once more, and on a hidden listing that is all."""
    world = World(tmp_path, _refusing(ItemRefused("validation_error")))
    world.list_item("1", 2400, cost_jpy=2300)
    world.sync()
    for hours in (1, 12, 10):
        world.later(hours=hours - 1)
        _hour(world)
        world.sync()
    assert [PRICE, HIDE] == world.shop.edits
    world.later(hours=1)
    _hour(world)
    world.sync()
    assert [PRICE, HIDE, PRICE] == world.shop.edits


@pytest.mark.parametrize("what", ["wanted", "shown", "item"])
def test_what_changes_is_a_new_try(tmp_path: Path, what: str) -> None:
    """Another price is wanted, a person has changed the item: the shop may take it now, and it comes back by itself."""
    shop = _refusing(ItemRefused("validation_error"))
    world = World(tmp_path, shop)
    world.list_item("1", 2400, cost_jpy=2300)
    world.sync()
    shop.refuses = lambda _item, _kind: None
    _hour(world, 2350 if what == "wanted" else 2300)
    if what in ("shown", "item"):
        world.change("1", item_modified_at=int(world.clock.now().timestamp() * 1000) - 1_800_000)
    if what == "shown":
        world.change("1", shown_price_jpy=2450)
    world.sync()
    wanted = 3060 if what == "wanted" else 2990
    assert [("1", "price", wanted), ("1", "visibility", 1)] == shop.edits[2:]


def test_our_own_hide_is_no_change_of_the_item(tmp_path: Path) -> None:
    """The shop counts it as one; nothing that the shop refused has changed by it."""
    world = World(tmp_path, _refusing(ItemRefused("validation_error")))
    world.list_item("1", 2400, cost_jpy=2300)
    world.sync()
    world.change("1", item_modified_at=int(world.clock.now().timestamp() * 1000) + 5_000)
    _hour(world)
    world.sync()
    assert [PRICE, HIDE] == world.shop.edits


@pytest.mark.parametrize("silent", [False, True])
@pytest.mark.parametrize(("regular_jpy", "tries"), [(3500, 1), (None, 2)])
def test_an_item_in_a_sale_is_corrected_once_else_hidden(
    tmp_path: Path, silent: bool, regular_jpy: int | None, tries: int
) -> None:
    """Judged by what customers pay. Where the shop does not say that it is in a sale, the second time tells it."""
    world = World(tmp_path, ShopInASale("shop_1", silent))
    world.list_item("1", 2400, cost_jpy=2300, regular_price_jpy=regular_jpy)
    for _ in range(5):
        world.sync()
        _hour(world, shows=2400)
    assert [PRICE] * tries + [HIDE] == world.shop.edits
    assert "in_sale" == world.listing("1")["hidden_reason"]


def test_no_loss_no_hide(tmp_path: Path) -> None:
    """A refused price of a listing that sells at a profit stays as it is shown, and the next run tries again."""
    world = World(tmp_path, _refusing(ItemRefused("validation_error")))
    world.list_item("1", 3500, cost_jpy=2300)
    world.sync()
    _hour(world)
    world.sync()
    assert [PRICE, PRICE] == world.shop.edits


def test_in_a_sale_at_a_profit_nothing_is_sent_in_vain(tmp_path: Path) -> None:
    """What customers pay is enough: not hidden, and not corrected again and again without effect."""
    world = World(tmp_path, ShopInASale("shop_1"))
    world.list_item("1", 3500, cost_jpy=2300, regular_price_jpy=4000)
    world.sync()
    _hour(world)
    account, _ = world.sync()
    assert ([PRICE], 1) == (world.shop.edits, account.skipped)
    assert [("1", "price", "skipped", "in_sale")] == world.decisions(run_id="run-2")


def test_trouble_on_the_way_is_no_refusal(tmp_path: Path) -> None:
    """A price that did not get through is sent again by the next run; nothing is hidden for it."""
    world = World(tmp_path, _refusing(Transport("html_502")))
    world.list_item("1", 2400, cost_jpy=2300)
    world.sync()
    _hour(world)
    world.sync()
    assert [PRICE, PRICE] == world.shop.edits


def test_a_price_run_hides_what_it_could_not_correct(tmp_path: Path) -> None:
    """The daily run of prices does not leave a loss on sale until the next hour, though visibility is not its scope."""
    world = World(tmp_path, _refusing(ItemRefused("validation_error")))
    world.list_item("1", 2400, cost_jpy=2300)
    account, _ = world.sync(include_visibility=False)
    assert [PRICE, HIDE] == world.shop.edits
    assert (2, 1, 1) == (account.targets, account.pushed, account.failed)
    assert ("ours", "price_failed") == tuple(world.listing("1")[name] for name in ("hidden_by", "hidden_reason"))


@pytest.mark.parametrize("shop", ["refuses", "sale"])
def test_a_price_run_hides_what_an_earlier_run_could_not_correct(tmp_path: Path, shop: str) -> None:
    """The price rests since then and is not tried again; what is shown at a loss goes off sale without it."""
    sale = shop == "sale"
    refusing_or_not = ShopInASale("shop_1") if sale else _refusing(ItemRefused("validation_error"))
    world = World(tmp_path, refusing_or_not)
    world.list_item("1", 2400, cost_jpy=2300, regular_price_jpy=3500 if sale else None)
    world.sync(include_visibility=False, hide_failed_prices=False)
    assert [PRICE] == world.shop.edits
    _hour(world)
    world.sync(include_visibility=False)
    assert [PRICE, HIDE] == world.shop.edits
    assert ("in_sale" if sale else "price_failed") == world.listing("1")["hidden_reason"]


def test_a_price_run_hides_nothing_else(tmp_path: Path) -> None:
    """Neither what is out of stock, nor a price that is left alone or may not fall: the next run's with visibility."""
    world = World(tmp_path, _refusing(ItemRefused("validation_error")))
    world.list_item("1", 3500, cost_jpy=2300)
    world.list_item("2", 9000, cost_jpy=2300)
    world.list_item("3", 2400, cost_jpy=2300)
    world.amazon("B000000003", None, "out_of_stock")
    world.sync(include_visibility=False)
    assert [("1", "price", 2990)] == world.shop.edits
    assert ("2", "price", "held", "move") in world.decisions()


HELD_LOSS, BLOCKED_LOSS = 9000, 90000
"""Costs of what is shown at 2,400 yen: the right price is a move that waits for a person; it is above the limit."""


@pytest.mark.parametrize(("cost_jpy", "why"), [(HELD_LOSS, "price_held"), (BLOCKED_LOSS, "price_blocked")])
def test_a_price_run_hides_a_loss_whose_right_price_may_not_leave(tmp_path: Path, cost_jpy: int, why: str) -> None:
    """Before its other edits, and counted; once hidden there is nothing to do for the next price run."""
    world = World(tmp_path)
    world.list_item("1", 2400, cost_jpy=cost_jpy)
    world.list_item("2", 2400, cost_jpy=2300)
    account, _ = world.sync(include_visibility=False)
    assert [HIDE, ("2", "price", 2990)] == world.shop.edits
    assert (3, 2, 1) == (account.targets, account.pushed, account.held + account.blocked)
    assert (0, "ours", why) == tuple(
        world.listing("1")[name] for name in ("shown_visible", "hidden_by", "hidden_reason")
    )
    _hour(world, cost_jpy)
    assert 0 == world.sync(include_visibility=False)[0].pushed


@pytest.mark.parametrize("how", ["approved", "over"])
def test_a_hidden_loss_is_shown_again_by_the_usual_path(tmp_path: Path, how: str) -> None:
    """A person says yes to its right price, or its cost is back: shown by the next run with visibility, and no sooner
    than its price is in order."""
    world = World(tmp_path)
    world.list_item("1", 2400, cost_jpy=HELD_LOSS)
    world.sync(include_visibility=False)
    if how == "approved":
        approve(world.tools, everything=True)
    else:
        _hour(world, 1800)
    world.sync(include_visibility=False)
    assert [HIDE, ("1", "price", 11700)][: 2 if how == "approved" else 1] == world.shop.edits
    world.sync()
    assert ("1", "visibility", 1) == world.shop.edits[-1]
    assert {1} == {value for _, kind, value in world.shop.edits[1:] if kind == "visibility"}


def test_a_hidden_loss_whose_price_is_rejected_stays_hidden(tmp_path: Path) -> None:
    """The person does not want the right price, and the one shown is a loss still: there is nothing to sell it at."""
    world = World(tmp_path)
    world.list_item("1", 2400, cost_jpy=HELD_LOSS)
    world.sync(include_visibility=False)
    reject(world.tools, everything=True)
    world.sync()
    world.sync(include_visibility=False)
    assert [HIDE] == world.shop.edits
    assert ("1", "visibility", "skipped", "price_below_floor") in world.decisions()


@pytest.mark.parametrize("refused", [False, True])
def test_a_shop_that_lets_nobody_hide_is_sent_no_hide(tmp_path: Path, refused: bool) -> None:
    """A cart whose file has prices alone: neither for a held price nor for one that it refuses."""
    shop = ShopOfPricesAlone("shop_1", refusing("1", ItemRefused("validation_error")))
    world = World(tmp_path, shop)
    world.list_item("1", 2400, cost_jpy=2300 if refused else HELD_LOSS)
    world.sync(include_visibility=False)
    assert ([PRICE] if refused else []) == world.shop.edits
    world.sync()
    assert HIDE not in world.shop.edits


@pytest.mark.parametrize("word", ["approve", "reject"])
def test_a_price_run_heeds_what_a_person_said_of_a_held_loss(tmp_path: Path, word: str) -> None:
    """A yes sends the price, a no leaves the listing as the person has seen it: neither is hidden for the hold."""
    world = World(tmp_path)
    world.list_item("1", 2400, cost_jpy=HELD_LOSS)
    world.sync(include_visibility=False, push=False)
    (approve if word == "approve" else reject)(world.tools, everything=True)
    world.sync(include_visibility=False)
    assert ([("1", "price", 11700)] if word == "approve" else []) == world.shop.edits


def test_held_losses_are_hidden_as_far_as_the_guard_lets(tmp_path: Path) -> None:
    """A mass is one whichever run finds it: what is beyond the limit is the next run's with visibility, and held."""
    world = World(tmp_path, guards={"max_hide_rows": 5})
    for number in range(1, 21):
        world.list_item(str(number), 2400, cost_jpy=HELD_LOSS)
    account, _ = world.sync(include_visibility=False)
    assert (20, 4) == (account.held, account.pushed)
    assert 0 == world.sync(include_visibility=False)[0].pushed
    world.sync()
    assert ("5", "visibility", "held", "mass_hide") in world.decisions()
    assert 4 == len(world.shop.edits)


def test_a_dry_price_run_plans_the_hides_of_a_live_one(tmp_path: Path) -> None:
    """The same account, and nothing is sent or waits for having been planned."""
    world = World(tmp_path)
    world.list_item("1", 2400, cost_jpy=HELD_LOSS)
    dry, _ = world.sync(include_visibility=False, dry_run=True)
    assert [("1", "visibility", "dry_run")] == world.outcomes()
    live, _ = world.sync(include_visibility=False)
    assert (dry, [HIDE]) == (live, world.shop.edits)


def test_a_price_run_that_dies_before_its_hides_leave_is_taken_up(tmp_path: Path) -> None:
    """Killed once they are decided: the retry sends them, and the numbers of both add up."""
    world = World(tmp_path)
    world.list_item("1", 2400, cost_jpy=HELD_LOSS)
    died = world.run(include_visibility=False)
    world.decide(died)
    assert 1 == len(SafetyHides(world.tools.for_run(died), key_of(world.shop)).of_losses())
    assert [] == world.shop.edits
    account, _ = world.sync(include_visibility=False, retries=died.run_id)
    assert ([HIDE], 1) == (world.shop.edits, account.pushed)


def test_what_a_price_run_hides_counts_for_the_guard(tmp_path: Path) -> None:
    """As many as the guard lets pass, those of earlier refusals among them; the rest waits for the next hour's run."""
    world = World(tmp_path, ShopWithRefusals("shop_1", _every_price), guards={"max_hide_rows": 5})
    for number in range(1, 21):
        world.list_item(str(number), 2400, cost_jpy=2300)
    world.sync(include_visibility=False, hide_failed_prices=False)
    account, _ = world.sync(include_visibility=False)
    assert (20, 4) == (account.skipped, account.pushed)
    account, _ = world.sync(include_visibility=False)
    assert 0 == account.pushed


def test_a_person_can_keep_a_price_run_from_hiding(tmp_path: Path) -> None:
    """Who takes the tick off include_visibility gets no hide at all; the next run with visibility hides."""
    world = World(tmp_path, _refusing(ItemRefused("validation_error")))
    world.list_item("1", 2400, cost_jpy=2300)
    world.sync(include_visibility=False, hide_failed_prices=False)
    assert [PRICE] == world.shop.edits
    world.sync()
    assert [PRICE, HIDE] == world.shop.edits


def test_a_mass_of_refusals_waits_for_a_person(tmp_path: Path) -> None:
    """As many as the guard lets pass are hidden; the rest is held by the next run's guard, as any mass of hides is."""
    world = World(tmp_path, ShopWithRefusals("shop_1", _every_price), guards={"max_hide_rows": 5})
    for number in range(1, 21):
        world.list_item(str(number), 2400, cost_jpy=2300)
    account, _ = world.sync()
    assert (20, 4) == (account.failed, account.pushed)
    account, _ = world.sync()
    assert (16, 0) == (account.held, account.pushed)
    assert {"mass_hide"} == {reason for _, _, decision, reason in world.decisions() if decision == "held"}


def _every_price(_item: str, kind: Kind) -> Exception | None:
    return ItemRefused("validation_error") if kind is Kind.PRICE else None
