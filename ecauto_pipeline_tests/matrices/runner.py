"""Plays the cases of a matrix side by side, tells how far it is, and ends with one line: the verdict.

Not for: cases or laws.
"""

from __future__ import annotations

import signal
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
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
Part = tuple[Play, Sequence[Named]]
"""Cases, and how each of them is played."""
Counted = Counter[tuple[str, str]]
Judge = Callable[[Counted], tuple[str, list[str]]]
"""Of what was counted in all cases of a whole matrix: what the verdict says of it, and what of it must not be."""
_BATCH = 12
"""Cases that one worker plays on one stage: the stage and what is undisturbed are made once for them."""

_LONGEST_S = 900.0
"""A case of a matrix takes seconds, the dearest minutes: one that takes so long hangs, and is a finding."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """`violations`: by case; what was played and how long it took. `struck`: how often what a case does met anything,
    by case; empty where nobody counts it. `said`: what else was counted.
    """

    matrix: str
    seed: int
    played: int
    seconds: float
    violations: dict[str, list[str]]
    struck: Mapping[str, int] = field(default_factory=dict)
    said: str = ""

    def __str__(self) -> str:
        wrong = sum(len(found) for found in self.violations.values())
        return (
            f"{self.matrix}: {self.played} cases, {wrong} violations in {len(self.violations)} of them,"
            f"{self._struck()}{self.said} seed {self.seed}, {self.seconds:.0f} s:"
            f" {'VIOLATED' if wrong else 'all laws kept'}"
        )

    def _struck(self) -> str:
        if not self.struck:
            return ""
        kinds = cases_struck(self.struck)
        rarest = min(kinds, key=lambda kind: kinds[kind])
        return f" struck in {sum(kinds.values())} (each kind in {kinds[rarest]} at least: {rarest}),"


def cases_struck(struck: Mapping[str, int]) -> dict[str, int]:
    """In how many cases each kind met anything; a kind is what stands before the "@" of a case's name."""
    kinds: Counter[str] = Counter()
    for name, times in struck.items():
        kinds[name.partition("@")[0]] += times > 0
    return dict(kinds)


def never_struck(struck: Mapping[str, int]) -> dict[str, list[str]]:
    """Kinds that met nothing in any case, as violations: what they are there to show was never tried."""
    return {kind: ["it never struck anything"] for kind, cases in cases_struck(struck).items() if not cases}


def run_matrix(
    matrix: str,
    parts: Sequence[Part],
    seed: int,
    workers: int = 2,
    *,
    strikes: bool = False,
    judge: Judge | None = None,
    undisturbed: bool = True,
) -> Verdict:
    """Play all cases; violations are printed as they are found. `strikes`: every kind has to have struck somewhere.
    `undisturbed`: whether the stages are to know what an installation does that is left alone.
    """
    console, began = Console(stderr=True), time.monotonic()
    violations: dict[str, list[str]] = {}
    struck: dict[str, int] = {}
    counted: Counted = Counter()
    batches = [(play, cases[at : at + _BATCH]) for play, cases in parts for at in range(0, len(cases), _BATCH)]
    total = sum(len(cases) for _, cases in parts)
    columns = (TextColumn(matrix), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with (
        ProcessPoolExecutor(workers, mp_context=fresh()) as pool,
        Progress(*columns, console=console) as progress,
    ):
        bar = progress.add_task(matrix, total=total)
        for played, counts in pool.map(partial(_play_batch, undisturbed), batches):
            counted += counts
            for name, found, times in played:
                progress.advance(bar)
                struck[name] = times
                if found:
                    violations[name] = found
                    progress.print(f"{name} (seed {seed}):", *(f"  {one}" for one in found), sep="\n")
            if not console.is_terminal:  # a bar is drawn nowhere else, and who reads a file waits twenty minutes
                at, so_far = f"{len(struck)} of {total} cases", f"violations in {len(violations)}"
                console.print(f"{matrix}: {at}, {so_far}, {time.monotonic() - began:.0f} s")
    if strikes:
        violations |= never_struck(struck)
    said, wrong = judge(counted) if judge is not None else ("", [])
    if wrong:
        violations["what was counted"] = wrong
    met = struck if any(struck.values()) else {}
    return Verdict(matrix, seed, total, time.monotonic() - began, violations, met, said)


def _play_batch(undisturbed: bool, part: Part) -> tuple[list[tuple[str, list[str], int]], Counted]:
    play, cases = part
    with tempfile.TemporaryDirectory() as folder, stage(Path(folder), undisturbed) as here:
        return [(case.name, *played(play, here, case)) for case in cases], here.counted


def played(play: Play, here: Stage, case: Named, longest_s: float = _LONGEST_S) -> tuple[list[str], int]:
    """What one case came to, and how often it met anything; one that takes longer than `longest_s` hangs."""
    here.struck = 0
    try:
        with _at_most(longest_s):
            return play(here, case), here.struck
    except Exception:  # a case that breaks the player is a finding like any other
        return [f"the case could not be played to its end: {traceback.format_exc(limit=-4)}"], here.struck


@contextmanager
def _at_most(longest_s: float) -> Iterator[None]:
    """What takes longer meets a TimeoutError, and again after as long. For a main thread."""

    def give_up(_signal: int, _frame: object) -> None:
        raise TimeoutError(f"it takes longer than {longest_s:.0f} s")

    before = signal.signal(signal.SIGALRM, give_up)
    timer = signal.setitimer(signal.ITIMER_REAL, longest_s, longest_s)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, *timer)
        signal.signal(signal.SIGALRM, before)
