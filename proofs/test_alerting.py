"""Alerts from their causes: the world breaks, a run meets it, people are told once; it is mended, they are told once.

Channels of each kind against receivers are in the suite (alerts/test_announce.py); here the receiver hears what real
runs say. The last proof fails a hundred real Dagster runs and asks the real failure sensor after each.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest

from ecauto_pipeline.alerts.announce import announce
from ecauto_pipeline.alerts.rules import judge
from ecauto_pipeline.alerts.setup import alert_setup
from ecauto_pipeline.clock import ManualClock
from ecauto_pipeline.emulator import process
from ecauto_pipeline.emulator.server import EmulatorServer
from ecauto_pipeline.sync.run_record import record_of
from ecauto_pipeline_tests.alerts.receivers import HttpReceiver, http_receiver
from ecauto_pipeline_tests.register.taken_away import taken_away
from ecauto_pipeline_tests.scenarios.picking import cost_of, costs, sound
from ecauto_pipeline_tests.scenarios.shop_day import ShopDay
from ecauto_pipeline_tests.scenarios.webserver import ROOT

START = datetime(2026, 6, 1, 1, 0, tzinfo=UTC)
ENVIRON = {"HOOK": "https://example.jp/hook"}
RUNS = 100


class Told:
    """A shop whose owner is told by webhook after each run."""

    def __init__(self, day: ShopDay, receiver: HttpReceiver) -> None:
        self.day, self.receiver = day, receiver
        self.clock = day.clock

    def run(self, hours: float = 1.1, job: str = "full_sync", dry_run: bool = False) -> list[tuple[str, str, str]]:
        """Time passes, a run of the line, and what was said after it: (rule, subject, state)."""
        assert isinstance(self.clock, ManualClock)
        self.clock.advance(hours * 3600)
        before = len(self.receiver.received)
        result = self.day.run(job, dry_run=dry_run)
        with self.day.tools() as tools:
            record = record_of(tools, result.run_id)
            announce(tools, judge(record, alert_setup(tools)), record, ENVIRON)
        return [(one.json["rule"], one.json["subject"], one.json["state"]) for one in self.receiver.received[before:]]


@dataclass(frozen=True, slots=True)
class Cause:
    """What breaks, and what mends it. `hours` that pass before the run that meets it, and before the one after it."""

    rule: str
    breaks: Callable[[Told], object]
    mends: Callable[[Told], object]
    hours: float = 1.1
    mended_hours: float = 1.1


@pytest.fixture
def told(tmp_path: Path) -> Iterator[Told]:
    clock = ManualClock(START)
    with (
        http_receiver() as receiver,
        EmulatorServer(clock=clock, seed=9, listings=200, accounts=3, speed=400.0) as emulator,
    ):
        channel = {"kind": "webhook", "url_env": "HOOK", "endpoint": receiver.url}
        day = ShopDay(tmp_path, emulator, clock, {"alerts": {"channels": [channel], "language": "en"}})
        for asin in day.control.asins():
            if day.control.truth(asin)["failure"] is not None:
                day.control.set_truth(asin, offers=[{"seller_id": "A1SELLER", "price_jpy": 3000, "max_hours": 24}])
        for account in day.settings.base.accounts:  # authorised now, by the world's clock, not by the file's
            path = day.settings.token_file(account)
            tokens = json.loads(path.read_text(encoding="utf-8")) | {"obtained_at": START.isoformat()}
            path.write_text(json.dumps(tokens), encoding="utf-8")
        one = Told(day, receiver)
        one.run(0)
        yield one


def _fault(**spec: object) -> Callable[[Told], object]:
    return lambda told: told.day.control.add_faults(spec)


def _clear(told: Told) -> None:
    told.day.control.clear_faults()


def _jump(told: Told) -> None:
    """A price that triples waits for a person."""
    listed = sound(told.day, 1)[0]
    costs(told.day, listed, cost_of(listed.price_jpy) * 3)


def _settle(told: Told) -> None:
    """The person says no: it is heeded, and nothing waits any more."""
    from ecauto_pipeline.sync.people.holds import reject

    with told.day.tools() as tools:
        reject(tools, everything=True)


def _refuse_amazon(told: Told) -> None:
    told.day.control.revoke_tokens("sp_api")


def _welcome_amazon(told: Told) -> None:
    told.day.control.restore_refresh_tokens()


def _few_calls(told: Told) -> None:
    told.day.control.set_base_limits("base_account_1", 12, 100_000)


def _enough_calls(told: Told) -> None:
    told.day.control.set_base_limits("base_account_1", 5_000, 100_000)


def _revoke(told: Told) -> None:
    told.day.control.revoke_tokens("base", told.day.accounts[0])


def _token_file(told: Told) -> Path:
    account = next(one for one in told.day.settings.base.accounts if one.id == told.day.accounts[0])
    return told.day.settings.token_file(account)


def _turn_no_token(told: Told) -> None:
    """Turned once more, and then BASE gives out no new ones: twice twelve days go by."""
    told.run(1.1)
    told.day.control.add_faults({"kind": "http_error", "status": 503, "operation": "oauth/token"})


def _issue(told: Told) -> None:
    """What `ecauto auth base` leaves behind."""
    _token_file(told).write_text(json.dumps(told.day.control.issue_base_tokens(told.day.accounts[0])), encoding="utf-8")


def _deafen(told: Told) -> None:
    """The receiver refuses, while there is something to say."""
    told.receiver.status = 500
    _jump(told)


def _hear(told: Told) -> None:
    told.receiver.status = 200
    _settle(told)


CAUSES = (
    Cause("sp_api_error_rate", _fault(kind="item_error", status=500, code="InternalFailure"), _clear, 25, 1.1),
    Cause("base_error_rate", _fault(kind="server_error", operation="items/edit", probability=0.3), _clear, 25, 25),
    Cause("cache_hit_rate", lambda told: None, lambda told: None, 25, 1.1),
    Cause("held_rows", _jump, _settle, 25, 1.1),
    Cause("calls_made_when_due", _refuse_amazon, _welcome_amazon, 25, 1.1),
    Cause("token_expiry", _turn_no_token, _clear, 300, 1.1),
    Cause("account_blocked", _fault(kind="access_denied", account="base_account_1"), _clear, 25, 25),
    Cause("account_blocked", _revoke, _issue, 1.1, 1.1),
    Cause("account_blocked", _fault(kind="server_error", operation="items/edit"), _clear, 25, 25),
    Cause("account_blocked", _fault(kind="http_error", status=503, api="base"), _clear, 1.1, 1.1),
    Cause("base_calls_suffice", _few_calls, _enough_calls, 25, 1.1),
    Cause("alert_channel_configured", _deafen, _hear, 25, 1.1),
)


@pytest.mark.parametrize("cause", CAUSES, ids=lambda cause: cause.rule)
def test_what_breaks_is_said_once_and_what_is_mended_once(told: Told, cause: Cause) -> None:
    """Firing once while it is broken, for however many runs; recovered once after it is mended."""
    cause.breaks(told)
    first = told.run(cause.hours)
    second = told.run(cause.hours)
    cause.mends(told)
    third = told.run(cause.mended_hours)
    fourth = told.run(cause.mended_hours)
    print(f"\n{cause.rule}: {first} / {second} / {third} / {fourth}")
    said: dict[str, list[str]] = {}
    for rule, subject, state in (*first, *second, *third, *fourth):
        if rule == cause.rule:
            said.setdefault(subject, []).append(state)
    assert said
    assert [["firing", "recovered"]] * len(said) == list(said.values())
    assert (cause.rule, "recovered") in {(rule, state) for rule, _, state in (*third, *fourth)}
    fired = (cause.rule, "firing") in {(rule, state) for rule, _, state in (*first, *second)}
    assert fired or cause.rule == "alert_channel_configured"  # it was deaf


def test_two_troubles_of_two_shops_with_questions_between_are_told_exactly_once_each(told: Told) -> None:
    """One shop refuses its token, then another restricts us; rehearsals in between say nothing; each ends by itself."""
    first, second = told.day.accounts[:2]

    def heard(hours: float = 1.1, dry_run: bool = False) -> list[tuple[str, str, str]]:
        before = len(told.receiver.received)
        told.run(hours, dry_run=dry_run)
        new = [one.json for one in told.receiver.received[before:]]
        return [(one["rule"], one["subject"], one["state"]) for one in new if one["rule"] == "account_blocked"]

    told.day.control.revoke_tokens("base", first)
    assert [("account_blocked", first, "firing")] == heard()
    assert [] == heard(hours=0.1, dry_run=True)
    told.day.control.add_faults({"kind": "access_denied", "account": second})
    assert [("account_blocked", second, "firing")] == heard(hours=25)
    assert [] == heard(hours=0.1, dry_run=True)
    _issue(told)
    assert [] == heard(hours=0.1, dry_run=True)
    assert [("account_blocked", first, "recovered")] == heard(hours=25)
    told.day.control.clear_faults()
    assert [("account_blocked", second, "recovered")] == heard(hours=25)
    assert 4 == sum(one.json["rule"] == "account_blocked" for one in told.receiver.received)


def test_a_hundred_failing_runs_say_it_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Real runs, failed by a register that is gone; the sensor looks after each. Then some that go well."""
    with http_receiver() as receiver:
        toml = (ROOT / "ecauto.toml").read_text(encoding="utf-8").replace("listings = 1000", "listings = 60")
        toml += f'\n[[alerts.channels]]\nkind = "webhook"\nurl_env = "HOOK"\nendpoint = "{receiver.url}"\n'
        (tmp_path / "ecauto.toml").write_text(toml, encoding="utf-8")
        monkeypatch.setenv("ECAUTO_CONFIG", str(tmp_path / "ecauto.toml"))
        monkeypatch.setenv("ECAUTO_DATA_DIR", str(tmp_path / "data"))
        monkeypatch.setenv("HOOK", ENVIRON["HOOK"])
        monkeypatch.delenv("DAGSTER_HOME", raising=False)
        monkeypatch.chdir(tmp_path)
        from ecauto_pipeline.defs.build import build_defs

        definitions = build_defs()
        job = definitions.resolve_job_def("stock_sync")
        try:
            with dg.DagsterInstance.ephemeral() as instance:
                with taken_away(tmp_path / "data" / "master.db"):
                    for _ in range(RUNS):
                        _run_and_look(definitions, job, instance, succeeds=False)
                for _ in range(3):
                    _run_and_look(definitions, job, instance, succeeds=True)
        finally:
            process.stop(tmp_path / "data" / "emulator")
        said = [(one.json["rule"], one.json["state"]) for one in receiver.received]
    print(f"\nafter {RUNS} failing runs and 3 good ones: {said}")
    assert said[:2] == [("run_failed", "firing"), ("run_failed", "recovered")]
    assert len(said) == len(set(said)), "nothing is said twice"


def _run_and_look(
    definitions: dg.Definitions, job: dg.JobDefinition, instance: dg.DagsterInstance, *, succeeds: bool
) -> None:
    """One run in this process, then what the daemon does after it: the status sensor that fits is asked."""
    from ecauto_pipeline.defs.partitions import hour_key

    result = job.execute_in_process(instance=instance, partition_key=hour_key(datetime.now(UTC)), raise_on_error=False)
    assert succeeds == result.success
    name = "alerts_after_success" if succeeds else "alerts_after_failure"
    sensor = (
        definitions.resolve_sensor_def(name)
        if hasattr(definitions, "resolve_sensor_def")
        else definitions.get_sensor_def(name)
    )
    event = result.get_run_success_event() if succeeds else result.get_run_failure_event()
    context = dg.build_run_status_sensor_context(
        sensor_name=name, dagster_instance=instance, dagster_run=result.dagster_run, dagster_event=event
    )
    sensor(context if succeeds else context.for_run_failure())
