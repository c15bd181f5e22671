"""What the limits can keep fresh, as a picture: shares of the budgets, and the ages that can be kept.

Not for: the arithmetic (domain/freshness/capacity.py) or the look (drawing.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from typing import Any

from ecauto_pipeline.domain.freshness.capacity import Capacity
from ecauto_pipeline.reports.drawing import BLUE, GREEN, INK, RED, canvas, either, png, title


def capacity_load(found: Capacity, language: str = "ja") -> bytes:
    """How much of each limit the shop asks for: above, the share of the budget (100% = all of it) by operation and of
    BASE's day; below, by tier the oldest age that can be kept against the one that is wanted, in hours."""
    figure, (above, below) = canvas(height=4.6, rows=(1, 1), one_scale=False)
    asins, accounts = f"{found.shop.asins:,}", found.shop.sp_accounts
    whole = (f"能力: {asins} ASIN、SP-APIアカウント {accounts}", f"capacity: {asins} ASINs, {accounts} SP-API accounts")
    title(above, either(language, whole))
    pairs = (("詳細取得", "detail"), ("一括確認", "sweep"), ("BASE更新/日", "updates a day"))
    names = [either(language, pair) for pair in pairs]
    shares = (found.detail_load, found.sweep_load, found.pushes_per_day / max(1.0, found.base_limit_per_day))
    colours = [RED if share > 1 else BLUE for share in shares]
    widths = [100 * (share if isfinite(share) else 1.0) for share in shares]
    _bars(above, names, widths, colours, [_percent(share) for share in shares])
    above.set_xlim(0, max(110.0, *(1.25 * width for width in widths)))
    above.axvline(100, color=INK, linewidth=1.2)
    above.set_xlabel(either(language, ("予算に占める割合 (%)", "share of the budget (%)")))
    # of a tier without ASINs no age is known, and none can be kept where nobody asks
    kept = [tier for tier in found.tiers if tier.asins and isfinite(tier.oldest_reachable_h)]
    tiers = [f"{tier.tier} ({tier.asins:,})" for tier in kept]
    ages = [tier.oldest_reachable_h for tier in kept]
    late = [RED if tier.oldest_reachable_h > tier.every_h * 1.001 else GREEN for tier in kept]
    _bars(below, tiers, ages, late, [f"{tier.oldest_reachable_h:,.1f} / {tier.every_h:g} h" for tier in kept])
    below.set_xlabel(either(language, ("最も古い在庫情報 / 目標 (時間)", "oldest stock / wanted (h)")))
    return png(figure)


def _percent(share: float) -> str:
    """Never "0%" for something: a small share keeps a digit."""
    if not isfinite(share):
        return "-"
    if 0 < share < 0.001:
        return "<0.1%"
    return f"{share:.1%}" if 0 < share < 0.01 else f"{share:.0%}"


def _bars(
    axes: Any, names: Sequence[str], widths: Sequence[float], colours: Sequence[str], notes: Sequence[str]
) -> None:
    """Bars to the right, the first on top, each with its note."""
    places = range(len(names))
    axes.barh(places, widths, color=list(colours), height=0.6)
    axes.set_yticks(list(places), list(names))
    axes.invert_yaxis()
    axes.grid(visible=False)
    axes.set_xlim(0, max(1.0, *widths) * 1.25)
    for place, width, note in zip(places, widths, notes, strict=True):
        axes.annotate(note, (width, place), xytext=(6, 0), textcoords="offset points", va="center", fontsize=9)
