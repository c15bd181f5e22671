"""Prints the table of docs/performance.md, section "Freshness".

    python -m benchmarks.freshness [--cases 10k 100k] [--seeds 2] [--days 3] [--warm 7] [--jobs 2] [--only budget]

A market of N articles with a given budget equals, in distribution, a smaller one with the budget scaled alike; so 100k
is played with 20,000 articles and a fifth of an account. Exit 1 when a promise is not kept.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import time
from collections.abc import Callable

import numpy as np

from benchmarks.freshness.policies import CONTENDERS
from benchmarks.freshness.replay import play
from benchmarks.freshness.score import Score

CASES = {
    "10k": (5_000, 0.5),
    "100k": (20_000, 0.2),
    "100k-full": (100_000, 1.0),
    "300k": (20_000, 1 / 15),
    "100k-x3": (20_000, 0.6),
}
HEAD = (
    "| policy | wrong | gone | below cost | high h (mean/p95) | medium h | low h | oldest h | detail calls/d "
    "| sweep calls/d | pushes/d |\n|---|---|---|---|---|---|---|---|---|---|---|"
)


def line(name: str, scores: list[Score]) -> str:
    """One policy, the mean over its seeds."""

    def mean(pick: Callable[[Score], float]) -> float:
        return float(np.mean([pick(score) for score in scores]))

    ages = [
        f"{np.mean([score.mean_age_h[tier] for score in scores]):.1f}"
        f"/{np.mean([score.p95_age_h[tier] for score in scores]):.1f}"
        for tier in ("high", "medium", "low")
    ]
    wrong = mean(lambda s: s.wrong)
    return (
        f"| {name} | {wrong:.2f} | {mean(lambda s: s.gone):.2f} | {mean(lambda s: s.below):.2f} | "
        f"{' | '.join(ages)} | {max(s.oldest_h for s in scores):.1f} | {mean(lambda s: s.detail_calls):,.0f} | "
        f"{mean(lambda s: s.sweep_calls):,.0f} | {mean(lambda s: s.pushes):,.0f} |"
    )


OURS = "planner, budget, all"


def promises(case: str, wrong: dict[str, float], scores: dict[str, list[Score]]) -> list[str]:
    """What was promised of `budget` with all prices and short slices, and is not so."""
    ours = wrong.get(OURS)
    if ours is None or len(wrong) < len(CONTENDERS):
        return []
    single, batch = wrong["P1 tiers 1/6/24 h, single calls"], wrong["P2 tiers 1/6/24 h, batch calls"]
    best = scores[OURS]
    kept = {
        "100k": {
            "a tenth of tiers with single calls": ours <= single / 10,
            "a third of batch tiers": ours <= batch / 3,
            "no check older than 24 h": max(score.oldest_h for score in best) <= 24,
            "high tier half an hour old on average": max(score.mean_age_h["high"] for score in best) <= 0.5,
            "at most 1.5 wrong orders": ours <= 1.5,
        },
        "10k": {
            "a twentieth of tiers with single calls": ours <= single / 20,
            "at most 0.12 wrong orders": ours <= 0.12,
        },
    }
    return [f"{case}: not {what}" for what, so in kept.get(case.removesuffix("-full"), {}).items() if not so]


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--cases", nargs="+", choices=CASES, default=["10k", "100k"])
    options.add_argument("--seeds", type=int, default=2)
    options.add_argument("--days", type=int, default=3)
    options.add_argument("--warm", type=int, default=7)
    options.add_argument("--jobs", type=int, default=2)
    options.add_argument("--only", default="", help="policies whose name holds this")
    chosen = options.parse_args()
    seeds = range(1, chosen.seeds + 1)
    broken: list[str] = []
    pool = multiprocessing.get_context("spawn").Pool(chosen.jobs)
    started = time.perf_counter()
    for case in chosen.cases:
        articles, scale = CASES[case]
        print(f"\n{case}: {articles:,} articles, {scale:.3g} accounts, seeds 1..{chosen.seeds}\n\n{HEAD}")
        all_scores: dict[str, list[Score]] = {}
        for contender in CONTENDERS:
            if chosen.only not in contender.name:
                continue
            plays = [(contender, articles, scale, seed, chosen.warm, chosen.days) for seed in seeds]
            scores = all_scores[contender.name] = pool.starmap(play, plays)
            print(line(contender.name, scores), flush=True)
        wrong = {name: float(np.mean([s.wrong for s in scores])) for name, scores in all_scores.items()}
        broken += promises(case, wrong, all_scores)
    pool.close()
    print(f"\n{time.perf_counter() - started:.0f} s")
    for promise in broken:
        print(promise)
    return int(bool(broken))


if __name__ == "__main__":
    sys.exit(main())
