"""`make load`: 100,000 listings in 10 shops and 300,000 in 30 through whole runs, and one line of verdict.

    python -m benchmarks.runs.load [--listings 100000 300000] [--shops 10 30] [--cases idle changes] [--minutes 20]
                                   [--seed 7]

Exit code 1 where a limit does not hold (benchmarks/runs/figures.py), a run fails, or not all is played within the time.
Where something has grown faster than it may all is played once more, if that fits into the time, and the lesser of the
two counts: the same program has taken a sixth longer from one quarter of an hour to the next.
Not for: comparing programs (`python -m benchmarks.runs --before`).
"""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.runs.figures import HEAD, Played, broken, exponent, growths, line, too_steep
from benchmarks.runs.playing import CASES, play_cases
from benchmarks.runs.world import PROGRAM, SEED

CHANGES = 2_000
Playing = Callable[[int, int, Callable[[Played], None]], Sequence[Played]]
"""(listings, shops, told of each run) -> the runs. Raises SystemExit where one fails."""


class TimeOver(SystemExit):
    """Not all was played within the time."""


def verdict(runs: Sequence[Played], problems: Sequence[str]) -> tuple[str, int]:
    """One line, and the exit code. `problems`: what kept runs from being played, in words."""
    looked, found = broken(runs)
    found += problems
    sizes = ", ".join(f"{size:,}" for size in dict.fromkeys(one.listings for one in runs)) or "no"
    growth = ", ".join(f"{case} {power:.2f}" for case, power in growths(runs, exponent).items())
    said = f"load: {len(runs)} runs of {sizes} listings, {looked} limits, {len(found)} broken"
    said += f"; growth {growth}" if growth else ""
    return said + "".join(f"\n  {one}" for one in found), 1 if found or not runs else 0


def load(
    sizes: Sequence[tuple[int, int]],
    play: Playing,
    tell: Callable[[str], None],
    once_more: Callable[[], bool] = lambda: False,
) -> int:
    """Plays (listings, shops) one after the other; the exit code. `once_more`: whether there is time to play all again
    where something grows too fast."""
    runs: list[Played] = []
    problems: list[str] = []
    tell(HEAD)

    def told(one: Played) -> None:
        runs.append(one)
        tell(line(one))

    def play_all() -> None:
        for listings, shops in sizes:
            try:
                play(listings, shops, told)
            except TimeOver as over:
                problems.append(str(over))
                break
            except SystemExit as failed:
                problems.append(f"{listings:,} listings: {failed}")

    play_all()
    if not problems and too_steep(runs) and once_more():
        tell("something grows faster than the listings: once more, and the lesser counts")
        play_all()
    said, code = verdict(runs, problems)
    tell(said)
    return code


def _play(cases: Sequence[str], seed: int) -> Playing:
    def play(listings: int, shops: int, told: Callable[[Played], None]) -> Sequence[Played]:
        with tempfile.TemporaryDirectory(prefix="ecauto_load_") as folder:
            changes = min(CHANGES, listings // 50)
            return play_cases(Path(folder), {"now": PROGRAM}, listings, shops, cases, changes, told, seed)

    return play


def main() -> int:
    """Print the runs and the verdict."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--listings", type=int, nargs="+", default=[100_000, 300_000])
    options.add_argument("--shops", type=int, nargs="+", default=[10, 30], help="one for each size")
    options.add_argument("--cases", nargs="+", choices=CASES, default=["idle", "changes"])
    options.add_argument("--minutes", type=int, default=20)
    options.add_argument("--seed", type=int, default=SEED, help="of the emulated worlds")
    chosen = options.parse_args()

    def over(_number: int, _frame: object) -> None:
        raise TimeOver(f"not all was played within {chosen.minutes} minutes")

    signal.signal(signal.SIGALRM, over)
    seconds: int = chosen.minutes * 60 - 15
    signal.alarm(seconds)
    began = time.monotonic()
    sizes = list(zip(chosen.listings, chosen.shops, strict=True))

    def half_is_left() -> bool:
        return time.monotonic() - began < seconds / 2.1

    code = load(sizes, _play(chosen.cases, chosen.seed), lambda text: print(text, flush=True), half_is_left)
    print(f"{(time.monotonic() - began) / 60:.1f} minutes, seed {chosen.seed}")
    return code


if __name__ == "__main__":
    sys.exit(main())
