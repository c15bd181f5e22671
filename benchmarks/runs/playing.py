"""The cases in their order, by turns for each program, every run beside an empty one of Dagster's.

Cases: `fill` (nothing is known: Amazon is asked about every ASIN), or without it `first` (the register's figures are
known as if just asked: the shops are read, judged, corrected), `after` it (what was sent is seen to have changed), then
`idle` (nothing to do) and `changes` (Amazon asks more for `changes` goods on sale). Not for: what runs are played in
(world.py) or what is made of them (figures.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from benchmarks.runs.figures import Played
from benchmarks.runs.world import SEED, Installation, build, play_empty

CASES = ("fill", "idle", "changes")
FIRST, AFTER = "first", "after"


def play_cases(
    folder: Path,
    programs: Mapping[str, Path],
    listings: int,
    shops: int,
    cases: Sequence[str],
    changes: int,
    tell: Callable[[Played], None],
    seed: int = SEED,
) -> list[Played]:
    """Every case of one size; `programs`: name -> checkout. Each run is told when it has ended."""
    world = folder / "world"
    build(world, listings, shops, seed)
    played: list[Played] = []
    with ExitStack() as stack:
        places = {
            name: stack.enter_context(Installation(folder / name, program, world, listings, shops, seed))
            for name, program in programs.items()
        }
        if "fill" not in cases:
            for place in places.values():
                place.know()
        order = list(places)
        later = [case for case in cases if case != "fill"]
        for number, case in enumerate(["fill" if "fill" in cases else FIRST, AFTER, *later]):
            empty_s = play_empty(folder / f"empty-{number}").cpu_s
            for name in order:
                changed = places[name].change(changes) if case == "changes" else 0
                one = Played(case, listings, name, places[name].run(), empty_s, changed)
                played.append(one)
                tell(one)
            order.reverse()
    return played
