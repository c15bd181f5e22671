"""One ASIN's history as a picture: what it cost at Amazon, what the shop asked, and whether it was to be had.

Not for: the story in words (explain.py, explained.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from ecauto_pipeline.clock import jst
from ecauto_pipeline.steps.drawing import (
    BLUE,
    GREEN,
    GREY,
    INK,
    ORANGE,
    RED,
    SKY,
    canvas,
    hours,
    legend,
    nothing_yet,
    png,
    title,
    whole_numbers,
)
from ecauto_pipeline.steps.explanation import Answered, Explanation, Sent

STOCK = {
    "success": (GREEN, "在庫あり"),
    "out_of_stock": (ORANGE, "在庫切れ"),
    "filtered_out": (SKY, "条件外"),
    "not_found": (GREY, "該当なし"),
}


def history_png(one: Explanation) -> bytes:
    """Price (upper part) and stock (strip below) over the time its lists cover, up to `as_of`."""
    figure, (prices, strip) = canvas(height=4.0, rows=(5, 1))
    title(prices, f"{one.asin or one.key}: 価格と在庫")
    answers = sorted(one.answers, key=lambda row: row.observed_at)
    priced = [row for row in answers if row.price_jpy is not None and row.status == "success"]
    sent = [row for row in reversed(one.updates) if row.kind == "price" and row.outcome == "done"]
    if not answers and not sent:
        nothing_yet(prices, "この期間の記録はありません")
        strip.set_visible(False)
        return png(figure)
    first = min([row.observed_at for row in answers] + [_moment(row) for row in sent])
    first = min(first, one.as_of - timedelta(hours=1))
    if priced:
        xs = [jst(row.observed_at) for row in priced] + [jst(one.as_of)]
        ys = [row.price_jpy or 0 for row in priced] + [priced[-1].price_jpy or 0]
        prices.step(xs, ys, where="post", color=BLUE, linewidth=1.8, label="Amazonの価格")  # type: ignore[arg-type]
    _shop_prices(prices, sent, one.as_of)
    errors = [row for row in answers if not row.authoritative]
    if errors:
        xs = [jst(row.observed_at) for row in errors]
        prices.plot(
            xs,  # type: ignore[arg-type]
            [0.02] * len(xs),
            transform=prices.get_xaxis_transform(),
            linestyle="",
            marker="x",
            color=RED,
            label="APIエラー",
        )
    prices.set_ylabel("円")
    whole_numbers(prices)
    legend(prices)
    _stock(strip, [row for row in answers if row.authoritative], first, one.as_of)
    hours(strip, first, one.as_of)
    strip.set_xlabel("時刻 (JST)")
    return png(figure)


def _shop_prices(axes, sent: Sequence[Sent], end: datetime) -> None:  # type: ignore[no-untyped-def]
    """One stepped line a listing; the price before the first update is drawn up to it."""
    places = sorted({(row.account_id, row.item_id) for row in sent})
    styles = ((INK, "-"), (INK, "--"), (INK, ":"), (INK, "-."))
    for number, place in enumerate(places[: len(styles)]):
        mine = [row for row in sent if (row.account_id, row.item_id) == place]
        colour, style = styles[number]
        axes.step(
            [jst(_moment(row)) for row in mine] + [jst(end)],
            [row.after for row in mine] + [mine[-1].after],
            where="post",
            color=colour,
            linestyle=style,
            linewidth=1.8,
            label=f"売価 {place[0]}\n({place[1]})",
        )


def _stock(axes, said: Sequence[Answered], start: datetime, end: datetime) -> None:  # type: ignore[no-untyped-def]
    """Coloured spans, each from one answer to the next; white = nobody knew."""
    axes.set_yticks([])
    axes.grid(visible=False)
    axes.set_ylim(0, 1)
    named: set[str] = set()
    for row, following in zip(said, [*said[1:], None], strict=True):
        colour, label = STOCK.get(row.status, (GREY, row.status))
        until = following.observed_at if following else end
        axes.axvspan(
            jst(row.observed_at), jst(until), color=colour, linewidth=0, label=None if label in named else label
        )
        named.add(label)
    axes.set_ylabel("在庫", rotation=0, ha="right", va="center")
    handles, names = axes.get_legend_handles_labels()
    if handles:
        axes.legend(handles, names, loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False, fontsize=9)


def _moment(row: Sent) -> datetime:
    return row.completed_at or row.attempted_at
