"""Everything that comes from outside, spoiled: what reads it gives a value or says what is wrong and where, and writes
nothing.

Not for: what is read (fuzz_targets.py), how it is spoiled (spoiling.py), or what a run makes of it (faults.py,
sync/test_faults.py).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings

from ecauto_pipeline_tests.matrices.fuzz_readers import Refused
from ecauto_pipeline_tests.matrices.fuzz_targets import NAMES, PARQUET, TOTAL, Target, targets
from ecauto_pipeline_tests.matrices.spoiling import spoiled_bytes, spoiled_json
from ecauto_pipeline_tests.matrices.stage import Stage


@dataclass(frozen=True, slots=True)
class Case:
    """One parser or file. `examples`: how many spoiled ones are tried."""

    what: str
    seed: int
    examples: int

    @property
    def name(self) -> str:
        return f"fuzz {self.what}"


DEAR = frozenset({"master.db", "JSON cache", PARQUET})
"""Each of these costs a file or a database: a tenth of the examples."""


def cases(seed_: int, examples: int = 3_000) -> list[Case]:
    """Every parser and file."""
    return [Case(name, seed_, examples // 10 if name in DEAR else examples) for name in NAMES]


READ, REFUSED = "read", "refused"


def judge(counted: Counter[tuple[str, str]]) -> tuple[str, list[str]]:
    """Of a whole matrix: how many of each were read and refused; who only ever does one of both shows nothing."""
    wrong = [f"{what}: nothing was ever {READ}" for what in NAMES if not counted[what, READ]]
    wrong += [
        f"{what}: nothing was ever {REFUSED}" for what in NAMES if not counted[what, REFUSED] and what not in TOTAL
    ]
    each = ", ".join(f"{what} {counted[what, READ]}/{counted[what, REFUSED]}" for what in NAMES)
    return f" read/refused: {each},", wrong


def play(stage: Stage, case: Case) -> list[str]:
    """Read so many spoiled ones; the first that is neither read nor refused in words, made small."""
    folder = stage.folder / "fuzz"
    folder.mkdir(exist_ok=True)

    def count(how: str) -> None:
        stage.count(case.what, how)

    return tried(targets(stage)[case.what], folder, case.seed, case.examples, count)


def _read(target: Target, content: Any, folder: Path) -> str | None:
    """What it says when it refuses; None when it reads."""
    try:
        given = target.read(content, folder)
    except target.refuses as refusal:
        return str(refusal)
    return str(given) if isinstance(given, Refused) else None


def tried(
    target: Target, folder: Path, luck: int, examples: int, count: Callable[[str], None] = lambda how: None
) -> list[str]:
    """So many spoiled ones of a target, read in this folder, after the sound one, which has to be read."""
    said = _read(target, target.good, folder)
    if said is not None:
        return [f"the sound one was refused: {said}"]
    spoiled: Any = spoiled_bytes(target.good) if isinstance(target.good, bytes) else spoiled_json(target.good)

    @seed(luck)
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.generate, Phase.shrink),
    )
    @given(spoiled)
    def holds(content: Any) -> None:
        said = _read(target, content, folder)
        count(READ if said is None else REFUSED)
        assert said is None or (said and target.names in said), f"refused without the name of its place: {said!r}"

    try:
        holds()
    except Exception as error:  # hypothesis groups what it finds
        inner = error.exceptions if isinstance(error, ExceptionGroup) else [error]
        return [f"{type(one).__name__}: {one} {getattr(one, '__notes__', [])}"[:1_500] for one in inner]
    return []
