"""Work under way, for people who wait: bars on a terminal, a line now and then elsewhere.

Not for: what a step reports (sync/context.py, `Progress`).
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars

from ecauto_pipeline.cli.console import err
from ecauto_pipeline.sync.context import Progress

Listener = Callable[[Progress], None]

STEP_NAMES: Mapping[str, str] = {
    "listings": "BASEの商品を読む",
    "stale_asins": "調べるASINを選ぶ",
    "sp_api_snapshots": "Amazonに問い合わせる",
    "price_diffs": "価格を比べる",
    "visibility_diffs": "公開状態を比べる",
    "base_updates": "BASEを更新する",
}


@contextmanager
def progress_shown(quiet: bool = False) -> Iterator[Listener]:
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
        tasks: dict[str, TaskID] = {}

        def show(progress: Progress) -> None:
            name = STEP_NAMES.get(progress.step, progress.step)
            if progress.step not in tasks:
                tasks[progress.step] = bars.add_task(name, total=progress.total, note="")
            note = "  ".join(f"{key} {value}" for key, value in progress.details.items())
            bars.update(tasks[progress.step], completed=progress.done, total=progress.total, note=note)

        yield show


def _line_by_line() -> Listener:
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
