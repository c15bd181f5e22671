"""What the failure sensor tells of a real run, and what it leaves to the person who made the mistake."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from ecauto_pipeline.defs.build import build_defs
from ecauto_pipeline.defs.slips import is_a_slip, subject_of
from ecauto_pipeline_tests.alerts.receivers import HttpReceiver, http_receiver
from ecauto_pipeline_tests.defs.installation import SMALL, Installation, installed
from ecauto_pipeline_tests.register.taken_away import taken_away


@pytest.fixture
def receiver() -> Iterator[HttpReceiver]:
    with http_receiver() as one:
        yield one


@pytest.fixture
def here(tmp_path: Path, receiver: HttpReceiver, monkeypatch: pytest.MonkeyPatch) -> Iterator[Installation]:
    monkeypatch.setenv("HOOK", "https://example.jp/hook")
    monkeypatch.setenv("BEAT", f"{receiver.url}/beat")
    beat = '\n[alerts]\nheartbeat_url_env = "BEAT"\n'
    channel = f'\n[[alerts.channels]]\nkind = "webhook"\nurl_env = "HOOK"\nendpoint = "{receiver.url}"\n'
    with installed(tmp_path, SMALL + beat + channel) as opened:
        yield opened


def look(here: Installation, result: dg.ExecuteInProcessResult, tags: Mapping[str, str] | None = None) -> None:
    """What the daemon does after the run: the status sensor that fits is asked."""
    name = "alerts_after_success" if result.success else "alerts_after_failure"
    sensor: Any = build_defs().get_repository_def().get_sensor_def(name)
    event = result.get_run_success_event() if result.success else result.get_run_failure_event()
    run = result.dagster_run.with_tags({**result.dagster_run.tags, **(tags or {})})
    context = dg.build_run_status_sensor_context(
        sensor_name=name, dagster_instance=here.instance, dagster_run=run, dagster_event=event
    )
    sensor(context if result.success else context.for_run_failure())


def told(receiver: HttpReceiver) -> list[tuple[str, str, str]]:
    """(rule, subject, state) of every message about a run that failed."""
    sent = [one.json for one in receiver.received if one.body]
    messages = [(one["rule"], one["subject"], one["state"]) for one in sent]
    return [message for message in messages if message[0] == "run_failed"]


def beats(receiver: HttpReceiver) -> list[str]:
    """The addresses that were asked for a sign of life."""
    return [one.path for one in receiver.received if one.path.startswith("/beat")]


def test_a_persons_own_slip_is_no_alarm(here: Installation, receiver: HttpReceiver) -> None:
    """An empty field, a wrong id, a file that is not there, an unknown shop: told in the UI and to nobody else."""
    slips: list[dict[str, Any]] = [
        {"job": "release_holds", "ops": {"release_holds_op": {"config": {"diff_ids": []}}}, "partition": None},
        {"job": "release_holds", "ops": {"release_holds_op": {"config": {"diff_ids": ["zz"]}}}, "partition": None},
        {"job": "rollback_run", "ops": {"rollback_run_op": {"config": {"target_run_ids": []}}}, "partition": None},
        {"job": "rollback_run", "ops": {"rollback_run_op": {"config": {"target_run_ids": ["zz"]}}}, "partition": None},
        {"job": "apply_plan", "ops": {"apply_plan_op": {"config": {"file": "nowhere.json"}}}, "partition": None},
        {"job": "explain", "ops": {"explain_op": {"config": {"key": "zz"}}}, "partition": None},
        {"job": "stock_sync", "pipeline": {"accounts": ["nobody"]}},
    ]
    for slip in slips:
        result = here.run(**slip, raise_on_error=False)
        assert not result.success, slip
        look(here, result)
    assert ([], []) == (told(receiver), beats(receiver))


def test_everything_else_is_an_alarm(here: Installation, receiver: HttpReceiver) -> None:
    """A register that is gone fails a run by hand too; wrong settings are one where a schedule meets them."""
    unknown = here.run("stock_sync", pipeline={"accounts": ["nobody"]}, raise_on_error=False)
    look(here, unknown, {"dagster/schedule_name": "stock_hourly"})
    assert [("run_failed", "stock_sync", "firing")] == told(receiver)
    with taken_away(here.settings.master_db):
        without = here.run("full_sync", raise_on_error=False)
        look(here, without)
    assert [("run_failed", "full_sync", "firing")] == told(receiver)[1:]
    assert ["listings"] == [event.step_key for event in without.all_events if event.is_step_failure]


def test_a_rehearsal_that_went_well_ends_no_alarm(here: Installation, receiver: HttpReceiver) -> None:
    """Its job stands as failed until a live run of it goes well; nor is it a sign of life."""
    with taken_away(here.settings.master_db):
        look(here, here.run("stock_sync", raise_on_error=False))
    look(here, here.run("stock_sync", pipeline={"dry_run": True}))
    assert [("run_failed", "stock_sync", "firing")] == told(receiver)
    assert ["/beat/fail"] == beats(receiver)
    look(here, here.run("stock_sync"))
    assert [("run_failed", "stock_sync", "recovered")] == told(receiver)[1:]
    assert ["/beat/fail", "/beat"] == beats(receiver)


def test_whichever_sensor_looks_first_the_run_that_ended_last_counts(
    here: Installation, receiver: HttpReceiver
) -> None:
    """Two runs between two looks: an older good one ended the alarm of a job that had just failed, and an older failure
    called people for a job that was well again. Nor does what is past give a sign of life."""

    def failed() -> dg.ExecuteInProcessResult:
        with taken_away(here.settings.master_db):
            return here.run("stock_sync", raise_on_error=False)

    older, good = failed(), here.run("stock_sync")
    for one in (good, older):
        look(here, one)
    assert ([], ["/beat"]) == (told(receiver), beats(receiver))
    good, newest = here.run("stock_sync"), failed()
    for one in (newest, good):
        look(here, one)
    assert [("run_failed", "stock_sync", "firing")] == told(receiver)
    assert ["/beat", "/beat/fail"] == beats(receiver)


def test_the_watch_tells_what_does_not_happen(
    tmp_path: Path, receiver: HttpReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of itself, without a run or a command: here that the disk has no room, once."""
    monkeypatch.setenv("HOOK", "https://example.jp/hook")
    channel = f'\n[[alerts.channels]]\nkind = "webhook"\nurl_env = "HOOK"\nendpoint = "{receiver.url}"\n'
    with installed(tmp_path, SMALL + "\n[alerts]\nmin_free_gb = 1e9\n" + channel) as here:
        watch: Any = build_defs().get_repository_def().get_sensor_def("alerts_watch")
        for _ in range(2):
            watch(dg.build_sensor_context(instance=here.instance))
    assert [("disk_low", "firing")] == [(one.json["rule"], one.json["state"]) for one in receiver.received]


@pytest.mark.parametrize("wish", ["Stopped", "KeyboardInterrupt", "DagsterExecutionInterruptedError"])
def test_somebody_who_ends_a_run_is_not_called_for_it(wish: str) -> None:
    """Ctrl-C and Terminate, of a scheduled run too; a process that just went is no wish."""
    scheduled = dg.DagsterRun("stock_sync", tags={"dagster/schedule_name": "stock_hourly"})
    assert is_a_slip(scheduled, ["Failure", wish])
    assert not is_a_slip(scheduled, [])


def test_assets_chosen_by_hand_have_a_name_of_their_own() -> None:
    """A question that went well does not clear what failed to be materialized."""

    def run(*assets: str) -> dg.DagsterRun:
        return dg.DagsterRun("__ASSET_JOB", asset_selection=frozenset(dg.AssetKey(name) for name in assets))

    assert ["capacity", "materialize", "materialize"] == [
        subject_of(one) for one in (run("capacity"), run("listings"), run("listings", "capacity"))
    ]
    assert "stock_sync" == subject_of(dg.DagsterRun("stock_sync"))
