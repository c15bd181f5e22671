"""What any selling platform must be able to do for us, one object a shop account.

Every method raises the CallError family of errors.py and nothing else: BudgetSpent (stop until), AccountBlocked (the
shop as a whole), ItemRefused / ItemGone (this row), OutcomeUnknown (an edit whose answer never came), Transport.
Not for: rules, or when to call (sync/).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from ecauto_pipeline.domain.model import AccountKey, Kind


@dataclass(frozen=True, slots=True)
class Item:
    """An item as the shop shows it. `stock` of an item with variations is their sum and can't be set."""

    item_id: str
    identifier: str
    title: str
    price_jpy: int | None
    stock: int | None
    visible: bool | None
    has_variations: bool
    modified_at: datetime | None


@dataclass(frozen=True, slots=True)
class Sale:
    """One item row of one order. Nothing about the buyer is kept anywhere."""

    item_id: str
    ordered_at: datetime
    amount: int


class Shop(Protocol):
    """One shop account."""

    platform: str
    account_id: str

    def items(self, modified_since: datetime | None = None) -> Iterator[list[Item]]:
        """Pages of <= 100 items. With `modified_since`: newest first, ending at the first page wholly older."""

    def item(self, item_id: str) -> Item:
        """One item by its id in the path. Raises ItemGone when the shop says there is none."""

    def edit(self, item_id: str, kind: Kind, value: int) -> Item | None:
        """Set price (yen), visibility (0/1) or stock. Raises OutcomeUnknown when nobody knows whether it happened."""

    def sales(self, since: datetime, until: datetime | None = None) -> list[Sale]:
        """Item rows of the orders placed in [since, until), oldest first, cancelled ones left out."""

    def check(self) -> dict[str, object]:
        """users/me: shop id, name and address, proof that the credentials work."""

    def token_expires_at(self) -> datetime | None:
        """When the shop has to be authorised anew unless it is used before; None when that isn't known."""


def key_of(shop: Shop) -> AccountKey:
    """Which shop this is."""
    return AccountKey(shop.platform, shop.account_id)
