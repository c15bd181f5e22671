"""Plays the cases of a matrix side by side, tells how far it is, and ends with one line: the verdict.

Not for: cases or laws.
"""

from __future__ import annotations

import tempfile
import time
import traceback
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from ecauto_pipeline_tests.matrices.stage import Stage, stage
from ecauto_pipeline_tests.processes import fresh


class Named(Protocol):
    """A case: it has a name, which with its seed is the whole of it."""

    @property
    def name(self) -> str: ...


Play = Callable[[Stage, Any], list[str]]
_BATCH = 6
"""Cases that one worker plays on one stage: the stage and what is undisturbed are made once for them."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """`violations`: by case; what was played and how long it took."""

    matrix: str
    seed: int
    played: int
    seconds: float
    violations: dict[str, list[str]]

    def __str__(self) -> str:
        wrong = sum(len(found) for found in self.violations.values())
        return (
            f"{self.matrix}: {self.played} cases, {wrong} violations in {len(self.violations)} of them,"
            f" seed {self.seed}, {self.seconds:.0f} s: {'VIOLATED' if wrong else 'all laws kept'}"
        )


def run_matrix(matrix: str, play: Play, cases: Sequence[Named], seed: int, workers: int = 2) -> Verdict:
    """Play all cases; violations are printed as they are found."""
    console, began = Console(stderr=True), time.monotonic()
    violations: dict[str, list[str]] = {}
    batches = [cases[at : at + _BATCH] for at in range(0, len(cases), _BATCH)]
    columns = (TextColumn(matrix), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with (
        ProcessPoolExecutor(workers, mp_context=fresh()) as pool,
        Progress(*columns, console=console) as progress,
    ):
        bar = progress.add_task(matrix, total=len(cases))
        for played in pool.map(_play_batch, [play] * len(batches), batches):
            for name, found in played:
                progress.advance(bar)
                if found:
                    violations[name] = found
                    progress.print(f"{name} (seed {seed}):", *(f"  {one}" for one in found), sep="\n")
    return Verdict(matrix, seed, len(cases), time.monotonic() - began, violations)


def _play_batch(play: Play, cases: Sequence[Named]) -> list[tuple[str, list[str]]]:
    with tempfile.TemporaryDirectory() as folder, stage(Path(folder)) as here:
        return [(case.name, _played(play, here, case)) for case in cases]


def _played(play: Play, here: Stage, case: Named) -> list[str]:
    try:
        return play(here, case)
    except Exception:  # a case that breaks the player is a finding like any other
        return [f"the case could not be played to its end: {traceback.format_exc(limit=-4)}"]
