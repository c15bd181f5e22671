"""How far a price has moved by several steps."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecauto_pipeline.domain.model import Decision, Kind, PriceEdit, PriceMoves
from ecauto_pipeline.domain.selling.diffs import price_diff
from ecauto_pipeline.domain.selling.guards import FALLS_FROM, hold_account_fall
from ecauto_pipeline.domain.selling.moves import moves_of, too_far
from ecauto_pipeline.settings import Guards
from ecauto_pipeline_tests.domain.selling.listings_and_facts import (
    GUARDS,
    NOW,
    TERMS,
    TTL,
    a_diff,
    a_listing,
    price_of,
    some_facts,
    told,
)

ASKED: frozenset[str] = frozenset({"approved"})


def edit(before: int | None, after: int, *, asked: bool = False, hours: int = 1) -> PriceEdit:
    return PriceEdit(NOW - timedelta(hours=hours), before, after, asked)


def test_the_sum_of_the_steps_counts() -> None:
    """10,000 yen became 4,690 in one step, which may be; 2,580 now would be -45% in this step and -74% in all: held,
    and the evidence names the steps."""
    moves = moves_of([edit(10_000, 4690)])
    diff = price_of(a_listing(shown_price_jpy=4690, moves=moves), some_facts())
    assert (Decision.HELD, "moves", 2580) == told(diff)
    evidence = json.loads(diff.evidence)
    assert (10_000, 4690, 2580, "0.5", 24.0) == tuple(
        evidence[name] for name in ("from", "shown", "wanted", "max_move_ratio", "move_window_h")
    )
    assert ["2026-06-01T02:00:00+00:00 10000 -> 4690"] == evidence["steps"]
    assert Decision.PUSH is price_of(a_listing(shown_price_jpy=4690), some_facts()).decision


@pytest.mark.parametrize(
    ("edits", "counted"),
    [
        ([], None),
        ([edit(1000, 800), edit(800, 700)], 1000),
        ([edit(None, 800), edit(800, 700)], 800),
        ([edit(1000, 500, asked=True)], None),
        ([edit(1000, 500), edit(500, 200, asked=True), edit(200, 150)], 200),
    ],
)
def test_what_counts_begins_with_the_last_that_a_person_asked_for(edits: list[PriceEdit], counted: int | None) -> None:
    """The price before the first edit of the window, or that edit's own where nothing is known of before; what a person
    approved or took back is a new beginning."""
    found = moves_of(edits)
    assert counted == (found.from_jpy if found else None)


def test_a_way_back_is_no_move() -> None:
    """Down by 40% and up again to where it was: nothing has moved."""
    down = replace(a_listing(shown_price_jpy=1980), moves=PriceMoves(2580, (edit(2580, 1980),)))
    assert (Decision.PUSH, 2580) == (price_of(down, some_facts()).decision, price_of(down, some_facts()).wanted)


@pytest.mark.parametrize(
    ("shown", "guards", "decision"),
    [
        (2000, Guards(max_move_up_ratio=0.2), Decision.HELD),  # 2,580 is +29%
        (2000, Guards(max_move_down_ratio=0.2), Decision.PUSH),
        (3300, Guards(max_move_down_ratio=0.2), Decision.HELD),  # 2,580 is -22%
        (3300, Guards(max_move_up_ratio=0.2), Decision.PUSH),
        (1500, Guards(max_move_up_ratio=0.8), Decision.PUSH),  # +72%: more than max_move_ratio, which is not asked
    ],
)
def test_up_and_down_may_have_a_limit_each(shown: int, guards: Guards, decision: Decision) -> None:
    """Where one is set it stands in place of max_move_ratio, for that direction alone."""
    terms = replace(TERMS, guards=guards)
    listing = a_listing(shown_price_jpy=shown)
    assert decision is price_diff(listing, some_facts(), NOW, terms, TTL).decision


@given(st.lists(st.integers(500, 20_000), min_size=1, max_size=6))
def test_no_portions_make_a_large_move_small(wanted: list[int]) -> None:
    """However many steps: what the guards let through within a window never ends further from its beginning than one
    step may go."""
    shown, edits = wanted[0], list[PriceEdit]()
    for price in wanted[1:]:
        moves = moves_of(edits)
        if not too_far(shown, price, GUARDS) and not (moves and too_far(moves.from_jpy, price, GUARDS)):
            edits.append(edit(shown, price))
            shown = price
    assert abs(shown - wanted[0]) * 2 <= wanted[0]


@pytest.mark.parametrize(
    ("wanted", "falling", "listed", "held"),
    [
        (1700, 100, 100, True),  # -15% everywhere
        (1800, 100, 100, False),  # -10%, which may be
        (1700, 66, 100, False),  # -9.9% on average
        (1700, 67, 100, True),
        (1000, FALLS_FROM - 1, FALLS_FROM, False),  # so few are no account's fall
        (1000, FALLS_FROM, FALLS_FROM, True),
    ],
)
def test_an_account_whose_prices_fall_has_its_falls_held(wanted: int, falling: int, listed: int, held: bool) -> None:
    """More than max_account_fall on average over all its listings: every fall waits, a rise does not."""
    diffs = [a_diff(number, Kind.PRICE, 2000, wanted, reason="moved") for number in range(falling)]
    rise = a_diff(9000, Kind.PRICE, 2000, 2001, reason="moved")
    listings = [a_listing(key=a_diff(number, Kind.PRICE, 0, 0).key, shown_price_jpy=2000) for number in range(listed)]
    *judged, last = hold_account_fall([*diffs, rise], listings, GUARDS, ASKED)
    assert [("account_fall" if held else "moved")] * falling == [diff.reason for diff in judged]
    assert rise == last
    if held:
        evidence = json.loads(judged[0].evidence)
        assert (falling, listed, "moved") == (evidence["rows"], evidence["listings"], evidence["reason"])


def test_earlier_portions_count_and_what_a_person_asked_for_does_not() -> None:
    """Sixty fell by 15% an hour ago: the other forty wait. Approved ones are neither counted nor held."""
    keys = [a_diff(number, Kind.PRICE, 0, 0).key for number in range(100)]
    fell = PriceMoves(2000, (edit(2000, 1700),))
    listings = [
        a_listing(key=key, shown_price_jpy=1700 if place < 60 else 2000, moves=fell if place < 60 else None)
        for place, key in enumerate(keys)
    ]
    rest = [a_diff(number, Kind.PRICE, 2000, 1700, reason="moved") for number in range(60, 100)]
    assert {"account_fall"} == {diff.reason for diff in hold_account_fall(rest, listings, GUARDS, ASKED)}
    asked = [replace(diff, reason="approved") for diff in rest]
    assert asked == hold_account_fall(asked, listings, GUARDS, ASKED)
