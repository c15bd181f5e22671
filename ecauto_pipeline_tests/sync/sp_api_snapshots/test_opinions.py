"""Doubts are put to another source: what it agrees with counts, what it contradicts does not, else the old way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ecauto_pipeline.amazon.registry import registered
from ecauto_pipeline.clock import SystemClock
from ecauto_pipeline.domain.model import Role, Status
from ecauto_pipeline.domain.offers.learning import LearnRules
from ecauto_pipeline.domain.offers.second_opinion import DISAGREE, Audited
from ecauto_pipeline.emulator.server import EmulatorServer
from ecauto_pipeline.errors import SettingsError
from ecauto_pipeline.settings import parse
from ecauto_pipeline.state import leases
from ecauto_pipeline.state.asins import read, write
from ecauto_pipeline.sync.context import Tools
from ecauto_pipeline.sync.sections import FetchReport
from ecauto_pipeline.sync.sp_api_snapshots import fetch
from ecauto_pipeline.sync.sp_api_snapshots.batch import Asking
from ecauto_pipeline.sync.sp_api_snapshots.batch_results import Claimed
from ecauto_pipeline.sync.sp_api_snapshots.queues import Work
from ecauto_pipeline.sync.sp_api_snapshots.tally import Tally
from ecauto_pipeline.sync.sweep_evidence import opinion_audits
from ecauto_pipeline.wiring.open import open_tools
from ecauto_pipeline_tests.sync.sp_api_snapshots.means import a_run, kept, plan, rows_of, tools_at

_CLOCK = SystemClock()
DETAIL, CONFIRM, OPINION = "getItemOffersBatch", "getItemOffers", "getCompetitiveSummary"
_OLD, _NEW = 3000, 9000
_FAST = {"sp_api": {"limits": {OPINION: {"rate_per_s": 60.0}}}}
_FALSE_ZERO = {"kind": "false_zeros", "family": "pricing/v0"}


@pytest.fixture(scope="module")
def server() -> Iterator[EmulatorServer]:
    with EmulatorServer(clock=_CLOCK, seed=5, listings=60, accounts=1, speed=1.0) as emulator:
        yield emulator


@pytest.fixture
def world(server: EmulatorServer) -> EmulatorServer:
    """An emulator at rest in which everything is well, much faster than Amazon."""
    server.control.clear_faults()
    for operation in (DETAIL, CONFIRM, OPINION):
        server.control.set_rate(operation, 60.0, 5)
    return server


@pytest.fixture
def tools(world: EmulatorServer, tmp_path: Path) -> Tools:
    return tools_at(tmp_path, world.url, _CLOCK, document=_FAST)


@pytest.fixture
def asins(world: EmulatorServer, tools: Tools) -> list[str]:
    """Twenty that are believed to cost 3,000 yen."""
    found = world.control.asins()[:20]
    for asin in found:
        _costs(world, asin, _OLD)
    _asked(tools, found, "first")
    return found


def _costs(world: EmulatorServer, asin: str, price_jpy: int) -> None:
    world.control.set_truth(asin, offers=[{"seller_id": "S1", "price_jpy": price_jpy, "winner": True, "fba": True}])


def _asked(tools: Tools, wanted: list[str], run_id: str = "run") -> FetchReport:
    context = tools.for_run(a_run(run_id, _CLOCK.now()))
    plan(context, detail=wanted)
    return fetch.run(context)


def _said(tools: Tools, asin: str, run_id: str = "run") -> list[str]:
    return [seen.operation for seen in kept(tools, run_id) if seen.asin == asin]


def test_a_doubt_of_a_run_that_died_is_put_by_the_run_that_takes_up_its_plan(
    world: EmulatorServer, tools: Tools, asins: list[str]
) -> None:
    """Killed between the detail and the opinion, and the detail's answer is in history already: whoever goes on looks
    again, and asks the other source."""
    world.control.set_truth(asins[0], in_stock=False)
    context = tools.for_run(a_run("run", _CLOCK.now()))
    plan(context, detail=asins)
    made = context.clock.now()
    with tools.state.write() as connection:
        row = read(connection, asins[:1])[asins[0]]
        doubted = replace(row, doubt="zero", doubt_at=made, doubt_operation=DETAIL, detail_at=made)
        write(connection, [doubted])
    fetch.run(context)
    row = rows_of(tools, asins[:1])[asins[0]]
    assert (Status.OUT_OF_STOCK, "") == (row.status, row.doubt)
    assert [DETAIL, OPINION] == _said(tools, asins[0])


@pytest.mark.parametrize(
    ("died_after", "says", "asked"),
    [
        ([Role.DETAIL], "yes", [OPINION]),
        ([Role.DETAIL, Role.OPINION], "cant say", [CONFIRM]),
        ([Role.DETAIL, Role.OPINION], "no", []),
        ([Role.DETAIL, Role.OPINION, Role.CONFIRM], "cant say", []),
    ],
    ids=["detail", "opinion that cant say", "contradiction", "single look"],
)
def test_what_a_killed_run_was_told_of_a_doubt_is_not_asked_again(
    world: EmulatorServer, tools: Tools, asins: list[str], died_after: list[Role], says: str, asked: list[str]
) -> None:
    """Its answers stand: whoever goes on puts the doubted answer to the other source, or takes the single look that is
    owed, or leaves it where nothing is. What comes of it is what the run would have left that was killed, and as old as
    the look that it comes of."""
    gone, dearer = asins[0], asins[1]
    world.control.set_truth(gone, in_stock=False)
    _costs(world, dearer, _NEW)
    if says == "cant say":
        world.control.add_faults({"kind": "item_error", "operation": OPINION, "status": 500})
    elif says == "no":
        world.control.set_truth(gone, in_stock=True)
        _costs(world, dearer, _OLD)
        world.control.add_faults({**_FALSE_ZERO, "asins": [gone, dearer]})
    context, since = tools.for_run(a_run("run", _CLOCK.now())), _CLOCK.now()
    plan(context, detail=asins)
    killed = Asking(context, Work((), (), ()), Tally(), _opinion_rules(tools), _CLOCK.monotonic() + 60, since)
    by_role = {one.role: one for one in fetch.operations(tools)}
    for role in died_after:
        for some in [[gone], [dearer]] if role is Role.CONFIRM else [[gone, dearer]]:
            if role is Role.CONFIRM:
                _costs(world, some[0], 7 * _NEW)  # it says something else: the doubt stays
            killed.ask(tools.sp_accounts[0], by_role[role], role, killed.claim(role, some).asins)
    with tools.state.write() as connection:
        leases.release(connection, killed.owner)
    before = rows_of(tools, [gone, dearer])
    said = [_said(tools, asin) for asin in (gone, dearer)]
    fetch.run(context)
    assert [[*one, *asked] for one in said] == [_said(tools, asin) for asin in (gone, dearer)]
    rows = rows_of(tools, [gone, dearer])
    if not asked:
        assert before == rows
        return
    by = DETAIL if asked == [OPINION] else CONFIRM
    ids = {seen.asin: seen.snapshot_id for seen in kept(tools, "run") if seen.operation == by}
    assert (Status.OUT_OF_STOCK, "", ids[gone]) == (rows[gone].status, rows[gone].doubt, rows[gone].snapshot_id)
    assert (_NEW, "", ids[dearer]) == (rows[dearer].price_jpy, rows[dearer].doubt, rows[dearer].snapshot_id)
    looked_at = {asin: before[asin].detail_at if by == DETAIL else rows[asin].detail_at for asin in rows}
    assert looked_at == {asin: row.stock_at for asin, row in rows.items()}
    assert looked_at[dearer] == rows[dearer].price_at


def _opinion_rules(tools: Tools) -> LearnRules:
    return replace(fetch.learn_rules(tools.settings), opinion=True)


def test_a_doubt_that_another_run_is_putting_is_left_to_it(
    world: EmulatorServer, tools: Tools, asins: list[str]
) -> None:
    """Until the doubt is settled the run that has it keeps the ASIN, while its opinion is awaited and where that can't
    say: a second run with the same wish asks no detail of it again. Once the first has given it back, the second takes
    the single look that is owed."""
    _costs(world, asins[0], _NEW)
    context, since = tools.for_run(a_run("run", _CLOCK.now())), _CLOCK.now()
    rules = _opinion_rules(tools)
    first, second = (
        Asking(context, Work((), (), ()), Tally(), rules, _CLOCK.monotonic() + 60, since) for _ in range(2)
    )
    (detail,) = (one for one in fetch.operations(tools) if one.role is Role.DETAIL)
    ours = first.claim(Role.DETAIL, asins[:2]).asins
    first.ask(tools.sp_accounts[0], detail, Role.DETAIL, ours)
    assert Claimed([], [], 2) == second.claim(Role.DETAIL, asins[:2])
    world.control.add_faults({"kind": "item_error", "operation": OPINION, "status": 400, "code": "NotNow"})
    (opinion,) = (one for one in fetch.operations(tools) if one.role is Role.OPINION)
    first.ask(tools.sp_accounts[0], opinion, Role.OPINION, first.claim(Role.OPINION, asins[:2]).asins)
    assert Claimed([], [], 2) == second.claim(Role.DETAIL, asins[:2]), "it can't say: a single look is owed"
    with tools.state.write() as connection:
        leases.release(connection, first.owner)
    assert Claimed([], [], 2) == second.claim(Role.DETAIL, asins[:2])
    assert Claimed(asins[:1], [], 0) == second.claim(Role.CONFIRM, asins[:1])


def test_a_zero_that_the_other_source_sees_too_counts(world: EmulatorServer, tools: Tools, asins: list[str]) -> None:
    """One summary settles it with the detail's answer; no single look is taken."""
    world.control.set_truth(asins[0], in_stock=False)
    report = _asked(tools, asins)
    row = rows_of(tools, asins[:1])[asins[0]]
    detail = next(seen for seen in kept(tools, "run") if seen.asin == asins[0] and seen.operation == DETAIL)
    assert (Status.OUT_OF_STOCK, False, "", detail.snapshot_id) == (
        row.status, row.in_stock, row.doubt, row.snapshot_id,
    )  # fmt: skip
    assert ([DETAIL, OPINION], {"agrees": 1}) == (_said(tools, asins[0]), dict(report.opinions))
    assert (20, 0) == (report.asked, report.second_looks)


def test_a_jump_that_the_other_source_sees_too_counts_at_the_details_price(
    world: EmulatorServer, tools: Tools, asins: list[str]
) -> None:
    """The price, the ship time and the snapshot are the detail's: the summary is never the source of a price."""
    _costs(world, asins[0], _NEW)
    _asked(tools, asins)
    row = rows_of(tools, asins[:1])[asins[0]]
    detail = next(seen for seen in kept(tools, "run") if seen.asin == asins[0] and seen.operation == DETAIL)
    assert (_NEW, 0, "", detail.snapshot_id) == (row.price_jpy, row.ship_hours_max, row.doubt, row.snapshot_id)
    assert [DETAIL, OPINION] == _said(tools, asins[0])


def test_a_zero_that_the_other_source_denies_is_not_believed(
    world: EmulatorServer, tools: Tools, asins: list[str]
) -> None:
    """The belief and its stamps stay, the doubt too; it is asked again later; no other look of v0 may settle it."""
    before = rows_of(tools, asins[:1])[asins[0]]
    world.control.add_faults({**_FALSE_ZERO, "asins": asins[:1]})
    report = _asked(tools, asins)
    row = rows_of(tools, asins[:1])[asins[0]]
    assert (Status.SUCCESS, _OLD, before.stock_at, "zero") == (row.status, row.price_jpy, row.stock_at, row.doubt)
    assert (1, DISAGREE, 1) == (row.contradictions, row.failing_reason, row.failures)
    assert ([DETAIL, OPINION], {"contradicts": 1}) == (_said(tools, asins[0]), dict(report.opinions))


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "role_missing", "operation": OPINION},
        {"kind": "error_json", "status": 404, "code": "NotFound", "operation": OPINION},
        {"kind": "item_error", "status": 500, "operation": OPINION},
        None,
    ],
    ids=["role missing", "gone", "item error", "switched off"],
)
def test_where_it_cant_say_the_old_way_is_taken(
    world: EmulatorServer, tmp_path: Path, asins: list[str], fault: dict[str, Any] | None
) -> None:
    """A single look settles the doubt as ever, and no figure of errors moves."""
    off = {"sp_api": {"without": [OPINION]}}
    tools = tools_at(tmp_path, world.url, _CLOCK, document=_FAST if fault else off)
    if fault:
        world.control.add_faults(fault)
    world.control.set_truth(asins[0], in_stock=False)
    report = _asked(tools, asins)
    row = rows_of(tools, asins[:1])[asins[0]]
    assert (Status.OUT_OF_STOCK, "") == (row.status, row.doubt)
    assert ([DETAIL, CONFIRM] if fault is None else [DETAIL, OPINION, CONFIRM]) == _said(tools, asins[0])
    assert (0, 0) == (report.failed_calls, report.by_status.get("api_error", 0))


def test_a_mass_of_zeros_that_the_other_source_sees_too_counts(
    world: EmulatorServer, tools: Tools, asins: list[str]
) -> None:
    """Too many at once to be believed alone; borne out, they are believed as the detail had them, and are no error."""
    gone = asins[:12]
    for asin in gone:
        world.control.set_truth(asin, in_stock=False)
    report = _asked(tools, asins)
    details = {seen.asin: seen for seen in kept(tools, "run") if seen.operation == DETAIL}
    for asin, row in rows_of(tools, gone).items():
        assert (Status.OUT_OF_STOCK, "", "", 0) == (row.status, row.doubt, row.error_reason, row.error_count)
        assert (row.snapshot_id, "out_of_stock", "no_buyable_offers") == (
            details[asin].snapshot_id, details[asin].status, details[asin].reason,
        )  # fmt: skip
    assert ({"agrees": 12}, {"out_of_stock": 12, "success": 8}) == (dict(report.opinions), dict(report.by_status))
    assert ({}, 0, 0) == (dict(report.zeros_not_believed), report.by_reason.get("mass_zero", 0), report.second_looks)


def test_a_mass_of_zeros_that_the_other_source_denies_is_not_believed(
    world: EmulatorServer, tools: Tools, asins: list[str]
) -> None:
    """Each is a contradiction like any: the belief stays, it is asked again later and not in every slice."""
    world.control.add_faults({**_FALSE_ZERO, "asins": asins[:12]})
    report = _asked(tools, asins)
    assert {(Status.SUCCESS, _OLD, "zero", 1, DISAGREE, "")} == {
        (row.status, row.price_jpy, row.doubt, row.contradictions, row.failing_reason, row.error_reason)
        for row in rows_of(tools, asins[:12]).values()
    }
    assert ({"contradicts": 12}, {DETAIL: 12}) == (dict(report.opinions), dict(report.zeros_not_believed))
    assert [DETAIL, OPINION] == _said(tools, asins[0])


@pytest.mark.parametrize("refused", [False, True], ids=["item error", "role missing"])
def test_a_mass_of_zeros_of_which_it_cant_say_waits_as_ever(
    world: EmulatorServer, tools: Tools, asins: list[str], refused: bool
) -> None:
    """Not believed, no error, nothing is asked alone: the next run looks again."""
    kind = {"kind": "role_missing"} if refused else {"kind": "item_error", "status": 500}
    world.control.add_faults({**kind, "operation": OPINION})
    for asin in asins[:12]:
        world.control.set_truth(asin, in_stock=False)
    report = _asked(tools, asins)
    assert {(Status.SUCCESS, "", "mass_zero")} == {
        (row.status, row.doubt, row.error_reason) for row in rows_of(tools, asins[:12]).values()
    }
    assert ({DETAIL: 12}, 0) == (dict(report.zeros_not_believed), report.second_looks)


def test_zeros_believed_before_they_were_too_many_lose_nothing_that_the_other_source_saw(
    world: EmulatorServer, tools: Tools
) -> None:
    """The guard trips in the third call: what the first two brought is put to the other source as well."""
    every = world.control.asins()[:60]
    for asin in every:
        _costs(world, asin, _OLD)
    _asked(tools, every, "first")
    gone = every[::3]
    for asin in gone:
        world.control.set_truth(asin, in_stock=False)
    report = _asked(tools, every)
    assert {(Status.OUT_OF_STOCK, "", "")} == {
        (row.status, row.doubt, row.error_reason) for row in rows_of(tools, gone).values()
    }
    assert (len(gone), {}) == (report.opinions["agrees"], dict(report.zeros_not_believed))
    assert {"out_of_stock"} == {
        seen.status for seen in kept(tools, "run") if seen.asin in gone and seen.operation == DETAIL
    }


def test_a_zero_that_was_denied_before_they_were_too_many_stays_denied(world: EmulatorServer, tools: Tools) -> None:
    """The guard trips in the third call, after the first call's zeros were put to the other source: what it said of
    them stands, with its evidence, and it is not asked again; the others are not believed, as ever."""
    every = world.control.asins()[:60]
    for asin in every:
        _costs(world, asin, _OLD)
    _asked(tools, every, "first")
    false = every[::3]
    world.control.add_faults({**_FALSE_ZERO, "asins": false})
    context, since = tools.for_run(a_run("run", _CLOCK.now())), _CLOCK.now()
    rules = _opinion_rules(tools)
    asking = Asking(context, Work((), (), ()), Tally(), rules, _CLOCK.monotonic() + 60, since)
    by_role = {one.role: one for one in fetch.operations(tools)}

    def ask(role: Role, wanted: list[str]) -> None:
        asking.ask(tools.sp_accounts[0], by_role[role], role, asking.claim(role, wanted).asins)

    early = [asin for asin in false if asin in every[:20]]
    ask(Role.DETAIL, every[:20])
    ask(Role.OPINION, early)
    ask(Role.DETAIL, every[20:40])
    ask(Role.DETAIL, every[40:])
    assert [DETAIL] == asking.zeros.tripped()
    assert Claimed([], [], len(early)) == asking.claim(Role.OPINION, early)
    rows = rows_of(tools, false)
    assert {(Status.SUCCESS, "zero", 1, DISAGREE, "")} == {
        (row.status, row.doubt, row.contradictions, row.failing_reason, row.error_reason)
        for row in (rows[asin] for asin in early)
    }
    assert {("", "mass_zero")} == {(row.doubt, row.error_reason) for asin, row in rows.items() if asin not in early}


def test_where_it_is_refused_as_a_whole_nobody_asks_again_for_an_hour(
    world: EmulatorServer, tools: Tools, asins: list[str]
) -> None:
    """The next run takes the old way at once; the report says with which status it was refused."""
    world.control.add_faults({"kind": "role_missing", "operation": OPINION})
    for place, run_id in enumerate(("one", "two")):
        world.control.set_truth(asins[place], in_stock=False)
        report = _asked(tools, asins, run_id)
        assert 403 == report.opinion_refused
    assert ([DETAIL, OPINION, CONFIRM], [DETAIL, CONFIRM]) == (
        _said(tools, asins[0], "one"),
        _said(tools, asins[1], "two"),
    )


def test_unchanged_answers_are_checked_once_a_day_and_settle_nothing(
    world: EmulatorServer, tmp_path: Path, asins: list[str]
) -> None:
    """What it contradicts is counted, and what is believed stays with its stamps; asked again the same day: nothing."""
    limits = {"limits": {OPINION: {"rate_per_s": 60.0}}}
    tools = tools_at(tmp_path, world.url, _CLOCK, document={"sp_api": {**limits, "audit_share": 1.0}})
    world.control.add_faults({"kind": "false_zeros", "operation": OPINION, "asins": asins[:3]})
    checked = _asked(tools, asins, "checked")
    rows = rows_of(tools, asins)
    again = _asked(tools, asins, "again")
    assert ({"agrees": 17, "contradicts": 3}, {}) == (dict(checked.audits), dict(again.audits))
    assert ({}, 0, {"success": 20}) == (dict(checked.opinions), checked.second_looks, dict(checked.by_status))
    assert {(Status.SUCCESS, _OLD, "", 0)} == {
        (row.status, row.price_jpy, row.doubt, row.contradictions) for row in rows.values()
    }
    with tools.state.read() as connection:
        assert Audited(20, 3) == opinion_audits(connection, _CLOCK.now())
    assert [DETAIL, OPINION] == _said(tools, asins[0], "checked")
    assert [DETAIL] == _said(tools, asins[0], "again")


def test_a_sweep_that_saw_no_change_is_checked_too(world: EmulatorServer, tmp_path: Path, asins: list[str]) -> None:
    """Most answers are a sweep's: without them the share would speak of the few that are asked in detail."""
    tools = tools_at(tmp_path, world.url, _CLOCK, document={"sp_api": {**_FAST["sp_api"], "audit_share": 1.0}})
    context = tools.for_run(a_run("run", _CLOCK.now()))
    plan(context, sweep=asins)
    assert {"agrees": 20} == dict(fetch.run(context).audits)


def test_what_is_switched_off_is_an_operation_that_there_is(tmp_path: Path) -> None:
    """[sp_api] without takes every operation of the registry; a name that is none is refused with the nearest."""
    for name in registered().names:
        with open_tools(parse({"sp_api": {"without": [name]}}, tmp_path), offline=True) as tools:
            assert name not in tools.operations.under(tools.settings).names
    settings = parse({"sp_api": {"without": ["getItemOffersBach"]}}, tmp_path)
    said = "unknown operation 'sp_api.without: getItemOffersBach'; the nearest known one is 'getItemOffersBatch'"
    with pytest.raises(SettingsError, match=said), open_tools(settings, offline=True):
        pass
