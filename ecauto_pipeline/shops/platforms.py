"""The platforms there are, each under the name that is also its table in ecauto.toml, its word in master.db and in
every record; and the shops that ecauto.toml names on them.

A new platform: a folder in shops/, a table in settings/shops.py, a line here, a line in wiring/ where shops are built.
Not for: what a platform can do (protocol.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ecauto_pipeline.domain.model import AccountKey
from ecauto_pipeline.settings import Settings, ShopAccount
from ecauto_pipeline.shops import base, csv


@dataclass(frozen=True, slots=True)
class Platform:
    """A place to sell. `also_called`: other spellings of it that registers hold, in lower case."""

    name: str
    also_called: tuple[str, ...] = ()


PLATFORMS: Mapping[str, Platform] = {
    base.PLATFORM: Platform(base.PLATFORM, base.ALSO_CALLED),
    csv.PLATFORM: Platform(csv.PLATFORM, csv.ALSO_CALLED),
}


def platform_named(word: str) -> str:
    """The platform that the owner's register means by this word; the word itself where it means none of ours."""
    word = word.strip().lower()
    return next((one.name for one in PLATFORMS.values() if word in one.also_called), word)


def shop_accounts(settings: Settings) -> dict[AccountKey, ShopAccount]:
    """Every shop that ecauto.toml names, active or not, in the order of the file."""
    named = settings.shop_accounts()
    return {AccountKey(name, one.id): one for name in PLATFORMS for one in named.get(name, ())}


def shop_keys(settings: Settings) -> tuple[AccountKey, ...]:
    """The same, their keys alone."""
    return tuple(shop_accounts(settings))
