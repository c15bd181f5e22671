"""Telling people: one message a rule and change of state, recovery once, quiet hours, digest, broken channels."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote_plus

import pytest

from ecauto_pipeline.alerts.announce import announce, broken_channels, firing_now, try_channels
from ecauto_pipeline.alerts.rule import AlertSetup
from ecauto_pipeline.alerts.rules import RULES, judge
from ecauto_pipeline.alerts.rules.runs import run_failed
from ecauto_pipeline.alerts.setup import alert_setup
from ecauto_pipeline.alerts.silent_runs import stuck_runs
from ecauto_pipeline.alerts.verdicts import Verdict
from ecauto_pipeline.clock import JST, ManualClock, to_ms
from ecauto_pipeline.domain.model import Role
from ecauto_pipeline.domain.operations_down import OperationDown
from ecauto_pipeline.domain.selling.register_fall import RegisterCounts
from ecauto_pipeline.settings import CHANNEL_KINDS, Alerts
from ecauto_pipeline.state.schema_runs import runs
from ecauto_pipeline.sync.context import Tools
from ecauto_pipeline.sync.file_trouble import FileTrouble
from ecauto_pipeline.sync.register_report import RegisterFall, RegisterReport, RegisterTrouble
from ecauto_pipeline.sync.run_record import RunRecord
from ecauto_pipeline.sync.sections import Fault, StoppedShop
from ecauto_pipeline_tests.alerts.alert_tools import tools_at
from ecauto_pipeline_tests.alerts.receivers import HttpReceiver, http_receiver, smtp_receiver
from ecauto_pipeline_tests.alerts.records import STARTED, a_record, a_shape

ENVIRON = {"HOOK": "https://example.jp/secret-path", "TOKEN": "token-123456"}
RECORD = a_record(run_id="run-1", job="stock_sync", partition_key="2026-01-05-12:00")
SETUP = AlertSetup(Alerts())
FIELDS = {
    "chatwork": {"token_env": "TOKEN", "room_id": "1"},
    "slack": {"url_env": "HOOK"},
    "discord": {"url_env": "HOOK"},
    "line": {"token_env": "TOKEN", "to": "U1"},
    "email": {"url_env": "MAIL", "to": "owner@example.jp"},
    "webhook": {"url_env": "HOOK"},
}


@pytest.fixture
def receiver() -> Iterator[HttpReceiver]:
    with http_receiver() as one:
        yield one


def webhook(receiver: HttpReceiver, **alerts: object) -> dict[str, Any]:
    channel = {"kind": "webhook", "url_env": "HOOK", "endpoint": receiver.url}
    return {"alerts": {"language": "en", "channels": [channel], **alerts}}


def held(rows: int) -> Verdict:
    found = RULES["held_rows"].judge(a_record(held_open=rows), SETUP)
    return replace(found, worst=({"asin": "B000000001", "shown": 100},))


def told(receiver: HttpReceiver) -> list[tuple[str, str]]:
    return [(one.json["rule"], one.json["state"]) for one in receiver.received]


def clock_of(tools: Tools) -> ManualClock:
    assert isinstance(tools.clock, ManualClock)
    return tools.clock


def test_a_hundred_failing_runs_make_one_message_and_recovery_one(tmp_path: Path, receiver: HttpReceiver) -> None:
    """At most one message per rule per change of state, whatever happens in between."""
    tools = tools_at(tmp_path, webhook(receiver))
    for number in range(100):
        announce(tools, [held(5), run_failed(f"r{number}", "stock_sync", "boom", failed=True)], RECORD, ENVIRON)
        clock_of(tools).advance(3600)
    assert [("held_rows", "firing"), ("run_failed", "firing")] == told(receiver)
    for _ in range(3):
        announce(tools, [held(0), run_failed("r", "stock_sync", failed=False)], RECORD, ENVIRON)
    assert [("held_rows", "recovered"), ("run_failed", "recovered")] == told(receiver)[2:]


def test_the_message_holds_numbers_worst_rows_and_the_next_command(tmp_path: Path, receiver: HttpReceiver) -> None:
    """A person can act on it without opening anything else."""
    announce(tools_at(tmp_path, webhook(receiver)), [held(5)], RECORD, ENVIRON)
    body = receiver.received[0].json["body"]
    for part in ("5 held", "asin=B000000001, shown=100", "ecauto holds list", "2026-01-05 12:00 JST", "run-1"):
        assert part in body


def test_jobs_fail_and_recover_apart(tmp_path: Path, receiver: HttpReceiver) -> None:
    """A good run of one job does not clear the failure of another."""
    tools = tools_at(tmp_path, webhook(receiver))
    announce(tools, [run_failed("r1", "stock_sync", failed=True)], None, ENVIRON)
    report = announce(tools, [run_failed("r2", "price_sync", failed=False)], None, ENVIRON)
    assert (("run_failed:stock_sync",), 0) == (report.firing, report.sent)


def test_what_is_not_judged_neither_fires_nor_recovers(tmp_path: Path, receiver: HttpReceiver) -> None:
    """A run with too few calls says nothing about an open alert."""
    tools = tools_at(tmp_path, webhook(receiver))
    bad = RULES["base_error_rate"].judge(a_record(base_api_calls=100, base_api_errors=50), SETUP)
    few = RULES["base_error_rate"].judge(a_record(base_api_calls=3), SETUP)
    announce(tools, [few], None, ENVIRON)
    announce(tools, [bad], None, ENVIRON)
    announce(tools, [few], None, ENVIRON)
    assert [("base_error_rate", "firing")] == told(receiver)
    assert ["base_error_rate"] == [key for key, _ in firing_now(tools)]


def test_quiet_hours_hold_back_till_their_end(tmp_path: Path, receiver: HttpReceiver) -> None:
    """Nothing at night; in the morning what still holds is said, what came and went is not."""
    at = datetime(2026, 1, 5, 23, 30, tzinfo=JST)
    tools = tools_at(tmp_path, webhook(receiver, quiet_hours="23:00-07:00"), at)
    report = announce(tools, [held(5), run_failed("r1", "stock_sync", failed=True)], RECORD, ENVIRON)
    announce(tools, [run_failed("r2", "stock_sync", failed=False)], RECORD, ENVIRON)
    assert ([], 7) == (told(receiver), report.held_back_until and report.held_back_until.hour)
    clock_of(tools).advance(7.5 * 3600)
    assert 1 == announce(tools, (), None, ENVIRON).sent
    assert [("held_rows", "firing")] == told(receiver)


def test_the_digest_comes_once_a_day_and_says_what_is_open(tmp_path: Path, receiver: HttpReceiver) -> None:
    """Its time passed: one summary; again the next day."""
    tools = tools_at(tmp_path, webhook(receiver, daily_digest="08:00"))
    for _ in range(30):
        announce(tools, [held(5)], RECORD, ENVIRON)
        clock_of(tools).advance(3600)
    digests = [one.json for one in receiver.received if one.json["state"] == "digest"]
    assert [(["held_rows"], 1), (["held_rows"], 0)] == [(one["firing"], one["changes"]) for one in digests]


def test_a_channel_that_was_down_hears_of_it_later(tmp_path: Path, receiver: HttpReceiver) -> None:
    """The failure is in the report and visible as a broken channel; the message goes out once it works again."""
    tools = tools_at(tmp_path, webhook(receiver))
    receiver.status = 500
    report = announce(tools, [held(5)], RECORD, ENVIRON)
    assert (0, ["webhook:HOOK"]) == (report.sent, [failure.channel for failure in report.failures])
    assert ("webhook:HOOK",) == broken_channels(tools)
    receiver.status = 200
    assert 1 == announce(tools, [held(5)], RECORD, ENVIRON).sent
    assert () == broken_channels(tools)
    assert 0 == announce(tools, [held(5)], RECORD, ENVIRON).sent


def test_one_broken_channel_does_not_silence_the_other(tmp_path: Path, receiver: HttpReceiver) -> None:
    """Each channel keeps its own account of what it was told."""
    document = webhook(receiver)
    document["alerts"]["channels"].insert(0, {"kind": "slack", "url_env": "MISSING"})
    tools = tools_at(tmp_path, document)
    reports = [announce(tools, [held(5)], RECORD, ENVIRON) for _ in range(3)]
    assert [1, 0, 0] == [report.sent for report in reports]
    assert ("slack:MISSING",) == broken_channels(tools)


def test_without_channels_states_are_still_kept(tmp_path: Path) -> None:
    """No channel: nothing sent, nothing raised, the alert is visible and told to a channel added later."""
    tools = tools_at(tmp_path)
    report = announce(tools, [held(5)], RECORD, {})
    assert (("held_rows",), 0, 0) == (report.firing, report.sent, report.channels)
    with http_receiver() as receiver:
        assert 1 == announce(tools_at(tmp_path, webhook(receiver)), (), None, ENVIRON).sent


@pytest.mark.parametrize("kind", CHANNEL_KINDS)
def test_every_rule_fires_and_recovers_through_every_channel(tmp_path: Path, kind: str) -> None:
    """Each rule says once that it fires and once that it is over, through a real receiver of each kind."""
    shops = ("shop_1", "shop_2", "shop_3")
    bad_figures: dict[str, Any] = dict(
        shops=shops,
        base_api_calls=100,
        base_api_errors=50,
        status_api_error=55,
        zeros_not_believed={"sweep": 5},
        by_reason={"mass_zero": 5},
        status_success=50,
        cache_hits=10,
        cache_misses=90,
        execution_time_seconds=500,
        planned_seconds=100,
        oldest_pushed_data_s=9000,
        oldest_allowed_s=3600,
        targets=1,
        unconfirmed=3,
        down=(OperationDown("sweep", Role.SWEEP, STARTED, "http_503"),),
        catalogue_nulled=2,
        held_open=3,
        token_days_left=1,
        probe_audited=50,
        probe_missed=20,
        breakers=(("shop_1", "access_denied"),),
        out_of_calls=(("shop_2", 4),),
        stopped=(StoppedShop("shop_3", "owner", STARTED),),
        register_problem="another program holds it",
        orders_not_read={"shop_3": "timeout"},
        token_files={"shop_1": "no permission"},
        faults=(Fault("shop_1", "edit", "shop:1", "ZeroDivisionError"),),
        blocklist=FileTrouble("blocked_asins.json", "壊れています", "is broken", STARTED),
        rules=FileTrouble("rules.csv", "誤りがあります", "has a mistake", STARTED, 3),
        views=FileTrouble("views.csv", "壊れています", "is broken", STARTED),
        damaged=("snapshots/dt=2026-01-05/hour=12/run-1.parquet",),
    )
    falls = (RegisterFall("shop_1", "listed", 100, 1, (("1", "B000000001"),)),)
    bad = a_record(**bad_figures, register=RegisterReport({"shop_1": RegisterCounts(1)}, falls, odd=1))
    good = a_record(
        shops=shops,
        register=RegisterReport({"shop_1": RegisterCounts(100)}),
        by_operation={"sweep": (100, 0)},
        base_api_calls=100,
        status_success=100,
        cache_hits=95,
        cache_misses=5,
        execution_time_seconds=100,
        planned_seconds=100,
        oldest_pushed_data_s=60,
        oldest_allowed_s=3600,
        sp_api_calls=1,
        catalogue_nulled=0,
        token_days_left=20,
        probe_audited=50,
    )
    unread = a_record(**bad_figures, register=RegisterReport(trouble=RegisterTrouble("壊れています", "is damaged")))
    held = {"shop_1": {f"{item}/price": {"item_id": str(item)} for item in range(3)}}
    with http_receiver() as http, smtp_receiver() as smtp:
        endpoint = smtp.url if kind == "email" else http.url
        channel = {"kind": kind, "endpoint": endpoint, **FIELDS[kind]}
        tools = tools_at(tmp_path, {"alerts": {"channels": [channel]}})
        environ = ENVIRON | {"MAIL": "smtp://127.0.0.1?from=shop@example.jp"}
        for record, failed in ((bad, True), (unread, True), (unread, True), (good, False), (good, False)):
            setup = AlertSetup(tools.settings.alerts)
            if failed:
                setup = AlertSetup(tools.settings.alerts, ("x",), held, shapes=(a_shape(20),), now=STARTED)
            verdicts = [*judge(record, setup), run_failed("r", "stock_sync", failed=failed)]
            report = announce(tools, verdicts, record, environ)
            assert () == report.failures
        texts = [one.body for one in http.received] + [str(mail["Subject"]) for mail in smtp.mails]
    assert 2 * (len(RULES) + 1) == len(texts)
    assert () == report.firing


@pytest.mark.parametrize("kind", CHANNEL_KINDS)
def test_every_channel_carries_the_link_to_the_desk_whole(tmp_path: Path, kind: str) -> None:
    """As it was written: nothing of it is cut, escaped or taken for markup."""
    with http_receiver() as http, smtp_receiver() as smtp:
        channel = {"kind": kind, "endpoint": smtp.url if kind == "email" else http.url, **FIELDS[kind]}
        tools = tools_at(tmp_path, {"alerts": {"channels": [channel]}})
        row = {"item_id": "1", "diff_id": "0123456789abcdef0123456789abcdef"}
        verdict = replace(held(1), worst=(row,), members={"1/price": row})
        announce(tools, [verdict], RECORD, ENVIRON | {"MAIL": "smtp://127.0.0.1?from=shop@example.jp"})
        texts = [unquote_plus(one.body) for one in http.received] + [mail.get_content() for mail in smtp.mails]
    assert 1 == len(texts)
    assert "http://127.0.0.1:3001/holds?id=0123456789ab" in texts[0]


def test_trial_messages_reach_every_channel(tmp_path: Path, receiver: HttpReceiver) -> None:
    """One result a channel, in order; a wrong one says why."""
    document = webhook(receiver)
    document["alerts"]["channels"].append({"kind": "line", "token_env": "NONE", "to": "U1"})
    results = try_channels(tools_at(tmp_path, document), ENVIRON)
    assert [("webhook:HOOK", True), ("line:U1", False)] == [(one.channel, one.ok) for one in results]
    assert "NONE" in results[1].error


def test_a_silent_run_is_stuck_until_it_ends(tmp_path: Path) -> None:
    """No sign of life for longer than allowed fires for its job; once no run is open it recovers."""
    tools = tools_at(tmp_path)
    started = to_ms(tools.clock.now())
    with tools.state.write() as connection:
        connection.execute(runs.insert().values(run_id="r1", job="stock_sync", started_at=started))
    clock_of(tools).advance(901)
    assert ("run_stuck:stock_sync",) == announce(tools, stuck_runs(tools), None, {}).firing
    with tools.state.write() as connection:
        connection.execute(runs.update().values(ended_at=started))
    assert () == announce(tools, stuck_runs(tools), None, {}).firing


def test_a_run_that_did_not_look_sends_no_recovery(tmp_path: Path, receiver: HttpReceiver) -> None:
    """An alarm about pushing stands while runs that push nothing come and go; a run that pushed well ends it."""
    tools = tools_at(tmp_path, webhook(receiver))
    looked_not = RunRecord(run_id="r", job="validate_cache", partition_key="", started_at=tools.clock.now())
    bad, good = a_record(register_problem="locked", targets=1), a_record()
    for record in (bad, looked_not, looked_not):
        announce(tools, judge(record, alert_setup(tools)), record, ENVIRON)
    assert [("register_written", "firing"), ("numbers_add_up", "firing")] == sorted(told(receiver), reverse=True)
    announce(tools, judge(good, alert_setup(tools)), good, ENVIRON)
    assert {("register_written", "recovered"), ("numbers_add_up", "recovered")} == set(told(receiver)[2:])
