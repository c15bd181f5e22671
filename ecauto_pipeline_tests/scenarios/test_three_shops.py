"""Three shops at once: one restricted, one out of calls, one in good health, which must not notice."""

from __future__ import annotations

import json
import logging
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ecauto_pipeline.alerts.announce import announce
from ecauto_pipeline.alerts.rules import judge
from ecauto_pipeline.alerts.setup import alert_setup
from ecauto_pipeline.clock import ManualClock
from ecauto_pipeline.emulator.server import EmulatorServer
from ecauto_pipeline.sync.run_record import record_of
from ecauto_pipeline_tests.alerts.receivers import HttpReceiver, http_receiver
from ecauto_pipeline_tests.scenarios.picking import Listed, asked_about, cost_of, costs, edits_of, seen, sound
from ecauto_pipeline_tests.scenarios.shop_day import RunResult, ShopDay

pytestmark = pytest.mark.long

_START = datetime(2026, 6, 1, 1, 10, tzinfo=UTC)
_EACH = 6


_DOCUMENT = {"alerts": {"channels": [{"kind": "webhook", "url_env": "HOOK"}]}, "base": {"timeout_s": 7200.0}}
Cases = dict[str, list[Listed]]


@contextmanager
def _shops(folder: Path, clock: ManualClock) -> Iterator[ShopDay]:
    """A new world, or the one that the folder has."""
    data = folder / "emulator"
    with EmulatorServer(clock=clock, seed=21, listings=80, accounts=4, speed=200.0, data=data) as emulator:
        yield ShopDay(folder / "shops", emulator, clock, _DOCUMENT, loads_when_asked=True)


def _a_day_later(folder: Path) -> tuple[ManualClock, Cases]:
    """Every shop in step, then as many prices up in each."""
    clock = ManualClock(_START)
    with _shops(folder, clock) as day:
        cases = {account: sound(day, _EACH, account) for account in day.accounts[:-1]}
        day.run()
        day.advance(25 * 3600)
        for listed in (case for several in cases.values() for case in several):
            costs(day, listed, cost_of(listed.price_jpy) + 400)
    return clock, cases


def _tell(day: ShopDay, result: RunResult, receiver: HttpReceiver) -> None:
    with day.tools() as tools:
        record = record_of(tools, result.run_id)
        announce(tools, judge(record, alert_setup(tools)), record, {"HOOK": receiver.url})


def _sent(day: ShopDay, cases: list[Listed], since: int) -> list[int]:
    return [len(edits_of(day, case, since)) for case in cases]


@contextmanager
def _held_until_ready(day: ShopDay, held: str, healthy: str, edits: int) -> Iterator[None]:
    """The first edit of `held` gets its answer when `healthy` has made so many edits."""
    (fault,) = day.control.add_faults(
        {"kind": "held", "account": held, "operation": "items/edit", "times": 1, "seconds": 3600.0}
    )
    since, over = seen(day), threading.Event()

    def watch() -> None:
        while sum(call["account"] == healthy for call in day.edits(since)) < edits and not over.wait(0.01):
            pass
        day.control.remove_faults(fault)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()


def test_a_restricted_and_a_spent_shop_wait_and_the_healthy_one_notices_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """C's edits are those of a world in which A and B are well; one alert each for A and B; their rows wait.

    C is ready while B waits for the answer to its first edit. Nothing is asked about what only A lists. Theirs is sent
    once when A is allowed again and B's hour has turned.
    """
    caplog.set_level(logging.WARNING)
    clock, cases = _a_day_later(tmp_path / "alone")
    shutil.copytree(tmp_path / "alone", tmp_path / "troubled")
    with _shops(tmp_path / "alone", ManualClock(clock.now())) as day:
        healthy = day.accounts[2]
        since = seen(day)
        day.run()
        undisturbed = [call["details"] for call in day.edits(since) if call["account"] == healthy]
    with http_receiver() as receiver, _shops(tmp_path / "troubled", clock) as day:
        restricted, spent, healthy = day.accounts[:3]
        day.run(push=False)  # the shops are read; from here on the edits are what is refused
        day.control.add_faults({"kind": "access_denied", "account": restricted})
        day.control.add_faults({"kind": "hour_api_limit", "account": spent, "operation": "items/edit", "after": 2})
        since = seen(day)
        with _held_until_ready(day, spent, healthy, len(undisturbed)):
            result = day.run()
        edits = day.edits(since)
        last = {account: max(c["seq"] for c in edits if c["account"] == account) for account in (spent, healthy)}
        assert last[healthy] < last[spent]
        assert undisturbed == [call["details"] for call in edits if call["account"] == healthy]
        assert [1] * _EACH == _sent(day, cases[healthy], since)
        refused = [call for call in day.control.calls(since=since, api="base") if call["http_status"] == 400]
        assert {restricted: 1, spent: 1} == {
            account: sum(call["account"] == account for call in refused) for account in (restricted, spent)
        }
        assert 2 == sum(call["account"] == spent and call["http_status"] == 200 for call in edits)
        assert result.figures["skipped"] >= 2 * _EACH - 2
        _tell(day, result, receiver)
        day.advance(25 * 3600)
        since_blocked = seen(day)
        _tell(day, day.run(), receiver)
        assert [] == [case for case in cases[restricted] if asked_about(day, case.asin, since_blocked)]
        assert [] != [case for case in cases[healthy] if asked_about(day, case.asin, since_blocked)]
        told = [json.dumps(message.json, ensure_ascii=False) for message in receiver.received]
        assert 1 == sum(restricted in message for message in told)
        assert 1 == sum(spent in message for message in told)
        assert 0 == sum(healthy in message for message in told)

        day.control.clear_faults()
        day.advance(timedelta(hours=1).total_seconds())
        _tell(day, day.run(), receiver)
        for account in (restricted, spent, healthy):
            accepted = [
                (call["details"]["item_id"], tuple(call["details"]["fields"].items()))
                for call in day.edits(since)
                if call["account"] == account and call["http_status"] == 200
            ]
            assert len(accepted) == len(set(accepted)), "nothing is sent twice"
            done = {str(item_id) for item_id, _ in accepted}
            assert {case.item_id for case in cases[account]} <= done
