"""Which accounts an installation has: those of ecauto.toml, or where it names none those of our own emulated world.

Not for: their secrets and where they are reached (connections.py).
"""

from __future__ import annotations

from collections.abc import Sequence

from ecauto_pipeline.domain.account_names import accounts_named, name_of
from ecauto_pipeline.domain.model import AccountKey
from ecauto_pipeline.errors import SettingsError
from ecauto_pipeline.settings import BaseAccount, Settings, ShopAccount, SpAccount
from ecauto_pipeline.settings.lanes import Told, wrong_in
from ecauto_pipeline.shops import base, platforms
from ecauto_pipeline.wiring import emulated


def wrong_lanes(settings: Settings) -> Told | None:
    """What is wrong in `[[lanes]]`, our emulator's shops included, in English and in Japanese; None = nothing."""
    shops = {str(key): shop.active for key, shop in shop_accounts(settings).items()}
    return wrong_in(settings.lanes, shops, [account.id for account in sp_accounts(settings)])


def base_accounts(settings: Settings) -> tuple[BaseAccount, ...]:
    """The shops of ecauto.toml; where it names none, those of our own emulated world, the last one switched off."""
    if settings.base.accounts or not settings.own_base:
        return settings.base.accounts
    ids = emulated.shop_ids(settings.emulator.accounts)
    return tuple(BaseAccount(id=name, active=len(ids) == 1 or name != ids[-1]) for name in ids)


def sp_accounts(settings: Settings) -> tuple[SpAccount, ...]:
    """The selling accounts; one under the default names where none is named."""
    return settings.sp_api.accounts or (SpAccount(),)


def shop_accounts(settings: Settings) -> dict[AccountKey, ShopAccount]:
    """Every shop of every platform, active or not: those of ecauto.toml, or our emulator's where those are meant."""
    emulated_ones = {AccountKey(base.PLATFORM, shop.id): shop for shop in base_accounts(settings)}
    return emulated_ones | platforms.shop_accounts(settings)


def known_accounts(settings: Settings, wanted: Sequence[str], platform: str = "") -> tuple[AccountKey, ...]:
    """The shops of these names (`id`, or `platform:id` where an id is on two platforms), of one platform if given.

    Raises SettingsError, naming those there are, for a shop that ecauto.toml does not name, that is off, or that the
    name leaves open.
    """
    shops = shop_accounts(settings)
    known = [key for key in shops if platform in ("", key.platform)]
    active = ", ".join(name_of(key, shops) for key in known if shops[key].active)
    found = []
    for name in wanted:
        meant = accounts_named(name, known)
        if not meant:
            raise SettingsError(
                f"unknown account {name!r}; known: {active}",
                ja=f"{name!r} というショップはありません。あるのは: {active}",
            )
        if len(meant) > 1:
            both = ", ".join(map(str, meant))
            raise SettingsError(
                f"account {name!r} could be {both}",
                ja=f"{name!r} というショップは複数あります: {both}",
            )
        if not shops[meant[0]].active:
            raise SettingsError(
                f"account {name!r} is switched off (active = false); known: {active}",
                ja=f"ショップ {name!r} は停止中です (active = false)。使えるのは: {active}",
            )
        found.append(meant[0])
    return tuple(found)
