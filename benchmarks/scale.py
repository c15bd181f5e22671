"""Dagster's queue over a day of 1,000 lanes, planned by the program's own planner: who waits, how long, what is used.

    python -m benchmarks.scale [--lanes 1000] [--hours 6] [--one-in 50] [--accounts 10] [--places 150]

Each lane has 100,000 listings on the mean, lognormal in size, all under `spend = "due"`. Every hour asks for a run of
every lane; after a run the decision behind `next_slice` asks for another. A run takes a worker's place, starts, plans
its slice (`choose_due` over the lane's own rows), asks as fast as its accounts allow, decides and pushes. What is
played of a lane is one ASIN in `--one-in`, with the budget divided alike. The table stands in docs/scale.md.
Not for: the freshness that a policy buys (benchmarks/freshness) or what PostgreSQL says to it (lane_load.py).

Assumed, nowhere measured: sizes (sigma 0.5), tiers (2% high, 30% medium, the rest low), 3% of the sweep's answers
differ, `PUSH_S` for deciding and pushing, `LAUNCH_S` of the one daemon for each run that leaves its queue.
"""

from __future__ import annotations

import argparse
import heapq
import sys
import time
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import numpy as np

from ecauto_pipeline.amazon.operations import competitive_pricing, item_offers_batch
from ecauto_pipeline.clock import jst, to_ms
from ecauto_pipeline.domain.freshness import slicing
from ecauto_pipeline.domain.freshness.ages import CHANGED, ROW, Policy, Rows, evaluate_freshness, slack_ms
from ecauto_pipeline.domain.freshness.planning import CallRates, Channel, Ints, Mask, choose_due
from ecauto_pipeline.domain.freshness.slots import audited
from ecauto_pipeline.settings import Offers, Slices, Tiers, Ttl

START = datetime(2026, 11, 1, 15, 0, tzinfo=UTC)  # midnight in Japan
POLICY = Policy.of(Ttl(), Tiers(), Offers())
SLICE_S = float(Slices().minutes * 60)
LISTINGS, SIGMA, HIGH, MEDIUM, CHANGES = 100_000, 0.5, 0.02, 0.30, 0.03
START_S, PUSH_S, LAUNCH_S = 20.0, 30.0, 0.05
LOOK_S = 30.0
"""`next_slice` looks so often under `due`."""

CASES = ((10, 50, 24), (10, 75, 24), (10, 100, 24), (10, 150, 24), (1, 400, 24), (1, 700, 24))
"""SP-API accounts a lane, places for runs, hours that are played."""

HEAD = (
    "| accounts a lane | places | hours played | runs a day | wait s (median/95%/most) | runs waiting (mean/most) "
    "| places in use | detail used | sweep used | stock too old |\n|---|---|---|---|---|---|---|---|---|---|"
)


@dataclass(slots=True)
class LaneDay:
    """One lane: its rows, what its accounts may ask, and whether it waits or works.

    `max_age_ms`, `due_from_ms`: of each stock, its age at most and the least at which it may be due, the same all day;
    `audited`: rows that may be picked today.
    """

    rows: Rows
    rates: CallRates
    max_age_ms: Ints
    due_from_ms: Ints
    audited: Mask
    asked_at: float = 0.0
    busy: bool = False

    def may_be_due(self, now_ms: int) -> Ints:
        """Numbers of the rows among which those that are due now are found: the others are left out of each plan, which
        they don't change, and which is most of its work."""
        rows = self.rows
        stock = now_ms - rows["stock_at"] >= self.due_from_ms
        priced_at = np.maximum(rows["price_at"], rows["detail_at"])
        price = now_ms - priced_at >= POLICY.price_ms - slack_ms(POLICY.price_ms)
        return np.flatnonzero(stock | price | (rows["wants"] != 0) | self.audited)


@dataclass(slots=True)
class Day:
    """What was seen. `waiting_s`, `working_s`: run-seconds in the queue and in a place; `old`: shares by lane."""

    waits: list[float] = field(default_factory=list)
    waiting_s: float = 0.0
    most_waiting: int = 0
    working_s: float = 0.0
    detail: int = 0
    sweep: int = 0
    old: int = 0
    looked_at: int = 0


def a_lane(luck: np.random.Generator, accounts: int, one_in: int) -> LaneDay:
    """A lane as it stands in the middle of its life: everything asked at some time within its tier's age."""
    size = max(20, round(LISTINGS / one_in * luck.lognormal(-(SIGMA**2) / 2, SIGMA)))
    rows, now = np.zeros(size, ROW), to_ms(START)
    rows["asin"] = [f"B{number:09d}" for number in range(size)]
    tier = luck.choice(3, size, p=(HIGH, MEDIUM, 1 - HIGH - MEDIUM))
    longest = np.array(POLICY.max_age_ms)[tier]
    rows["stock_at"] = rows["probe_at"] = now - (luck.random(size) * longest).astype(np.int64)
    rows["detail_at"] = rows["price_at"] = now - (luck.random(size) * POLICY.price_ms).astype(np.int64)
    rows["stock_at"] = np.maximum(rows["stock_at"], rows["detail_at"])
    rows["fetched"] = rows["probed"] = rows["public"] = 1
    rows["demand_at"] = rows["viewed_at"] = now
    rows["viewed_at"][tier != 1] = 0
    rows["sold_at"][tier == 0] = now
    rows["orders"][tier == 0] = 1.0
    detail, sweep = item_offers_batch.OPERATION, competitive_pricing.OPERATION
    share = accounts / one_in
    return LaneDay(
        rows,
        CallRates(
            Channel(detail.rate_per_s * detail.batch * share, 1, detail.batch * share),
            Channel(sweep.rate_per_s * sweep.batch * share, 1, sweep.batch * share),
        ),
        longest,
        longest - slack_ms(longest) - np.where(tier == 2, POLICY.low_early_ms, 0),
        audited(rows["asin"], jst(START).date()),
    )


def work(lane: LaneDay, began_s: float, luck: np.random.Generator, day: Day) -> float:
    """One run's plan and questions, `began_s` after START; returns when its fetch ends."""
    now = START + timedelta(seconds=began_s)
    now_ms, rows, rates = to_ms(now), lane.rows, lane.rates
    some = lane.may_be_due(now_ms)
    choice = choose_due(rows[some], evaluate_freshness(rows[some], now, POLICY), now_ms, SLICE_S, rates)
    swept = some[choice.sweep[: fitting(rates.sweep)]]
    differs = luck.random(swept.size) < CHANGES
    rows["wants"][swept[differs]] = CHANGED
    rows["stock_at"][swept[~differs]] = now_ms + spread(swept.size, rates.sweep)[~differs]
    rows["probe_at"][swept] = now_ms
    detailed = np.concatenate((swept[differs], some[choice.detail]))[: fitting(rates.detail)]
    answered = now_ms + spread(detailed.size, rates.detail)
    for stamp in ("stock_at", "detail_at", "price_at", "probe_at"):
        rows[stamp][detailed] = answered
    rows["wants"][detailed] = 0
    day.detail += detailed.size
    day.sweep += swept.size
    took = max(rates.detail.seconds_for(detailed.size), rates.sweep.seconds_for(swept.size))
    return began_s + min(SLICE_S, took)


def fitting(channel: Channel) -> int:
    """ASINs that a slice can really ask; the planner hands out a little more."""
    return int(channel.burst_asins + channel.asins_per_s * SLICE_S)


def spread(count: int, channel: Channel) -> Ints:
    """Milliseconds after the first question at which each is answered."""
    later_s = np.maximum(0.0, np.arange(1, count + 1) - channel.burst_asins) / channel.asins_per_s
    milliseconds: Ints = (later_s * 1000).astype(np.int64)
    return milliseconds


def play(lanes: list[LaneDay], places: int, hours: int, luck: np.random.Generator) -> Day:
    """The day, event by event: (when, kind, lane); kinds are the hour, a look of `next_slice`, the end of a run."""
    hour, look, end = range(3)
    day, queue, free, daemon_at, last = Day(), deque[int](), places, 0.0, 0.0
    events = [(number * 3600.0, hour, -1) for number in range(hours)]
    heapq.heapify(events)
    while events and events[0][0] < hours * 3600.0:
        now_s, kind, number = heapq.heappop(events)
        day.waiting_s += len(queue) * (now_s - last)
        day.working_s += (places - free) * (now_s - last)
        last = now_s
        if kind == hour:
            for place, lane in enumerate(lanes):
                count_old(lane, now_s, day)
                if not lane.busy:
                    ask(lane, place, now_s, queue)
        elif kind == end:
            free += 1
            lanes[number].busy = False
            heapq.heappush(events, ((now_s // LOOK_S + 1) * LOOK_S, look, number))
        elif not lanes[number].busy:
            if wants_more(lanes[number], now_s):
                ask(lanes[number], number, now_s, queue)
            elif (now_s + LOOK_S) // 3600 == now_s // 3600:  # the next hour asks by itself
                heapq.heappush(events, (now_s + LOOK_S, look, number))
        day.most_waiting = max(day.most_waiting, len(queue) - free)
        while queue and free:
            place = queue.popleft()
            free -= 1
            daemon_at = max(daemon_at, now_s) + LAUNCH_S  # one after the other
            day.waits.append(daemon_at - lanes[place].asked_at)
            fetched = work(lanes[place], daemon_at + START_S, luck, day)
            heapq.heappush(events, (fetched + PUSH_S, end, place))
    return day


def ask(lane: LaneDay, place: int, now_s: float, queue: deque[int]) -> None:
    """One run of a lane at a time waits or works."""
    lane.busy, lane.asked_at = True, now_s
    queue.append(place)


def wants_more(lane: LaneDay, now_s: float) -> bool:
    """The program's own decision, after a run has ended."""
    now = START + timedelta(seconds=now_s)
    decision = slicing.decide(
        now=now,
        hour_start=now.replace(minute=0, second=0, microsecond=0),
        last_fetch_ends_at=now,
        active=False,
        queued=0,
        due_left=lambda: due_now(lane, now),
        spend="due",
    )
    return decision.launch


def due_now(lane: LaneDay, now: datetime) -> int:
    """How many ASINs are."""
    some = lane.rows[lane.may_be_due(to_ms(now))]
    return int(np.count_nonzero(evaluate_freshness(some, now, POLICY).due))


def count_old(lane: LaneDay, now_s: float, day: Day) -> None:
    """Stocks older than one hour more than their tier allows: an hour passes between two runs that find them due."""
    checked_at = np.maximum(lane.rows["stock_at"], lane.rows["detail_at"])
    age = to_ms(START + timedelta(seconds=now_s)) - checked_at
    day.old += int(np.count_nonzero(age > lane.max_age_ms + 3_600_000))
    day.looked_at += age.size


def row(accounts: int, places: int, lanes: list[LaneDay], day: Day, hours: int) -> str:
    """One line of the table."""
    seconds = hours * 3600
    waits = np.array(day.waits)
    detail, sweep = (sum(pick.asins_per_s for pick in channels) for channels in zip(*_channels(lanes), strict=True))
    middle, late, most = np.median(waits), np.quantile(waits, 0.95), waits.max()
    return (
        f"| {accounts} | {places:,} | {hours} | {waits.size * 24 / hours:,.0f} "
        f"| {middle:,.0f} / {late:,.0f} / {most:,.0f} "
        f"| {day.waiting_s / seconds:,.0f} / {day.most_waiting:,} | {day.working_s / places / seconds:.0%} "
        f"| {day.detail / detail / seconds:.1%} | {day.sweep / sweep / seconds:.1%} | {day.old / day.looked_at:.1%} |"
    )


def _channels(lanes: list[LaneDay]) -> list[tuple[Channel, Channel]]:
    return [(lane.rates.detail, lane.rates.sweep) for lane in lanes]


def main() -> int:
    """Print the table."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--lanes", type=int, default=1000)
    options.add_argument("--hours", type=int, default=0, help="of each case, instead of its own")
    options.add_argument("--one-in", type=int, default=50)
    options.add_argument("--accounts", type=int, default=0, help="of a lane: that case alone")
    options.add_argument("--places", type=int, default=0, help="for runs: that case alone")
    chosen = options.parse_args()
    started = time.process_time()
    print(HEAD, flush=True)
    for accounts, places, hours in CASES:
        if chosen.accounts in (0, accounts) and chosen.places in (0, places):
            luck = np.random.default_rng(1)
            lanes = [a_lane(luck, accounts, chosen.one_in) for _ in range(chosen.lanes)]
            count = max(1, round(places * chosen.lanes / 1000))
            day = play(lanes, count, chosen.hours or hours, luck)
            print(row(accounts, count, lanes, day, chosen.hours or hours), flush=True)
    print(f"\n{time.process_time() - started:.0f} s of processor time")
    return 0


if __name__ == "__main__":
    sys.exit(main())
