"""What the terminal shows: Japanese that survives any code page, a stdout that may be closed, tables.

Not for: what is said (each command), or work under way (progress.py).
"""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import NoReturn, TextIO

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ecauto_pipeline.cli.interrupts import glance_at_the_language

FINE, WITH_ERRORS, USAGE, GUARD = 0, 1, 2, 3


class UnbreakableStream(io.TextIOBase):
    """A stream whose writer never dies of a closed pipe; what can't be shown is dropped."""

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream

    @property
    def encoding(self) -> str:  # type: ignore[override]  # io says a variable, every stream has a property
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
        setattr(sys, name, UnbreakableStream(stream))


def out() -> Console:
    return Console(file=sys.stdout, highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else 100)


def err() -> Console:
    return Console(file=sys.stderr, highlight=False, soft_wrap=True)


def say(text: str = "", style: str | None = None) -> None:
    out().print(text, style=style, markup=False)


def language() -> str:
    """ "ja" or "en", as ecauto.toml says, also where the rest of it can't be read."""
    from ecauto_pipeline.settings import config_path

    config = config_path()
    stamp = config.stat().st_mtime_ns if config is not None and config.is_file() else 0
    return _language_of(config, stamp)


@lru_cache(maxsize=4)
def _language_of(config: Path | None, _stamp: int) -> str:
    """Read once a file, as every line asks."""
    from ecauto_pipeline.errors import EcautoError
    from ecauto_pipeline.settings import load

    try:
        return load().alerts.language
    except EcautoError:
        return glance_at_the_language()


def told(ja: str, en: str) -> str:
    """The one of the two that the person reads."""
    return ja if language() == "ja" else en


def fail(message: str, code: int = USAGE, *, ja: str = "") -> NoReturn:
    """One clear line on stderr in the person's language, and the exit code. `ja` "": `message` is for everybody."""
    japanese = language() == "ja"
    said = ja if japanese and ja else message
    head = "エラー" if japanese else "error"
    err().print(f"{head}: {' '.join(said.split())}", style="bold red", markup=False)
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
    """Label, metric name, value: one line each."""
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
        return told("はい", "yes") if value else told("いいえ", "no")
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.1f}"
    return str(value)
