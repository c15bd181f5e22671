"""The lanes of ecauto.toml with their shops and accounts: the one place where a lane's names become keys.

Not for: what is wrong in the table (settings/lanes.py) or what a lane's run opens (open.py).
"""

from __future__ import annotations

from collections.abc import Sequence

from ecauto_pipeline.domain.lanes import WHOLE, Lane
from ecauto_pipeline.domain.model import AccountKey
from ecauto_pipeline.errors import SettingsError
from ecauto_pipeline.settings import WHOLE_LANE, Settings
from ecauto_pipeline.settings.lanes import meant_by
from ecauto_pipeline.wiring.accounts import shop_accounts, wrong_lanes


def lanes_of(settings: Settings) -> tuple[Lane, ...]:
    """Every lane, in the order of the file; the whole where none is written. A lane may have no active shop.

    Raises SettingsError where a shop or account is in no lane, in two, or unknown.
    """
    if not settings.lanes:
        return (WHOLE,)
    wrong = wrong_lanes(settings)
    if wrong is not None:
        raise SettingsError(f"ecauto.toml: {wrong[0]}", ja=f"ecauto.toml: {wrong[1]}")
    shops = shop_accounts(settings)
    named = {str(key): key for key in shops}
    lanes = []
    for table in settings.lanes:
        keys = [named[shop] for name in table.shops for shop in meant_by(name, named)]
        lanes.append(Lane(table.id, tuple(sorted(key for key in keys if shops[key].active)), table.sp_accounts))
    return tuple(lanes)


def known_lane(settings: Settings, name: str) -> Lane:
    """The lane of this id; "" and "all" = the whole. Raises SettingsError, naming those there are, for any other."""
    if name in ("", WHOLE_LANE):
        return WHOLE
    lanes = lanes_of(settings) if settings.lanes else ()
    found = next((lane for lane in lanes if lane.id == name), None)
    if found is None:
        listed = ", ".join(lane.id for lane in lanes)
        raise SettingsError(
            f"unknown lane {name!r}; " + (f"there are: {listed}" if listed else "ecauto.toml has no [[lanes]]"),
            ja=f"レーン {name!r} はありません。"
            + (f"あるのは: {listed}" if listed else "ecauto.toml に [[lanes]] がありません"),
        )
    if not found.shops:
        raise SettingsError(f"lane {name!r} has no active shop", ja=f"レーン {name!r} には有効なショップがありません")
    return found


def working_lanes(settings: Settings) -> tuple[Lane, ...]:
    """Those that have an active shop. Raises SettingsError, as `lanes_of`."""
    return tuple(lane for lane in lanes_of(settings) if lane.whole or lane.shops)


def in_lane(lane: Lane, accounts: Sequence[AccountKey]) -> tuple[AccountKey, ...]:
    """The shops that a run of this lane works on: those of `accounts`, else all of the lane; () = every active one.

    Raises SettingsError for a shop of another lane.
    """
    for account in accounts:
        if not lane.has(account):
            raise SettingsError(
                f"shop {account} is not in lane {lane.id!r}", ja=f"ショップ {account} はレーン {lane.id!r} にありません"
            )
    return tuple(accounts) or lane.shops
