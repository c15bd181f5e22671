"""The last days played through one set of settings: what Amazon said at the end of each day, judged as a run would.

Kept simple where nobody can know: each listing begins at the price that the settings want, what is held counts as
approved, and as many orders come as came, whatever the price. What a person hid stays hidden and takes no part.
Not for: comparing two of them, or day 0 (what_if.py).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any

from ecauto_pipeline.clock import JST, jst
from ecauto_pipeline.domain.model import AccountKey, AsinFacts, Decision, ListingFacts, ListingKey, Status
from ecauto_pipeline.domain.selling.fees import profit_jpy
from ecauto_pipeline.domain.selling.visibility import SHOWN_AGAIN
from ecauto_pipeline.history.summaries import HistorySummaries
from ecauto_pipeline.state.known_asins import KnownAsin
from ecauto_pipeline.sync.context import Context
from ecauto_pipeline.sync.diffs.evaluate import Rules
from ecauto_pipeline.sync.selling_terms import TermsOfShops

Row = Mapping[str, Any]
_EPOCH = datetime(1970, 1, 1, tzinfo=JST)
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Past:
    """What the settings would have done in `days` days; counts are of listings' changes.

    `moves`: answers that changed what was known of an ASIN. `worst_day`: the most edits of one shop in a day.
    `orders`: order rows of that time, `priced` of them with a price and a cost to reckon with; `profit_jpy` of those
    after fees, `at_a_loss`: how many left less than nothing; `off_sale`: the listing would not have been on show.
    """

    days: int
    moves: int = 0
    up: int = 0
    down: int = 0
    hides: int = 0
    shows: int = 0
    held: int = 0
    blocked: int = 0
    worst_day: Mapping[AccountKey, int] = field(default_factory=dict)
    orders: int = 0
    priced: int = 0
    off_sale: int = 0
    at_a_loss: int = 0
    profit_jpy: int = 0

    @property
    def edits(self) -> int:
        return self.up + self.down + self.hides + self.shows


@dataclass(frozen=True, slots=True)
class Answers:
    """What history holds of the `days` Japanese days before today: what was known at their beginning, what changed on
    which day, and what was ordered."""

    today: int
    days: int
    before: Sequence[Row]
    moves: Sequence[Row]
    orders: Sequence[Row]


def answers_of(history: HistorySummaries, operations: Sequence[str], now: datetime, days: int) -> Answers:
    """Ask history once for both ways to play it. `operations`: those that bring prices and "out of stock"."""
    today = _day_of(now)
    if not days:
        return Answers(today, 0, (), (), ())
    start, end = _end_of(today - days - 1), _end_of(today - 1)
    before = history.latest_prices_as_of(start)
    moves = history.moves_by_day(start, end, operations)
    return Answers(today, days, before, moves, history.orders_between(start, end))


@dataclass(slots=True)
class _Shown:
    """One listing while it is played, nothing of the present in its way. `told`: (day, price, on show, cost)."""

    listing: ListingFacts
    price_jpy: int | None = None
    visible: bool = True
    told: list[tuple[int, int | None, bool, int | None]] = field(default_factory=list)


def play(
    context: Context,
    listings: Iterable[ListingFacts],
    known: Mapping[str, KnownAsin],
    answers: Answers,
    progress: Callable[[int], None] = lambda _day: None,
) -> Past:
    """Play these answers with the settings of `context`. `progress`: so many days are done."""
    by_asin: dict[str, list[_Shown]] = defaultdict(list)
    for listing in listings:
        if listing.shown_visible or listing.hidden_by in SHOWN_AGAIN:
            at_ease = replace(listing, shown_stock=1, failed_price_jpy=None, failed_price="", price_by_hand=False)
            by_asin[listing.asin].append(_Shown(at_ease))
    played, first = _Play(context, known), answers.today - answers.days
    for row in answers.before:
        if row["status"] != Status.SUCCESS or row["price_jpy"] is not None:
            played.begin(by_asin.get(str(row["asin"]), ()), row, _end_of(first - 1))
    by_day = groupby(answers.moves, key=lambda row: row["day"])
    for day, moves in by_day:
        for row in moves:
            played.answer(by_asin.get(str(row["asin"]), ()), row, int(str(day)))
        progress(int(str(day)) - first + 1)
    return played.past(answers, {one.listing.key: one for each in by_asin.values() for one in each})


class _Play:
    """The rules of one set of settings, and what they did."""

    def __init__(self, context: Context, known: Mapping[str, KnownAsin]) -> None:
        self._rules, self._terms = Rules(context.settings), TermsOfShops(context.settings)
        self._confirm_after = context.settings.offers.confirm_after
        self._known = known
        self._counts: Counter[str] = Counter()
        self._edits: Counter[tuple[AccountKey, int]] = Counter()

    def begin(self, shown: Iterable[_Shown], row: Mapping[str, Any], at: datetime) -> None:
        """What was known before the first day: shown as these settings want it, nothing counts."""
        for one in shown:
            self._judge(one, self._facts(row, at), at)
            self._note(one, row, _day_of(at))

    def answer(self, shown: Iterable[_Shown], row: Mapping[str, Any], day: int) -> None:
        """What was known at the end of a day is another thing than the day before."""
        at = _end_of(day)
        for one in shown:
            first = one.price_jpy is None and not one.told
            changes = self._judge(one, self._facts(row, at), at)
            if not first:
                self._counts.update(changes)
                edits = sum(changes[name] for name in ("up", "down", "hides", "shows"))
                self._edits[one.listing.key.account, day] += edits
            self._note(one, row, day)

    def past(self, answers: Answers, shown: Mapping[ListingKey, _Shown]) -> Past:
        """Everything that was counted, with the orders of the time at these prices."""
        worst: dict[AccountKey, int] = {}
        for (account, _), count in self._edits.items():
            worst[account] = max(worst.get(account, 0), count)
        sales: Counter[str] = Counter()
        for row in answers.orders:
            sales.update(self._sale(row, shown))
        counts = {name: self._counts[name] for name in ("up", "down", "hides", "shows", "held", "blocked")}
        return Past(answers.days, len(answers.moves), **counts, worst_day=worst, **sales)

    def _sale(self, row: Mapping[str, Any], shown: Mapping[ListingKey, _Shown]) -> dict[str, int]:
        amount = row["amount"] or 1
        one = shown.get(ListingKey(row["platform"], row["account_id"], row["item_id"]))
        told = [step for step in one.told if step[0] < _day_of(row["sold_at"])] if one is not None else []
        _, price, visible, cost = told[-1] if told else (0, None, True, None)
        if one is None or price is None or cost is None:
            return {"orders": amount}
        if not visible:
            return {"orders": amount, "off_sale": amount}
        terms = self._terms.of(one.listing.key.account, one.listing.rule)
        left = profit_jpy(price, cost, terms.fees, terms.extra_cost_jpy)
        return {"orders": amount, "priced": amount, "profit_jpy": amount * left, "at_a_loss": amount * (left < 0)}

    def _judge(self, one: _Shown, facts: AsinFacts, at: datetime) -> Counter[str]:
        """Let the rules decide about a listing, and let it be done; what was done, and what was set aside."""
        done: Counter[str] = Counter()
        listing = replace(
            one.listing,
            shown_price_jpy=one.price_jpy if one.price_jpy is not None else facts.price_jpy or 0,
            shown_visible=one.visible,
            hidden_by="" if one.visible else "ours",
        )
        price = self._rules.price(listing, facts, at)
        if price.decision in (Decision.PUSH, Decision.HELD) and price.wanted is not None:
            done["up" if price.wanted > (price.shown or 0) else "down"] += 1
            done["held"] += price.decision is Decision.HELD
            one.price_jpy = price.wanted
        done["blocked"] += price.decision is Decision.BLOCKED
        was = self._known.get(one.listing.asin)
        known = KnownAsin(facts, was.last_sold_at, was.last_viewed_at) if was else KnownAsin(facts, None, None)
        seen, _ = self._rules.visibility_and_stock(listing, known, at, "all")
        if seen.decision in (Decision.PUSH, Decision.HELD) and seen.wanted is not None:
            done["shows" if seen.wanted else "hides"] += 1
            done["held"] += seen.decision is Decision.HELD
            one.visible = seen.wanted == 1
        return done

    def _facts(self, row: Mapping[str, Any], at: datetime) -> AsinFacts:
        status = Status(row["status"])
        filtered = status is Status.FILTERED_OUT
        return AsinFacts(
            asin=str(row["asin"]),
            status=status,
            price_jpy=row["price_jpy"],
            in_stock=status is Status.SUCCESS or None,
            price_at=at if status is Status.SUCCESS else None,
            stock_at=at,
            filtered_since=at - 2 * self._confirm_after if filtered else None,
            filtered_count=2 if filtered else 0,
            snapshot_id="history",
        )

    def _note(self, one: _Shown, row: Mapping[str, Any], day: int) -> None:
        cost = row["price_jpy"]
        one.told.append((day, one.price_jpy, one.visible, cost if cost is not None else _last_cost(one)))


def _last_cost(one: _Shown) -> int | None:
    return one.told[-1][3] if one.told else None


def _day_of(moment: datetime) -> int:
    """Japanese days since 1970."""
    return (jst(moment).date() - _EPOCH.date()).days


def _end_of(day: int) -> datetime:
    return (_EPOCH + (day + 1) * _DAY).astimezone(UTC)
