"""The world is a function of seed and time: the same for all who ask, quiet from minute to minute, moving over days."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from statistics import median

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecauto_pipeline.emulator.offers import Offer
from ecauto_pipeline.emulator.store import Store
from ecauto_pipeline.emulator.world import Truth, World
from ecauto_pipeline_tests.examples import examples

AT_S = datetime(2026, 3, 2, 3, 20, tzinfo=UTC).timestamp()
_DAY_S = 86_400.0


@pytest.fixture
def world() -> World:
    return World(1, 2000, Store(None))


@settings(max_examples=examples(30), deadline=None)
@given(seed=st.integers(0, 2**32), index=st.integers(0, 99_999))
def test_names_go_both_ways(seed: int, index: int) -> None:
    """An ASIN leads back to its number, looks like one, and is unknown to a world too small for it."""
    asin = World(seed, 100_000, Store(None)).asin_at(index)
    assert 10 == len(asin)
    assert asin.startswith(("B0", "4"))
    assert index == World(seed, 100_000, Store(None)).index_of(asin)
    assert World(seed, index, Store(None)).index_of(asin) is None


def test_names_are_distinct_and_some_are_books(world: World) -> None:
    """No two ASINs are the same; about one in a hundred is an ISBN-10 with a right check digit."""
    asins = list(world.known_asins())
    assert 2000 == len(set(asins))
    books = [asin for asin in asins if asin.startswith("4")]
    assert 15 <= len(books) <= 25
    for book in books:
        digits = [10 if character == "X" else int(character) for character in book]
        assert 0 == sum(digit * weight for digit, weight in zip(digits, range(10, 0, -1), strict=True)) % 11


@settings(max_examples=examples(20), deadline=None)
@given(index=st.integers(0, 1999), later_s=st.floats(0, 400 * _DAY_S))
def test_truth_does_not_depend_on_who_asked_before(index: int, later_s: float) -> None:
    """Two worlds of one seed agree at any time, whatever else they were asked."""
    one, other = World(7, 2000, Store(None)), World(7, 2000, Store(None))
    other.truth(other.asin_at(1), AT_S)
    asin = one.asin_at(index)
    other.truth(asin, AT_S + 2 * later_s)
    assert one.truth(asin, AT_S + later_s) == other.truth(asin, AT_S + later_s)


def test_a_minute_changes_next_to_nothing_and_a_week_a_lot(world: World) -> None:
    """Two looks a minute apart agree but for a few in a thousand; in a week most prices have moved."""
    asins = [world.asin_at(index) for index in range(1000)]
    now = [world.truth(asin, AT_S) for asin in asins]
    soon = [world.truth(asin, AT_S + 60) for asin in asins]
    later = [world.truth(asin, AT_S + 7 * _DAY_S) for asin in asins]
    assert sum(before != after for before, after in zip(now, soon, strict=True)) <= 10
    assert sum(before != after for before, after in zip(now, later, strict=True)) >= 500


def test_shares_and_levels_are_those_promised(world: World) -> None:
    """About 2% out of stock, 3% without a plain offer, exactly 1% failing; half of the prices below 3,000 yen."""
    truths = [world.truth(world.asin_at(index), AT_S) for index in range(2000)]
    kinds = Counter(
        "failing" if truth.failure else "out" if not truth.offers else "unfit" if _no_plain_offer(truth) else "usual"
        for truth in truths
    )
    assert 20 == kinds["failing"]
    assert 60 == kinds["unfit"]
    assert 15 <= kinds["out"] <= 75
    prices = [world.price_jpy(truth.asin, AT_S) for truth in truths]
    assert 2600 <= median(prices) <= 3400
    assert min(prices) >= 50


def test_the_cheapest_offer_is_often_not_the_plain_one(world: World) -> None:
    """Fees, waits, pre-orders and missing times undercut the plain offer in a good part of the lists."""
    truths = [world.truth(world.asin_at(index), AT_S) for index in range(500)]
    lists = [truth.offers for truth in truths if truth.offers and not _no_plain_offer(truth)]
    undercut = [offers for offers in lists if not _plain(offers[0])]
    assert len(undercut) > len(lists) / 4
    everything = [offer for offers in lists for offer in offers]
    assert {"NOW", "FUTURE_WITH_DATE", "FUTURE_WITHOUT_DATE"} == {offer.availability for offer in everything}
    assert any(offer.max_hours is None for offer in everything)
    assert any(offer.max_hours is not None and offer.max_hours > 72 for offer in everything)
    assert any(offer.shipping_jpy for offer in everything)
    assert {"new", "used"} == {offer.condition for offer in everything}


def test_overrides_begin_when_they_are_said_to(world: World) -> None:
    """Before its time an override is not so; after it, it is; an empty one gives the ASIN back to the seed."""
    asin = world.asin_at(3)
    before = world.truth(asin, AT_S - 1)
    world.override(asin, {"price_jpy": 4321}, AT_S)
    world.override(asin, {}, AT_S + 100)
    assert before == world.truth(asin, AT_S - 1)
    assert 4321 in [offer.price_jpy for offer in world.truth(asin, AT_S + 1).offers]
    assert World(1, 2000, Store(None)).truth(asin, AT_S + 100) == world.truth(asin, AT_S + 100)


def test_overrides_make_and_unmake_asins(world: World) -> None:
    """An ASIN nobody seeded can be put on sale, and a seeded one be made unknown."""
    world.override("B0MADEHERE", {"price_jpy": 700}, AT_S)
    world.override(world.asin_at(0), {"unknown": True}, AT_S)
    assert world.truth("B0MADEHERE", AT_S).offers
    assert "B0MADEHERE" in list(world.known_asins())
    assert not world.truth(world.asin_at(0), AT_S).known
    with pytest.raises(ValueError, match="known are"):
        world.override("B0MADEHERE", {"prize": 1}, AT_S)


def _plain(offer: Offer) -> bool:
    fields = {name: getattr(offer, name) for name in ("condition", "availability", "max_hours", "shipping_jpy")}
    hours = fields["max_hours"]
    new_now = (fields["condition"], fields["availability"]) == ("new", "NOW")
    return new_now and not fields["shipping_jpy"] and hours is not None and hours <= 72


def _no_plain_offer(truth: Truth) -> bool:
    return not any(_plain(offer) for offer in truth.offers)
