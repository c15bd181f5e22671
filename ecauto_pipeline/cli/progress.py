"""Work under way, for people who wait: bars on a terminal, a line now and then elsewhere.

A bar's line is label, bar, n/N and the time it will take, whatever the width; counts besides fill only what is left.
Not for: what a step reports (sync/context.py, `Progress`).
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TextIO, cast

from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.progress import Progress as Bars
from rich.progress import ProgressColumn, Task, TaskID
from rich.progress_bar import ProgressBar
from rich.table import Column, Table
from rich.text import Text

from ecauto_pipeline.cli.console import UnbreakableStream
from ecauto_pipeline.sync.context import Progress

Listener = Callable[[Progress], None]

STEP_NAMES: Mapping[str, Mapping[str, str]] = {
    "listings": {"ja": "BASEの商品を読む", "en": "Read the shops"},
    "stale_asins": {"ja": "調べるASINを選ぶ", "en": "Choose what to ask"},
    "sp_api_snapshots": {"ja": "Amazonに問い合わせる", "en": "Ask Amazon"},
    "price_diffs": {"ja": "価格を比べる", "en": "Compare prices"},
    "visibility_diffs": {"ja": "公開状態を比べる", "en": "Compare visibility"},
    "base_updates": {"ja": "BASEを更新する", "en": "Update the shops"},
    "what_if": {"ja": "過去の日で試す", "en": "Play the past days"},
    "catalogue": {"ja": "商品情報を読む", "en": "Read the catalogue"},
}
PLANNED_UPDATES: Mapping[str, str] = {"ja": "BASEを更新する予定", "en": "Would update shops"}
"""What base_updates is called in a dry run: nothing leaves."""
DETAILS: Mapping[str, Mapping[str, str]] = {
    "asked": {"ja": "回答", "en": "answers"},
    "success": {"ja": "在庫あり", "en": "in stock"},
    "out_of_stock": {"ja": "在庫切れ", "en": "out of stock"},
    "filtered_out": {"ja": "条件外", "en": "filtered out"},
    "not_found": {"ja": "該当なし", "en": "not found"},
    "api_error": {"ja": "回答なし", "en": "no answer"},
    "pushed": {"ja": "更新", "en": "pushed"},
    "unchanged": {"ja": "変更不要", "en": "unchanged"},
    "held": {"ja": "確認待ち", "en": "held"},
    "blocked": {"ja": "中止", "en": "blocked"},
    "skipped": {"ja": "見送り", "en": "skipped"},
    "failed": {"ja": "失敗", "en": "failed"},
    "found": {"ja": "取得", "en": "found"},
}
"""The counts that are shown beside a bar; the others of a step are for its log."""
_PLANNED = {"ja": "更新予定", "en": "would push"}
_REMAINING = {"ja": "残り {}", "en": "{} left"}
_TOOK = {"ja": "完了 {}", "en": "in {}"}
LABEL_CELLS, TIME_CELLS = 20, 14
LEAST_BAR, MOST_BAR = 4, 40
LEAST_NOTE = 16


@dataclass(frozen=True, slots=True)
class Widths:
    """Terminal cells of a line's parts beside label and time; `note` 0: no room for one."""

    bar: int
    note: int


def widths(terminal: int, count: int) -> Widths:
    """How a line of `terminal` cells is shared out when n/N takes `count`; the bar gives way, then the note goes."""
    free = terminal - LABEL_CELLS - count - TIME_CELLS - 3
    bar = max(LEAST_BAR, min(MOST_BAR, free if free < 2 * LEAST_NOTE else free // 2))
    note = free - bar - 1
    return Widths(bar, note if note >= LEAST_NOTE else 0)


def step_name(step: str, language: str, dry_run: bool = False) -> str:
    """What people call the step."""
    if dry_run and step == "base_updates":
        return PLANNED_UPDATES[language]
    return STEP_NAMES.get(step, {}).get(language, step)


def note(details: Mapping[str, object], language: str, dry_run: bool = False) -> str:
    """The counts of a step in words, in their order; zeros and what has no words are left out."""
    named = {key: DETAILS[key][language] for key, value in details.items() if key in DETAILS and value}
    if dry_run and "pushed" in named:
        named["pushed"] = _PLANNED[language]
    return "  ".join(f"{word} {details[key]}" for key, word in named.items())


def span(seconds: float, language: str) -> str:
    """'42秒', '3分05秒', '1時間20分'; in English '42s', '3m05s', '1h20m'."""
    hour, minute, second = ("時間", "分", "秒") if language == "ja" else ("h", "m", "s")
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole}{second}"
    if whole < 3600:
        return f"{whole // 60}{minute}{whole % 60:02d}{second}"
    return f"{whole // 3600}{hour}{whole % 3600 // 60:02d}{minute}"


class _Line(ProgressColumn):
    """One step's whole line, laid out anew for the terminal as wide as it is now."""

    max_refresh = None

    def __init__(self, language: str, terminal: Callable[[], int]) -> None:
        super().__init__(Column(no_wrap=True))
        self._language, self._terminal = language, terminal

    def render(self, task: Task) -> Table:
        """label | bar | n/N | remaining time | note."""
        total = int(task.total or 0)
        count = f"{int(task.completed):,}/{total:,}"
        cells = widths(self._terminal(), cell_len(count))
        line = Table.grid(padding=(0, 1, 0, 0), pad_edge=False)
        for width in (LABEL_CELLS, cells.bar, cell_len(count), TIME_CELLS, *([cells.note] if cells.note else [])):
            line.add_column(width=width, no_wrap=True, overflow="crop")
        bar = ProgressBar(total=max(total, 1), completed=task.completed if total else 1, width=cells.bar)
        counts = [Text(set_cell_size(task.fields["note"], cells.note), style="dim")] if cells.note else []
        line.add_row(
            Text(set_cell_size(task.description, LABEL_CELLS)), bar, Text(count), Text(self._time(task)), *counts
        )
        return line

    def _time(self, task: Task) -> str:
        if task.finished:
            return _TOOK[self._language].format(span(task.finished_time or 0.0, self._language))
        told = task.fields["remaining_s"]
        left = task.time_remaining if told is None else told
        return _REMAINING[self._language].format("--" if left is None else span(left, self._language))


@contextmanager
def progress_shown(quiet: bool = False, *, dry_run: bool = False, language: str = "ja") -> Iterator[Listener]:
    """Gives a listener for `Progress`: bars on a terminal, a line every few seconds elsewhere."""
    if quiet:
        yield lambda _progress: None
        return
    with _out_of_capture() as stream:
        console = Console(file=stream, highlight=False)
        if stream.isatty():
            with _bars(console, language, dry_run) as show:
                yield show
        else:
            console.soft_wrap = True
            yield _line_by_line(console, language, dry_run)


@contextmanager
def _out_of_capture() -> Iterator[TextIO]:
    """Standard error as it is now: while steps run, Dagster points the one that everybody knows at a file."""
    try:
        number = os.dup(sys.stderr.fileno())
    except (OSError, ValueError):  # no file behind it
        yield sys.stderr
        return
    with os.fdopen(number, "w", encoding=sys.stderr.encoding, errors="replace") as stream:
        yield cast(TextIO, UnbreakableStream(stream))


@contextmanager
def _bars(console: Console, language: str, dry_run: bool) -> Iterator[Listener]:
    with Bars(_Line(language, lambda: console.width), console=console, transient=False) as bars:
        tasks: dict[str, TaskID] = {}

        def show(progress: Progress) -> None:
            if progress.step not in tasks:
                name = step_name(progress.step, language, dry_run)
                tasks[progress.step] = bars.add_task(name, total=progress.total, note="", remaining_s=None)
            bars.update(
                tasks[progress.step],
                completed=progress.done,
                total=progress.total,
                note=note(progress.details, language, dry_run),
                remaining_s=progress.remaining_s,
            )

        yield show


def _line_by_line(console: Console, language: str, dry_run: bool) -> Listener:
    last: dict[str, tuple[float, int]] = {}

    def show(progress: Progress) -> None:
        now = time.monotonic()
        finished = progress.done >= progress.total
        said_at, said_total = last.get(progress.step, (-1e9, -1))
        if (finished and progress.total == said_total) or (not finished and now - said_at < 3):
            return
        last[progress.step] = now, progress.total if finished else -1
        name = step_name(progress.step, language, dry_run)
        left = ""
        if progress.remaining_s and not finished:
            left = f" {_REMAINING[language].format(span(progress.remaining_s, language))}"
        counts = note(progress.details, language, dry_run)
        console.print(f"  {name}: {progress.done}/{progress.total}{left}  {counts}".rstrip(), markup=False)

    return show
