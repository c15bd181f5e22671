"""Product Pricing v0 is wrong for days while another family of Amazon's is right: nothing wrong reaches a shop."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ecauto_pipeline.clock import ManualClock
from ecauto_pipeline.domain.offers.second_opinion import DISAGREE
from ecauto_pipeline.emulator.server import EmulatorServer
from ecauto_pipeline.state import asins
from ecauto_pipeline.sync.people.holds import Hold, list_holds
from ecauto_pipeline_tests.scenarios.picking import Listed, asked_about, cost_of, edits_of, item_of, seen, sound
from ecauto_pipeline_tests.scenarios.shop_day import RunResult, ShopDay
from ecauto_pipeline_tests.standing_clock import StandingClock

_START = datetime(2026, 6, 8, 1, 0, tzinfo=UTC)
_HOUR = 3600.0
_OPINION = "getCompetitiveSummary"


@dataclass
class Week:
    """A shop on which v0 serves the day before yesterday for two of its ASINs, for a week."""

    day: ShopDay
    risen: Listed
    restocked: Listed
    first_seen: int = 0
    held: list[Hold] = field(default_factory=list)
    last: RunResult = field(init=False)
    wrong_edits: list[dict[str, str]] = field(default_factory=list)

    @property
    def both(self) -> tuple[Listed, Listed]:
        return self.risen, self.restocked

    def hold(self, listed: Listed) -> Hold:
        """The one row of it that waits for a person."""
        (found,) = [hold for hold in self.held if hold.asin == listed.asin]
        return found


@pytest.fixture(scope="module")
def week(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Week]:
    clock = ManualClock(_START)
    with EmulatorServer(clock=clock, seed=9, listings=40, accounts=2, speed=100.0) as emulator:
        day = ShopDay(tmp_path_factory.mktemp("week"), emulator, clock, loads_when_asked=True)
        restocked, *others = sound(day, 8)
        play = Week(day, max(others, key=lambda one: one.price_jpy), restocked)
        _past(play)
        day.run()
        play.first_seen = seen(day)
        stale = {"kind": "stale", "family": "pricing/v0", "as_of": (_START - timedelta(hours=36)).isoformat()}
        (fault,) = day.control.add_faults({**stale, "asins": [one.asin for one in play.both]})
        for hours in (25, 0.5, 1, 96):
            clock.advance(hours * _HOUR)
            day.run()
        with day.tools() as tools:
            play.held = list_holds(tools)
        play.wrong_edits = [edit for one in play.both for edit in edits_of(day, one, play.first_seen)]
        day.control.remove_faults(fault)
        clock.advance(25 * _HOUR)
        play.last = day.run()
        yield play


def _past(play: Week) -> None:
    """Two days ago one cost a tenth and the other was sold out; since yesterday both are as the shop shows them."""
    for one in play.both:
        cost = cost_of(one.price_jpy)
        old = [] if one is play.restocked else [{"seller_id": "A1SELLER", "price_jpy": cost // 10, "max_hours": 24}]
        new = [{"seller_id": "A1SELLER", "price_jpy": cost, "max_hours": 24}]
        play.day.control.set_truth(one.asin, offers=old, since=_START - timedelta(days=2))
        play.day.control.set_truth(one.asin, offers=new, since=_START - timedelta(days=1))


def test_nothing_wrong_reaches_the_shop(week: Week) -> None:
    """A tenth of the price and a zero, served for five days: not one edit of either listing, both still on sale."""
    assert [] == week.wrong_edits
    for one in week.both:
        item = item_of(week.day, one)
        assert (one.price_jpy, True) == (item["price_jpy"], item["visible"])


def test_the_second_look_of_the_same_family_is_not_asked(week: Week) -> None:
    """Another family is, each time; getItemOffers would have repeated what v0 says."""
    for one in week.both:
        asked = asked_about(week.day, one.asin, week.first_seen)
        assert "getItemOffers" not in asked
        assert 4 == asked.count(_OPINION)


def test_a_person_is_shown_both_answers(week: Week) -> None:
    """After three contradictions the row is held: what is believed, what is doubted, what the other source says."""
    price, zero = week.hold(week.risen), week.hold(week.restocked)
    assert [("price", DISAGREE), ("visibility", DISAGREE)] == [(price.kind, price.reason), (zero.kind, zero.reason)]
    cost = cost_of(week.risen.price_jpy)
    believed, doubted, second = (price.evidence[name] for name in ("believed", "doubted", "second"))
    assert isinstance(believed, dict)
    assert isinstance(doubted, dict)
    assert isinstance(second, dict)
    assert (cost, cost // 10) == (believed["cost_jpy"], doubted["cost_jpy"])
    assert ([cost], _OPINION) == ([one["listing_price_jpy"] for one in second["offers"]], second["operation"])
    assert 0 == zero.wanted


def test_it_settles_by_itself_when_v0_catches_up(week: Week) -> None:
    """The first detail that says what is believed ends it: no hold is left, no doubt, nothing was sent."""
    with week.day.tools() as tools:
        left = [hold for hold in list_holds(tools) if hold.reason == DISAGREE]
        with tools.state.read() as connection:
            rows = asins.read(connection, [one.asin for one in week.both])
    assert [] == left
    assert {("", 0, 0)} == {(row.doubt, row.contradictions, row.failures) for row in rows.values()}
    assert [] == [edit for one in week.both for edit in edits_of(week.day, one, week.first_seen)]


def test_mass_false_zeros_hide_nothing_within_the_rate(tmp_path: Path) -> None:
    """v0 calls a seventh of a shop sold out, too few for the guard of masses: the other family says no, in the calls
    that its rate allows, and not one listing is hidden."""
    clock = StandingClock(_START)
    with EmulatorServer(clock=clock, seed=9, listings=150, accounts=2, speed=1.0) as emulator:
        day = ShopDay(tmp_path, emulator, clock, loads_when_asked=True)
        chosen = sound(day, 12)
        day.run(slice_s=3600.0)
        clock.advance(25 * _HOUR)
        before = seen(day)
        day.control.add_faults({"kind": "false_zeros", "family": "pricing/v0", "asins": [one.asin for one in chosen]})
        run = day.run()
        asked = day.control.calls(since=before, operation=_OPINION)
        buckets = {bucket["operation"]: bucket for bucket in day.control.stats()["buckets"]}
        edits = [edit for one in chosen for edit in edits_of(day, one, before)]
    assert (12, []) == (run.reports["sp_api_snapshots"].opinions["contradicts"], edits)
    assert 1 <= len(asked) <= buckets[_OPINION]["allowance"]
    assert 0 == buckets[_OPINION]["refused"]
