"""What `ecauto demo` costs now against a commit before: processor time, wall time, memory, in turn on one machine.

    python -m benchmarks.demo [--before 93fb7e5] [--rounds 5]

Each round makes a fresh folder for each of the two and types the command there; the order changes from round to round.
The emulator is a process of its own and is not counted. What is printed are the medians and their ratio, and which
packages of the extra `fleet` the command had loaded at its end: none may be. `--before` is by default the last commit
before the program learned of fleets. The figures to keep stand in docs/performance.md.
Not for: passing or failing; machines are shared and noisy.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.before import beside, clean_environ, table
from ecauto_pipeline.emulator import process

BEFORE_FLEETS = "93fb7e5"
EXTRA = (
    *("dagster_postgres", "dagster_celery", "dagster_k8s", "dagster_aws", "celery", "redis", "psycopg", "psycopg2"),
    *("cryptography", "boto3", "kubernetes", "ecauto_pipeline.fleet"),
)
"""Packages that one machine never loads, and the room that knows them."""
TYPED = """
import json, sys
from ecauto_pipeline.cli import main
try:
    main()
finally:
    loaded = sorted(name for name in {extra!r} if name in sys.modules)
    open({told!r}, "w").write(json.dumps(loaded))
"""


FIGURES = (("processor s", "cpu_s", 2), ("wall s", "wall_s", 2), ("memory MB", "memory_mb", 0))


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one demo: seconds of processor (its own and its children's), seconds by the clock, MB at the most; `loaded`:
    packages of the extra."""

    cpu_s: float
    wall_s: float
    memory_mb: float
    loaded: tuple[str, ...]


def demo(tree: Path, folder: Path) -> Cost:
    """Types `ecauto demo` in a fresh project, by the program of `tree`. Raises RuntimeError with what it said."""
    folder.mkdir()
    for name in ("dagster.yaml", "workspace.yaml", "ecauto.toml"):
        (folder / name).write_bytes((tree / name).read_bytes())
    told = folder / "loaded.json"
    code = TYPED.format(extra=EXTRA, told=str(told))
    began = time.monotonic()
    with (folder / "said.txt").open("wb") as said:
        typed = subprocess.Popen(
            [sys.executable, "-c", code, "demo"],
            cwd=folder,
            env={**clean_environ(), "PYTHONPATH": str(tree)},
            stdout=said,
            stderr=subprocess.STDOUT,
        )
        _, status, used = os.wait4(typed.pid, 0)
    wall_s = time.monotonic() - began
    typed.returncode = os.waitstatus_to_exitcode(status)
    process.stop(folder / "data" / "emulator")
    if typed.returncode:
        raise RuntimeError((folder / "said.txt").read_text(encoding="utf-8", errors="replace")[-2000:])
    loaded = tuple(json.loads(told.read_text(encoding="utf-8")))
    return Cost(used.ru_utime + used.ru_stime, wall_s, used.ru_maxrss / 1024, loaded)


def main() -> int:
    """Print the table; the exit code is 1 where a package of the extra was loaded."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--before", default=BEFORE_FLEETS, help="the commit to compare with")
    options.add_argument("--rounds", type=int, default=5)
    chosen = options.parse_args()
    costs = beside(chosen.before, chosen.rounds, demo, FIGURES)
    print("\n".join(table("`ecauto demo`", FIGURES, costs)))
    loaded = sorted({package for one in costs["now"] for package in one.loaded})
    print(f"\n{chosen.rounds} rounds; of the extra loaded now: {', '.join(loaded) or 'nothing'}")
    return 1 if loaded else 0


if __name__ == "__main__":
    sys.exit(main())
