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
TIERS = {"high": (RED, "高 high", "o"), "medium": (BLUE, "中 medium", "s"), "low": (GREEN, "低 low", "^")}
STATUSES = {
    "success": (BLUE, "在庫あり success"),
    "out_of_stock": (ORANGE, "在庫切れ out_of_stock"),
    "filtered_out": (SKY, "条件外 filtered_out"),
    "not_found": (GREY, "該当なし not_found"),
    "api_error": (RED, "エラー api_error"),
}
OUTCOMES = {
    "done": (GREEN, "成功 done"),
    "unknown": (ORANGE, "不明 unknown"),
    "failed": (RED, "失敗 failed"),
}
KINDS = {kind: f"{ja} {kind}" for kind, (ja, _) in words.KINDS.items()}


def freshness_by_tier(rows: Sequence[Row]) -> bytes:
    """Share of ASINs within their tier's maximum age, by time. Rows: at, tier, fresh, total (total > 0)."""
    figure, (axes,) = canvas()
    title(axes, "鮮度 freshness: 期限内のASINの割合（層別）")
    usable = [row for row in rows if row["total"] > 0]
    if not usable:
        nothing_yet(axes, "まだデータがありません")
        return png(figure)
    for tier, (colour, name, mark) in TIERS.items():
        line = sorted((row["at"], 100 * row["fresh"] / row["total"]) for row in usable if row["tier"] == tier)
        if line:
            newest = next(row for row in usable if row["tier"] == tier and row["at"] == line[-1][0])
            label = f"{name}  {line[-1][1]:.0f}%\n({newest['total']:,} ASIN)"
            xs, ys = [x_of(at) for at, _ in line], [share for _, share in line]
            axes.plot(xs, ys, color=colour, marker=mark, markersize=4, linewidth=1.8, label=label, clip_on=False)
    times = [row["at"] for row in usable]
    hours(axes, min(times), max(times))
    axes.set_ylim(0, 100)
    axes.set_ylabel("期限内 (%)")
    axes.set_xlabel("時刻 (JST)")
    legend(axes)
    return png(figure)


def budget_by_hour(rows: Sequence[Row], what: str = "SP-API 呼び出し") -> bytes:
    """Calls made in each hour against what the limits allow. Rows: at (start of the hour), used, allowed."""
    figure, (axes,) = canvas()
    title(axes, f"予算 budget: {what}の使用量と上限（1時間ごと）")
    if not rows:
        nothing_yet(axes, "まだ呼び出しがありません")
        return png(figure)
    ordered = sorted(rows, key=lambda row: row["at"])
    middles = [x_of(row["at"] + HOUR / 2) for row in ordered]
    axes.bar(
        middles,
        [row["used"] for row in ordered],
        width=0.82 * HOUR_WIDE,
        color=BLUE,
        label="使用 used",
    )
    edges = [x_of(row["at"]) for row in ordered] + [x_of(ordered[-1]["at"] + HOUR)]
    allowed = [row["allowed"] for row in ordered]
    top = [*allowed, allowed[-1]]
    label = f"上限 allowed\n{max(allowed):,} 回"
    axes.step(edges, top, where="post", color=INK, linewidth=1.4, label=label)
    most = max(row["used"] for row in ordered)
    if most * LIMIT_IN_SIGHT < min(allowed):  # a line far above would press the bars flat; its number stands beside
        axes.set_ylim(0, max(most, 1) * 1.25)
    hours(axes, ordered[0]["at"], ordered[-1]["at"] + HOUR)
    axes.set_ylabel("回 / 時間")
    axes.set_xlabel("時刻 (JST)")
    whole_numbers(axes)
    legend(axes)
    return png(figure)


def outcomes_by_hour(rows: Sequence[Row]) -> bytes:
    """What Amazon's answers said, stacked by hour. Rows: at (start of the hour), status, count."""
    figure, (axes,) = canvas()
    title(axes, "Amazonの回答 answers（1時間ごと）")
    if not any(row["count"] for row in rows):
        nothing_yet(axes, "まだ回答がありません")
        return png(figure)
    times = sorted({row["at"] for row in rows})
    heights: dict[tuple[datetime, str], int] = defaultdict(int)
    for row in rows:
        heights[row["at"], row["status"]] += row["count"]
    _stack(axes, times, heights, STATUSES)
    hours(axes, times[0], times[-1] + HOUR)
    axes.set_ylabel("ASIN / 時間")
    axes.set_xlabel("時刻 (JST)")
    whole_numbers(axes)
    legend(axes)
    return png(figure)


def updates_by_kind(rows: Sequence[Row]) -> bytes:
    """How updates ended, a bar a kind. Rows: kind, outcome, count; a dry run's are no updates and are left out."""
    figure, (axes,) = canvas(height=2.6)
    title(axes, "BASEへの更新 updates（種類別）")
    counts: dict[tuple[str, str], int] = defaultdict(int)
    for row in rows:
        if row["outcome"] in OUTCOMES:
            counts[row["kind"], row["outcome"]] += row["count"]
    if not any(counts.values()):
        nothing_yet(axes, "更新はありません")
        return png(figure)
    kinds = [kind for kind in reversed(KINDS) if any(counts[kind, outcome] for outcome in OUTCOMES)]
    totals = {kind: sum(counts[kind, outcome] for outcome in OUTCOMES) for kind in kinds}
    left = dict.fromkeys(kinds, 0)
    for outcome, (colour, name) in OUTCOMES.items():
        widths = [counts[kind, outcome] for kind in kinds]
        if any(widths):
            axes.barh(
                [KINDS[kind] for kind in kinds],
                widths,
                left=[left[kind] for kind in kinds],
                height=0.6,
                color=colour,
                label=name,
            )
        for kind, width in zip(kinds, widths, strict=True):
            left[kind] += width
    _totals(axes, [KINDS[kind] for kind in kinds], [totals[kind] for kind in kinds])
    axes.set_xlabel("件数")
    legend(axes)
    return png(figure)


def held_rows(rows: Sequence[Row]) -> bytes:
    """Changes that wait for a person, a bar a reason. Rows: reason, count, oldest_h (hours the oldest one waits)."""
    figure, (axes,) = canvas(height=2.6)
    title(axes, "確認待ちの保留 held（理由別）")
    ordered = sorted((row for row in rows if row["count"]), key=lambda row: (row["count"], row["reason"]))[-8:]
    if not ordered:
        nothing_yet(axes, "保留はありません")
        return png(figure)
    names = [reasons.said(str(row["reason"]), "ja") for row in ordered]
    counts = [row["count"] for row in ordered]
    axes.barh(names, counts, height=0.6, color=PURPLE)
    notes = [f"最古 {row['oldest_h']:.0f}時間前" if row.get("oldest_h") is not None else "" for row in ordered]
    _totals(axes, names, counts, notes)
    axes.set_xlabel("件数")
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
        text = f"{total:,}" + (f"（{note}）" if note else "")
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
