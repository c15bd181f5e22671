"""What the terminal shows: Japanese that survives any code page, a stdout that may be closed, tables, progress.

Not for: what is said (each command).
"""

from __future__ import annotations

import io
import json
import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NoReturn, TextIO

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars
from rich.table import Table

from ecauto_pipeline.sync.context import Progress

FINE, WITH_ERRORS, USAGE, GUARD = 0, 1, 2, 3


class _Sturdy(io.TextIOBase):
    """A stream whose writer never dies of a closed pipe; what can't be shown is dropped."""

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return getattr(self._stream, "encoding", None) or "utf-8"

    def write(self, text: str) -> int:
        if self._stream is not None:
            try:
                self._stream.write(text)
            except (OSError, ValueError):
                self._stream = None
        return len(text)

    def flush(self) -> None:
        if self._stream is not None:
            try:
                self._stream.flush()
            except (OSError, ValueError):
                self._stream = None

    def isatty(self) -> bool:
        try:
            return self._stream is not None and self._stream.isatty()
        except ValueError:
            return False

    def fileno(self) -> int:
        if self._stream is None:
            raise OSError("closed")
        return self._stream.fileno()


def prepare_streams() -> None:
    """Keep the console's own encoding, replace what it can't show, survive where there is none."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
        setattr(sys, name, _Sturdy(stream))


def out() -> Console:
    return Console(file=sys.stdout, highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else 100)


def err() -> Console:
    return Console(file=sys.stderr, highlight=False, soft_wrap=True)


def say(text: str = "", style: str | None = None) -> None:
    out().print(text, style=style, markup=False)


def fail(message: str, code: int = USAGE) -> NoReturn:
    """One clear line on stderr, and the exit code."""
    err().print(f"エラー: {' '.join(message.split())}", style="bold red", markup=False)
    raise typer.Exit(code)


def print_json(document: object) -> None:
    """JSON on stdout, readable Japanese where the console can show it."""
    plain = (sys.stdout.encoding or "utf-8").lower().replace("-", "") != "utf8"
    sys.stdout.write(json.dumps(document, ensure_ascii=plain, indent=2, default=str, sort_keys=False) + "\n")


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """A table that stays readable when piped."""
    shown = Table(title=escape(title), title_justify="left", title_style="bold")
    for column in columns:
        shown.add_column(column, overflow="fold")
    for row in rows:
        shown.add_row(*("" if cell is None else escape(str(cell)) for cell in row))
    out().print(shown)


def labelled(title: str, rows: Sequence[tuple[str, str, object]]) -> None:
    """Japanese label, metric name, value: one line each."""
    shown = Table(
        title=escape(title), title_justify="left", title_style="bold", show_header=False, box=None, pad_edge=False
    )
    shown.add_column(no_wrap=True)
    shown.add_column(no_wrap=True, style="dim")
    shown.add_column(justify="right", no_wrap=True)
    for label, name, value in rows:
        shown.add_row(escape(label), escape(name), escape(number(value)))
    out().print(shown)


def number(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "はい" if value else "いいえ"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.1f}"
    return str(value)


STEP_NAMES: Mapping[str, str] = {
    "listings": "BASEの商品を読む",
    "stale_asins": "調べるASINを選ぶ",
    "sp_api_snapshots": "Amazonに問い合わせる",
    "price_diffs": "価格を比べる",
    "visibility_diffs": "公開状態を比べる",
    "base_updates": "BASEを更新する",
}


@contextmanager
def progress_shown(quiet: bool = False) -> Iterator[Any]:
    """Gives a listener for `Progress`: bars on a terminal, a line every few seconds elsewhere."""
    if quiet:
        yield lambda _progress: None
        return
    if not sys.stderr.isatty():
        yield _line_by_line()
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[note]}"),
    )
    with Bars(*columns, console=err(), transient=False) as bars:
        tasks: dict[str, Any] = {}

        def show(progress: Progress) -> None:
            name = STEP_NAMES.get(progress.step, progress.step)
            if progress.step not in tasks:
                tasks[progress.step] = bars.add_task(name, total=progress.total, note="")
            note = "  ".join(f"{key} {value}" for key, value in progress.details.items())
            bars.update(tasks[progress.step], completed=progress.done, total=progress.total, note=note)

        yield show


def _line_by_line() -> Any:
    last: dict[str, tuple[float, int]] = {}

    def show(progress: Progress) -> None:
        now = time.monotonic()
        finished = progress.done >= progress.total
        said_at, said_total = last.get(progress.step, (-1e9, -1))
        if (finished and progress.total == said_total) or (not finished and now - said_at < 3):
            return
        last[progress.step] = now, progress.total if finished else -1
        name = STEP_NAMES.get(progress.step, progress.step)
        left = f" 残り約{progress.remaining_s:.0f}秒" if progress.remaining_s and not finished else ""
        note = " ".join(f"{key}={value}" for key, value in progress.details.items())
        err().print(f"  {name}: {progress.done}/{progress.total}{left} {note}".rstrip(), markup=False)

    return show


def silence_libraries() -> None:
    """Nothing of other people's logging on the shop owner's terminal."""
    os.environ.setdefault("DAGSTER_DISABLE_TELEMETRY", "1")
