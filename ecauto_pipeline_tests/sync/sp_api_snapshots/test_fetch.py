"""A slice of questions: every batch kept before the next, nothing asked twice, nothing believed too soon."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from ecauto_pipeline.clock import ManualClock, SystemClock
from ecauto_pipeline.domain.model import Status
from ecauto_pipeline.emulator.server import EmulatorServer
from ecauto_pipeline.errors import Stopped
from ecauto_pipeline.state import asins, leases
from ecauto_pipeline.state.schema_calls import api_calls
from ecauto_pipeline.state.schema_calls import leases as lease_table
from ecauto_pipeline.sync.context import Progress, Tools
from ecauto_pipeline.sync.sp_api_snapshots import fetch
from ecauto_pipeline_tests.processes import fresh
from ecauto_pipeline_tests.sync.sp_api_snapshots.means import a_run, fetching_process, kept, plan, rows_of, tools_at

_CLOCK = SystemClock()
_OPERATIONS = ("getItemOffersBatch", "getItemOffers", "getCompetitivePricing")
_TWO_LOOKS = {
    "sp_api": {"without": ["getCompetitiveSummary"]}
}  # doubts take a second look: test_opinions.py has the rest


@pytest.fixture(scope="module")
def server() -> Iterator[EmulatorServer]:
    with EmulatorServer(clock=_CLOCK, seed=5, listings=400, accounts=1, speed=1.0) as emulator:
        yield emulator


@pytest.fixture
def world(server: EmulatorServer) -> Iterator[EmulatorServer]:
    """An emulator at rest in which everything is well, much faster than Amazon."""
    server.control.clear_faults()
    for operation in _OPERATIONS:
        server.control.set_rate(operation, 60.0, 5)
    yield server
    server.control.clear_faults()


@pytest.fixture
def tools(world: EmulatorServer, tmp_path: Path) -> Tools:
    return tools_at(tmp_path, world.url, _CLOCK, document=_TWO_LOOKS)


@pytest.fixture
def sound(world: EmulatorServer) -> list[str]:
    return _sound(world)


def _sound(world: EmulatorServer) -> list[str]:
    """A hundred ASINs that are in stock and answered without trouble, each for 3,000 yen."""
    found: list[str] = []
    for asin in world.control.asins():
        truth = world.control.truth(asin)
        if truth["known"] and truth["status"] == "Success" and not truth["failure"]:
            world.control.set_truth(asin, price_jpy=3000)
            found.append(asin)
        if len(found) == 100:
            break
    return found


def _stop_when_held(world: EmulatorServer, stop: threading.Event) -> None:
    """Ask to end when an answer of Amazon's is being held back."""
    while not any(fault["struck"] for fault in world.control.faults()):
        if stop.wait(0.01):
            return
    stop.set()


def _calls(world: EmulatorServer, since: int) -> list[dict[str, Any]]:
    return [call for call in world.control.calls(since=since, api="sp_api")]


def _seq(world: EmulatorServer) -> int:
    return max((call["seq"] for call in world.control.calls()), default=0)


def _learned(tools: Tools, wanted: list[str], run_id: str = "first") -> None:
    run = a_run(run_id, _CLOCK.now())
    plan(tools.for_run(run), detail=wanted)
    fetch.run(tools.for_run(run))


def test_a_first_fill_asks_each_asin_once_in_full_batches(
    world: EmulatorServer, tools: Tools, sound: list[str]
) -> None:
    """100 ASINs: five detail calls, one row each, every figure of the report and the ledger agreeing."""
    run, before = a_run("run", _CLOCK.now()), _seq(world)
    plan(tools.for_run(run), detail=sound)
    report = fetch.run(tools.for_run(run))
    assert {"success": 100} == dict(report.by_status)
    assert 5 == report.calls["sp_1/getItemOffersBatch"] == len(_calls(world, before))
    assert sound == sorted((row.asin for row in kept(tools)), key=sound.index)
    assert (100, 100, 0, 0) == (report.planned, report.asked, report.left_over, report.doubts_open)
    assert {3000} == {row.price_jpy for row in rows_of(tools, sound).values()}
    with tools.state.read() as connection:
        assert 0 == connection.execute(select(func.count()).select_from(lease_table)).scalar_one()


def test_an_asin_wanted_twice_is_asked_once(world: EmulatorServer, tools: Tools, sound: list[str]) -> None:
    """In the plan for detail and for a sweep, however many shops list it: one question a run."""
    run = a_run("run", _CLOCK.now())
    plan(tools.for_run(run), detail=[*sound[:20]], sweep=[*sound[:10]])
    fetch.run(tools.for_run(run))
    assert {1} == set(Counter(row.asin for row in kept(tools)).values())


def test_a_sweep_details_only_what_changed(world: EmulatorServer, tools: Tools, sound: list[str]) -> None:
    """100 swept in five calls; the three that changed share one detail call; the rest is stamped as unchanged."""
    _learned(tools, sound)
    moved, gone = sound[3:5], sound[40]
    for asin in moved:
        world.control.set_truth(asin, price_jpy=3300)
    world.control.set_truth(gone, in_stock=False)
    run, before = a_run("run", _CLOCK.now()), _seq(world)
    plan(tools.for_run(run), sweep=sound)
    report = fetch.run(tools.for_run(run))
    made = Counter(call["operation"] for call in _calls(world, before))
    assert {"getCompetitivePricing": 5, "getItemOffersBatch": 1, "getItemOffers": 1} == dict(made)
    rows = rows_of(tools, sound)
    assert [3300, 3300] == [rows[asin].price_jpy for asin in moved]
    assert (Status.OUT_OF_STOCK, False, "") == (rows[gone].status, rows[gone].in_stock, rows[gone].doubt)
    started = run.started_at - timedelta(milliseconds=1)
    assert all(row.stock_at and row.stock_at >= started for row in rows.values())
    unchanged = [rows[asin] for asin in sound if asin not in (*moved, gone)]
    assert all(row.price_at and row.price_at < started and row.price_jpy == 3000 for row in unchanged)
    assert 0 == report.doubts_open


def test_a_jump_is_confirmed_by_the_other_operation_before_it_counts(
    world: EmulatorServer, tools: Tools, sound: list[str]
) -> None:
    """A price that doubles is asked for once more; both answers are kept."""
    _learned(tools, sound[:20])
    world.control.set_truth(sound[0], price_jpy=9000)
    run = a_run("run", _CLOCK.now())
    plan(tools.for_run(run), detail=sound[:20])
    fetch.run(tools.for_run(run))
    row = rows_of(tools, sound[:1])[sound[0]]
    assert (9000, "") == (row.price_jpy, row.doubt)
    said = [seen.operation for seen in kept(tools, "run") if seen.asin == sound[0]]
    assert ["getItemOffersBatch", "getItemOffers"] == said
    confirm = next(seen for seen in kept(tools, "run") if seen.operation == "getItemOffers")
    assert confirm.snapshot_id == row.snapshot_id


def test_a_sweep_with_too_many_zeros_is_not_believed_at_all(
    world: EmulatorServer, tools: Tools, sound: list[str]
) -> None:
    """Mass zeros become errors, also those kept before the mass was seen; nothing is asked because of them."""
    _learned(tools, sound)
    world.control.add_faults({"api": "sp_api", "operation": "getCompetitivePricing", "kind": "false_zeros"})
    run, before = a_run("run", _CLOCK.now()), rows_of(tools, sound)
    plan(tools.for_run(run), sweep=sound)
    report = fetch.run(tools.for_run(run))
    assert ("getCompetitivePricing",) == report.not_believed
    swept = [seen for seen in kept(tools, "run") if seen.operation == "getCompetitivePricing"]
    assert {("api_error", "mass_zero")} == {(seen.status, seen.reason) for seen in swept}
    assert 100 == len(swept)
    dearest = sorted(sound, key=lambda asin: (-(before[asin].price_jpy or 0), asin))[:3]
    assert tuple(("getCompetitivePricing", asin, before[asin].price_jpy) for asin in dearest) == report.doubted
    after = rows_of(tools, sound)
    assert {Status.SUCCESS} == {row.status for row in after.values()}
    assert all(after[asin].stock_at == before[asin].stock_at or after[asin].detail_at != before[asin].detail_at
               for asin in sound)  # fmt: skip
    assert "zero" not in {row.wants_detail for row in after.values()}


def test_details_with_too_many_zeros_move_no_state(world: EmulatorServer, tools: Tools, sound: list[str]) -> None:
    """All three operations lie at once: what was in stock stays believed, no second look makes a lie a fact."""
    _learned(tools, sound)
    world.control.add_faults({"api": "sp_api", "kind": "false_zeros"})
    run = a_run("run", _CLOCK.now())
    plan(tools.for_run(run), detail=sound)
    report = fetch.run(tools.for_run(run))
    assert ("getItemOffersBatch",) == report.not_believed
    assert {Status.SUCCESS} == {row.status for row in rows_of(tools, sound).values()}
    assert {"api_error"} == {seen.status for seen in kept(tools, "run")}
    assert 0 == report.doubts_open


def test_a_batch_refused_as_a_whole_is_asked_one_by_one(world: EmulatorServer, tools: Tools, sound: list[str]) -> None:
    """400 for twenty says nothing about nineteen: the single operation tells them apart."""
    world.control.add_faults(
        {
            "api": "sp_api",
            "operation": "getItemOffersBatch",
            "kind": "error_json",
            "status": 400,
            "code": "InvalidInput",
        }
    )
    run = a_run("run", _CLOCK.now())
    plan(tools.for_run(run), detail=sound[:5])
    report = fetch.run(tools.for_run(run))
    assert {"api_error": 5, "success": 5} == dict(report.by_status)
    assert {3000} == {row.price_jpy for row in rows_of(tools, sound[:5]).values()}


def test_asins_that_were_silent_before_are_counted_apart(world: EmulatorServer, tools: Tools, sound: list[str]) -> None:
    """From the fourth answer in a row that is none, one more is no news; another ASIN's first is."""
    fault = {"api": "sp_api", "operation": "getItemOffersBatch", "kind": "item_error", "status": 400}
    world.control.add_faults({**fault, "code": "InvalidInput", "asins": sound[:2]})
    with tools.state.write() as connection:
        rows = asins.read(connection, sound[:2])
        asins.write(connection, [replace(rows[sound[place]], error_count=count) for place, count in enumerate((3, 2))])
    plan(tools.for_run(a_run("run", _CLOCK.now())), detail=sound[:5])
    report = fetch.run(tools.for_run(a_run("run", _CLOCK.now())))
    assert (2, 1, 0) == (report.by_status["api_error"], report.silent_again, report.failed_calls)


@pytest.mark.parametrize("known", [0, 1])
def test_a_call_that_is_refused_whatever_it_asks_costs_no_twenty_singles(
    world: EmulatorServer, tmp_path: Path, sound: list[str], known: int
) -> None:
    """The contract has changed: one ASIN known to be good (two where none is) is refused alone too, and that is all.

    No ASIN is to blame: none is put off, and the next run asks about all of them again.
    """
    quick = {"limits": {"getItemOffers": {"rate_per_s": 20.0}}}  # no word of its rate comes with a refusal
    tools = tools_at(tmp_path, world.url, _CLOCK, document={"sp_api": {**_TWO_LOOKS["sp_api"], **quick}})
    if known:
        _learned(tools, sound[:1])
    for operation in ("getItemOffersBatch", "getItemOffers"):
        fault = {"api": "sp_api", "kind": "error_json", "status": 400, "code": "InvalidInput"}
        world.control.add_faults({**fault, "operation": operation})
    before = _seq(world)
    run = a_run("run", _CLOCK.now())
    plan(tools.for_run(run), detail=sound[1:13])
    report = fetch.run(tools.for_run(run))
    assert ["getItemOffers"] * (1 if known else 2) == [call["operation"] for call in _calls(world, before)[1:]]
    assert {"api_error"} == set(report.by_status)
    assert {0} == {row.failures for row in rows_of(tools, sound[1:13]).values()}


def test_what_was_answered_since_the_run_began_is_not_asked_again(
    world: EmulatorServer, tools: Tools, sound: list[str]
) -> None:
    """The same run started again asks only what is missing."""
    run = a_run("run", _CLOCK.now())
    plan(tools.for_run(run), detail=sound[:60])
    fetch.run(tools.for_run(run))
    again, before = replace(run), _seq(world)
    plan(tools.for_run(again), detail=sound[:80])
    report = fetch.run(tools.for_run(again))
    assert (20, 60) == (report.asked, report.others)
    assert 1 == len(_calls(world, before))


def test_what_another_run_is_asking_is_left_to_it(world: EmulatorServer, tools: Tools, sound: list[str]) -> None:
    """A live claim is respected until the slice ends; the ASINs are reported as left over."""
    with tools.state.write() as connection:
        leases.claim(connection, [f"fetch/{asin}" for asin in sound[:30]], "another host|1|0|x", _CLOCK.now())
    run, before = a_run("run", _CLOCK.now(), slice_s=1.5), _seq(world)
    plan(tools.for_run(run), detail=sound[:40])
    report = fetch.run(tools.for_run(run))
    assert (10, 30) == (report.asked, report.left_over)
    assert [10] == [len(call["details"].get("asins", call.get("asins", ()))) for call in _calls(world, before)]


def test_two_runs_at_once_share_the_rate_and_never_the_work(
    world: EmulatorServer, tmp_path: Path, sound: list[str]
) -> None:
    """Same account, same wish, two processes' worth of tools: every ASIN once, nothing refused."""
    pairs = [tools_at(tmp_path, world.url, _CLOCK) for _ in range(2)]
    runs = [a_run(f"run{n}", _CLOCK.now()) for n in range(2)]
    for tools, run in zip(pairs, runs, strict=True):
        plan(tools.for_run(run), detail=sound)
    before = _seq(world)
    contexts = [tools.for_run(run) for tools, run in zip(pairs, runs, strict=True)]
    threads = [threading.Thread(target=fetch.run, args=(context,)) for context in contexts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    asked = Counter(seen.asin for seen in kept(pairs[0]))
    assert set(sound) == set(asked)
    assert {1} == set(asked.values())
    assert 0 == sum(call["http_status"] == 429 for call in _calls(world, before))


def test_two_accounts_work_side_by_side(world: EmulatorServer, tmp_path: Path, sound: list[str]) -> None:
    """Each account uses its own buckets; an ASIN is asked by one of them."""
    world.control.set_rate("getItemOffersBatch", 5.0)
    tools = tools_at(tmp_path, world.url, _CLOCK, accounts=2)
    run, before = a_run("run", _CLOCK.now()), _seq(world)
    plan(tools.for_run(run), detail=sound)
    fetch.run(tools.for_run(run))
    assert {"sp_1", "sp_2"} == {call["account"] for call in _calls(world, before)}
    assert {1} == set(Counter(seen.asin for seen in kept(tools)).values())


def test_a_slice_ends_in_time_and_says_what_is_left(tmp_path: Path) -> None:
    """No call begins after the slice; what was not asked is left over and has no row."""
    clock = ManualClock(datetime(2026, 1, 5, 3, 0, tzinfo=UTC))
    with EmulatorServer(clock=clock, seed=5, listings=400, accounts=1, speed=1.0) as emulator:
        asins = _sound(emulator)
        emulator.control.set_rate("getItemOffersBatch", 2.0, 1)
        tools, run = tools_at(tmp_path, emulator.url, clock), a_run("run", clock.now(), slice_s=1.2)
        plan(tools.for_run(run), detail=asins)
        report = fetch.run(tools.for_run(run))
        began = [datetime.fromisoformat(call["at"]) - run.started_at for call in _calls(emulator, 0)]
    assert max(began) <= timedelta(seconds=1.2)
    assert 100 == report.asked + report.left_over
    assert report.asked == len(kept(tools)) < 100


class _StopsWhenItWaits(SystemClock):
    """The machine's clock; the first wait of more than a moment is when somebody asks to end."""

    def __init__(self) -> None:
        self.stop = threading.Event()

    def sleep(self, seconds: float, wake: threading.Event | None = None) -> bool:
        if seconds > 0.2 and wake is not None:
            self.stop.set()
        return super().sleep(seconds, wake)


@pytest.mark.parametrize("during", ["wait", "call"])
def test_a_stop_ends_whatever_is_waited_for(
    world: EmulatorServer, tmp_path: Path, sound: list[str], during: str
) -> None:
    """Between calls or during one: what was committed stays, the call under way is not counted, no claim is left.

    The wait, and the answer, would take an hour: longer than a test may. How soon it ends is a proof's matter.
    """
    clock = _StopsWhenItWaits() if during == "wait" else _CLOCK
    stop = clock.stop if isinstance(clock, _StopsWhenItWaits) else threading.Event()
    tools = tools_at(tmp_path, world.url, clock, timeout_s=7200.0, stop=stop)
    run = a_run("run", _CLOCK.now(), slice_s=7200.0)
    plan(tools.for_run(run), detail=sound)
    if during == "wait":
        world.control.set_rate("getItemOffersBatch", 1 / 3600, 1)
    else:
        world.control.add_faults({"api": "sp_api", "kind": "held", "seconds": 3600.0, "after": 1})
        threading.Thread(target=_stop_when_held, args=(world, stop), daemon=True).start()
    with pytest.raises(Stopped):
        fetch.run(tools.for_run(run))
    assert len(kept(tools)) in (0, 20)
    with tools.state.read() as connection:
        assert 0 == connection.execute(select(func.count()).select_from(lease_table)).scalar_one()


def test_an_account_without_a_valid_token_gives_up_and_leaves_the_work(
    world: EmulatorServer, tmp_path: Path, sound: list[str]
) -> None:
    """A missing role, or a dead refresh token: two calls in vain, not one for every batch there is."""
    limits = {"getItemOffersBatch": {"rate_per_s": 60.0, "burst": 5.0}}
    tools = tools_at(tmp_path, world.url, _CLOCK, document={"sp_api": {"limits": limits}})
    world.control.add_faults({"api": "sp_api", "kind": "error_json", "status": 403, "code": "Unauthorized"})
    tools.sp_accounts[0]._chance = lambda: -0.5
    run, before = a_run("run", _CLOCK.now()), _seq(world)
    plan(tools.for_run(run), detail=sound)
    report = fetch.run(tools.for_run(run))
    assert (40, 60) == (report.asked, report.left_over)
    assert 4 == len(_calls(world, before)), "two batches, one retry with a fresh token each"


def test_a_run_that_must_not_fetch_makes_no_call(world: EmulatorServer, tools: Tools, sound: list[str]) -> None:
    """`validate --dry-run` and the like: an empty report."""
    run, before = a_run("run", _CLOCK.now(), fetch=False), _seq(world)
    plan(tools.for_run(run), detail=sound)
    assert 0 == fetch.run(tools.for_run(run)).asked
    assert [] == _calls(world, before)


def test_people_are_told_how_it_goes(world: EmulatorServer, tools: Tools, sound: list[str]) -> None:
    """n of N, outcomes, calls and the share of the rate that was used."""
    told: list[Progress] = []
    tools = replace(tools, progress=told.append)
    run = a_run("run", _CLOCK.now())
    plan(tools.for_run(run), detail=sound)
    fetch.run(tools.for_run(run))
    last = told[-1]
    assert ("sp_api_snapshots", 100, 100, 0.0) == (last.step, last.done, last.total, last.remaining_s)
    assert 100 == last.details["success"]
    assert 5 == last.details["calls sp_1/getItemOffersBatch"]


def test_a_fault_of_ours_is_raised_and_leaves_no_claim(world: EmulatorServer, tools: Tools, sound: list[str]) -> None:
    """A worker that stumbles ends the step with its error; nothing is swallowed."""
    run = a_run("run", _CLOCK.now())
    plan(tools.for_run(run), detail=sound)
    with tools.state.write() as connection:
        connection.exec_driver_sql("DROP TABLE observations")
    with pytest.raises(Exception, match="observations"):
        fetch.run(tools.for_run(run))
    with tools.state.read() as connection:
        assert 0 == connection.execute(select(func.count()).select_from(lease_table)).scalar_one()


def test_audits_measure_what_the_sweep_missed(world: EmulatorServer, tools: Tools, sound: list[str]) -> None:
    """Of the audited, those whose offers moved although a sweep had called them unchanged."""
    _learned(tools, sound[:20])
    world.control.set_truth(sound[0], price_jpy=3500)
    run = a_run("run", _CLOCK.now())
    plan(tools.for_run(run), detail=sound[:20], reasons={sound[0]: "audit", sound[1]: "audit"})
    report = fetch.run(tools.for_run(run))
    assert (2, 1) == (report.probe_audited, report.probe_missed)


def test_a_killed_run_loses_nothing_and_asks_nothing_twice(
    world: EmulatorServer, tmp_path: Path, sound: list[str]
) -> None:
    """kill -9 at any instant: committed batches are never asked again, at most the calls in flight are."""
    world.control.set_rate("getItemOffersBatch", 20.0)
    tools, started = tools_at(tmp_path, world.url, _CLOCK), _CLOCK.now()
    run = a_run("run", started)
    plan(tools.for_run(run), detail=sound)
    context, before = fresh(), _seq(world)
    committed: set[str] = set()
    kills = 3
    for number in range(kills + 1):
        process = context.Process(target=fetching_process, args=(tmp_path, world.url, "run", started), daemon=True)
        process.start()
        if number < kills:
            seen = len(kept(tools))
            while len(kept(tools)) == seen and process.is_alive():
                process.join(0.01)
            process.kill()
        process.join()
        rows = kept(tools)
        assert committed <= {row.snapshot_id for row in rows}
        committed = {row.snapshot_id for row in rows}
    asked = Counter(row.asin for row in kept(tools))
    assert set(sound) == set(asked)
    assert {1} == set(asked.values())
    calls = [call for call in _calls(world, before) if call["operation"] == "getItemOffersBatch"]
    assert 5 <= len(calls) <= 5 + kills
    with tools.state.read() as connection:
        assert 5 <= connection.execute(select(func.count()).select_from(api_calls).where(
            api_calls.c.operation == "getItemOffersBatch")).scalar_one() <= len(calls)  # fmt: skip
