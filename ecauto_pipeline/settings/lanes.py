"""The table of the lanes: which shops' runs ask Amazon with which accounts, and what is wrong in how they are cut.

Not for: what a run does with its lane (domain/lanes.py, sync/).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence

from pydantic import Field

from ecauto_pipeline.settings.section import Section

WHOLE_LANE = "all"
"""The id of the lane of every shop and account: the only one where no `[[lanes]]` are written."""

Told = tuple[str, str]
"""In English and in Japanese."""


class LaneTable(Section):
    """Some shops and the SP-API accounts that ask for them: each lane has its own runs. None = one lane with all."""

    id: str = Field(
        min_length=1,
        max_length=60,
        pattern=r"^[A-Za-z0-9_.-]+$",
        description='a name of your choice, shown with its runs (tag ecauto/lane); not "all"',
    )
    shops: tuple[str, ...] = Field(
        min_length=1, description="its shops by id (platform:id where two platforms have the same id)"
    )
    sp_accounts: tuple[str, ...] = Field(min_length=1, description="the ids of its selling accounts")


def wrong_in(lanes: Sequence[LaneTable], shops: Mapping[str, bool], sp_accounts: Collection[str]) -> Told | None:
    """The first thing that is wrong; None where every active shop and every selling account is in exactly one lane.

    `shops`: by `platform:id`, whether it is active; one that is off may be in a lane or in none.
    """
    if not lanes:
        return None
    ids = [lane.id for lane in lanes]
    if WHOLE_LANE in ids:
        return f"lanes: {WHOLE_LANE!r} means all lanes; choose another id", f"lanes: id {WHOLE_LANE!r} は使えません"
    for name in _twice(ids):
        return f"lanes: the id {name!r} twice", f"lanes: id {name!r} が2つあります"
    in_lanes: list[str] = []
    for lane in lanes:
        for name in lane.shops:
            meant = meant_by(name, shops)
            if len(meant) != 1:
                return _not_one(lane.id, name, meant or sorted(shops))
            in_lanes += meant
    active = [shop for shop, is_active in shops.items() if is_active]
    wrong = _not_once("shop", "ショップ", in_lanes, shops, active)
    accounts = [name for lane in lanes for name in lane.sp_accounts]
    return wrong or _not_once("SP-API account", "SP-APIアカウント", accounts, sp_accounts, sp_accounts)


def meant_by(name: str, shops: Iterable[str]) -> list[str]:
    """The shops (`platform:id`) that a name in a lane's list may mean."""
    return sorted(shop for shop in shops if name in (shop, shop.partition(":")[2]))


def _twice(names: Iterable[str]) -> list[str]:
    return [name for name, count in Counter(names).items() if count > 1]


def _not_one(lane: str, name: str, instead: Sequence[str]) -> Told:
    place, listed = f"lanes: {lane}.shops: {name!r}", ", ".join(instead)
    return f"{place} is not one shop; there are: {listed}", f"{place} は1つのショップを指していません（{listed}）"


def _not_once(
    kind: str, kind_ja: str, named: Sequence[str], known: Collection[str], wanted: Iterable[str]
) -> Told | None:
    """What is named and unknown, named twice, or wanted and left out."""
    for name in named:
        if name not in known:
            listed = ", ".join(known)
            return (
                f"lanes: no {kind} {name!r}; there are: {listed}",
                f"lanes: {kind_ja} {name!r} はありません。あるのは: {listed}",
            )
    for name in _twice(named):
        return f"lanes: {kind} {name!r} is named twice", f"lanes: {kind_ja} {name!r} が2回書かれています"
    for name in wanted:
        if name not in named:
            return f"lanes: {kind} {name!r} is in no lane", f"lanes: {kind_ja} {name!r} がどのレーンにもありません"
    return None
