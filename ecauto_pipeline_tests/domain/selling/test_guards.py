"""What an account or a sweep may change at once, and the order of pushes."""

from __future__ import annotations

import json
import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecauto_pipeline.domain.model import Decision, Diff, Kind
from ecauto_pipeline.domain.selling.guards import hold_mass_delist, hold_mass_hides, mass_zero, push_order
from ecauto_pipeline.settings import Guards
from ecauto_pipeline_tests.domain.selling.listings_and_facts import a_diff, hides

GUARDS = Guards()
HELD, PUSH = Decision.HELD, Decision.PUSH


def held(diffs: list[Diff]) -> int:
    return sum(diff.decision is HELD for diff in diffs)


@pytest.mark.parametrize(
    ("rows", "shown_public", "expected"),
    [(49, 100, 0), (50, 100, 50), (50, 250, 0), (51, 250, 51), (50, 249, 50), (627, 10_772, 0), (0, 0, 0), (60, 0, 60)],
)
def test_too_many_hides_at_once_wait(rows: int, shown_public: int, expected: int) -> None:
    """More than 20% of the account and at least 50 rows: held. A small shop's few hides and 5.8% of a large one go."""
    assert expected == held(hold_mass_hides(hides(rows), shown_public, GUARDS))


def test_the_rest_goes_on() -> None:
    """Only the hides wait: price rises, un-hides and verdicts that are no pushes pass untouched and in place."""
    rest = [
        a_diff(900, Kind.PRICE, 1000, 2000, reason="moved"),
        a_diff(901, Kind.VISIBILITY, 0, 1, reason="in_stock"),
        a_diff(902, Kind.VISIBILITY, 1, 0, decision=Decision.SKIPPED, reason="stale_stock"),
        a_diff(903, Kind.STOCK, 0, 1, reason="restock"),
    ]
    guarded = hold_mass_hides([*rest[:2], *hides(60), *rest[2:]], 100, GUARDS)
    assert rest == [*guarded[:2], *guarded[-2:]]
    assert 60 == held(guarded)


def test_a_held_hide_says_why() -> None:
    """Evidence for the person who decides: how many of how many, how many before, and the reason each had."""
    diff = hold_mass_hides(hides(60, reason="not_found"), 100, GUARDS, 7)[0]
    assert "mass_hide" == diff.reason
    expected = {"rows": 60, "hidden_lately": 7, "shown_public": 100, "reason": "not_found"}
    assert expected == json.loads(diff.evidence)


@given(st.lists(st.integers(0, 60), max_size=12), st.integers(0, 600), st.integers(0, 100), st.floats(0, 1))
def test_a_mass_is_one_in_however_many_portions_it_comes(
    portions: list[int], shown: int, rows: int, share: float
) -> None:
    """Runs in a row let no more through than one run would, and all of what one run lets through."""
    guards = Guards(max_hide_rows=rows, max_hide_share=share)
    gone = 0
    for portion in portions:
        portion = min(portion, shown - gone)
        gone += portion - held(hold_mass_hides(hides(portion), shown - gone, guards, gone))
    whole = min(sum(portions), shown)
    assert 0 == held(hold_mass_hides(hides(gone), shown, guards))
    if held(hold_mass_hides(hides(whole), shown, guards)) == 0:
        assert whole == gone


def test_the_blocklist_is_not_an_accident() -> None:
    """Its hides are neither counted nor held: the owner asked for them."""
    assert 0 == held(hold_mass_hides(hides(100, reason="blocklist"), 100, GUARDS))
    mixed = hold_mass_hides([*hides(49), *hides(50, 100, "blocklist")], 100, GUARDS)
    assert 0 == held(mixed)
    mixed = hold_mass_hides([*hides(50), *hides(50, 100, "blocklist")], 100, GUARDS)
    assert {"mass_hide"} == {diff.reason for diff in mixed if diff.decision is HELD}
    assert 50 == held(mixed)


@pytest.mark.parametrize(
    ("rows", "listed", "expected"), [(20, 2000, 0), (21, 100_000, 21), (20, 1999, 20), (1, 99, 1), (0, 0, 0)]
)
def test_too_many_delistings_at_once_wait(rows: int, listed: int, expected: int) -> None:
    """More than 20 rows, or more than 1% of the account: none is applied."""
    gone = [a_diff(number, Kind.DELIST, 0, 1, reason="bad_item_id") for number in range(rows)]
    guarded = hold_mass_delist([*gone, *hides(3, 500)], listed, GUARDS)
    assert expected == held(guarded)
    assert [PUSH] * 3 == [diff.decision for diff in guarded[rows:]]


@pytest.mark.parametrize(
    ("previous", "zero", "expected"),
    [(1000, 200, False), (1000, 201, True), (20, 4, False), (20, 5, True), (19, 19, False), (0, 0, False)],
)
def test_a_sweep_of_zeros_is_not_believed(previous: int, zero: int, expected: bool) -> None:
    """More than 20% of what was in stock yesterday; of a handful of ASINs a share says nothing."""
    assert expected is mass_zero(previous, zero, GUARDS)


@given(
    st.integers(0, 80),
    st.integers(0, 80),
    st.integers(0, 400),
    st.integers(0, 100),
    st.floats(0, 1),
    st.randoms(use_true_random=False),
)
def test_guards_are_blind_to_order(
    out: int, listed: int, shown_public: int, rows: int, share: float, chance: random.Random
) -> None:
    """Whatever the order of the diffs, the same ones are held, and none is lost or added."""
    guards = Guards(max_hide_rows=rows, max_hide_share=share)
    diffs = [*hides(out), *hides(listed, 200, "blocklist"), a_diff(999, Kind.PRICE, 1, 2)]
    shuffled = list(diffs)
    chance.shuffle(shuffled)
    straight = hold_mass_hides(diffs, shown_public, guards)
    other = hold_mass_hides(shuffled, shown_public, guards)
    assert sorted(straight, key=push_order) == sorted(other, key=push_order)
    assert [diff.key for diff in shuffled] == [diff.key for diff in other]
    assert held(straight) in (0, out)
    assert straight == hold_mass_hides(straight, shown_public, guards)


def test_sales_stop_before_bargains_end() -> None:
    """Hides, price rises, price falls, restocks, un-hides; within each the listing's key."""
    wanted = [
        a_diff(2, Kind.VISIBILITY, 1, 0),
        a_diff(9, Kind.VISIBILITY, 1, 0),
        a_diff(1, Kind.PRICE, None, 2000),
        a_diff(8, Kind.PRICE, 1000, 2000),
        a_diff(3, Kind.PRICE, 2000, 1000),
        a_diff(4, Kind.STOCK, 0, 1),
        a_diff(0, Kind.VISIBILITY, 0, 1),
    ]
    assert wanted == sorted(reversed(wanted), key=push_order)
    assert 1 == len({push_order(diff) for diff in (wanted[0], replace(wanted[0], reason="other"))})
