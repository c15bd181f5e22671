"""What runs cost, as a table and as limits: seconds by stage, growth, what is beyond a limit. Plain arithmetic.

Limits are seconds of a machine on which an empty run of Dagster's takes EMPTY_S; on another one they grow with what an
empty run takes there in the same minutes. Not for: playing anything (world.py).
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

STAGES = (
    *("listings", "stale_asins", "sp_api_snapshots", "price_diffs", "visibility_diffs", "base_updates"),
    *("publish", "pictures"),
)
"""Those with a column of their own; whatever else of the process is Dagster's and the loading of both."""
EMPTY_S = 2.6
IDLE_S = {10_000: 1.0, 100_000: 3.0}
"""Ours at most, in a run that finds nothing to do, by listings."""
CHANGED_MS, CHANGED = 12.0, 2_000
"""Ours at most a changed listing, where so many have changed: what every run costs is shared by fewer else."""
PEAK_MB = {100_000: 400.0, 300_000: 700.0}
GROWTH = 1.1
"""The exponent at most: seconds go with listings to this power."""
LEAST_SENT = 0.8
"""Of the changed listings so many have to be sent, or it was no run of changes: some wait for a second opinion."""
HEAD = (
    f"| run | listings | program | {' | '.join(STAGES)} | the rest | whole | Dagster's own | ours | peak MB | edits "
    f"| calls | wall s |\n|{'---|' * (len(STAGES) + 11)}"
)


@dataclass(frozen=True, slots=True)
class RunCost:
    """One run: processor seconds of its process, by stage too; memory at most (None: not known); what it did."""

    cpu_s: float
    wall_s: float
    peak_mb: float | None
    stages: dict[str, float]
    edits: int = 0
    sp_api_calls: int = 0


@dataclass(frozen=True, slots=True)
class Played:
    """A run of one case and size; `empty_s`: an empty run of Dagster's, whole, in the same minutes; `changed`: listings
    that the world changed before it."""

    case: str
    listings: int
    program: str
    cost: RunCost
    empty_s: float
    changed: int = 0

    @property
    def ours_s(self) -> float:
        """Processor seconds beside what Dagster's own empty run costs; loading the program is ours."""
        return self.cost.cpu_s - self.empty_s

    @property
    def steps_s(self) -> float:
        """Processor seconds of the steps alone; what growth is of, for a difference of two whole runs may be anything
        where both cost much the same."""
        return sum(self.cost.stages.get(name, 0.0) for name in STAGES)

    @property
    def scale(self) -> float:
        """How much slower these minutes are than those for which the limits are."""
        return self.empty_s / EMPTY_S

    @property
    def changed_ms(self) -> float | None:
        """Milliseconds of ours a changed listing; None where nothing was changed."""
        return 1000 * self.ours_s / self.changed if self.changed else None


def line(one: Played) -> str:
    """A line of the table."""
    cost = one.cost
    stages = [cost.stages.get(name, 0.0) for name in STAGES]
    seconds = [*stages, cost.cpu_s - sum(stages), cost.cpu_s, one.empty_s, one.ours_s]
    peak = "?" if cost.peak_mb is None else f"{cost.peak_mb:.0f}"
    done = (f"{cost.edits:,}", f"{cost.sp_api_calls:,}", f"{cost.wall_s:.0f}")
    cells = (one.case, f"{one.listings:,}", one.program, *(f"{figure:.2f}" for figure in seconds), peak, *done)
    return f"| {' | '.join(cells)} |"


def exponent(runs: Iterable[Played]) -> float | None:
    """How the steps grow with the listings (1 = as they do), over all sizes; None where there are not two."""
    points = [(math.log(one.listings), math.log(one.steps_s)) for one in runs if one.steps_s > 0]
    if len({x for x, _ in points}) < 2:
        return None
    middle_x, middle_y = (sum(values) / len(points) for values in zip(*points, strict=True))
    rise: float = sum((x - middle_x) * (y - middle_y) for x, y in points)
    run: float = sum((x - middle_x) ** 2 for x, _ in points)
    return rise / run


def steepest(runs: Iterable[Played]) -> float | None:
    """The exponent between the two neighbouring sizes between which it is highest; None as `exponent`."""
    found = [exponent(pair) for pair in pairwise(sorted(runs, key=lambda one: one.listings))]
    return max((one for one in found if one is not None), default=None)


def least(runs: Iterable[Played]) -> list[Played]:
    """Each case and size once, where they were played more than once: the one whose steps took least, for what a
    machine does beside is only ever added to them."""
    found: dict[tuple[str, int], Played] = {}
    for one in runs:
        before = found.get((one.case, one.listings))
        if before is None or one.steps_s < before.steps_s:
            found[one.case, one.listings] = one
    return list(found.values())


def growths(runs: Iterable[Played], of: Callable[[list[Played]], float | None]) -> dict[str, float]:
    """By case that was played in two sizes: how it grows (`exponent` or `steepest`); of each size the least counts."""
    by_case: dict[str, list[Played]] = defaultdict(list)
    for one in least(runs):
        by_case[one.case].append(one)
    found = {case: of(each) for case, each in by_case.items()}
    return {case: power for case, power in found.items() if power is not None}


def too_steep(runs: Iterable[Played]) -> bool:
    """Whether a case grows faster than it may."""
    return any(power > GROWTH for power in growths(runs, steepest).values())


def broken(runs: Sequence[Played]) -> tuple[int, list[str]]:
    """How many limits were looked at, and each that does not hold, in words."""
    looked, found = 0, []
    for one in runs:
        for what, value, limit in _limits(one):
            looked += 1
            if not value <= limit:
                found.append(f"{one.case}, {one.listings:,} listings: {what} {value:.4g}, at most {limit:.4g}")
    for case, growth in growths(runs, steepest).items():
        looked += 1
        if growth > GROWTH:
            found.append(f"{case}: grows with listings to the power of {growth:.2f}, at most {GROWTH}")
    return looked, found


def _limits(one: Played) -> list[tuple[str, float, float]]:
    """(what, value, at most)."""
    found = []
    if one.case == "idle" and one.listings in IDLE_S:
        found.append(("seconds of ours", one.ours_s, IDLE_S[one.listings] * one.scale))
    if one.changed_ms is not None and one.changed >= CHANGED:
        found.append(("ms a changed listing", one.changed_ms, CHANGED_MS * one.scale))
    if one.changed:
        found.append(("changes not sent", one.changed - one.cost.edits, (1 - LEAST_SENT) * one.changed))
    if one.case == "idle":
        found.append(("edits without a change", one.cost.edits, 0.01 * one.listings))
    if one.listings in PEAK_MB:
        peak = math.inf if one.cost.peak_mb is None else one.cost.peak_mb  # what is not known holds no limit
        found.append(("MB at most", peak, PEAK_MB[one.listings]))
    return found


def ratios(runs: Sequence[Played]) -> list[str]:
    """A line for each case and size that two programs played: the second's seconds of ours to the first's."""
    lines = []
    for case, listings in dict.fromkeys((one.case, one.listings) for one in runs):
        of = {one.program: one for one in runs if (one.case, one.listings) == (case, listings)}
        if {"before", "now"} <= set(of) and of["before"].ours_s > 0:
            ratio = of["now"].ours_s / of["before"].ours_s
            whole = of["now"].cost.cpu_s / of["before"].cost.cpu_s
            lines.append(f"{case}, {listings:,} listings: ours {ratio:.2f} of before, the whole run {whole:.2f}")
    return lines
