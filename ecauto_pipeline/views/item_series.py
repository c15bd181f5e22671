"""One of our goods over time: what Amazon asked, what each listing showed and left, when it was hidden, every edit.

What nobody knew is no line: a price that was not confirmed for too long, a shown price that changed without us.
Not for: why (explain/) or drawing (desk/parts/item_chart.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Protocol

from ecauto_pipeline.clock import jst
from ecauto_pipeline.domain.model import AccountKey, ListingKey
from ecauto_pipeline.domain.selling.fees import profit_jpy
from ecauto_pipeline.explain import present
from ecauto_pipeline.explain.model import Decided, Sent
from ecauto_pipeline.explain.past import BEGINNING, decided, sent
from ecauto_pipeline.state.item_rules import RulesAsTheyStand, rules_of
from ecauto_pipeline.sync.context import Tools
from ecauto_pipeline.sync.selling_terms import TermsOfShops


@dataclass(frozen=True, slots=True)
class Step:
    """From `at` on; None = unknown, or not to be had."""

    at: datetime
    value: int | None


@dataclass(frozen=True, slots=True)
class Span:
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Edit:
    """One edit that was sent. `outcome` "" = nobody knows yet."""

    at: datetime
    kind: str
    before: int | None
    after: int | None
    outcome: str


@dataclass(frozen=True, slots=True)
class ListingSeries:
    """`profit`: what a sale would have left, by the fees and rules of today. `hidden`: known to be off show."""

    key: ListingKey
    price: tuple[Step, ...] = ()
    profit: tuple[Step, ...] = ()
    hidden: tuple[Span, ...] = ()
    edits: tuple[Edit, ...] = ()


@dataclass(frozen=True, slots=True)
class ItemSeries:
    """Between `start` and `end`; each line begins with a step at `start`, where anything is known of that time."""

    asin: str
    start: datetime
    end: datetime
    cost: tuple[Step, ...] = ()
    listings: tuple[ListingSeries, ...] = ()

    @property
    def empty(self) -> bool:
        return not self.cost and not any(one.price or one.hidden or one.edits for one in self.listings)


def since_known(series: ItemSeries) -> ItemSeries:
    """The same, beginning shortly before anything is known: goods of an hour ago are no point at the end of a week."""
    steps = [step for one in series.listings for line in (one.price, one.profit) for step in line]
    known = [step.at for step in (*series.cost, *steps) if step.value is not None]
    known += [span.start for one in series.listings for span in one.hidden]
    known += [edit.at for one in series.listings for edit in one.edits]
    first = min(known, default=series.start)
    margin = max((series.end - first) / 20, timedelta(minutes=1))
    return replace(series, start=max(series.start, first - margin))


class Past(Protocol):
    """What is asked of history (history.HistoryReader)."""

    def prices_of(self, asin: str, start: datetime, end: datetime) -> list[dict[str, object]]: ...

    def diffs_of(self, item_id_or_asin: str, start: datetime, end: datetime) -> list[dict[str, object]]: ...

    def updates_of(self, item_id_or_asin: str, start: datetime, end: datetime) -> list[dict[str, object]]: ...


def series_of(tools: Tools, past: Past, named: str, days: int) -> ItemSeries:
    """The last `days` days of an item id (with every other listing of its ASIN) or an ASIN."""
    now = tools.clock.now()
    start = now - timedelta(days=days)
    known = present.read(tools.state, named, now)
    asin = known.asin or named
    if known.asin and known.asin != named:
        known = present.read(tools.state, known.asin, now)
    settings = tools.settings
    max_age = max(settings.ttl.price, settings.tiers.low_every)
    answers = {
        (one["observed_at"], one["operation"]): (one["observed_at"], one["status"], one["price_jpy"])
        for one in past.prices_of(asin, start - max_age, now)
    } | {(one.observed_at, one.operation): (one.observed_at, one.status, one.price_jpy) for one in known.answers}
    cost = cost_steps(sorted(answers.values(), key=lambda one: one[0]), max_age, now)
    decisions = {one.diff_id: one for one in map(decided, past.diffs_of(asin, BEGINNING, now))}
    decisions |= {one.diff_id: one for one in known.decisions}
    updates = {one.update_id: one for one in map(sent, past.updates_of(asin, BEGINNING, now))}
    updates |= {one.update_id: one for one in known.updates}
    reads = {ListingKey(one.platform, one.account_id, one.item_id): one for one in known.listings}
    rows: list[Decided | Sent] = [*decisions.values(), *updates.values()]
    keys = sorted(reads.keys() | {_key(row) for row in rows})
    terms = TermsOfShops(settings)
    with tools.state.read() as connection:
        said = RulesAsTheyStand(connection, now)
        rules = {one.key: said.of(one.text) for one in rules_of(connection, asin)}
    found = []
    for key in keys:
        mine = [one for one in decisions.values() if _key(one) == key]
        went = [one for one in updates.values() if _key(one) == key and one.outcome != "dry_run"]
        read = reads.get(key)
        price = steps(_pins("price", mine, went, _seen(read, "price")), now)
        of_shop = terms.of(AccountKey(*key[:2]), rules.get(key))

        def left(shown: int, asked: int, of_shop: Any = of_shop) -> int:
            return profit_jpy(shown, asked, of_shop.fees, of_shop.extra_cost_jpy)

        profit = _changes(
            Step(at, None if shown is None or asked is None else left(shown, asked))
            for at, shown, asked in _together(price, cost)
        )
        visible = steps(_pins("visibility", mine, went, _seen(read, "visibility")), now)
        edits = sorted(_edits(went), key=lambda one: one.at)
        found.append(
            ListingSeries(
                key,
                within(price, start),
                within(profit, start),
                tuple(_hidden(within(visible, start), now)),
                tuple(one for one in edits if one.at >= start),
            )
        )
    return ItemSeries(asin, start, now, within(cost, start), tuple(found))


def cost_steps(answers: Iterable[tuple[Any, Any, Any]], max_age: timedelta, end: datetime) -> tuple[Step, ...]:
    """(moment, status, yen) of each answer, oldest first, as what was known: each is believed for `max_age`. An answer
    without a price that says "there are offers" confirms the price before; no usable answer says nothing."""
    found: list[Step] = []
    value, believed_until = None, None
    for at, status, price in answers:
        if status == "api_error":
            continue
        if value is not None and believed_until is not None and at > believed_until:
            found.append(Step(believed_until, None))
            value = None
        said = price if status == "success" and price is not None else value if status == "success" else None
        if said != value or not found:
            found.append(Step(at, said))
        value, believed_until = said, at + max_age
    if value is not None and believed_until is not None and believed_until < end:
        found.append(Step(believed_until, None))
    return tuple(found)


def steps(pins: Sequence[tuple[datetime, int]], end: datetime) -> tuple[Step, ...]:
    """(moment, value) of each time it was seen or set, as a line: between two that differ nobody knows."""
    found: list[Step] = []
    for number, (at, value) in enumerate(pins):
        before = pins[number - 1] if number else None
        if before is None or before[1] != value:
            if before is not None and before[0] < at:
                found.append(Step(before[0], None))
            found.append(Step(at, value))
    return tuple(one for one in found if one.at <= end)


def within(line: Sequence[Step], start: datetime) -> tuple[Step, ...]:
    """The part from `start` on, beginning with what held then."""
    before = [one for one in line if one.at <= start]
    first = [Step(start, before[-1].value)] if before else []
    return (*first, *(one for one in line if one.at > start))


def as_document(series: ItemSeries) -> dict[str, Any]:
    """As JSON values: times ISO 8601 in JST, money whole yen."""

    def plain(value: Any) -> Any:
        if isinstance(value, datetime):
            return jst(value).isoformat(timespec="seconds")
        if isinstance(value, ListingKey):
            return value._asdict()
        if isinstance(value, Mapping):
            return {name: plain(one) for name, one in value.items()}
        return [plain(one) for one in value] if isinstance(value, list | tuple) else value

    document: dict[str, Any] = plain(
        {
            **{name: getattr(series, name) for name in ("asin", "start", "end")},
            "cost": [asdict(one) for one in series.cost],
            "listings": [
                {"key": one.key} | {
                    name: [asdict(each) for each in getattr(one, name)]
                    for name in ("price", "profit", "hidden", "edits")
                }
                for one in series.listings
            ],
        }
    )  # fmt: skip
    return document


def _pins(
    kind: str, decisions: Iterable[Decided], updates: Iterable[Sent], read: tuple[datetime, int] | None
) -> list[tuple[datetime, int]]:
    """Every moment at which a value was seen or set, oldest first; of an edit both values, at its end."""
    pins = [(one.decided_at, 0, one.shown) for one in decisions if one.kind == kind and one.shown is not None]
    last: datetime | None = None
    for one in updates:
        if one.kind == kind and one.outcome == "done":
            at = one.completed_at or one.attempted_at
            last = at if last is None else max(last, at)
            pins += [(at, 1, one.before)] if one.before is not None else []
            pins += [(at, 2, one.after)] if one.after is not None else []
    if read is not None:  # what is kept of a reading is set right by the edits after it
        pins.append((read[0] if last is None else max(read[0], last), 3, read[1]))
    return [(at, value) for at, _, value in sorted(pins)]


def _seen(story: Any, kind: str) -> tuple[datetime, int] | None:
    figure = getattr(story, kind, None)
    return None if figure is None or figure.since is None or figure.value is None else (figure.since, figure.value)


def _together(one: Sequence[Step], other: Sequence[Step]) -> Iterator[tuple[datetime, int | None, int | None]]:
    """Two lines at every moment at which one of them changes."""
    moments = sorted({step.at for step in (*one, *other)})
    first, second = iter(one), iter(other)
    following = [next(first, None), next(second, None)]
    values: list[int | None] = [None, None]
    for at in moments:
        for place, line in enumerate((first, second)):
            step = following[place]
            while step is not None and step.at <= at:
                values[place] = step.value
                step = following[place] = next(line, None)
        yield at, values[0], values[1]


def _changes(line: Iterable[Step]) -> list[Step]:
    """Without the steps that change nothing."""
    found: list[Step] = []
    for one in line:
        if found and found[-1].at == one.at:
            found.pop()
        if not found or found[-1].value != one.value:
            found.append(one)
    return found


def _hidden(visible: Sequence[Step], end: datetime) -> Iterator[Span]:
    for number, one in enumerate(visible):
        until = visible[number + 1].at if number + 1 < len(visible) else end
        if one.value == 0 and one.at < until:
            yield Span(one.at, until)


def _edits(updates: Iterable[Sent]) -> Iterator[Edit]:
    for one in updates:
        yield Edit(one.completed_at or one.attempted_at, one.kind, one.before, one.after, one.outcome)


def _key(row: Decided | Sent) -> ListingKey:
    return ListingKey(row.platform, row.account_id, row.item_id)
