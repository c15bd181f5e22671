"""`python -m ecauto_pipeline_tests.matrices faults --seed 7`: plays a matrix; exit code 1 when a law was broken.

`--only TEXT` plays the cases whose name holds it, so that a failure is played again by its seed and name.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
from collections.abc import Callable, Sequence

from ecauto_pipeline_tests.matrices import (
    faults,
    fuzz,
    killing,
    kills,
    kills_of_people,
    kills_of_upgrades,
    reaches,
    surroundings,
)
from ecauto_pipeline_tests.matrices.runner import Judge, Named, Play, run_matrix

MATRICES: dict[str, tuple[tuple[Play, Callable[[int], Sequence[Named]]], ...]] = {
    "faults": ((faults.play, faults.cases), (surroundings.play, surroundings.cases)),
    "fuzz": ((fuzz.play, fuzz.cases),),
    "kills": (
        (kills.play, kills.cases),
        (kills_of_people.play, kills_of_people.cases),
        (kills_of_upgrades.play, kills_of_upgrades.cases),
        (reaches.play, reaches.cases),
    ),
}


MOUNTS = frozenset({"faults"})
"""These mount small disks, in a namespace of their own (util-linux: unshare)."""
STRIKES = frozenset({"faults"})
"""In these each kind of case has to meet something somewhere, or else it shows nothing."""
JUDGES: dict[str, Judge] = {"fuzz": fuzz.judge, "kills": killing.judge}
"""Of whole matrices."""
ALONE = frozenset({"fuzz"})
"""These compare with no undisturbed installation."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="matrices", description=__doc__)
    parser.add_argument("matrix", choices=sorted(MATRICES))
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000))
    parser.add_argument("--only", default="", help="cases whose name holds this")
    parser.add_argument("--here", action="store_true", help="disks may be mounted here: in no namespace of its own")
    parser.add_argument("--workers", type=int, default=2)
    asked = parser.parse_args()
    if asked.matrix in MOUNTS and not asked.here:
        apart = ["unshare", "--user", "--map-root-user", "--mount", sys.executable, "-m", __package__, *sys.argv[1:]]
        return subprocess.run([*apart, "--seed", str(asked.seed), "--here"], check=False).returncode
    parts = [
        (play, chosen) for play, cases in MATRICES[asked.matrix] if (chosen := _named(cases(asked.seed), asked.only))
    ]
    strikes = asked.matrix in STRIKES and not asked.only
    verdict = run_matrix(
        asked.matrix,
        parts,
        asked.seed,
        asked.workers,
        strikes=strikes,
        judge=None if asked.only else JUDGES.get(asked.matrix),
        undisturbed=asked.matrix not in ALONE,
    )
    sys.stdout.write(f"{verdict}\n")
    return 1 if verdict.violations or not verdict.played else 0


def _named(cases: Sequence[Named], only: str) -> list[Named]:
    return [case for case in cases if only in case.name]


if __name__ == "__main__":
    sys.exit(main())
