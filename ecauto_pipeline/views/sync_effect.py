"""What a sync that is started now would do, said before the click. Not for: starting it (desk/sync_start.py)."""

from __future__ import annotations

from dataclasses import dataclass

from ecauto_pipeline.sync.context import Tools
from ecauto_pipeline.sync.stale_asins.plan import survey
from ecauto_pipeline.views.stopped import pushing_stopped
from ecauto_pipeline.wiring.accounts import shop_accounts


@dataclass(frozen=True, slots=True)
class SyncEffect:
    """`due`: ASINs that would be asked, as far as one run gets; `shops`: how many are read and updated.

    `stopped`: the shops that are sent nothing all the same, by name; "" among them = every one.
    """

    due: int
    shops: int
    stopped: tuple[str, ...] = ()


def effect_of_sync(tools: Tools) -> SyncEffect:
    """As things are at this moment."""
    active = sum(shop.active for shop in shop_accounts(tools.settings).values())
    return SyncEffect(survey(tools).cache_misses, active, tuple(one.shop for one in pushing_stopped(tools)))


def lines(effect: SyncEffect, language: str, *, dry_run: bool) -> tuple[str, ...]:
    """What follows, a line each."""
    english = language == "en"
    found = [
        f"the items of {effect.shops} shops are read" if english else f"{effect.shops}ショップの商品を読みます",
        f"Amazon is asked about {effect.due:,} ASINs, as far as ten minutes or so reach"
        if english
        else f"Amazonに {effect.due:,} 件を確認します（1回で終わらない分は次の実行が続けます）",
    ]
    if dry_run:
        found.append(
            "nothing is sent to the shops; what would change is counted"
            if english
            else "ショップには何も送りません。変更の予定だけを数えます"
        )
    elif effect.stopped:
        which = "" if "" in effect.stopped else ", ".join(effect.stopped)
        found.append(
            f"pushing is stopped: nothing is sent to {which or 'any shop'}"
            if english
            else f"送信停止中のため、{which or 'どのショップ'}には何も送りません"
        )
    else:
        found.append(
            "changed prices, visibility and stock are sent; what needs your word waits"
            if english
            else "変わった価格・公開状態・在庫をショップに送ります（確認が必要なものは待たせます）"
        )
    found.append("it can be ended at any time" if english else "途中でいつでも中止できます")
    return tuple(found)
