"""The program of now beside that of a commit before, in turn on one machine, and the ratio of what they cost.

Not for: what is measured (demo.py, dev.py), or passing or failing; machines are shared and noisy.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

ROOT = Path(__file__).absolute().parents[1]
Cost = TypeVar("Cost")
Figure = tuple[str, str, int]
"""What people call it, the name in a cost, digits behind the point."""


def clean_environ() -> dict[str, str]:
    """This process's, without what says where an installation is."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("ECAUTO_", "DAGSTER_"))}


def beside(
    commit: str, rounds: int, cost_of: Callable[[Path, Path], Cost], figures: Sequence[Figure]
) -> dict[str, list[Cost]]:
    """Costs of that commit ("before") and of this tree ("now"), each a round, the order turned about each time.

    `cost_of`: of the program in a folder, played in another that is not there yet.
    """
    costs: dict[str, list[Cost]] = {"before": [], "now": []}
    label, first, digits = figures[0]
    with tempfile.TemporaryDirectory(prefix="ecauto_before_") as name:
        folder = Path(name)
        trees = {"before": _tree_of(commit, folder), "now": ROOT}
        for number in range(rounds):
            for which in sorted(trees, reverse=number % 2 == 1):
                cost = cost_of(trees[which], folder / f"{which}-{number}")
                costs[which].append(cost)
                said = f"{label} {getattr(cost, first):.{digits}f}"
                print(f"round {number + 1}, {which}: {said}", file=sys.stderr, flush=True)
    return costs


def table(heading: str, figures: Sequence[Figure], costs: Mapping[str, list[Cost]]) -> list[str]:
    """A line for each figure: the medians before and now, and now / before."""
    lines = [f"| {heading} | before | now | ratio |", "|---|---|---|---|"]
    for label, name, digits in figures:
        before, now = (statistics.median(getattr(one, name) for one in costs[which]) for which in ("before", "now"))
        lines.append(f"| {label} | {before:.{digits}f} | {now:.{digits}f} | {now / before:.2f} |")
    return lines


def _tree_of(commit: str, folder: Path) -> Path:
    """The files of a commit, in a folder of their own."""
    archive = folder / f"{commit}.tar"
    subprocess.run(["git", "archive", "-o", str(archive), commit], cwd=ROOT, check=True)
    tree = folder / commit
    with tarfile.open(archive) as packed:
        packed.extractall(tree, filter="data")
    return tree
