"""One look for every picture: size, colours a colour-blind person can tell apart, quiet axes, Japanese letters.

matplotlib is loaded at the first picture (it takes a second), and without its global state: figures may be drawn by
several threads. Not for: which pictures there are (pictures.py). Source of the colours: Okabe and Ito, 2008.
"""

from __future__ import annotations

import base64
import io
import os
import threading
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from ecauto_pipeline.clock import JST

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLUE, ORANGE, GREEN, RED, SKY, PURPLE, GREY = (
    *("#0072B2", "#E69F00", "#009E73", "#D55E00", "#56B4E9", "#CC79A7", "#8A8A8A"),
)
INK, PALE = "#333333", "#E4E4E4"
DPI = 110
_lock = threading.Lock()


def canvas(
    width: float = 8.0, height: float = 3.2, rows: Sequence[float] = (1,), one_scale: bool = True
) -> tuple[Figure, list[Axes]]:
    """An empty figure (inches) with one axes under the other, `rows` giving their shares of the height.

    `one_scale`: all of them have the same x axis.
    """
    with _lock:
        import matplotlib
        import matplotlib_fontja  # noqa: F401  # names the font that has Japanese letters
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        matplotlib.rcParams["axes.unicode_minus"] = False
    figure = Figure(figsize=(width, height), dpi=DPI, layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    axes = figure.subplots(len(rows), 1, sharex=one_scale and len(rows) > 1, height_ratios=list(rows), squeeze=False)
    found = [row[0] for row in axes]
    for one in found:
        _quiet(one)
    return figure, found


def png(figure: Figure) -> bytes:
    """The figure as PNG; the same figure gives the same bytes. Drawn once: `savefig` draws it before, to lay it out."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    out = io.BytesIO()
    FigureCanvasAgg(figure).print_png(out, metadata={"Software": None})
    return out.getvalue()


def as_data_uri(image: bytes) -> str:
    """A PNG as an address that needs no other file."""
    return "data:image/png;base64," + base64.b64encode(image).decode("ascii")


def as_markdown(title: str, image: bytes) -> str:
    """A PNG as markdown that Dagster's UI shows; the title is its alternative text."""
    return f"![{title.replace('[', '(').replace(']', ')')}]({as_data_uri(image)})"


def x_of(moment: datetime) -> float:
    """Where a time axis has this moment: matplotlib's days since 1970."""
    from matplotlib.dates import date2num

    return float(date2num(moment))


def hours(axes: Axes, start: datetime, end: datetime) -> None:
    """A time axis in JST from `start` to `end`, with no more marks than can be read."""
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    locator = AutoDateLocator(tz=JST, minticks=4, maxticks=9)
    axes.xaxis.set_major_locator(locator)
    formatter = ConciseDateFormatter(
        locator,
        tz=JST,
        formats=["%Y", "%Y-%m", "%-m/%-d", "%H:%M", "%H:%M", "%S"] if os.name != "nt" else None,
        zero_formats=["", "%Y", "%Y-%m", "%-m/%-d", "%H:%M", "%H:%M"] if os.name != "nt" else None,
        show_offset=False,
    )
    axes.xaxis.set_major_formatter(formatter)
    axes.set_xlim(x_of(start), x_of(end if end > start else start + timedelta(hours=1)))


def whole_numbers(axes: Axes, which: str = "y") -> None:
    """Marks at whole numbers only, with thousands separated, beginning at zero."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axis = axes.yaxis if which == "y" else axes.xaxis
    axis.set_major_locator(MaxNLocator(integer=True, nbins=5, min_n_ticks=1, steps=[1, 2, 5, 10]))
    axis.set_major_formatter(FuncFormatter(lambda value, _position: f"{value:,.0f}"))
    low, high = axes.get_ylim() if which == "y" else axes.get_xlim()
    limits = (min(0, low), max(1.0, high))
    _ = axes.set_ylim(*limits) if which == "y" else axes.set_xlim(*limits)


def legend(axes: Axes) -> None:
    """Names beside the picture, never over the data."""
    handles, names = axes.get_legend_handles_labels()
    if handles:
        axes.legend(handles, names, loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False, fontsize=9)


def title(axes: Axes, text: str) -> None:
    axes.set_title(text, loc="left", fontsize=11, color=INK, pad=8)


def nothing_yet(axes: Axes, text: str) -> None:
    """Says in the middle that there is nothing to show, instead of an empty frame."""
    axes.set_axis_on()
    axes.set_xticks([])
    axes.set_yticks([])
    axes.grid(visible=False)
    axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center", va="center", color=GREY, fontsize=11)


def _quiet(axes: Axes) -> None:
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(PALE)
    options: dict[str, Any] = {"colors": INK, "labelsize": 9, "length": 0}
    axes.tick_params(**options)
    axes.set_axisbelow(True)
    axes.grid(axis="y", color=PALE, linewidth=0.8)
    axes.xaxis.label.set_color(INK)
    axes.yaxis.label.set_color(INK)


def either(language: str, pair: tuple[str, str]) -> str:
    """The Japanese or the English of two."""
    return pair[1 if language == "en" else 0]
