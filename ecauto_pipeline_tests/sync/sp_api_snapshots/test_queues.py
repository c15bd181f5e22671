"""Who asks what next."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from ecauto_pipeline.domain.model import Answer, Role, Status
from ecauto_pipeline.domain.offers.learning import AsinRow
from ecauto_pipeline.settings import Guards
from ecauto_pipeline.sync.sp_api_snapshots.mass_zeros import Zeros
from ecauto_pipeline.sync.sp_api_snapshots.queues import Batch, Work

SWEEP, DETAIL = "getCompetitivePricing", "getItemOffersBatch"


def test_a_detail_call_waits_to_be_full_while_a_sweep_may_find_more() -> None:
    """Twenty changed ASINs are one call, not twenty; the end of the sweep or of the slice sends what there is."""
    work = Work(sweep=["s"], detail=[], second_looks=[])
    work.begin(Role.SWEEP)
    work.found(["a", "b"])
    assert [] == work.take_detail(20, in_haste=False)
    assert ["a"] == work.take_detail(1, in_haste=False)
    assert ["b"] == work.take_detail(20, in_haste=True)
    work.found(["c"])
    work.end(Role.SWEEP)
    assert ["c"] == work.take_detail(20, in_haste=False)
    assert work.take_detail(20, in_haste=False) is None


def test_zeros_that_were_too_many_are_asked_after_the_doubts_and_never_alone() -> None:
    """They share a call of the second opinion; what finds no slot there any more waits, a doubt is looked at alone."""
    work = Work(sweep=[], detail=[], second_looks=[])
    work.ask_opinion_of_mass(["nobody to ask"])
    work.begin(Role.OPINION)
    work.ask_opinion_of_mass(["m1", "m2"])
    work.ask_opinion(["d"])
    taken = work.take_opinion(3, lambda: False, 0.0, 0.0)
    assert ["d", "m1", "m2"] == taken
    work.put_back(Role.OPINION, taken)
    work.ask_opinion_of_mass(["m1"])
    work.end(Role.OPINION)
    assert ["d"] == work.take_confirm(may_judge=True)
    assert work.take_confirm(may_judge=True) is None


def test_unchanged_answers_ride_along_or_take_a_call_that_nobody_needs() -> None:
    """A doubt never waits for them: alone they go only when a call can be made now, and full ones first."""
    work = Work(sweep=[], detail=[], second_looks=[])
    work.begin(Role.OPINION)
    work.begin(Role.DETAIL)
    work.check(["u1", "u2", "u1"])
    assert [] == work.take_opinion(3, lambda: True, 0.0, 0.0)
    work.ask_opinion(["d"])
    taken = work.take_opinion(3, lambda: True, 0.0, 0.0)
    assert ["d", "u1", "u2"] == taken
    work.put_back(Role.OPINION, taken)
    assert ["d"] == work.take_opinion(3, lambda: True, 0.0, 0.0)
    work.check(["u3"])
    work.end(Role.DETAIL)
    assert work.take_opinion(3, lambda: False, 0.0, 0.0) is None
    assert ["u3"] == work.take_opinion(3, lambda: True, 0.0, 0.0)


def test_a_doubt_waits_a_while_for_others_to_share_its_call_and_no_longer_than_that() -> None:
    """At Amazon's rate the next call comes half a minute later: doubts of the next details go along. A full call, the
    end of all details and the end of patience each let it go."""
    work = Work((), (), ())
    for role in (Role.OPINION, Role.DETAIL):
        work.begin(role)

    def take(now_s: float) -> Batch | None:
        return work.take_opinion(3, lambda: True, now_s, 15.0)

    work.ask_opinion(["a"])
    assert [] == take(100.0)
    work.ask_opinion(["b"])
    assert [] == take(114.9)
    assert ["a", "b"] == take(115.0)
    work.ask_opinion(["c"])
    assert [] == take(120.0)
    work.check(["u", "v"])
    assert ["c", "u", "v"] == take(120.0)
    work.ask_opinion(["d"])
    assert [] == take(121.0)
    work.end(Role.DETAIL)
    assert ["d"] == take(121.0)


def test_what_a_sweep_found_comes_before_what_was_planned() -> None:
    """A change seen now is news; the plan's order follows."""
    work = Work(sweep=[], detail=["p1", "p2"], second_looks=[])
    work.found(["n"])
    assert ["n", "p1"] == work.take_detail(2, in_haste=False)


def test_what_is_planned_or_found_already_is_not_found_again() -> None:
    """An ASIN stands in line once."""
    work = Work(sweep=[], detail=["p", "p"], second_looks=[])
    work.found(["p", "n", "n"])
    work.found(["n"])
    assert ["n", "p"] == work.take_detail(20, in_haste=False)


def test_second_looks_wait_until_enough_was_asked_to_tell_an_accident_from_a_catastrophe() -> None:
    """Unless nobody asks any more."""
    work = Work(sweep=[], detail=["p"], second_looks=["old1", "old2"])
    work.begin(Role.DETAIL)
    work.look_again(["new"])
    assert [] == work.take_confirm(may_judge=False)
    assert ["new"] == work.take_confirm(may_judge=True)
    assert ["old2"] == work.take_confirm(may_judge=True)
    work.end(Role.DETAIL)
    assert ["old1"] == work.take_confirm(may_judge=False)
    assert work.take_confirm(may_judge=False) is None


def test_what_others_hold_is_looked_at_again_at_the_end() -> None:
    """Own work first; then whatever another run may have left."""
    work = Work(sweep=["a", "b"], detail=[], second_looks=[])
    assert ["a"] == work.take_sweep(1)
    work.held_by_others(Role.SWEEP, ["a"])
    assert [["b"], ["a"], None] == [work.take_sweep(1) for _ in range(3)]


def test_what_one_worker_hands_back_another_of_its_role_asks() -> None:
    """Nobody leaves while another of the role may still put back what it has no slot for; the last one does leave."""
    work = Work((), ["a"], ())
    with work.turn(Role.DETAIL):
        assert ["a"] == work.take_detail(20, in_haste=True)
        with work.turn(Role.DETAIL):
            assert [] == work.take_detail(20, in_haste=True)
        work.put_back(Role.DETAIL, ["a"])
    with work.turn(Role.DETAIL):
        assert ["a"] == work.take_detail(20, in_haste=True)
        assert work.take_detail(20, in_haste=True) is None


@given(st.lists(st.integers(0, 30)), st.lists(st.integers(0, 30)), st.integers(1, 7))
def test_everything_wanted_is_given_exactly_once(sweep: list[int], detail: list[int], most: int) -> None:
    """No ASIN is lost and none is given twice, whatever the plan."""
    work = Work((f"B{n}" for n in sweep), (f"B{n}" for n in detail), ())
    assert len({*sweep, *detail}) == work.planned == work.left
    given_out: list[str] = []
    while batch := work.take_sweep(most):
        given_out += batch
    while batch := work.take_detail(most, in_haste=False):
        given_out += batch
    assert sorted(given_out) == sorted({f"B{n}" for n in (*sweep, *detail)})
    assert 0 == work.left


_KNOWN = AsinRow("B1", Status.SUCCESS, price_jpy=1000)


def _batch(first: int, zeros: int, goods: int) -> list[tuple[str, Answer, AsinRow]]:
    statuses = [Status.OUT_OF_STOCK] * zeros + [Status.SUCCESS] * goods
    return [(f"s{first + n}", Answer(f"B{first + n}", SWEEP, status), _KNOWN) for n, status in enumerate(statuses)]


def test_a_mass_of_zeros_takes_the_credit_of_those_already_kept() -> None:
    """More than a fifth, at fifty or more: the earlier zeros are named, the present ones are errors."""
    zeros = Zeros(Guards())
    kept, lost = zeros.judge(SWEEP, _batch(0, 5, 35))
    assert (5, {}) == (sum(answer.status is Status.OUT_OF_STOCK for _, answer in kept), lost)
    kept, lost = zeros.judge(SWEEP, _batch(40, 15, 5))
    assert {f"s{n}" for n in range(5)} == set(lost)
    assert {"mass_zero"} == {answer.reason for _, answer in kept if answer.status is Status.API_ERROR}
    assert [SWEEP] == zeros.tripped()


def test_a_fifth_is_believed_and_other_operations_are_judged_by_themselves() -> None:
    """Exactly the limit is within it."""
    zeros = Zeros(Guards())
    kept, lost = zeros.judge(SWEEP, _batch(0, 20, 80))
    assert ({}, []) == (lost, zeros.tripped())
    assert Status.API_ERROR not in {answer.status for _, answer in kept}
    assert (True, False) == (zeros.judged([SWEEP]), zeros.judged([DETAIL]))


def test_most_of_a_few_gone_at_once_is_not_believed() -> None:
    """A small shop's hour asks about a dozen: twelve of thirteen zero is an accident, four of four may be so."""
    zeros = Zeros(Guards())
    kept, _ = zeros.judge(DETAIL, _batch(0, 12, 1))
    assert 12 == sum(answer.reason == "mass_zero" for _, answer in kept)
    for gone, there in ((4, 0), (5, 5), (6, 7)):
        zeros = Zeros(Guards())
        zeros.judge(DETAIL, _batch(0, gone, there))
        assert [] == zeros.tripped()


def test_what_a_few_say_run_after_run_is_believed_and_second_looks_are_not_judged() -> None:
    """Six runs in a row said so, or one that was no mass did: these zeros count, the fresh ones beside them do not."""
    often = replace(_KNOWN, error_reason="mass_zero", error_count=6)
    doubted = replace(_KNOWN, doubt="zero")
    for row in (often, doubted):
        zeros = Zeros(Guards())
        said = [(sid, answer, row) for sid, answer, _ in _batch(0, 12, 0)]
        kept, _ = zeros.judge(DETAIL, said)
        assert ({Status.OUT_OF_STOCK}, []) == ({answer.status for _, answer in kept}, zeros.tripped())
        kept, _ = zeros.judge(DETAIL, [*_batch(20, 5, 0), *said])
        assert 5 == sum(answer.status is Status.API_ERROR for _, answer in kept)


def test_zeros_that_are_no_news_keep_their_credit() -> None:
    """What was believed out of stock may say so again in any number."""
    zeros, gone = Zeros(Guards()), AsinRow("B1", Status.OUT_OF_STOCK)
    said = [(f"s{n}", Answer(f"B{n}", SWEEP, Status.OUT_OF_STOCK), gone) for n in range(100)]
    kept, lost = zeros.judge(SWEEP, said)
    assert ({Status.OUT_OF_STOCK}, {}) == ({answer.status for _, answer in kept}, lost)
