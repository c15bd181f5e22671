"""What ASINs that Amazon never answers for cost all the others: calls, and wrong orders.

    python -m benchmarks.unanswerable [--days 3] [--seeds 2] [--jobs 2]

2,000 of 100,000 (played as benchmarks.freshness does: 400 of 20,000 with a fifth of an account) in both ways to spend,
beside the same market without them. Counted are the orders of the others alone. Two ways to be silent: for so long that
they are unanswerable, and from the first hour on, so that their waits have yet to grow.
Exit 1 where a promise is broken. Not for: the market or the shop (benchmarks/freshness).
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.freshness.policies import CONTENDERS, Contender
from benchmarks.freshness.replay import START, Replay
from benchmarks.freshness.world import market
from ecauto_pipeline.clock import to_ms
from ecauto_pipeline.domain.freshness.failing import DAY_MS, UNANSWERABLE_AFTER

ARTICLES, SCALE, SHARE = 20_000, 0.2, 0.02
MOST_OF_THE_DETAILS = 0.02
MOST_WORSE = 0.03
SLICE_MS = 660_000  # a wait that ends within a slice is over at the next
ABSENT, UNANSWERABLE = "absent", "unanswerable"
WAYS = {UNANSWERABLE: 2, "silent from the first hour on": 0}
"""Days before counting, by how the 2,000 are silent."""


@dataclass(frozen=True, slots=True)
class Cost:
    """`share` of the detail questions, `longest_h` between two tries of one ASIN, wrong orders of the others."""

    wrong: float
    share: float
    longest_h: float


class SilentReplay(Replay):
    """A market of which Amazon never answers for some. `way`: ABSENT or one of WAYS."""

    def __init__(self, contender: Contender, seed: int, days: int, warm: int, way: str) -> None:
        super().__init__(market(ARTICLES, warm + days, seed), contender, SCALE, seed)
        count = self.price.size
        chosen = np.random.default_rng(seed + 11).choice(count, round(SHARE * count), replace=False)
        self.silent = np.zeros(count, np.bool_)
        self.silent[chosen] = True
        self.counted[chosen] = 0.0
        self.way = way
        self.demand_luck = np.random.default_rng(seed + 13)  # the same customers, whoever is asked
        self.since = np.full(count, to_ms(START))
        self.tried = np.zeros(count, np.int64)
        self.longest = 0
        self.questions = 0
        self.counting_from = to_ms(START + timedelta(days=warm))
        if way == ABSENT:
            self.rows["failures"][chosen] = 1
            return
        self.rows["public"] = 1
        if way == UNANSWERABLE:
            self.since -= 30 * DAY_MS
            self.rows["failures"][chosen] = 20
            self.rows["unanswerable"][chosen] = 1
            at = to_ms(START) - self.luck.integers(0, DAY_MS, chosen.size)
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

    def _answered(self, who: npt.NDArray[np.int64], now_ms: int) -> npt.NDArray[np.int64]:
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
    return Cost(score.wrong, replay.questions / max(1.0, replay.used["detail"]), longest_h)


def main(arguments: list[str] | None = None) -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--days", type=int, default=3)
    options.add_argument("--seeds", type=int, default=2)
    options.add_argument("--jobs", type=int, default=2)
    chosen = options.parse_args(arguments)
    broken = []
    print("| spend | the 2,000 | wrong orders of the others | against none | of the details | tried every |")
    print("|---|---|---|---|---|---|")
    with multiprocessing.get_context("spawn").Pool(chosen.jobs) as pool:
        for contender in (one for one in CONTENDERS if one.name in ("planner, due, floor", "planner, budget, all")):
            for way, warm in WAYS.items():
                seeds = range(1, chosen.seeds + 1)
                plays: list[Any] = [
                    (contender, seed, chosen.days, warm, one) for one in (ABSENT, way) for seed in seeds
                ]
                found = pool.starmap(cost, plays)
                base = float(np.mean([one.wrong for one in found[: chosen.seeds]]))
                wrong, share = (
                    float(np.mean([getattr(one, name) for one in found[chosen.seeds :]])) for name in ("wrong", "share")
                )
                longest = max(one.longest_h for one in found[chosen.seeds :])
                cells = (f"{wrong:.2f}", f"{wrong / base:.3f}", f"{share:.1%}", f"{longest:.1f} h")
                row = f"| {contender.spend} | {way} | {' | '.join(cells)} |"
                print(row, flush=True)
                kept = share <= MOST_OF_THE_DETAILS and wrong <= base * (1 + MOST_WORSE)
                if way == UNANSWERABLE and not (kept and longest * 3_600_000 <= DAY_MS + SLICE_MS):
                    broken.append(row)
    for row in broken:
        print(f"not kept: {row}", file=sys.stderr)
    return int(bool(broken))


if __name__ == "__main__":
    sys.exit(main())
