"""What went wrong with the shops, once: refused edits, dead tokens, vanished items, old data; as the shops saw it.

The numbers are those of docs/acceptance.md.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ecauto_pipeline.alerts.rules import judge
from ecauto_pipeline.alerts.setup import alert_setup
from ecauto_pipeline.clock import ManualClock
from ecauto_pipeline.emulator.server import EmulatorServer
from ecauto_pipeline.sync.run_record import record_of
from ecauto_pipeline_tests.scenarios.picking import Listed, cost_of, costs, edits_of, item_of, seen, sound
from ecauto_pipeline_tests.scenarios.shop_day import RunResult, ShopDay

_START = datetime(2026, 6, 1, 1, 10, tzinfo=UTC)


@pytest.fixture
def day(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[ShopDay]:
    """Two active shops; a parameter is merged over their settings."""
    clock = ManualClock(_START)
    with EmulatorServer(clock=clock, seed=9, listings=90, accounts=3, speed=100.0) as emulator:
        yield ShopDay(tmp_path, emulator, clock, getattr(request, "param", None), loads_when_asked=True)


@pytest.fixture(scope="module")
def _first_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a first run leaves: the shops' folder beside their emulator's. The cases of the tests are in step in it."""
    folder = tmp_path_factory.mktemp("first")
    data = folder / "emulator"
    clock = ManualClock(_START)
    with EmulatorServer(clock=clock, seed=9, listings=90, accounts=3, speed=100.0, data=data) as emulator:
        day = ShopDay(folder / "shops", emulator, clock, loads_when_asked=True)
        sound(day, 6)
        for account in day.accounts[:2]:
            sound(day, 3, account)
        day.run()
    return folder


@pytest.fixture
def later(_first_run: Path, tmp_path: Path) -> Iterator[ShopDay]:
    """A day later: a copy of what a first run left."""
    clock = ManualClock(_START)
    shutil.copytree(_first_run, tmp_path, dirs_exist_ok=True)
    with EmulatorServer(clock=clock, data=tmp_path / "emulator") as emulator:
        day = ShopDay(tmp_path / "shops", emulator, clock, loads_when_asked=True)
        day.advance(25 * 3600)
        yield day


def _firing(day: ShopDay, result: RunResult) -> set[str]:
    with day.tools() as tools:
        verdicts = judge(record_of(tools, result.run_id), alert_setup(tools))
    return {verdict.rule for verdict in verdicts if not verdict.passed}


def test_a2_a3_a_night_without_amazon_moves_nothing_and_says_so(later: ShopDay) -> None:
    """Every answer of a day is an HTML page: no edit although people changed prices, nothing counts as fresh, alarms.

    The first run after it asks everything again.
    """
    case = sound(later, 1)[0]
    later.control.edit_item(case.account, int(case.item_id), price_jpy=case.price_jpy * 7 // 10)  # below its cost
    later.control.add_faults({"kind": "http_error", "status": 502, "api": "sp_api"})
    since = seen(later)
    result = later.run()
    assert [] == later.edits(since)
    assert result.figures["status_api_error"] == result.figures["cache_misses"] > 50
    assert ("price", "skipped", "stale_price") in [
        tuple(row.values())
        for row in later.history(
            "select kind, decision, reason from diffs where run_id = ? and item_id = ?", result.run_id, case.item_id
        )
    ]
    assert "sp_api_error_rate" in _firing(later, result)
    later.control.clear_faults()
    again = later.run()
    assert again.figures["cache_misses"] == result.figures["cache_misses"]
    corrected = edits_of(later, case, since)
    assert ["price"] == [name for edit in corrected for name in edit]
    assert abs(int(corrected[0]["price"]) - case.price_jpy) < 20


def test_a2_one_batch_that_fails_leaves_the_others_alone(day: ShopDay) -> None:
    """One call fails three times: its ASINs are errors, at most 20 of them, and every other one has its answer."""
    day.control.add_faults({"kind": "http_error", "status": 503, "operation": "getItemOffersBatch", "times": 3})
    result = day.run()
    failed = [call for call in day.control.calls(operation="getItemOffersBatch") if call["http_status"] == 503]
    assert 3 == len(failed)
    assert 1 == len({tuple(call["details"]["asins"]) for call in failed})
    reasons = day.history("select asin from snapshots where status = 'api_error' and run_id = ?", result.run_id)
    assert {row["asin"] for row in reasons} >= set(failed[0]["details"]["asins"])
    assert result.figures["status_success"] > 30


def test_a11_one_refused_item_is_one_failed_row_and_is_tried_alone(later: ShopDay) -> None:
    """BASE refuses one edit: the others are done, the next run sends that one and asks Amazon nothing."""
    cases = sound(later, 4)
    for case in cases:
        costs(later, case, cost_of(case.price_jpy) + 300)
    bad = cases[0]
    later.control.add_faults(
        {
            "kind": "error_json",
            "status": 400,
            "code": "server_error",
            "message": "an error of ours",
            "operation": "items/edit",
            "item_ids": [int(bad.item_id)],
            "times": 1,
        }
    )
    since = seen(later)
    result = later.run()
    assert 1 == result.figures["failed"]
    assert [1, 1, 1, 1] == [len(edits_of(later, case, since)) for case in cases]
    since = seen(later)
    after = later.run()
    assert [1, 0, 0, 0] == [len(edits_of(later, case, since)) for case in cases]
    failed = {row["asin"] for row in later.history("select asin from snapshots where status = 'api_error'")}
    calls = later.control.calls(since=since, api="sp_api")
    asked = {asin for call in calls for asin in call["details"].get("asins", ())}
    assert asked <= failed
    assert 0 == after.figures["failed"]
    assert 1 == after.figures["pushed"], "the numbers of a run begin at nothing"


def _one_item_vanishes(day: ShopDay) -> tuple[Listed, int]:
    case = sound(day, 1)[0]
    day.control.sell(case.account, int(case.item_id))  # sold lately: looked at every hour
    day.run()
    day.advance(3660)
    day.control.delete_item(case.account, int(case.item_id))
    costs(day, case, cost_of(case.price_jpy) + 300)
    since = seen(day)
    day.run()
    return case, since


@pytest.mark.parametrize("day", [{"guards": {"max_delist_share": 0.05}}], indirect=True, ids=["of 73 listings"])
def test_a9_an_item_gone_from_base_becomes_a_candidate_on_two_proofs(day: ShopDay) -> None:
    """The edit says bad_item_id, the detail says absent, another item resolves: a mark, to be undone, no delete."""
    case, since = _one_item_vanishes(day)
    calls = day.control.calls(since=since, api="base", account=case.account)
    assert 1 == len(edits_of(day, case, since))
    details = [call for call in calls if call["operation"] == "items/detail"]
    assert Counter({400: 1, 200: 1}) == Counter(call["http_status"] for call in details)
    assert [] == [call for call in calls if "delete" in call["operation"]]
    assert [{"decision": "push", "reason": "gone"}] == day.history(
        "select decision, reason from diffs where kind = 'delist'"
    )
    since = seen(day)
    day.run()
    assert [] == edits_of(day, case, since)


def test_a9_more_than_a_hundredth_gone_at_once_waits_for_a_person(day: ShopDay) -> None:
    """One of 73 is more than 1%: both proofs are there, and it is held all the same."""
    case, since = _one_item_vanishes(day)
    assert 1 == len(edits_of(day, case, since))
    assert [{"decision": "held", "reason": "mass_delist"}] == day.history(
        "select decision, reason from diffs where kind = 'delist'"
    )


def test_a23_a_token_that_ended_is_refreshed_once(later: ShopDay) -> None:
    """BASE forgets every access token between two runs: one refresh a shop, every edit done, none of them twice."""
    cases = sound(later, 6)
    for case in cases:
        costs(later, case, cost_of(case.price_jpy) + 300)
    since = seen(later)
    later.run("full_sync", push=False)  # gets new tokens, sends nothing
    later.control.expire_tokens(api="base")
    since = seen(later)
    later.run()
    tokens = [call for call in later.control.calls(since=since, api="base") if call["operation"] == "oauth/token"]
    assert Counter(dict.fromkeys(later.accounts[:-1], 1)) == Counter(call["account"] for call in tokens)
    assert {1} == {len([edit for edit in edits_of(later, case, since)]) for case in cases}


def test_a23_a_shop_whose_tokens_are_dead_is_blocked_and_the_other_goes_on(later: ShopDay) -> None:
    """One try to refresh, not one edit, an alarm that names it; the other shop's edits are all done."""
    dead, alive = later.accounts[0], later.accounts[1]
    lost, kept = sound(later, 3, dead), sound(later, 3, alive)
    for case in (*lost, *kept):
        costs(later, case, cost_of(case.price_jpy) + 300)
    later.control.revoke_tokens(api="base", account=dead)
    since = seen(later)
    result = later.run()
    calls = later.control.calls(since=since, api="base", account=dead)
    tokens = [call for call in calls if call["operation"] == "oauth/token"]
    assert 1 == len(tokens)
    assert [0, 0, 0, 1, 1, 1] == [len(edits_of(later, case, since)) for case in (*lost, *kept)]
    assert "account_blocked" in _firing(later, result)


def test_a24_a_register_in_disorder_moves_nothing_it_should_not(day: ShopDay) -> None:
    """Rows without an item, items without a row, codes that disagree, other spellings: reported, and never edited."""
    result = day.run()
    orphans = result.reports["listings"].orphans
    assert {"no_item", "no_register"} <= set(orphans)
    rows = day.register("select account_id, platform_item_id, status, platform from listings")
    known = {
        (row["account_id"], str(row["platform_item_id"]))
        for row in rows
        if str(row["platform"]).lower() == "base" and row["status"] in ("listed", "active")
    }
    assert set() == {(call["account"], str(call["details"]["item_id"])) for call in day.edits()} - known
    keys = day.history("select account_id, item_id, kind, count(*) as n from diffs group by all having count(*) > 1")
    assert [] == keys


def test_a10_the_list_is_read_in_pages_never_item_by_item(day: ShopDay) -> None:
    """Every item of a shop in pages of 100, and after that one page while nothing changed; no detail call at all."""
    day.run(push=False)
    first = day.control.calls(api="base")
    pages = Counter(call["account"] for call in first if call["operation"] == "items")
    for account in day.accounts[:-1]:
        assert pages[account] <= len(day.control.items(account)) // 100 + 1
    since = seen(day)
    day.run(push=False)
    later = Counter(call["operation"] for call in day.control.calls(since=since, api="base"))
    assert later["items"] <= 2 * len(day.accounts[:-1])
    assert 0 == later["items/detail"] == sum(call["operation"] == "items/detail" for call in first)


def test_a20_titles_of_all_kinds_pass(day: ShopDay) -> None:
    """Emoji, ㎥ and zero-width characters in a title: read, judged and edited like any other."""
    case = sound(day, 1)[0]
    day.control.edit_item(case.account, int(case.item_id), title="🎁 ㎥\u200b 髙﨑 ギフト ①")
    day.run()
    day.advance(25 * 3600)
    costs(day, case, cost_of(case.price_jpy) + 300)
    since = seen(day)
    day.run()
    assert 1 == len(edits_of(day, case, since))
    assert "🎁 ㎥\u200b 髙﨑 ギフト ①" == item_of(day, case)["title"]
