"""`python -m benchmarks`: every benchmark, one after another, each in a process of its own (`make bench`).

Figures to keep go into docs/performance.md. Not for: passing or failing; machines are shared and noisy.
"""

from __future__ import annotations

import subprocess
import sys

ALL = (
    *("benchmarks.history", "benchmarks.diffs", "benchmarks.rules", "benchmarks.stale", "benchmarks.fetch"),
    *("benchmarks.freshness", "benchmarks.unanswerable", "benchmarks.what_if", "benchmarks.desk", "benchmarks.lanes"),
    *(
        "benchmarks.history_memory",
        "benchmarks.kept",
        "benchmarks.changed",
        "benchmarks.pushing",
        "benchmarks.runs",
        "benchmarks.scale",
    ),
)


def main() -> int:
    """Run them in order; the exit code is 1 when one of them could not be run to its end."""
    failed = []
    for name in ALL:
        print(f"\n== {name}", flush=True)
        if subprocess.run([sys.executable, "-m", name], check=False).returncode:
            failed.append(name)
    for name in failed:
        print(f"did not end well: {name}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
