"""The platforms there are, each under the name that is also its table in ecauto.toml, its word in master.db and in
every record; and the shops that ecauto.toml names on them.

A new platform: a folder in shops/, a table in settings/shops.py, a line here, a line in wiring/ where shops are built.
Not for: what a platform can do (protocol.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import quote

from ecauto_pipeline.domain.model import AccountKey, Kind, ListingKey
from ecauto_pipeline.domain.selling.fees import NO_FEES, Fees
from ecauto_pipeline.settings import Settings, ShopAccount
from ecauto_pipeline.shops import base, csv
from ecauto_pipeline.shops.base import fees as base_fees
from ecauto_pipeline.shops.base.limits import edits_a_day
from ecauto_pipeline.shops.csv import fees as csv_fees
from ecauto_pipeline.shops.csv.update_file import edits_of as csv_edits_of
from ecauto_pipeline.shops.protocol import Abilities


@dataclass(frozen=True, slots=True)
class Platform:
    """A place to sell. `also_called`: other spellings of it that registers hold, in lower case.

    `fees_of`: what it keeps of a sale, by the settings and the account's id. `edits_of`: the kinds it lets us change.
    `edits_a_day`: how many edits a shop of it takes in a day, None = as many as there are. `item_page`: where people
    edit an item (`{item_id}`), `customer_page`: where customers see it (`{shop_url}` besides), "" = nowhere.
    """

    name: str
    fees_of: Callable[[Settings, str], Fees]
    edits_of: Callable[[Settings], frozenset[Kind]]
    edits_a_day: Callable[[Settings], int | None]
    also_called: tuple[str, ...] = ()
    item_page: str = ""
    customer_page: str = ""


PLATFORMS: Mapping[str, Platform] = {
    base.PLATFORM: Platform(
        base.PLATFORM,
        base_fees.fees_of,
        lambda _: Abilities().edits,
        edits_a_day,
        base.ALSO_CALLED,
        base.ITEM_PAGE,
        base.CUSTOMER_PAGE,
    ),
    csv.PLATFORM: Platform(csv.PLATFORM, csv_fees.fees_of, csv_edits_of, lambda _: None, csv.ALSO_CALLED),
}


def platform_named(word: str) -> str:
    """The platform that the owner's register means by this word; the word itself where it means none of ours."""
    word = word.strip().lower()
    return next((one.name for one in PLATFORMS.values() if word in one.also_called), word)


def shop_accounts(settings: Settings) -> dict[AccountKey, ShopAccount]:
    """Every shop that ecauto.toml names, active or not, in the order of the file."""
    named = settings.shop_accounts()
    return {AccountKey(name, one.id): one for name in PLATFORMS for one in named.get(name, ())}


def item_page(key: ListingKey) -> str:
    """Where the owner edits this item in the shop's own administration, "" where the platform has no such page."""
    platform = PLATFORMS.get(key.platform)
    return platform.item_page.format(item_id=quote(key.item_id, safe="")) if platform else ""


def customer_page(settings: Settings, key: ListingKey) -> str:
    """Where customers see this item, "" where the platform has no such page, or nobody has said the shop's address."""
    platform, account = PLATFORMS.get(key.platform), shop_accounts(settings).get(key.account)
    shop_url = str(getattr(account, "shop_url", "")).rstrip("/")
    if platform is None or not shop_url:
        return ""
    return platform.customer_page.format(shop_url=shop_url, item_id=quote(key.item_id, safe=""))


def fees_of(settings: Settings, account: AccountKey) -> Fees:
    """What this shop's platform keeps of a sale; nothing where the platform is none of ours."""
    platform = PLATFORMS.get(account.platform)
    return platform.fees_of(settings, account.account_id) if platform else NO_FEES


def shop_keys(settings: Settings) -> tuple[AccountKey, ...]:
    """The same, their keys alone."""
    return tuple(shop_accounts(settings))
