"""The chart of one item: Amazon's price, each listing's price, what a sale leaves; hidden spans, every edit.

Times are drawn as Japanese wall clock wherever the browser is. Not for: the values (views/item_series.py) or the table
that says the same in words (pages/item_past.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from nicegui import ui
from nicegui.element import Element
from nicegui.events import GenericEventArguments

from ecauto_pipeline.clock import JST, jst
from ecauto_pipeline.desk.parts.text import short
from ecauto_pipeline.desk.visit import Visit
from ecauto_pipeline.domain.words import KINDS, OUTCOMES, worded
from ecauto_pipeline.views.item_series import Edit, ItemSeries, ListingSeries, Step, since_known

LEFT, RIGHT = 66, 18
"""Pixels beside the drawing: a click is turned into a moment by them."""
DASHES = ("solid", "dashed", "dotted")
SYMBOLS: Mapping[str, str] = {"price": "circle", "visibility": "triangle", "stock": "rect", "delist": "diamond"}
_TIMES = {
    "year": "{yyyy}/{M}",
    "month": "{M}/{d}",
    "day": "{M}/{d}",
    "hour": "{HH}:{mm}",
    "minute": "{HH}:{mm}",
    "second": "{HH}:{mm}:{ss}",
}
_AXIS: dict[str, dict[str, Any]] = {
    "axisLine": {"lineStyle": {"color": "var(--line)"}},
    "axisLabel": {"color": "var(--quiet)"},
}
_WHERE = "(e) => { const b = e.currentTarget.getBoundingClientRect(); emit({x: e.clientX - b.left, width: b.width}); }"


def item_chart(
    visit: Visit, series: ItemSeries, names: Mapping[tuple[str, ...], str], label: str,
    on_moment: Callable[[datetime], object],
) -> Element:  # fmt: skip
    """Draw it. `names`: what each listing is called; `label`: what it shows, in a sentence; `on_moment`: called with
    the moment that somebody clicked."""
    series = since_known(series)
    chart = ui.echart(_options(visit, series, names), renderer="svg").classes("desk-chart")
    chart.props('role="img"')
    chart._props["aria-label"] = label

    def clicked(event: GenericEventArguments) -> object:
        across = float(event.args["width"]) - LEFT - RIGHT
        share = min(1.0, max(0.0, (float(event.args["x"]) - LEFT) / max(1.0, across)))
        return on_moment(series.start + (series.end - series.start) * share)

    chart.on("click", clicked, js_handler=_WHERE)
    return chart


def _options(visit: Visit, series: ItemSeries, names: Mapping[tuple[str, ...], str]) -> dict[str, Any]:
    drawn: list[dict[str, Any]] = [
        _line(visit.told("Amazonの価格", "Amazon's price"), series.cost, series, "var(--chart-cost)", "solid", 0)
    ]
    shown = [drawn[0]["name"]]
    for number, one in enumerate(series.listings):
        colour, dash = f"var(--chart-{number % 3 + 1})", DASHES[number % len(DASHES)]
        name = short(names.get(tuple(one.key), one.key.item_id), 40)
        price = _line(visit.told(f"売価 {name}", f"price {name}"), one.price, series, colour, dash, 0)
        price["markArea"] = {
            "silent": True,
            "itemStyle": {"color": "var(--bad)", "opacity": 0.14},
            "label": {"color": "var(--bad)", "position": "insideTop", "formatter": visit.told("非公開", "hidden")},
            "data": [[{"xAxis": _x(span.start)}, {"xAxis": _x(span.end)}] for span in one.hidden],
        }
        shown.append(price["name"])
        drawn += [price, _marks(visit, one, name, colour)]
        drawn.append(_line(visit.told(f"利益 {name}", f"profit {name}"), one.profit, series, colour, dash, 1))
    axes = {"min": _x(series.start), "max": _x(series.end), "type": "time", **_AXIS}
    yen = {"type": "value", "scale": True, "splitLine": {"lineStyle": {"color": "var(--line)"}}, **_AXIS}
    head = {"nameTextStyle": {"color": "var(--quiet)", "align": "left"}}
    below = {**_AXIS["axisLabel"], "formatter": _TIMES, "hideOverlap": True}
    return {
        "useUTC": True,
        "animation": False,
        "textStyle": {"fontFamily": "system-ui, sans-serif"},
        "legend": {
            "type": "scroll",
            "top": 0,
            "data": shown,
            "textStyle": {"color": "var(--ink)"},
            "inactiveColor": "var(--quiet)",
        },
        "tooltip": {
            "trigger": "axis",
            "confine": True,
            "backgroundColor": "var(--paper)",
            "borderColor": "var(--line)",
            "textStyle": {"color": "var(--ink)", "fontSize": 12},
        },
        "axisPointer": {"link": [{"xAxisIndex": "all"}]},
        "grid": [
            {"left": LEFT, "right": RIGHT, "top": 56, "height": 190},
            {"left": LEFT, "right": RIGHT, "top": 286, "height": 78},
        ],
        "xAxis": [{**axes, "gridIndex": 0, "axisLabel": {"show": False}}, {**axes, "gridIndex": 1, "axisLabel": below}],
        "yAxis": [
            {**yen, **head, "gridIndex": 0, "name": visit.told("価格(円)", "price (yen)")},
            {**yen, **head, "gridIndex": 1, "splitNumber": 2, "name": visit.told("利益(円)", "profit (yen)")},
        ],
        "series": drawn,
    }


def _line(name: str, line: Sequence[Step], series: ItemSeries, colour: str, dash: str, grid: int) -> dict[str, Any]:
    return {
        "type": "line",
        "name": name,
        "xAxisIndex": grid,
        "yAxisIndex": grid,
        "showSymbol": False,
        "connectNulls": False,
        "emphasis": {"disabled": True},
        "itemStyle": {"color": colour},
        "lineStyle": {"color": colour, "width": 2, "type": dash},
        "data": corners(line, series.end),
    }


def corners(line: Sequence[Step], end: datetime) -> list[list[Any]]:
    """Where the line bends: each value holds until the next step; None ends it."""
    found: list[list[Any]] = []
    value: int | None = None
    for one in line:
        if value is not None:
            found.append([_x(one.at), value])
        found.append([_x(one.at), one.value])
        value = one.value
    if value is not None:
        found.append([_x(end), value])
    return found


def _marks(visit: Visit, one: ListingSeries, name: str, colour: str) -> dict[str, Any]:
    return {
        "type": "scatter",
        "name": visit.told(f"変更 {name}", f"edits {name}"),
        "symbolSize": 9,
        "emphasis": {"disabled": True},
        "itemStyle": {"color": colour, "borderColor": "var(--paper)", "borderWidth": 1},
        "tooltip": {"trigger": "item", "formatter": "{b}"},
        "data": [
            {
                "name": f"{jst(edit.at):%m-%d %H:%M} {edit_said(edit, visit.language)}",
                "value": [_x(edit.at), _height(edit, one.price)],
                "symbol": SYMBOLS.get(edit.kind, "circle"),
                **({} if edit.outcome == "done" else {"itemStyle": {"color": "var(--paper)", "borderColor": colour}}),
            }
            for edit in one.edits
        ],
    }


def edit_said(edit: Edit, language: str) -> str:
    """An edit in a few words."""
    shown = {0: ("非公開", "hidden"), 1: ("公開", "shown")}
    values = [
        "?" if value is None
        else shown.get(value, ("?", "?"))[language == "en"] if edit.kind == "visibility"
        else f"{value:,}"
        for value in (edit.before, edit.after)
    ]  # fmt: skip
    outcome = "" if edit.outcome == "done" else f" ({worded(OUTCOMES, edit.outcome or 'intent', language)})"
    return f"{worded(KINDS, edit.kind, language)} {values[0]} → {values[1]}{outcome}"


def _height(edit: Edit, price: Sequence[Step]) -> int:
    """A price edit stands at its new price, any other on the line."""
    if edit.kind == "price" and edit.after is not None:
        return edit.after
    return next((step.value for step in reversed(price) if step.at <= edit.at and step.value is not None), 0)


def _x(at: datetime) -> int:
    """Milliseconds at which UTC shows what Japan's clocks show at `at`."""
    wall = at.astimezone(JST).replace(tzinfo=UTC)
    return int((wall - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(milliseconds=1))
