"""`python -m ecauto_pipeline_tests.matrices faults --seed 7`: plays a matrix; exit code 1 when a law was broken.

`--only TEXT` plays the cases whose name holds it, so that a failure is played again by its seed and name.
"""

from __future__ import annotations

import argparse
import random
import sys

from ecauto_pipeline_tests.matrices import faults
from ecauto_pipeline_tests.matrices.runner import run_matrix

MATRICES = {"faults": ((faults.play, faults.cases),)}


def main() -> int:
    parser = argparse.ArgumentParser(prog="matrices", description=__doc__)
    parser.add_argument("matrix", choices=sorted(MATRICES))
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000))
    parser.add_argument("--only", default="", help="cases whose name holds this")
    parser.add_argument("--workers", type=int, default=2)
    asked = parser.parse_args()
    kept = True
    for play, cases in MATRICES[asked.matrix]:
        chosen = [case for case in cases(asked.seed) if asked.only in case.name]
        verdict = run_matrix(asked.matrix, play, chosen, asked.seed, asked.workers)
        sys.stdout.write(f"{verdict}\n")
        kept = kept and not verdict.violations and bool(chosen)
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
