"""Plays one policy through one market, twenty seconds at a time, and counts what went wrong.

A wrong order: the shop offers what Amazon no longer has, or at a price made from one that Amazon has raised by more
than 12% since. Orders are taken as expected values, so that luck in selling does not blur the comparison. Sweeps see
90% of the changes and cry wolf 3% of the time; a zero is believed when a single call agrees. The shop takes 69.4 pushes
a minute, hides first, then price rises. Runs cost what they cost under Dagster: nothing is asked for `RUN_GAP_S`
between two slices, and the first push comes `PUSH_AFTER_S` after the last answer. What is gone or dearer leaves while
the slice goes on, `EARLY_EVERY_S` apart.
Not for: the rules themselves (policies.py calls the program's).
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import numpy.typing as npt

from benchmarks.freshness.policies import Contender
from benchmarks.freshness.score import Score
from benchmarks.freshness.world import MINUTES_A_DAY, Market, market
from ecauto_pipeline.amazon.operations import competitive_pricing, item_offers, item_offers_batch
from ecauto_pipeline.clock import jst, to_ms
from ecauto_pipeline.domain.freshness import change_rates, slicing
from ecauto_pipeline.domain.freshness.ages import CHANGED, ROW, TIERS, Policy, Rows, evaluate_freshness, tier_codes
from ecauto_pipeline.domain.freshness.cadence import MEMORY_DAYS
from ecauto_pipeline.domain.freshness.planning import CallRates, Channel
from ecauto_pipeline.settings import Offers, Slices, Tiers, Ttl

START = datetime(2026, 11, 1, 15, 0, tzinfo=UTC)  # midnight in Japan
LOSS, MARKUP, FLOOR = 1.12, 1.3, 1.05
FALSE_ALARMS = 0.03
PUSHES_A_MINUTE, PUSH_BURST = 100_000 / MINUTES_A_DAY, 5_000.0
TICK_S = 20
TICKS_A_MINUTE = 60 // TICK_S
TICKS_A_DAY = MINUTES_A_DAY * TICKS_A_MINUTE
RUN_GAP_S = 2.0  # of 100 s: the hour by the sensor used 98.2% of the sweeps, 98.6% of the details
PUSH_AFTER_S = TICK_S  # deciding, and two more steps
EARLY_EVERY_S = TICK_S  # the program's 15 s, and some seconds for deciding
POLICY = Policy.of(Ttl(), Tiers(), Offers())


class Replay:
    """One policy in one market. `scale`: budget of Amazon and shop in units of one account and one shop."""

    def __init__(self, market: Market, contender: Contender, scale: float, seed: int) -> None:
        self.market, self.who, self.scale = market, contender, scale
        self.luck = np.random.default_rng(seed + 7_000)
        count = market.price.size
        self.in_stock, self.price = market.in_stock.copy(), market.price.copy()
        self.unseen = np.zeros(count, np.bool_)
        self.believed_in, self.believed_price = self.in_stock.copy(), self.price.copy()
        self.ready_in, self.ready_price = self.in_stock.copy(), self.price.copy()
        self.shown, self.shown_price = self.in_stock.copy(), self.price.copy()
        self.rows = self._first_rows(count)
        detail = item_offers.OPERATION if contender.single else item_offers_batch.OPERATION
        self.per_min = {
            "detail": detail.rate_per_s * detail.batch * 60 * scale,
            "sweep": competitive_pricing.OPERATION.rate_per_s * 20 * 60 * scale,
            "confirm": item_offers.OPERATION.rate_per_s * 60 * scale,
        }
        self.means = CallRates(
            Channel(self.per_min["detail"] / 60, detail.batch, 20 * scale),
            Channel(self.per_min["sweep"] / 60, 20, 20 * scale),
        )
        self.credit = dict.fromkeys(self.per_min, 0.0)
        self.used = dict.fromkeys(("detail", "sweep", "pushes"), 0.0)
        self.detail: list[int] = []
        self.found: list[int] = []
        self.sweep: list[int] = []
        self.confirm: list[int] = []
        self.slice_end = 0
        self.slices = 0
        self.decided: list[tuple[int, npt.NDArray[np.bool_], npt.NDArray[np.float64]]] = []
        self.fetching = False
        self.tokens = PUSH_BURST * scale
        self.all_pushed = False  # nothing is left to push of what is ready
        self.next_event = 0
        self.counted = np.ones(count, np.bool_)  # whose orders are counted

    def run(self, warm_days: int, days: int) -> Score:
        """Live through `warm_days`, then count for `days`."""
        score, first, last = Score(), warm_days * TICKS_A_DAY, (warm_days + days) * TICKS_A_DAY
        ages: dict[str, list[npt.NDArray[np.float64]]] = {str(tier): [] for tier in TIERS}
        for tick in range(last):
            now = START + timedelta(seconds=tick * TICK_S)
            self._world(tick / TICKS_A_MINUTE)
            self._slice(tick, now)
            self._ask(to_ms(now))
            if self.who.early and tick % (EARLY_EVERY_S // TICK_S) == 0:
                self._early()
            self._push(now)
            if tick % (10 * TICKS_A_MINUTE) == 0:
                self._demand(to_ms(now))
            if tick == first:
                self.used, self.slices = dict.fromkeys(self.used, 0.0), 0
            if tick >= first:
                self._count(score)
                if tick % (60 * TICKS_A_MINUTE) == 30 * TICKS_A_MINUTE:
                    self._ages(score, ages, to_ms(now))
        return self._total(score, ages, days)

    def _first_rows(self, count: int) -> Rows:
        rows = np.zeros(count, ROW)
        rows["asin"] = [f"B{n:09d}" for n in range(count)]
        at = to_ms(START) - self.luck.integers(0, 86_400_000, count)
        for name in ("price_at", "stock_at", "detail_at", "probe_at"):
            rows[name] = at
        rows["fetched"] = rows["probed"] = 1
        rows["demand_at"] = to_ms(START)
        rows["orders"] = self.luck.poisson(MEMORY_DAYS * self.market.orders_a_day)
        rows["views"] = self.luck.poisson(MEMORY_DAYS * self.market.views_a_day)
        for name, rate in (("sold_at", self.market.orders_a_day), ("viewed_at", self.market.views_a_day)):
            ago = self.luck.exponential(1.0, count) / rate
            rows[name] = np.where(ago < 90, to_ms(START) - (ago * 86_400_000).astype(np.int64), 0)
        return rows

    def _world(self, minute: float) -> None:
        market, first = self.market, self.next_event
        last = first + int(np.searchsorted(market.minute[first : first + 20_000], minute, side="right"))
        self.next_event = last
        who = market.article[first:last]
        stock, price = market.stock[first:last], market.new_price[first:last]
        moves = stock >= 0
        self.in_stock[who[moves]] = stock[moves] == 1
        self.price[who[~moves]] = price[~moves]
        self.unseen[who] = market.unseen[first:last]

    def _slice(self, tick: int, now: datetime) -> None:
        """Start the next slice when the sensor would, plan it with the policy; push what the one before found."""
        while self.decided and tick >= self.decided[0][0]:
            self.all_pushed = False
            _, self.ready_in, self.ready_price = self.decided.pop(0)
            if self.who.early:  # what has left since then is not taken back
                self._early()
        if self.fetching and (tick >= self.slice_end or not (self.detail or self.found or self.sweep)):
            self.fetching = False
            self.decided.append((tick + PUSH_AFTER_S // TICK_S, self.believed_in.copy(), self.believed_price.copy()))
        if self.fetching:
            return
        hour = now.replace(minute=0, second=0)
        due = 0 if self.who.spend == "budget" else int(np.count_nonzero(evaluate_freshness(self.rows, now, POLICY).due))
        decision = slicing.decide(
            now=now,
            hour_start=hour,
            last_fetch_ends_at=now,
            active=False,
            queued=0,
            due_left=lambda: due,
            spend=self.who.spend,
        )
        if now == hour or decision.launch or self.who.push_at_once:
            slice_s = self._slice_s()
            detail, sweep = self.who.pick(self.rows, now, slice_s, self.means, POLICY)
            self.detail, self.sweep = detail.tolist()[::-1], sweep.tolist()[::-1]
            self.found = []
            self.fetching, self.slice_end = True, tick + round(slice_s / TICK_S)
            self.slices += 1
            if not self.who.push_at_once:
                for kind, rate in self.per_min.items():
                    self.credit[kind] -= rate * RUN_GAP_S / 60

    def _slice_s(self) -> float:
        if self.who.slice_min:
            return self.who.slice_min * 60.0
        longest_s = Slices().minutes * 60
        return slicing.length_s(longest_s, self.who.spend, self.rows.size, self.means.sweep.asins_per_s)

    def _take(self, kind: str, *queues: list[int]) -> npt.NDArray[np.int64]:
        """As many as the rate allows by now, first queue first; a rate that is not used is lost."""
        self.credit[kind] += self.per_min[kind] / TICKS_A_MINUTE
        taken: list[int] = []
        for queue in queues:
            while queue and len(taken) < int(self.credit[kind]):
                taken.append(queue.pop())
        self.credit[kind] = min(self.credit[kind] - len(taken), 1.0 + self.per_min[kind] * 0.1)
        return np.array(taken, np.int64)

    def _ask(self, now_ms: int) -> None:
        rows = self.rows
        swept = self._take("sweep", self.sweep)
        if swept.size:
            self.used["sweep"] += swept.size
            changed = self._seen_by_sweep(swept)
            same = swept[~changed]
            rows["stock_at"][same] = now_ms
            rows["probe_at"][swept] = now_ms
            rows["wants"][swept[changed]] = CHANGED
            self.found[:0] = swept[changed].tolist()[::-1]
        detailed = self._take("detail", self.found, self.detail)
        self.used["detail"] += detailed.size
        detailed = self._answered(detailed, now_ms)
        if detailed.size:
            self._follow(detailed, now_ms)
            rows["detail_at"][detailed] = now_ms
            rows["wants"][detailed] = 0
            zero = ~self.in_stock[detailed] & self.believed_in[detailed] & (not self.who.single)
            self.confirm[:0] = detailed[zero].tolist()[::-1]
            self._believe(detailed[~zero], now_ms)
        agreed = self._take("confirm", self.confirm)
        if agreed.size:
            self._believe(agreed, now_ms)
        if self.who.push_at_once:
            np.copyto(self.ready_in, self.believed_in)
            np.copyto(self.ready_price, self.believed_price)

    def _early(self) -> None:
        """What is gone or dearer by what is believed may leave from now on."""
        gone, dearer = self.ready_in & ~self.believed_in, self.believed_price > self.ready_price
        self.ready_in[gone] = False
        self.ready_price[dearer] = self.believed_price[dearer]
        self.all_pushed = self.all_pushed and not (gone.any() or dearer.any())

    def _answered(self, who: npt.NDArray[np.int64], _now_ms: int) -> npt.NDArray[np.int64]:
        """Those of the asked whom Amazon answers: all of them."""
        return who

    def _seen_by_sweep(self, who: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        move = np.abs(self.price[who] - self.believed_price[who])
        differs = (self.in_stock[who] != self.believed_in[who]) | (
            self.in_stock[who] & ((move >= 100) | (move >= 0.03 * self.believed_price[who]))
        )
        seen: npt.NDArray[np.bool_] = (differs & ~self.unseen[who]) | self._false_alarms(who)
        return seen

    def _false_alarms(self, who: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        return self.luck.random(who.size) < FALSE_ALARMS

    def _follow(self, who: npt.NDArray[np.int64], now_ms: int) -> None:
        """The counts of changes come up to now."""
        changes, days = self.rows["changes"], self.rows["watched_days"]
        passed = (now_ms - self.rows["detail_at"][who]) / 86_400_000
        changes[who], days[who] = change_rates.followed(changes[who], days[who], passed)

    def _believe(self, who: npt.NDArray[np.int64], now_ms: int) -> None:
        moved = np.abs(self.price[who] - self.believed_price[who]) >= change_rates.LARGE_MOVE * self.believed_price[who]
        flipped = self.in_stock[who] != self.believed_in[who]
        self.rows["changes"][who] += flipped | (moved & self.in_stock[who])
        self.believed_in[who] = self.in_stock[who]
        there = who[self.in_stock[who]]
        self.believed_price[there] = self.price[there]
        self.unseen[who] = False
        self.rows["out"][who] = ~self.in_stock[who]
        self.rows["stock_at"][who] = self.rows["probe_at"][who] = self.rows["detail_at"][who] = now_ms
        self.rows["price_at"][there] = now_ms

    def _push(self, now: datetime) -> None:
        self.tokens = min(PUSH_BURST * self.scale, self.tokens + PUSHES_A_MINUTE * self.scale / TICKS_A_MINUTE)
        nightly = self.who.prices == "floor" and jst(now).hour == 2
        if self.all_pushed and not (nightly or self.who.push_at_once):
            return
        hide = self.shown & ~self.ready_in
        move = self.ready_price - self.shown_price
        worth = MARKUP * np.abs(move) >= np.minimum(100, 0.03 * MARKUP * self.shown_price)
        if self.who.prices == "floor" and not nightly:
            worth &= self.ready_price * FLOOR > self.shown_price * MARKUP
        price = worth & self.ready_in
        show = ~self.shown & self.ready_in
        self.all_pushed = not (hide.any() or price.any() or show.any())
        if self.all_pushed:
            return
        rises = price & (move > 0)
        for mask in (hide, rises, price & ~rises, show):
            who = np.flatnonzero(mask)[: max(0, int(self.tokens))]
            self.tokens -= who.size
            self.used["pushes"] += who.size
            if mask is hide:
                self.shown[who] = False
            elif mask is show:
                self.shown[who] = True
            else:
                self.shown_price[who] = self.ready_price[who]

    def _demand(self, now_ms: int) -> None:
        """Ten minutes of orders and views."""
        rows, share = self.rows, 10 / MINUTES_A_DAY
        fade = np.exp(-share / MEMORY_DAYS)
        for count, last, rate in (
            ("orders", "sold_at", self.market.orders_a_day),
            ("views", "viewed_at", self.market.views_a_day),
        ):
            total = self.luck.poisson(rate.sum() * share)
            who = self.luck.choice(rate.size, total, p=rate / rate.sum())
            rows[count] *= fade
            np.add.at(rows[count], who, 1.0)
            rows[last][who] = now_ms
        rows["demand_at"] = now_ms

    def _count(self, score: Score) -> None:
        on_sale, rate = self.shown & self.counted, self.market.orders_a_day
        gone = np.flatnonzero(on_sale & ~self.in_stock)
        below = np.flatnonzero(on_sale & self.in_stock & (self.price > LOSS * self.shown_price))
        score.gone += float(rate[gone].sum())
        score.below += float(rate[below].sum())

    def _ages(self, score: Score, ages: dict[str, list[npt.NDArray[np.float64]]], now_ms: int) -> None:
        age_h = (now_ms - np.maximum(self.rows["stock_at"], self.rows["detail_at"])) / 3_600_000
        tier = tier_codes(self.rows, now_ms, POLICY)
        for code, name in enumerate(ages):
            ages[name].append(age_h[tier == code])
        score.oldest_h = max(score.oldest_h, float(age_h.max()))

    def _total(self, score: Score, ages: dict[str, list[npt.NDArray[np.float64]]], days: int) -> Score:
        sku_days = self.price.size * days
        score.gone *= 100_000 / sku_days / TICKS_A_DAY
        score.below *= 100_000 / sku_days / TICKS_A_DAY
        score.runs = self.slices / days
        for name, parts in ages.items():
            all_ages = np.concatenate(parts)
            score.mean_age_h[name] = float(all_ages.mean()) if all_ages.size else 0.0
            score.p95_age_h[name] = float(np.quantile(all_ages, 0.95)) if all_ages.size else 0.0
        batch = 1 if self.who.single else 20
        score.detail_calls = self.used["detail"] / batch / days / self.scale
        score.sweep_calls = self.used["sweep"] / 20 / days / self.scale
        score.pushes = self.used["pushes"] / days / self.scale
        minutes = days * MINUTES_A_DAY
        score.detail_used = self.used["detail"] / (self.per_min["detail"] * minutes)
        score.sweep_used = self.used["sweep"] / (self.per_min["sweep"] * minutes)
        return score


def play(contender: Contender, articles: int, scale: float, seed: int, warm: int, days: int) -> Score:
    """One policy in one market."""
    return Replay(market(articles, warm + days, seed), contender, scale, seed).run(warm, days)
