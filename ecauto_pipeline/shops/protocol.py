"""What any selling platform must be able to do for us, one object a shop account.

Every method raises the CallError family of errors.py and nothing else: BudgetSpent (stop until), AccountBlocked (the
shop as a whole), ItemRefused / ItemGone (this row), OutcomeUnknown (an edit whose answer never came), Transport. What a
platform does not have it says in its `abilities`, and nobody asks for it.
Not for: rules, or when to call (sync/).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from ecauto_pipeline.domain.model import AccountKey, Kind


@dataclass(frozen=True, slots=True)
class Item:
    """An item as the shop shows it. `stock` of an item with variations is their sum and can't be set.

    `shown_at`: when the shop showed this, where that is not the moment of asking (an export made earlier).
    `regular_price_jpy`: the price that a sale's `price_jpy` is shown beside; None = the item is in no sale.
    """

    item_id: str
    identifier: str
    title: str
    price_jpy: int | None
    stock: int | None
    visible: bool | None
    has_variations: bool
    modified_at: datetime | None
    shown_at: datetime | None = None
    regular_price_jpy: int | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """One order, without anything about its buyer. `unique_key`: the shop's own name of it; kept nowhere but hashed."""

    unique_key: str
    ordered_at: datetime


@dataclass(frozen=True, slots=True)
class Sale:
    """One item row of one order, the `row`-th that the shop lists. Nothing about the buyer is kept anywhere.

    `price_jpy`: of one piece, None where the shop does not say it.
    """

    item_id: str
    ordered_at: datetime
    amount: int
    unique_key: str = ""
    row: int = 0
    price_jpy: int | None = None


@dataclass(frozen=True, slots=True)
class Abilities:
    """What can be asked of a shop. `edits`: the kinds it lets us change. `orders`: whether it tells what it sold.

    `together`: its edits are taken in one by one and leave with `flush`, all of them or none. `edit_s`: what one edit
    takes at least, for the plan of a run.
    """

    edits: frozenset[Kind] = frozenset((Kind.PRICE, Kind.VISIBILITY, Kind.STOCK))
    orders: bool = True
    together: bool = False
    edit_s: float = 0.5


class Shop(Protocol):
    """One shop account."""

    platform: str
    account_id: str
    abilities: Abilities

    def for_undoing(self) -> Shop:
        """The same shop, for a person's taking back of edits: its calls may use what is kept for that."""

    def items(self, modified_since: datetime | None = None) -> Iterator[list[Item]]:
        """Pages of some hundred items. With `modified_since`: newest first, ending at the first page wholly older.

        A shop that can't tell what changed gives everything.
        """

    def item(self, item_id: str) -> Item:
        """One item by its id in the path. Raises ItemGone when the shop says there is none."""

    def edit(self, item_id: str, kind: Kind, value: int) -> Item | None:
        """Set price (yen), visibility (0/1) or stock. Raises OutcomeUnknown when nobody knows whether it happened.

        Where edits leave together it is only taken in: nothing has happened before `flush`.
        """

    def series(self, edits: Sequence[tuple[Kind, int]]) -> AbstractContextManager[None]:
        """These edits (kind, value) follow within it, or the first of them: what is counted and written down of each
        call may be so of all together. Nothing of it decides whether a call may leave."""

    def flush(self) -> None:
        """Let the edits taken in leave; nothing to do where each has left at once. They happened when this returns.

        Raises OutcomeUnknown when nobody knows whether they did, another CallError when none did.
        """

    def sales(self, since: datetime, until: datetime | None = None) -> list[Sale]:
        """Item rows of the orders placed in [since, until), oldest first, cancelled ones left out."""

    def orders(self, since: datetime) -> list[Order]:
        """The orders placed since then, oldest first, cancelled ones left out: one call a hundred."""

    def order_rows(self, order: Order) -> list[Sale]:
        """The item rows of one order. Raises ItemGone when it was taken back since it was listed."""

    def check(self) -> dict[str, object]:
        """What the shop says of itself, proof that it can be reached and read."""

    def token_expires_at(self) -> datetime | None:
        """When the shop has to be authorised anew unless it is used before; None where that isn't known, or never."""

    def token_file_problem(self) -> str:
        """Why the file of its tokens does not hold those in use (state does); "" = it does, or there is none."""


def key_of(shop: Shop) -> AccountKey:
    """Which shop this is."""
    return AccountKey(shop.platform, shop.account_id)
