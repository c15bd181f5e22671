"""One ASIN's history as a picture: what it cost at Amazon, what the shop asked, and whether it was to be had.

Not for: the story in words (story.py, words.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from ecauto_pipeline.domain.account_names import name_of
from ecauto_pipeline.domain.model import AccountKey
from ecauto_pipeline.explain.model import Answered, Explanation, Sent
from ecauto_pipeline.reports.drawing import (
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
    x_of,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

STOCK = {
    "success": (GREEN, "在庫あり", "in stock"),
    "out_of_stock": (ORANGE, "在庫切れ", "out of stock"),
    "filtered_out": (SKY, "条件外", "filtered out"),
    "not_found": (GREY, "該当なし", "not found"),
}
_WORDS = {
    "title": ("価格と在庫", "price and stock"),
    "nothing": ("この期間の記録はありません", "nothing is known about this time"),
    "amazon": ("Amazonの価格", "Amazon's price"),
    "shop": ("売価", "shop price"),
    "error": ("APIエラー", "API error"),
    "yen": ("円", "yen"),
    "time": ("時刻 (JST)", "time (JST)"),
    "stock": ("在庫", "stock"),
}


def history_png(one: Explanation, language: str = "ja") -> bytes:
    """Price (upper part) and stock (strip below) over the time its lists cover, up to `as_of`."""
    t = {name: words[1 if language == "en" else 0] for name, words in _WORDS.items()}
    figure, (prices, strip) = canvas(height=4.0, rows=(5, 1))
    title(prices, f"{one.asin or one.key}: {t['title']}")
    answers = sorted(one.answers, key=lambda row: row.observed_at)
    priced = [row for row in answers if row.price_jpy is not None and row.status == "success"]
    sent = [
        row for row in reversed(one.updates) if row.kind == "price" and row.outcome == "done" and row.after is not None
    ]
    if not answers and not sent:
        nothing_yet(prices, t["nothing"])
        strip.set_visible(False)
        return png(figure)
    first = min([row.observed_at for row in answers] + [_moment(row) for row in sent])
    first = min(first, one.as_of - timedelta(hours=1))
    if priced:
        xs = [x_of(row.observed_at) for row in priced] + [x_of(one.as_of)]
        ys = [row.price_jpy or 0 for row in priced] + [priced[-1].price_jpy or 0]
        prices.step(xs, ys, where="post", color=BLUE, linewidth=1.8, label=t["amazon"])
    _shop_prices(prices, sent, one, t["shop"])
    errors = [row for row in answers if not row.authoritative]
    if errors:
        xs = [x_of(row.observed_at) for row in errors]
        prices.plot(
            xs,
            [0.02] * len(xs),
            transform=prices.get_xaxis_transform(),
            linestyle="",
            marker="x",
            color=RED,
            label=t["error"],
        )
    prices.set_ylabel(t["yen"])
    whole_numbers(prices)
    legend(prices)
    _stock(strip, [row for row in answers if row.authoritative], first, one.as_of, language)
    strip.set_ylabel(t["stock"], rotation=0, ha="right", va="center")
    hours(strip, first, one.as_of)
    strip.set_xlabel(t["time"])
    return png(figure)


def _shop(place: tuple[str, str, str], places: Sequence[tuple[str, str, str]]) -> str:
    return name_of(AccountKey(*place[:2]), [AccountKey(*other[:2]) for other in places])


def _shop_prices(axes: Axes, sent: Sequence[Sent], story: Explanation, name: str) -> None:
    """One stepped line a listing, up to when it was gone; the price before the first update is drawn up to it."""
    gone = {(one.platform, one.account_id, one.item_id): one.gone_since for one in story.listings}
    places = sorted({(row.platform, row.account_id, row.item_id) for row in sent})
    styles = ((INK, "-"), (INK, "--"), (INK, ":"), (INK, "-."))
    for number, place in enumerate(places[: len(styles)]):
        mine = [row for row in sent if (row.platform, row.account_id, row.item_id) == place]
        colour, style = styles[number]
        end = max(gone.get(place) or story.as_of, _moment(mine[-1]))
        axes.step(
            [x_of(_moment(row)) for row in mine] + [x_of(end)],
            [row.after or 0 for row in mine] + [mine[-1].after or 0],
            where="post",
            color=colour,
            linestyle=style,
            linewidth=1.8,
            label=f"{name} {_shop(place, places)}\n({place[2]})",
        )


def _stock(axes: Axes, said: Sequence[Answered], start: datetime, end: datetime, language: str) -> None:
    """Coloured spans, each from one answer to the next; white = nobody knew."""
    axes.set_yticks([])
    axes.grid(visible=False)
    axes.set_ylim(0, 1)
    named: set[str] = set()
    for row, following in zip(said, [*said[1:], None], strict=True):
        colour, *names = STOCK.get(row.status, (GREY, row.status, row.status))
        label = names[1 if language == "en" else 0]
        until = following.observed_at if following else end
        axes.axvspan(
            x_of(row.observed_at), x_of(until), color=colour, linewidth=0, label=None if label in named else label
        )
        named.add(label)
    handles, names = axes.get_legend_handles_labels()
    if handles:
        axes.legend(handles, names, loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False, fontsize=9)


def _moment(row: Sent) -> datetime:
    return row.completed_at or row.attempted_at
