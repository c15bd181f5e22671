"""The pictures people look at: freshness, budget, outcomes, updates, holds. Plain rows in, PNG bytes out.

Rows are mappings with the keys each function names; times aware. Empty rows give a picture that says so.
Not for: where the rows come from (picture_rows.py), the look (drawing.py), one ASIN's history (explain/picture.py).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from ecauto_pipeline.domain import reasons, words
from ecauto_pipeline.reports.drawing import (
    BLUE,
    GREEN,
    GREY,
    INK,
    ORANGE,
    PURPLE,
    RED,
    SKY,
    as_data_uri,
    as_markdown,
    canvas,
    either,
    hours,
    legend,
    nothing_yet,
    png,
    title,
    whole_numbers,
    x_of,
)

Row = Mapping[str, Any]
HOUR = timedelta(hours=1)
LIMIT_IN_SIGHT = 8
"""A limit so many times above the tallest bar is told as a number, not drawn in scale."""
HOUR_WIDE = 1 / 24  # on a time axis
TIERS = {
    "high": (RED, ("高", "high"), "o"),
    "medium": (BLUE, ("中", "medium"), "s"),
    "low": (GREEN, ("低", "low"), "^"),
}
STATUSES = {
    "success": (BLUE, words.STATUSES["success"]),
    "out_of_stock": (ORANGE, words.STATUSES["out_of_stock"]),
    "filtered_out": (SKY, words.STATUSES["filtered_out"]),
    "not_found": (GREY, words.STATUSES["not_found"]),
    "api_error": (RED, words.STATUSES["api_error"]),
}
OUTCOMES = {
    "done": (GREEN, words.OUTCOMES["done"]),
    "unknown": (ORANGE, words.OUTCOMES["unknown"]),
    "failed": (RED, words.OUTCOMES["failed"]),
}
TIME = ("時刻 (JST)", "time (JST)")


def freshness_by_tier(rows: Sequence[Row], language: str = "ja") -> bytes:
    """Share of ASINs within their tier's maximum age, by time. Rows: at, tier, fresh, total (total > 0)."""
    figure, (axes,) = canvas()
    title(
        axes,
        either(language, ("鮮度: 期限内のASINの割合（層別）", "freshness: share of ASINs within their age, by tier")),
    )
    usable = [row for row in rows if row["total"] > 0]
    if not usable:
        nothing_yet(axes, either(language, ("まだデータがありません", "nothing is known yet")))
        return png(figure)
    for tier, (colour, name, mark) in TIERS.items():
        line = sorted((row["at"], 100 * row["fresh"] / row["total"]) for row in usable if row["tier"] == tier)
        if line:
            newest = next(row for row in usable if row["tier"] == tier and row["at"] == line[-1][0])
            label = f"{either(language, name)}  {line[-1][1]:.0f}%\n({newest['total']:,} ASIN)"
            xs, ys = [x_of(at) for at, _ in line], [share for _, share in line]
            axes.plot(xs, ys, color=colour, marker=mark, markersize=4, linewidth=1.8, label=label, clip_on=False)
    times = [row["at"] for row in usable]
    hours(axes, min(times), max(times))
    axes.set_ylim(0, 100)
    axes.set_ylabel(either(language, ("期限内 (%)", "within its age (%)")))
    axes.set_xlabel(either(language, TIME))
    legend(axes)
    return png(figure)


def budget_by_hour(rows: Sequence[Row], language: str = "ja") -> bytes:
    """Calls made in each hour against what the limits allow. Rows: at (start of the hour), used, allowed."""
    figure, (axes,) = canvas()
    title(
        axes,
        either(
            language,
            ("予算: SP-API呼び出しの使用量と上限（1時間ごと）", "budget: SP-API calls made and allowed, by hour"),
        ),
    )
    if not rows:
        nothing_yet(axes, either(language, ("まだ呼び出しがありません", "no call was made yet")))
        return png(figure)
    ordered = sorted(rows, key=lambda row: row["at"])
    middles = [x_of(row["at"] + HOUR / 2) for row in ordered]
    axes.bar(
        middles,
        [row["used"] for row in ordered],
        width=0.82 * HOUR_WIDE,
        color=BLUE,
        label=either(language, ("使用", "used")),
    )
    edges = [x_of(row["at"]) for row in ordered] + [x_of(ordered[-1]["at"] + HOUR)]
    allowed = [row["allowed"] for row in ordered]
    top = [*allowed, allowed[-1]]
    label = either(language, ("上限", "allowed")) + f"\n{max(allowed):,}"
    axes.step(edges, top, where="post", color=INK, linewidth=1.4, label=label)
    most = max(row["used"] for row in ordered)
    if most * LIMIT_IN_SIGHT < min(allowed):  # a line far above would press the bars flat; its number stands beside
        axes.set_ylim(0, max(most, 1) * 1.25)
    hours(axes, ordered[0]["at"], ordered[-1]["at"] + HOUR)
    axes.set_ylabel(either(language, ("回 / 時間", "calls / h")))
    axes.set_xlabel(either(language, TIME))
    whole_numbers(axes)
    legend(axes)
    return png(figure)


def outcomes_by_hour(rows: Sequence[Row], language: str = "ja") -> bytes:
    """What Amazon's answers said, stacked by hour. Rows: at (start of the hour), status, count."""
    figure, (axes,) = canvas()
    title(axes, either(language, ("Amazonの回答（1時間ごと）", "what Amazon said, by hour")))
    if not any(row["count"] for row in rows):
        nothing_yet(axes, either(language, ("まだ回答がありません", "there was no answer yet")))
        return png(figure)
    times = sorted({row["at"] for row in rows})
    heights: dict[tuple[datetime, str], int] = defaultdict(int)
    for row in rows:
        heights[row["at"], row["status"]] += row["count"]
    _stack(axes, times, heights, {name: (colour, either(language, pair)) for name, (colour, pair) in STATUSES.items()})
    hours(axes, times[0], times[-1] + HOUR)
    axes.set_ylabel(either(language, ("ASIN / 時間", "ASINs / h")))
    axes.set_xlabel(either(language, TIME))
    whole_numbers(axes)
    legend(axes)
    return png(figure)


def updates_by_kind(rows: Sequence[Row], language: str = "ja") -> bytes:
    """How updates ended, a bar a kind. Rows: kind, outcome, count; a dry run's are no updates and are left out."""
    figure, (axes,) = canvas(height=2.6)
    title(axes, either(language, ("BASEへの更新（種類別）", "updates sent to BASE, by kind")))
    counts: dict[tuple[str, str], int] = defaultdict(int)
    for row in rows:
        if row["outcome"] in OUTCOMES:
            counts[row["kind"], row["outcome"]] += row["count"]
    if not any(counts.values()):
        nothing_yet(axes, either(language, ("更新はありません", "no update was sent")))
        return png(figure)
    kinds = [kind for kind in reversed(list(words.KINDS)) if any(counts[kind, outcome] for outcome in OUTCOMES)]
    totals = {kind: sum(counts[kind, outcome] for outcome in OUTCOMES) for kind in kinds}
    names = [either(language, words.KINDS[kind]) for kind in kinds]
    left = dict.fromkeys(kinds, 0)
    for outcome, (colour, name) in OUTCOMES.items():
        widths = [counts[kind, outcome] for kind in kinds]
        if any(widths):
            axes.barh(
                names,
                widths,
                left=[left[kind] for kind in kinds],
                height=0.6,
                color=colour,
                label=either(language, name),
            )
        for kind, width in zip(kinds, widths, strict=True):
            left[kind] += width
    _totals(axes, names, [totals[kind] for kind in kinds])
    axes.set_xlabel(either(language, ("件数", "how many")))
    legend(axes)
    return png(figure)


def held_rows(rows: Sequence[Row], language: str = "ja") -> bytes:
    """Changes that wait for a person, a bar a reason. Rows: reason, count, oldest_h (hours the oldest one waits)."""
    figure, (axes,) = canvas(height=2.6)
    title(axes, either(language, ("確認待ちの保留（理由別）", "held for a person, by reason")))
    ordered = sorted((row for row in rows if row["count"]), key=lambda row: (row["count"], row["reason"]))[-8:]
    if not ordered:
        nothing_yet(axes, either(language, ("保留はありません", "nothing is held")))
        return png(figure)
    names = [reasons.said(str(row["reason"]), language) for row in ordered]
    counts = [row["count"] for row in ordered]
    axes.barh(names, counts, height=0.6, color=PURPLE)
    ages = [f"{row['oldest_h']:.0f}" if row.get("oldest_h") is not None else "" for row in ordered]
    notes = [either(language, (f"最古 {age}時間前", f"oldest {age} h ago")) if age else "" for age in ages]
    _totals(axes, names, counts, notes)
    axes.set_xlabel(either(language, ("件数", "how many")))
    return png(figure)


def _stack(
    axes: Any,
    times: Sequence[datetime],
    heights: Mapping[tuple[datetime, str], int],
    styles: Mapping[str, tuple[str, str]],
) -> None:
    bottom = dict.fromkeys(times, 0)
    middles = [x_of(at + HOUR / 2) for at in times]
    for name, (colour, label) in styles.items():
        values = [heights.get((at, name), 0) for at in times]
        if any(values):
            axes.bar(
                middles,
                values,
                bottom=[bottom[at] for at in times],
                width=0.82 * HOUR_WIDE,
                color=colour,
                label=f"{label}  {sum(values):,}",
            )
        for at, value in zip(times, values, strict=True):
            bottom[at] += value


def _totals(axes: Any, names: Sequence[str], totals: Sequence[int], notes: Sequence[str] = ()) -> None:
    """The number at the end of each bar, and room for it."""
    widest = max(totals)
    axes.grid(visible=False, axis="y")
    axes.grid(visible=True, axis="x", color="#E4E4E4", linewidth=0.8)
    axes.set_xlim(0, widest * (1.35 if any(notes) else 1.15))
    middle, half = (len(names) - 1) / 2, max(len(names), 2) / 2 + 0.1
    axes.set_ylim(middle - half, middle + half)
    whole_numbers(axes, "x")
    for number, (total, note) in enumerate(zip(totals, notes or [""] * len(totals), strict=True)):
        text = f"{total:,}" + (f" ({note})" if note else "")
        axes.text(total + widest * 0.01, number, text, va="center", fontsize=9, color=INK)


__all__ = [
    "as_data_uri",
    "as_markdown",
    "budget_by_hour",
    "freshness_by_tier",
    "held_rows",
    "outcomes_by_hour",
    "updates_by_kind",
]
