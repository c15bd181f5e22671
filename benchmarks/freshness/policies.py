"""Who is asked in the next slice: the planner itself, and three policies to compare it with.

The planner's code is the program's (domain/freshness). The others are kind to what they
stand for: where their periods ask for more than the budget they stretch alike, and they push at once.
Not for: the market (world.py) or counting (replay.py).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import numpy as np
import numpy.typing as npt

from ecauto_pipeline.clock import to_ms
from ecauto_pipeline.domain.freshness.ages import Policy, Rows, evaluate_freshness, tier_codes
from ecauto_pipeline.domain.freshness.planning import CallRates, choose_budget, choose_due

Ints = npt.NDArray[np.int64]
Pick = Callable[[Rows, datetime, float, CallRates, Policy], tuple[Ints, Ints]]


@dataclass(frozen=True, slots=True)
class Contender:
    """`pick` gives (detail, sweep) in order; `single`: details one ASIN a call; `slice_min` minutes between
    picks, 0 = as the program does by default;
    `push_at_once`: else at the end of the slice, but with `early` what is gone or dearer; `prices`: which price
    differences are pushed hourly."""

    name: str
    pick: Pick
    single: bool = False
    slice_min: float = 0.0
    push_at_once: bool = False
    prices: Literal["all", "floor"] = "all"
    spend: Literal["due", "budget"] = "due"
    early: bool = False


def _planner_due(rows: Rows, now: datetime, slice_s: float, means: CallRates, policy: Policy) -> tuple[Ints, Ints]:
    choice = choose_due(rows, evaluate_freshness(rows, now, policy), to_ms(now), slice_s, means)
    return choice.detail, choice.sweep


def _planner_budget(rows: Rows, now: datetime, slice_s: float, means: CallRates, policy: Policy) -> tuple[Ints, Ints]:
    choice = choose_budget(rows, evaluate_freshness(rows, now, policy), to_ms(now), slice_s, means, policy)
    return choice.detail, choice.sweep


def _oldest_first(rows: Rows, _now: datetime, slice_s: float, means: CallRates, _policy: Policy) -> tuple[Ints, Ints]:
    """Everything, one after the other."""
    room = means.detail.slice_size(slice_s)
    return np.argsort(rows["detail_at"], kind="stable")[:room], np.zeros(0, np.int64)


def _tiers(rows: Rows, now: datetime, slice_s: float, means: CallRates, policy: Policy) -> tuple[Ints, Ints]:
    """Fixed periods by tier, whoever is latest in proportion first; nothing before its time."""
    age = to_ms(now) - rows["detail_at"]
    late = age / np.array(policy.max_age_ms)[tier_codes(rows, to_ms(now), policy)]
    due = np.flatnonzero(late >= 1)
    return due[np.argsort(-late[due], kind="stable")][: means.detail.slice_size(slice_s)], np.zeros(0, np.int64)


CONTENDERS = (
    Contender("P0 round robin, single calls", _oldest_first, single=True, push_at_once=True),
    Contender("P1 tiers 1/6/24 h, single calls", _tiers, single=True, push_at_once=True),
    Contender("P2 tiers 1/6/24 h, batch calls", _tiers, push_at_once=True),
    Contender("planner, due, floor", _planner_due, prices="floor", early=True),
    Contender("planner, due, all", _planner_due, early=True),
    Contender("planner, budget, floor", _planner_budget, prices="floor", spend="budget", early=True),
    Contender("planner, budget, all", _planner_budget, spend="budget", early=True),
    Contender("planner, budget, all, slices of 2 min", _planner_budget, spend="budget", slice_min=2, early=True),
    Contender("planner, budget, all, pushed when a slice ends", _planner_budget, spend="budget"),
)
