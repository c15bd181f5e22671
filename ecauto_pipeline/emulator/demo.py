"""The seeded shops: what the owner's register says, what BASE shows, and where the two disagree.

For: one plan per listing, from which both the register's rows and the BASE items follow, with the hazards that real
registers have (mixed clocks in one column, missing prices, old spellings, orphans on both sides). Not for: the
register's file; writing master.db is its user's business (`register_rows` only hands out rows).

Shares are per mille of the listings and exact for 1,000 of them: a listing's place in a seeded shuffle decides.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from ecauto_pipeline.clock import JST
from ecauto_pipeline.emulator.chance import between, integer, mix, uniform
from ecauto_pipeline.emulator.credentials import base_account_id
from ecauto_pipeline.emulator.shop_world import Item, Sale, Variation
from ecauto_pipeline.emulator.world import World

_DAY_S = 86_400
_ITEM_IDS, _ITEM_STEP = 9_999_991, 7_654_321
_KEPT = 1_000
"""Listings of a world whose plans are kept: its register is asked for, and it is begun anew, again and again."""


@dataclass(frozen=True, slots=True)
class ListingPlan:
    """One row of the register's listings, and the BASE item that belongs to it (None: there is none)."""

    row: dict[str, Any]
    item: Item | None
    sold_at: int | None


@dataclass(slots=True)
class _Made:
    """What was made of one small world: all of it, or nothing yet."""

    plans: list[ListingPlan] = field(default_factory=list)
    products: list[dict[str, Any]] = field(default_factory=list)


@lru_cache(maxsize=4)
def _made_of(seed: int, asins: int, listings: int, accounts: int, born_s: float) -> _Made:
    """What all that is made follows from, so that whoever begins the same world again finds it made."""
    return _Made()


class Demo:
    """The seeded shops of one world, as they were when it was born (`born_s`, seconds since the epoch)."""

    def __init__(self, world: World, listings: int, accounts: int, born_s: float) -> None:
        self._world, self._listings, self._accounts, self._born_s = world, listings, accounts, born_s
        self._made = _made_of(world.seed, world.asins, listings, accounts, born_s)

    @staticmethod
    def asin_count(listings: int, accounts: int) -> int:
        """How many ASINs that many listings have: nine to ten, as some are in two shops. One shop has no doubles."""
        return listings if accounts == 1 else max(1, round(listings * 0.9))

    def plans(self) -> Iterator[ListingPlan]:
        """One plan per row of the register, in the order of its ids. Its row is not to be changed."""
        if self._listings > _KEPT:
            return (self._plan(number) for number in range(self._listings))
        self._made.plans = self._made.plans or [self._plan(number) for number in range(self._listings)]
        return iter(self._made.plans)

    def strays(self) -> Iterator[Item]:
        """BASE items that the register knows nothing of: made by hand, or from before the register."""
        for account in range(self._accounts):
            for n in range(max(1, self._listings // (300 * self._accounts))):
                number = self._listings + account * 1000 + n
                asin = None if n % 2 else self._world.asin_at(mix(self._world.seed, number) % self._world.asins)
                yield Item(
                    item_id=self._item_id(number),
                    account=base_account_id(account + 1),
                    title="手づくりの木のスプーン 🥄" if asin is None else self._world.goods(asin).title,
                    detail="登録簿にない商品です。",
                    price_jpy=1980 if asin is None else selling_price(self._world.price_jpy(asin, self._born_s)),
                    stock=3 if asin is None else 1,
                    visible=True,
                    list_order=number + 1,
                    identifier=None if asin is None else f"b-{asin}-20251102030405",
                    created=int(self._born_s) - 200 * _DAY_S,
                    modified=int(self._born_s) - 150 * _DAY_S,
                    asin=asin,
                )

    def sales(self, sold_out: list[tuple[Item, int]]) -> Iterator[Sale]:
        """The orders of the last thirty days: those that emptied a shelf, and a spread over what sells."""
        sold = list(sold_out)
        key = mix(self._world.seed, 0x5A1E)
        for n in range(max(5, self._listings * 3 // 100)):
            number = int(self._listings * uniform(key, n, 1) ** 4)
            popular = (self._made.plans[number] if self._made.plans else self._plan(number)).item
            if popular is not None:
                sold.append((popular, int(self._born_s - 30 * _DAY_S * uniform(key, n, 2))))
        for n, (item, at) in enumerate(sold):
            yield Sale(
                unique_key=f"{mix(key, n, 3):016X}",
                account=item.account,
                ordered=at,
                modified=at,
                dispatch_status=("ordered", "dispatched", "dispatched", "cancelled")[
                    integer(3 + (n >= len(sold_out)), key, n, 4)
                ],
                item_id=item.item_id,
                variation_id=item.variations[0].variation_id if item.variations else None,
                title=item.title,
                price_jpy=item.price_jpy,
                amount=1,
            )

    def products(self) -> Iterator[dict[str, Any]]:
        """One row of the register's products per ASIN, not to be changed."""
        if self._world.asins > _KEPT:
            return (self._product(index) for index in range(self._world.asins))
        self._made.products = self._made.products or [self._product(index) for index in range(self._world.asins)]
        return iter(self._made.products)

    # One ASIN

    def _fetched_s(self, index: int) -> float:
        """When the old scripts last asked about this ASIN: an hour to ten days ago."""
        age_s = 3600 + 10 * _DAY_S * uniform(self._world.seed, index, 0xFE7C) ** 2
        return self._born_s - age_s

    def _product(self, index: int) -> dict[str, Any]:
        asin = self._world.asin_at(index)
        goods = self._world.goods(asin)
        place = self._place(index, 1)
        fetched_s = self._fetched_s(index)
        created_s = self._born_s - _DAY_S * between(30, 300, self._world.seed, index, 0xC7EA)
        never_priced = place < 30
        return {
            "asin": asin,
            "title_ja": None if 30 <= place < 60 else goods.title,
            "title_en": None,
            "description_ja": None if 30 <= place < 90 else goods.description,
            "description_en": None,
            "category": goods.category,
            "brand": goods.brand,
            "images": json.dumps(goods.images, ensure_ascii=False),
            "amazon_price_jpy": None if never_priced else self._world.level_jpy(index, fetched_s),
            "amazon_in_stock": None if place < 20 else int(self._world.offered(index, fetched_s)),
            "last_fetched_at": None if never_priced and place % 2 else japanese_text(fetched_s),
            "created_at": sqlite_text(created_s) if place % 2 else japanese_text(created_s),
            "updated_at": japanese_text(fetched_s) if place % 3 else sqlite_text(fetched_s),
        }

    # One listing

    def _place(self, number: int, shuffle: int) -> int:
        """Where the seeded shuffle puts this number: 0 .. 999, each once in any 1,000 numbers."""
        return (number * (389, 617, 743, 271)[shuffle] + mix(self._world.seed, shuffle, 0x91ACE) % 1000) % 1000

    def _item_id(self, number: int) -> int:
        return 40_000_000 + (number * _ITEM_STEP + mix(self._world.seed, 0x17E3)) % _ITEM_IDS

    def _account(self, number: int) -> int:
        """Which shop (0 ..): the first is the largest. A double stands in the shop after its original's."""
        if number >= self._world.asins:
            return (self._account(number - self._world.asins) + 1) % self._accounts
        weights = [1 / (n + 1) for n in range(self._accounts)]
        draw = uniform(self._world.seed, number, 0xACC) * sum(weights)
        for account, weight in enumerate(weights):
            draw -= weight
            if draw < 0:
                return account
        return self._accounts - 1

    def _plan(self, number: int) -> ListingPlan:
        index = number % self._world.asins
        asin = self._world.asin_at(index)
        account = base_account_id(self._account(number) + 1)
        fate, money, spelling = (self._place(number, shuffle) for shuffle in (0, 2, 3))
        listed_s = self._born_s - _DAY_S * between(15, 200, self._world.seed, number, 0x715D)
        sku = self._sku(number, asin, listed_s, spelling)
        price = self._shown_price(number, index, money)
        seen_in_stock = self._world.offered(index, self._fetched_s(index))
        by_scripts = 35 <= fate < 55 or (not seen_in_stock and fate >= 90 and fate % 2 == 0)
        visible = not (20 <= fate < 35 or by_scripts)
        sold_out = 55 <= fate < 75
        status = "active" if spelling < 40 else "listed"
        item_id: int | None = self._item_id(number)
        item: Item | None = None
        if fate < 10:
            status, item_id, sku = "pending", None, f"b-{asin}-{_stamp(listed_s)}"
        elif fate < 16:
            status = "delisted"
        elif 84 <= fate < 87:
            status, item_id = ("deleted", "failed", "queued")[fate - 84], None
        elif not 16 <= fate < 20:
            item = self._item(number, asin, account, sku, price, visible, fate, listed_s)
        changed_s = self._born_s - _DAY_S * between(0.05, 14, self._world.seed, number, 0xC4A6)
        row = {
            "id": number + 1,
            "asin": asin,
            "platform": "BASE" if 40 <= spelling < 70 else "base",
            "account_id": account,
            "platform_item_id": None if item_id is None else str(item_id),
            "sku": sku,
            "selling_price": None if 90 <= spelling < 100 else float(price),
            "currency": "JPY",
            "in_stock_quantity": 1,
            "status": status,
            "visibility": "hidden" if by_scripts else "public",
            "listed_at": japanese_text(listed_s),
            "updated_at": japanese_text(changed_s) if fate % 2 else sqlite_text(changed_s),
        }
        sold_at = int(self._born_s - _DAY_S * between(0.1, 6, self._world.seed, number, 0x50)) if sold_out else None
        return ListingPlan(row, item, sold_at)

    def _item(
        self,
        number: int,
        asin: str,
        account: str,
        sku: str | None,
        price: int,
        visible: bool,
        fate: int,
        listed_s: float,
    ) -> Item:
        goods = self._world.goods(asin)
        item_id = self._item_id(number)
        variations: tuple[Variation, ...] = ()
        if 77 <= fate < 83:
            variations = tuple(Variation(item_id * 10 + n, name, 1, None) for n, name in enumerate(("小", "大")))
        return Item(
            item_id=item_id,
            account=account,
            title=goods.title,
            detail=goods.description,
            price_jpy=price,
            stock=sum(each.stock for each in variations) if variations else (0 if 55 <= fate < 75 else 1),
            visible=visible,
            list_order=number + 1,
            identifier=sku,
            created=int(listed_s),
            modified=int(self._born_s - _DAY_S * between(0.5, 14, self._world.seed, number, 0x30D)),
            editable=not 75 <= fate < 77,
            images=goods.images,
            variations=variations,
            asin=asin,
        )

    def _sku(self, number: int, asin: str, listed_s: float, spelling: int) -> str | None:
        """The code of a listing, in one of the forms that twelve months of scripts have left behind."""
        stamp, day = _stamp(listed_s), _stamp(listed_s)[:8]
        if spelling < 75:
            forms = (
                f"s-{asin}-{stamp}",
                f"e-{asin}-{stamp}",
                f"ya-{asin}-{stamp}",
                f"s-{asin}-{day}",
                f"b-{asin}-{day}",
                f"base-{asin}-{number}",
                f"base-{asin}-{number}_2",
            )
            return forms[spelling % len(forms)] if number < self._world.asins else f"ya-{asin}-{stamp}"
        if spelling < 78:
            return None
        if spelling == 78:
            return "" if number < 1000 else None
        if spelling == 79:
            return f"abc-{stamp}-{number}"
        if spelling < 90 and number < self._world.asins:
            return asin
        return f"b-{asin}-{stamp}"

    def _shown_price(self, number: int, index: int, money: int) -> int:
        """What BASE shows: mostly the formula on the price of the last fetch, some off it, some below cost."""
        formula = selling_price(self._world.level_jpy(index, self._fetched_s(index)))
        if money < 70:
            return max(50, formula + (-60, -40, 30, 50, 80)[number % 5])
        if money < 120:
            return max(50, int(formula * (0.85, 0.9, 1.15, 1.25, 1.4)[number % 5]) // 10 * 10 + (120, -120)[number % 2])
        if money < 150:
            cost = self._world.level_jpy(index, self._born_s)
            return max(50, int(cost * between(0.85, 1.04, self._world.seed, number, 0xB10)) // 10 * 10)
        return formula


def selling_price(amazon_jpy: int) -> int:
    """What the old scripts asked for something of this cost."""
    return (int(amazon_jpy * 1.3) + 5) // 10 * 10


def japanese_text(at_s: float) -> str:
    """A time as the scripts wrote it: Japanese wall clock, 'T', microseconds, no zone."""
    moment = datetime.fromtimestamp(at_s, UTC).astimezone(JST).replace(tzinfo=None)
    return (moment + timedelta(microseconds=moment.microsecond == 0)).isoformat()


def sqlite_text(at_s: float) -> str:
    """A time as CURRENT_TIMESTAMP wrote it: UTC, a space, no zone."""
    return datetime.fromtimestamp(int(at_s), UTC).strftime("%Y-%m-%d %H:%M:%S")


def _stamp(at_s: float) -> str:
    return datetime.fromtimestamp(at_s, UTC).astimezone(JST).strftime("%Y%m%d%H%M%S")
