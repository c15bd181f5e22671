"""A share of each matrix, and that the matrices can fail: make faults, kills and fuzz play the whole."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ecauto_pipeline.emulator.faults import KINDS, FaultBook, parse_fault
from ecauto_pipeline.emulator.messages import Seen as SeenCall
from ecauto_pipeline.sync.line import LINE
from ecauto_pipeline_tests.matrices import (
    acts_of_people,
    faults,
    fuzz,
    fuzz_readers,
    fuzz_targets,
    killing,
    kills,
    kills_of_people,
    kills_of_upgrades,
    laws,
    reaches,
    surroundings,
)
from ecauto_pipeline_tests.matrices.disturbances import DISTURBANCES
from ecauto_pipeline_tests.matrices.little_lives import begins_not, hangs, writes
from ecauto_pipeline_tests.matrices.owner import tokens_were_lost
from ecauto_pipeline_tests.matrices.runner import Named, Verdict, never_struck, played
from ecauto_pipeline_tests.matrices.stage import PUBLISH, START, Seen, Stage, stage
from ecauto_pipeline_tests.upgrades.folders import LANDED

SEED = 7
_EDITS = ("items", "items/edit", "items/detail", "oauth/token")


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    killing.be_ready()
    with stage(tmp_path_factory.mktemp("stage")) as made:
        yield made


def test_every_kind_of_fault_meets_every_asset() -> None:
    """None is picked by hand, so that a new kind or a new asset is in the matrix as soon as it is there."""
    made = Counter((case.kind, case.asset) for case in faults.cases(SEED))
    assert Counter((kind, step.name) for kind in KINDS for step in LINE) == made


def test_every_disturbance_meets_every_asset_and_the_end_of_a_run() -> None:
    """History is written and loaded after the last asset: what disturbs it meets nothing before."""
    made = Counter((case.kind, case.asset) for case in surroundings.cases(SEED))
    assert Counter((kind, place) for kind in DISTURBANCES for place in (*(step.name for step in LINE), PUBLISH)) == made


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_fault_concerns_calls_that_are_made(kind: str) -> None:
    """What is left to chance (after how many calls, how likely) is chosen so that one call of those known is hit."""
    base = [{"api": "base", "operation": name, "account": f"base_account_{n}"} for name in _EDITS for n in (1, 2)]
    amazon = [{"api": "sp_api", "operation": "getItemOffersBatch", "account": "sp_1"}] * 3
    calls = [*base, *amazon, {"api": "lwa", "operation": "token", "account": "sp_1"}]
    for seed in range(20):
        fault = parse_fault(faults.Case(kind, "base_updates", seed).spec(calls))
        book = FaultBook([asdict(fault)])
        met = [SeenCall(call["api"], call["operation"], call["account"]) for call in calls]
        assert any(book.strike(one, START) for one in met)


def test_a_fault_at_work_changes_nothing_that_comes_of_it(here: Stage) -> None:
    """One of the kinds, while Amazon is asked: the laws hold."""
    chosen = random.Random(SEED).choice(sorted(set(KINDS) - faults.LIES))
    here.struck = 0
    assert [] == faults.play(here, faults.Case(chosen, "sp_api_snapshots", SEED))
    assert here.struck


def test_a_shop_whose_new_tokens_were_lost_is_opened_by_its_owner(here: Stage) -> None:
    """BASE answers a renewal once: where that is cut off the program says so, and goes on when the owner agreed."""
    assert [] == faults.play(here, faults.Case("cut_in_body", "listings", 1))
    operations = [call["operation"] for call in here.control.calls(api="base")]
    assert "oauth/authorize" in operations


def test_an_owner_is_asked_for_nothing_else() -> None:
    """Tokens are lost that BASE gave and nobody has come with since; a renewal that it refused lost nothing."""
    given = {"operation": "oauth/token", "outcome": "ok+fault:cut_in_body"}
    refused = {"operation": "oauth/token", "outcome": "refused:invalid_request"}
    used = {"operation": "items", "outcome": "ok"}
    assert tokens_were_lost([given, refused])
    assert not tokens_were_lost([given, used, refused])
    assert not tokens_were_lost([refused])


def test_what_surrounds_a_run_changes_nothing_that_comes_of_it(here: Stage) -> None:
    """Connections cut in the middle of edits: the laws hold."""
    assert [] == surroundings.play(here, surroundings.Case("proxy cuts", "base_updates", SEED))


def test_kills_lose_nothing(here: Stage) -> None:
    """Five processes killed on one installation, each at a moment of its own: the laws hold."""
    assert [] == kills.play(here, kills.Case(10, SEED))  # all five land: in a call, at a file, a step, at work, the end


@pytest.mark.parametrize(
    ("body", "longest_s", "told"), [(begins_not, 120.0, "no such thing"), (hangs, 0.4, "it never ended")]
)
def test_who_dies_by_itself_or_not_at_all_is_told(
    here: Stage, tmp_path: Path, body: Callable[[killing.Within], None], longest_s: float, told: str
) -> None:
    """Before it begins as well: a whole matrix was once played in which nobody could import the program."""
    death = killing.kill_one(here, tmp_path, killing.Instant(killing.FILE), body, longest_s=longest_s)
    assert "" == death.landed
    assert told in death.broke


def test_what_is_killed_goes_as_far_as_its_instants_are_spread_over(here: Stage) -> None:
    """Else its kills land at its end, or never near it; the whole matrix measures each of all that is killed."""
    assert [] == reaches.play(here, reaches.Case("base_updates"))
    said = killing.Reach(files=4, steps=100)
    assert [] == reaches.differs(said, {killing.FILE: 4, killing.STEP: 180})
    assert ["at a step: 40 times, and 100 are said"] == reaches.differs(said, {killing.FILE: 5, killing.STEP: 40})
    parts = (kills.lives(), kills_of_people.lives(), kills_of_upgrades.lives())
    assert sum(len(part) for part in parts) == len(reaches.cases(SEED))


def test_kills_are_spread_over_all_that_is_done() -> None:
    """In calls, at files, at steps and at work; early, late and in between."""
    chance = random.Random(SEED)
    reach = killing.Reach(calls=10, files=5, steps=100, cpu_s=1.0)
    instants = [reach.instant(chance) for _ in range(400)]
    assert {killing.CALL, killing.UNHEARD, killing.FILE, killing.STEP, killing.WORK} == {one.kind for one in instants}
    assert set(range(1, 11)) == {one.number for one in instants if one.kind in (killing.CALL, killing.UNHEARD)}
    assert set(range(1, 6)) == {one.number for one in instants if one.kind == killing.FILE}
    assert 0.1 > min(one.cpu_s for one in instants if one.kind == killing.WORK)
    assert 0.9 < max(one.cpu_s for one in instants)


def test_a_matrix_of_kills_has_what_was_handed_out_and_every_word_of_people() -> None:
    """Five kills each: at least as many as the verdict asks for, whatever the seed."""
    people, versions = kills_of_people.cases(SEED), kills_of_upgrades.cases(SEED)
    assert set(acts_of_people.ACTS) == {case.act for case in people}
    assert set(LANDED) == {case.version for case in versions}
    assert killing.LEAST_KILLS < 5 * (len(kills.cases(SEED)) + len(people) + len(versions))


@pytest.mark.parametrize(("number", "left"), [(4, "old"), (5, "new")], ids=["rename", "after"])
def test_a_kill_lands_at_the_file_it_was_meant_for(here: Stage, tmp_path: Path, number: int, left: str) -> None:
    """The same one each time: the temporary file is made, opened to be forced to the disk, and then renamed."""
    path = tmp_path / "file"
    path.write_text("old", encoding="utf-8")
    death = killing.kill_one(here, tmp_path, killing.Instant(killing.FILE, number), writes, path)
    assert (killing.END if left == "new" else killing.FILE, left) == (death.landed, path.read_text(encoding="utf-8"))


def test_too_few_kills_show_nothing() -> None:
    """What never landed, in all or in something, is told as a violation, and what did so at an end, where nothing is
    under way any more; the verdict counts what did."""
    assert [] == killing.judge(Counter({("listings", killing.CALL): 500}))[1]
    said, wrong = killing.judge(Counter({("listings", killing.FILE): 3, ("publish", ""): 2}))
    few = ["3 kills landed, not 500", "0 kills landed in calls, not 40", "publish: no kill landed"]
    assert few == wrong
    late = Counter({("listings", killing.CALL): 300, ("listings", killing.END): 201})
    assert ["201 kills landed at an end: it does not go as far as they are spread over"] == killing.judge(late)[1]
    assert " 3 kills (at a file 3, not killed 2; listings 3, publish 0)," == said


def test_a_target_that_never_reads_or_never_refuses_is_told() -> None:
    """What refuses even the sound one tries no parser: four of them did so for weeks."""
    both = Counter({(what, how): 1 for what in fuzz_targets.NAMES for how in (fuzz.READ, fuzz.REFUSED)})
    assert [] == fuzz.judge(both)[1]
    assert ["rules.csv: nothing was ever read"] == fuzz.judge(both - Counter({("rules.csv", fuzz.READ): 1}))[1]
    blind = fuzz_targets.Target(b"1", lambda content, _: fuzz_readers.Refused("no"))
    assert ["the sound one was refused: no"] == fuzz.tried(blind, Path(), SEED, 1)


@pytest.mark.parametrize("what", fuzz_targets.NAMES)
def test_what_comes_spoiled_is_read_or_refused_in_words(
    fuzzed: dict[str, fuzz_targets.Target], what: str, tmp_path: Path
) -> None:
    """Each parser and file from outside: a value, or a word that names the place; nothing written."""
    assert [] == fuzz.tried(fuzzed[what], tmp_path, SEED, 12)


@pytest.fixture(scope="module")
def fuzzed(here: Stage) -> dict[str, fuzz_targets.Target]:
    return fuzz_targets.targets(here)


def test_a_law_that_is_broken_is_told() -> None:
    """Each of the laws sees what it is there to see."""
    edit, other = ("shop", "1", "price", "1980"), ("shop", "1", "price", "2980")
    right = Seen(Counter([edit]), {("shop", "1"): (1980, True, 1)}, frozenset({("B1", "success", 1500)}))
    wrong = Seen(
        Counter([edit, edit, other]), {("shop", "1"): (2980, True, 1)}, frozenset({("B1", "out_of_stock", None)})
    )
    assert [] == [
        *laws.nothing_wrong_was_sent(right, right),
        *laws.nothing_was_sent_twice(right),
        *laws.no_answer_was_made_up(right, right),
        *laws.it_caught_up(right.items, right),
    ]
    assert 1 == len(laws.nothing_wrong_was_sent(wrong, right))
    assert 1 == len(laws.nothing_was_sent_twice(wrong))
    assert 1 == len(laws.no_answer_was_made_up(wrong, right))
    assert [] == laws.no_answer_was_made_up(replace(right, unchanged=frozenset({"B1"})), right)
    assert 1 == len(laws.no_answer_was_made_up(replace(right, unchanged=frozenset({"B2"})), right))
    assert 1 == len(laws.no_answer_was_made_up(replace(right, answers=frozenset({("B1", "success", None)})), right))
    assert 1 == len(laws.it_caught_up(wrong.items, right))
    sold_out = Seen(Counter(), {("shop", "1"): (1980, False, 1)}, frozenset(), frozenset({("shop", "1")}))
    stale = {("shop", "1"): (2980, False, 1)}
    assert [] == laws.it_caught_up(stale, sold_out, lies=True)
    assert 1 == len(laws.it_caught_up(stale, sold_out))
    assert 1 == len(laws.it_caught_up({("shop", "1"): (1980, True, 1)}, sold_out, lies=True))
    assert 1 == len(laws.it_caught_up({}, sold_out, lies=True))
    near = Seen(Counter(), {("shop", "1"): (2490, True, 1)}, frozenset(), costs_jpy={("shop", "1"): 1986})  # 2,580
    assert [] == laws.it_caught_up({("shop", "1"): (2590, True, 1)}, near, lies=True)
    assert 1 == len(laws.it_caught_up({("shop", "1"): (2590, True, 1)}, near))
    assert 1 == len(laws.it_caught_up({("shop", "1"): (2680, True, 1)}, near, lies=True))
    assert 1 == len(laws.it_caught_up({("shop", "1"): (2590, False, 1)}, near, lies=True))
    held = replace(near, costs_jpy={("shop", "1"): 4_000})
    assert 1 == len(laws.it_caught_up({("shop", "1"): (5200, True, 1)}, held, lies=True))
    assert [] == laws.as_if_undisturbed(right, right)
    assert 3 == len(laws.as_if_undisturbed(wrong, right))
    assert 2 == len(laws.as_if_undisturbed(right, wrong)) - 1
    first = Counter([("getItemOffersBatch", f"B{number}") for number in range(40)] + [(laws.OPINION, "B1")])
    in_flight = first + Counter(asked for asked in first if asked[1] in {f"B{number}" for number in range(20)})
    assert [] == laws.a_kill_cost_the_calls_in_flight(in_flight, first, 1)
    assert 2 == len(laws.a_kill_cost_the_calls_in_flight(in_flight, first, 0))
    assert 1 == len(laws.a_kill_cost_the_calls_in_flight(first + Counter([("getCompetitivePricing", "B1")]), first, 9))


def test_a_refusal_is_a_violation_but_after_a_call_that_nobody_could_time() -> None:
    """One whose answer was spoiled, or which came long after it was sent, as another thread moved the clock."""
    bucket = {"api": "sp_api", "account": "sp_1", "operation": "getItemOffers"}
    came = datetime(2026, 6, 1, 1, 10, tzinfo=UTC)
    last = {**bucket, "at": came.isoformat(), "outcome": "ok", "request_id": "r1"}
    refused = {**bucket, "at": came.isoformat(), "outcome": "throttled", "request_id": "r2"}
    in_time = {"r1": came.timestamp()}
    assert 1 == len(laws.beyond_limits([refused], {}))
    assert 1 == len(laws.beyond_limits([last, refused], in_time))
    assert 1 == len(laws.beyond_limits([last, refused], {}))
    assert 1 == len(laws.beyond_limits([{**last, "operation": "getItem"}, refused], {"r1": came.timestamp() - 10}))
    assert [] == laws.beyond_limits([last, refused], {"r1": came.timestamp() - 10})
    assert [] == laws.beyond_limits([{**last, "outcome": "ok+fault:slow"}, refused], in_time)


def test_a_verdict_says_whether_all_laws_were_kept() -> None:
    """One line with counts, for people and for whoever reads the exit code."""
    assert "2 cases, 0 violations in 0 of them, seed 3, 9 s: all laws kept" in str(Verdict("faults", 3, 2, 9.1, {}))
    assert "VIOLATED" in str(Verdict("faults", 3, 2, 9.1, {"a case": ["a law"]}))


def test_a_case_that_hangs_is_told_and_the_matrix_goes_on(here: Stage) -> None:
    """Who waits for a verdict has one."""

    def hangs(_stage: Stage, _case: Named) -> list[str]:
        threading.Event().wait()
        return []

    found, _ = played(hangs, here, kills.Case(0, SEED), longest_s=0.1)
    assert 1 == len(found)
    assert "it takes longer than 0 s" in found[0]


def test_a_kind_that_meets_nothing_is_a_violation() -> None:
    """A check that can't fail is none: how many cases met anything stands in the verdict, and each kind has to."""
    struck = {"slow@listings": 3, "slow@price_diffs": 0, "gone@listings": 1, "gone@base_updates": 2}
    assert {} == never_struck(struck)
    assert {"gone"} == set(never_struck(struck | {"gone@listings": 0, "gone@base_updates": 0}))
    assert "struck in 3 (each kind in 1 at least: slow), seed 3" in str(Verdict("faults", 3, 4, 9.1, {}, struck))
