"""`explain --as-of` for 200 random moments of random listings, held against what the emulator's world did and was sent.

The story comes from history alone. What it must say is worked out anew from the emulator: its list of calls (who was
asked what when, which edits it took) and its world (what was so then, lies included).
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ecauto_pipeline.explain.model import Explanation, ListingStory
from ecauto_pipeline.explain.story import explain
from ecauto_pipeline.history.questions import HistoryReader
from ecauto_pipeline_tests.scenarios.expectation import Key, cost_jpy
from ecauto_pipeline_tests.scenarios.picking import selling
from proofs.week import HOURS, START, Week, played

SAMPLE = 200
DETAILS = ("getItemOffersBatch", "getItemOffers")
FIELDS = {"price": "price", "visible": "visibility", "stock": "stock"}


@dataclass(frozen=True, slots=True)
class Told:
    """One listing at one moment, and the story that was told of it."""

    key: Key
    asin: str
    at: datetime
    story: Explanation

    @property
    def listing(self) -> ListingStory | None:
        return next((one for one in self.story.listings if (one.account_id, one.item_id) == self.key), None)


@pytest.fixture(scope="module")
def week(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Week]:
    """Of few calls, so that the moments of a story are told apart to seconds: several workers move one clock."""
    with played(Path(tmp_path_factory.mktemp("explained")), spend="due", speed=20.0) as one:
        yield one


@pytest.fixture(scope="module")
def stories(week: Week) -> list[Told]:
    """Half of the moments anywhere, half right after an edit or a row held: most hours change nothing about most."""
    chance = random.Random(11)
    shown = week.day.shown()
    ours = sorted(key for key in week.asin_of if key in shown and key[0] in week.day.accounts[:-1])
    moments = [(key, START + timedelta(seconds=chance.randrange(HOURS * 3600))) for key in chance.sample(ours, 100)]
    held = _held_rows(week)
    for row in chance.sample(held, min(len(held), 30)):
        moments.append(((row["account_id"], row["item_id"]), row["decided_at"] + timedelta(seconds=5)))
    for at, key, _ in chance.sample(week.edits, SAMPLE - len(moments)):
        moments.append((key, at + timedelta(seconds=chance.randrange(5, 1800))))
    moments += [(key, START + timedelta(seconds=chance.randrange(HOURS * 3600))) for key in chance.sample(ours, 40)]
    with week.day.tools() as tools:
        reader = HistoryReader(tools.history)
        told: list[Told] = []
        for key, at in moments:
            if len(told) == SAMPLE:
                break
            asked_by = week.asin_of[key] if chance.random() < 0.5 else key[1]
            story = explain(reader, week.day.settings, asked_by, week.clock.now(), as_of=at, state=tools.state)
            one = Told(key, week.asin_of[key], at, story)
            if _known(week, one):
                told.append(one)
    print(f"\n{len(told)} listing-moments over {HOURS} hours")
    assert len(told) == SAMPLE
    return told


def _held_rows(week: Week) -> list[dict[str, Any]]:
    rows = week.day.history("select * from diffs where decision = 'held' order by decided_at, diff_id")
    print("\nheld:", dict(Counter((row["kind"], row["reason"]) for row in rows)))
    return rows


def _known(week: Week, one: Told) -> bool:
    """Nothing is known of a listing before Amazon was first asked about it: then nothing is claimed."""
    if one.story.found:
        return True
    assert not [at for at in week.asked[one.asin] if at <= one.at]
    assert not [at for at, key, _ in week.edits if key == one.key and at <= one.at]
    return False


def _good_calls(week: Week) -> dict[str, list[dict[str, Any]]]:
    by_asin: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for call in week.day.control.calls(api="sp_api"):
        if call["http_status"] == 200 and "asins" in call["details"]:
            for asin in call["details"]["asins"]:
                by_asin[asin].append(call)
    return by_asin


def test_what_amazon_said_when_and_through_which_operation(week: Week, stories: list[Told]) -> None:
    """The answers of the story are the calls that the emulator answered about the ASIN up to then: all, no other.

    An answer within a batch has a number of its own, so the calls are told apart by operation and time.
    """
    calls = _good_calls(week)
    compared = 0
    for one in stories:
        asked = [call for call in calls[one.asin] if datetime.fromisoformat(call["at"]) <= one.at]
        asked = sorted(asked, key=lambda call: (call["operation"], call["at"]))
        said = sorted(one.story.answers, key=lambda row: (row.operation, row.observed_at))
        assert [row.operation for row in said] == [call["operation"] for call in asked], one
        for row, call in zip(said, asked, strict=True):
            assert abs(row.observed_at - datetime.fromisoformat(call["at"])) <= timedelta(seconds=5)
            assert row.request_id
        compared += len(asked)
    print(f"\n{len(stories)} stories, {compared} answers compared")
    assert compared > 1000


def test_what_it_rested_on_is_what_the_world_was(week: Week, stories: list[Told]) -> None:
    """The answer behind price and stock: the last one that said something, with the status, cost and offer of then."""
    judged: Counter[str] = Counter()
    for one in stories:
        truths = week.last_told(one.asin, one.at)
        if not truths:
            assert one.story.basis is None, one
            continue
        basis, truth = one.story.basis, truths[0]
        assert basis is not None, one
        cost = cost_jpy(truth)
        if cost is not None:
            assert ("success", cost) == (basis.status, basis.price_jpy), (one, truth)
            chosen = next(line for line in one.story.offers or () if line.verdict == "chosen")
            assert cost == chosen.price_jpy
            assert chosen.seller_id in {offer["seller_id"] for offer in truth["offers"]}
        else:
            gone = not truth["known"] or not truth["offers"]
            assert ("out_of_stock" if gone else "filtered_out") == basis.status, (one, truth)
            assert basis.price_jpy is None
        judged[basis.status] += 1
    print(f"\nresting on: {dict(judged)}")
    assert {"success", "out_of_stock", "filtered_out"} == set(judged)


def test_the_price_is_worked_out_by_the_owners_words(stories: list[Told]) -> None:
    """1.3 times, truncated, half up to ten yen; each step of the way is there."""
    worked = 0
    for one in stories:
        basis = one.story.basis
        if one.listing is None or basis is None or basis.status != "success":
            continue
        assert basis.price_jpy is not None
        assert selling(basis.price_jpy) == one.listing.wanted_price_jpy
        shown = " ".join(value for _, value in one.listing.price_steps)
        assert str(basis.price_jpy) in shown.replace(",", "")
        worked += 1
    print(f"\n{worked} prices worked out")
    assert worked > 80


def test_what_was_sent_is_what_the_shop_took(week: Week, stories: list[Told]) -> None:
    """The done updates of the story are the edits that the emulator took for the item up to then, in its order."""
    taken: dict[Key, list[tuple[datetime, str, int]]] = defaultdict(list)
    for at, key, fields in week.edits:
        for name, kind in FIELDS.items():
            if name in fields:
                taken[key].append((at, kind, int(fields[name])))
    compared = 0
    for one in stories:
        expected = [(kind, value) for at, kind, value in taken[one.key] if at <= one.at]
        mine = [row for row in one.story.updates if (row.account_id, row.item_id) == one.key]
        done = [(row.kind, row.after) for row in reversed(mine) if row.outcome in ("done", "")]
        assert sorted(done) == sorted(expected), one
        compared += len(expected)
    print(f"\n{compared} edits compared")
    assert compared > SAMPLE // 2


def test_what_was_shown_is_what_the_shop_showed(week: Week, stories: list[Told]) -> None:
    """Price: as it was sent last, or found; visibility: as the shop showed it when it was last known."""
    first_price = _first_prices(week)
    prices: dict[Key, list[tuple[datetime, int]]] = defaultdict(list)
    seen: dict[Key, list[tuple[datetime, int]]] = defaultdict(list)
    for at, key, fields in week.edits:
        if "price" in fields:
            prices[key].append((at, int(fields["price"])))
        if "visible" in fields:
            seen[key].append((at, int(fields["visible"])))
    compared: Counter[str] = Counter()
    for one in stories:
        if one.listing is None:
            continue
        if one.listing.price.value is not None:
            sent = [value for at, value in prices[one.key] if at <= one.at]
            assert (sent or [first_price[one.key]])[-1] == one.listing.price.value, one
            compared["price"] += 1
        figure = one.listing.visibility
        by_people = week.hidden_by_people.get(one.key)
        if figure.origin == "update" and not (by_people and figure.since and by_people > figure.since):
            assert [value for at, value in seen[one.key] if at <= one.at][-1] == figure.value, one
            compared["visibility"] += 1
    print(f"\nshown: {dict(compared)}")
    assert compared["price"] > 80
    assert compared["visibility"] > 40


def _first_prices(week: Week) -> dict[Key, int]:
    """What each item cost before the first edit: what it costs now unless a price was sent, else what was replaced."""
    now = {key: int(item["price_jpy"]) for key, item in week.day.shown().items()}
    query = "select account_id, item_id, before from updates where kind = 'price' order by attempted_at desc"
    for row in week.day.history(query):
        now[row["account_id"], row["item_id"]] = int(row["before"])
    return now


def test_what_was_not_sent_says_why(week: Week, stories: list[Told]) -> None:
    """Held, blocked and skipped decisions carry a reason, a held price the jump that the world made, in one step or in
    all of a day; every update has the decision that it came from.
    """
    why: Counter[str] = Counter()
    first_price = _first_prices(week)
    for one in stories:
        decided = {row.diff_id: row for row in one.story.decisions}
        for row in one.story.decisions:
            if row.decision != "push":
                assert row.reason, row
                why[row.decision] += 1
            if (row.decision, row.kind) == ("held", "price"):
                cost = row.cost_jpy
                assert cost in _believed(week, one.asin, row.decided_at), row
                assert row.wanted == selling(cost or 0), row
                assert row.shown is not None
                key, a_day_ago = (row.account_id, row.item_id), row.decided_at - timedelta(days=1)
                sent = [int(f["price"]) for at, k, f in week.edits if k == key and "price" in f and at < a_day_ago]
                begins = row.shown if row.reason == "move" else (sent or [first_price[key]])[-1]
                assert abs(selling(cost or 0) - begins) * 2 > begins, row
        for update in one.story.updates:
            assert decided[update.diff_id].wanted == update.after
    print(f"\nnot sent: {dict(why)}")
    assert why["held"] > 0


def _believed(week: Week, asin: str, at: datetime) -> list[int | None]:
    """The cost that Amazon told last; where that is a jump by more than half also the one before, which holds until a
    second opinion settles the doubt.
    """
    costs = [cost_jpy(truth) for truth in week.last_told(asin, at)]
    last, before = costs[0], next((cost for cost in costs if cost != costs[0]), None)
    doubted = last is not None and before is not None and abs(last - before) * 2 > before
    return [last, before] if doubted else [last]
