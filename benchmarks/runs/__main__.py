"""What a whole run of the assets costs through Dagster, by stage: processor seconds, memory, growth.

    python -m benchmarks.runs [--listings 10000 100000 300000] [--shops 3 10 30] [--cases fill idle changes]
                              [--changes 2000] [--before FOLDER]

Each run is a process of its own with its own Dagster, each program has an emulator to itself; beside every run an empty
one is played, of seven assets that do nothing: Dagster's own part. Limits are looked at and said, without an exit code;
`make load` gives one. `--before`: a checkout of the program (`git worktree add`) that plays the same by turns.
The figures to keep stand in docs/performance.md. Not for: rates that are kept (benchmarks.fetch).
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

from benchmarks.runs.figures import HEAD, Played, broken, exponent, growths, line, ratios
from benchmarks.runs.playing import CASES, play_cases
from benchmarks.runs.world import PROGRAM


def tell(one: Played) -> None:
    """A line as soon as it is known."""
    print(line(one), flush=True)


def main() -> int:
    """Print the table, growth, ratios and limits."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--listings", type=int, nargs="+", default=[10_000, 100_000, 300_000])
    options.add_argument("--shops", type=int, nargs="+", default=[3, 10, 30], help="one for each size")
    options.add_argument("--cases", nargs="+", choices=CASES, default=["idle", "changes"])
    options.add_argument(
        "--changes", type=int, default=2_000, help="at most; a fiftieth of the listings in small shops"
    )
    options.add_argument("--before", type=Path, help="a checkout to play by turns with this one")
    options.add_argument("--folder", type=Path, help="where worlds are built; default: a temporary one")
    chosen = options.parse_args()
    if len(chosen.listings) != len(chosen.shops):
        options.error("--shops wants a number for each of --listings")
    programs = {"before": chosen.before.resolve()} if chosen.before else {}
    programs["now"] = PROGRAM
    runs: list[Played] = []
    print(HEAD, flush=True)
    for listings, shops in zip(chosen.listings, chosen.shops, strict=True):
        with tempfile.TemporaryDirectory(dir=chosen.folder, prefix="ecauto_runs_") as folder:
            changes = min(chosen.changes, listings // 50)
            runs += play_cases(Path(folder), programs, listings, shops, chosen.cases, changes, tell)
    print(f"\nload of the machine over 1, 5 and 15 minutes: {' '.join(f'{one:.1f}' for one in os.getloadavg())}")
    now = [one for one in runs if one.program == "now"]
    for case, growth in growths(now, exponent).items():
        print(f"{case}: the steps grow with listings to the power of {growth:.2f}")
    for one in now:
        if one.changed_ms is not None:
            print(f"{one.changed:,} changes of {one.listings:,} listings: {one.changed_ms:.1f} ms a changed listing")
    print("\n".join(ratios(runs)))
    looked, found = broken(now)
    print(f"{looked} limits, {len(found)} do not hold" + "".join(f"\n  {one}" for one in found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
