"""What ASINs that Amazon never answers for cost all the others: calls, and wrong orders.

    python -m benchmarks.unanswerable [--days 3] [--seeds 24] [--jobs 2] [--spend due budget] [--only unanswerable]

2,000 of 100,000 (played as benchmarks.freshness does: 400 of 20,000 with a fifth of an account) in both ways to spend,
beside the same market without them. Counted are the orders of the others alone. Two ways to be silent: for so long that
they are unanswerable, and from the first hour on, so that their waits have yet to grow.
Both plays of a seed have the same changes at Amazon, the same customers, and of each ASIN the same sweeps cry wolf.
What is left is when each is asked: one question shifts all after it by a moment, and in a seed that moves the wrong
orders by a tenth, up or down. So the ratio is a mean over seeds with its standard error, and lies within a limit, or
beyond it, only when it is two errors away; else the seeds that would tell are named. Beside it stands what does not
hang on the moment of a change: the age of what is on sale, weighted by the orders and the changes of each ASIN
("exposed": wrong orders to be expected of these looks, whenever the changes come). A few seeds tell it to a thousandth,
so it decides where the wrong orders that happened can't tell.
Exit 1 where a promise is not shown to be kept. Not for: the market or the shop (benchmarks/freshness).
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.freshness.policies import CONTENDERS, Contender
from benchmarks.freshness.replay import FALSE_ALARMS, START, Replay
from benchmarks.freshness.world import market
from ecauto_pipeline.clock import to_ms
from ecauto_pipeline.domain.freshness.failing import DAY_MS, UNANSWERABLE_AFTER

ARTICLES, SCALE, SHARE = 20_000, 0.2, 0.02
MOST_OF_THE_DETAILS = 0.02
MOST_WORSE = 0.03
ERRORS_APART = 2.0
"""So many standard errors a mean has to be from a limit to tell on which side it lies."""
ALARMS = 251  # sweeps of an ASIN after which its false alarms come again
MINUTE_MS = 60_000
SLICE_MS = 660_000  # a wait that ends within a slice is over at the next
ABSENT, UNANSWERABLE = "absent", "unanswerable"
WAYS = {UNANSWERABLE: 2, "silent from the first hour on": 0}
"""Days before counting, by how the 2,000 are silent."""


@dataclass(frozen=True, slots=True)
class Cost:
    """`share` of the detail questions, `longest_h` between two tries of one ASIN, wrong orders of the others, and hours
    since the last look at what they are `exposed` to: the mean over ASINs by orders x changes."""

    wrong: float
    share: float
    longest_h: float
    exposed: float


@dataclass(frozen=True, slots=True)
class Ratio:
    """A figure with the silent against the same without: the mean over seeds, its standard error, both of 1."""

    mean: float
    error: float
    seeds: int

    @classmethod
    def of(cls, with_them: Sequence[float], without: Sequence[float]) -> Ratio:
        """From one figure a seed, in the same order. One seed says nothing of its error: infinite."""
        ratios = np.array(with_them) / np.array(without)
        error = float(ratios.std(ddof=1) / np.sqrt(ratios.size)) if ratios.size > 1 else float("inf")
        return cls(float(ratios.mean()), error, ratios.size)

    def __str__(self) -> str:
        return f"{self.mean:.4f} ± {self.error:.4f}"

    def within(self, limit: float) -> bool | None:
        """Whether the limit is kept; None where these seeds can't tell."""
        if abs(self.mean - limit) < ERRORS_APART * self.error:
            return None
        return self.mean <= limit

    def seeds_to_tell(self, limit: float) -> int:
        """Seeds after which the mean, where it is now, would be far enough from the limit."""
        apart = max(abs(self.mean - limit), 0.001)
        return max(2, int(np.ceil(self.seeds * (ERRORS_APART * self.error / apart) ** 2)))


class SilentReplay(Replay):
    """A market of which Amazon never answers for some. `way`: ABSENT or one of WAYS."""

    def __init__(self, contender: Contender, seed: int, days: int, warm: int, way: str) -> None:
        super().__init__(market(ARTICLES, warm + days, seed), contender, SCALE, seed)
        count = self.price.size
        chosen = np.random.default_rng(seed + 11).choice(count, round(SHARE * count), replace=False)
        self.silent = np.zeros(count, np.bool_)
        self.silent[chosen] = True
        self.counted[chosen] = False
        self.way = way
        self.demand_luck = np.random.default_rng(seed + 13)  # the same customers, whoever is asked
        self.alarms = np.random.default_rng(seed + 17).random((count, ALARMS)) < FALSE_ALARMS
        self.sweeps = np.zeros(count, np.int64)
        self.since = np.full(count, to_ms(START))
        self.tried = np.zeros(count, np.int64)
        self.longest = 0
        self.questions = 0
        self.counting_from = to_ms(START + timedelta(days=warm))
        changes = np.bincount(self.market.article, minlength=count)
        self.stake = self.market.orders_a_day * changes * self.counted
        self.stake /= self.stake.sum()
        self.ages_h: list[float] = []
        if way == ABSENT:
            self.rows["failures"][chosen] = 1
            return
        self.rows["public"] = 1
        if way == UNANSWERABLE:
            self.since -= 30 * DAY_MS
            self.rows["failures"][chosen] = 20
            self.rows["unanswerable"][chosen] = 1
            at = to_ms(START) - np.random.default_rng(seed + 19).integers(0, DAY_MS, chosen.size)
            for name in ("failed_at", "error_at"):
                self.rows[name][chosen] = at

    def _slice(self, tick: int, now: datetime) -> None:
        if self.way == ABSENT:  # just failed, at any time: never asked
            self.rows["failed_at"][self.silent] = to_ms(now)
        super()._slice(tick, now)

    def _demand(self, now_ms: int) -> None:
        luck, self.luck = self.luck, self.demand_luck
        super()._demand(now_ms)
        self.luck = luck

    def _false_alarms(self, who: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        """The n-th sweep of an ASIN cries wolf in both plays, or in none."""
        found: npt.NDArray[np.bool_] = self.alarms[who, self.sweeps[who] % ALARMS]
        self.sweeps[who] += 1
        return found

    def _answered(self, who: npt.NDArray[np.int64], now_ms: int) -> npt.NDArray[np.int64]:
        if now_ms >= self.counting_from and now_ms % MINUTE_MS == 0:
            looked_at = np.maximum(self.rows["stock_at"], self.rows["detail_at"])
            self.ages_h.append(float(self.stake @ (now_ms - looked_at)) / 3_600_000)
        mute = who[self.silent[who]]
        if mute.size:
            rows = self.rows
            before = self.tried[mute]
            if now_ms >= self.counting_from:
                self.questions += mute.size
                known = before[before > 0]
                self.longest = max(self.longest, int((now_ms - known).max(initial=0)))
            self.tried[mute] = now_ms
            rows["failures"][mute] = np.minimum(rows["failures"][mute] + 1, 100)
            rows["failed_at"][mute] = rows["error_at"][mute] = now_ms
            rows["unanswerable"][mute] = now_ms - self.since[mute] >= UNANSWERABLE_AFTER.total_seconds() * 1000
        return who[~self.silent[who]]


def cost(contender: Contender, seed: int, days: int, warm: int, way: str) -> Cost:
    """One play."""
    replay = SilentReplay(contender, seed, days, warm, way)
    score = replay.run(warm, days)
    never = bool((replay.silent & (replay.tried == 0)).any()) and way != ABSENT
    longest_h = float("inf") if never else replay.longest / 3_600_000
    share = replay.questions / max(1.0, replay.used["detail"])
    return Cost(score.wrong, share, longest_h, float(np.mean(replay.ages_h)))


SPENDS = {"due": "planner, due, floor", "budget": "planner, budget, all"}


def main(arguments: list[str] | None = None) -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--days", type=int, default=3)
    options.add_argument("--seeds", type=int, default=24)
    options.add_argument("--jobs", type=int, default=2)
    options.add_argument("--spend", choices=SPENDS, nargs="+", default=list(SPENDS))
    options.add_argument("--only", default="", help="ways of being silent whose name holds this")
    chosen = options.parse_args(arguments)
    seeds = range(1, chosen.seeds + 1)
    broken = []
    print("| spend | the 2,000 | wrong orders of the others | without them | ratio", end=" ")
    print("| exposed, ratio | of the details | tried every |")
    print("|---|---|---|---|---|---|---|---|", flush=True)
    with multiprocessing.get_context("spawn").Pool(chosen.jobs) as pool:
        for spend in chosen.spend:
            (contender,) = (one for one in CONTENDERS if one.name == SPENDS[spend])
            for way, warm in WAYS.items():
                if chosen.only not in way:
                    continue
                plays: list[Any] = [
                    (contender, seed, chosen.days, warm, one) for seed in seeds for one in (ABSENT, way)
                ]
                costs = pool.starmap(cost, plays, chunksize=1)
                row, remarks, faults = report(f"{spend} | {way}", costs[::2], costs[1::2])
                print(row, flush=True)
                print(*remarks, sep="\n", end="\n" if remarks else "", file=sys.stderr)
                broken += faults if way == UNANSWERABLE else []
    for fault in broken:
        print(f"not kept: {fault}", file=sys.stderr)
    return int(bool(broken))


def report(name: str, without: Sequence[Cost], with_them: Sequence[Cost]) -> tuple[str, list[str], list[str]]:
    """For one cost a seed: the row of the table, what is to be said to it, and what of the promises is not kept."""
    wrong, base = (float(np.mean([one.wrong for one in costs])) for costs in (with_them, without))
    ratio = Ratio.of([one.wrong for one in with_them], [one.wrong for one in without])
    exposed = Ratio.of([one.exposed for one in with_them], [one.exposed for one in without])
    share = float(np.mean([one.share for one in with_them]))
    longest_h = max(one.longest_h for one in with_them)
    remarks, faults, limit = [], [], 1 + MOST_WORSE
    decides = ratio
    if ratio.within(limit) is None:
        decides = exposed
        needed = ratio.seeds_to_tell(limit)
        remarks.append(f"{name}: {ratio.seeds} seeds can't tell orders of {ratio} from {limit}; some {needed} would")
    if decides.within(limit) is not True:
        faults.append(f"{name}: {decides} is not within {limit}")
    if share > MOST_OF_THE_DETAILS:
        faults.append(f"{name}: {share:.1%} of the details")
    if longest_h * 3_600_000 > DAY_MS + SLICE_MS:
        faults.append(f"{name}: one was not tried for {longest_h:.1f} h")
    cells = (f"{wrong:.2f}", f"{base:.2f}", f"{ratio}", f"{exposed}", f"{share:.1%}", f"{longest_h:.1f} h")
    return f"| {name} | {' | '.join(cells)} |", remarks, faults


if __name__ == "__main__":
    sys.exit(main())
