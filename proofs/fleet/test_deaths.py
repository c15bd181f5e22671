"""Each part of a fleet dies in the middle of a run: its lane goes on within 60 s of the return without a person,
nothing is sent twice, and the numbers of every run add up (a run whose numbers do not fails).

All goods are due all the time, so that there is always work under way. Not for: the launcher by itself
(test_launcher.py) or an undisturbed fleet (test_two_hours.py).
"""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import dagster as dg
import psutil
import pytest

from proofs.fleet.machines import Machine
from proofs.fleet.servers import wait_for
from proofs.fleet.shop_fleet import ShopFleet

GOES_ON_WITHIN_S = 60.0
BEGINS_WITHIN_S = 15.0
"""A run that nothing disturbs, from its submission to its second call to Amazon, on the machine that the promise was
made on; a slower one has more time."""
AT_LAST_S = 600.0
STORE_AWAY_S = 60.0
ALWAYS_DUE = {
    "ttl": {"basic": "168m", "category": "720m", "price": "20s", "stock": "20s"},
    "tiers": {"high_every": "20s", "medium_every": "20s", "low_every": "20s"},
}


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ShopFleet]:
    with ExitStack() as stack:
        yield ShopFleet(tmp_path_factory.mktemp("deaths"), stack, listings=600, document=ALWAYS_DUE)


def _works_on(fleet: ShopFleet, run_id: str) -> tuple[Machine, psutil.Process]:
    """The machine and the process that work on this run, by what the run itself wrote down as its owner."""
    return _at(fleet, fleet.postgresql.sql(f"SELECT owner FROM runs WHERE run_id = '{run_id}'", fleet.state))


def _at(fleet: ShopFleet, owner: str) -> tuple[Machine, psutil.Process]:
    """Where the process is that calls itself so in state."""
    host, number, *_ = owner.split("|")
    machine = fleet.workers.get(host)
    if machine is not None:  # a host name of its own, and process numbers of its own
        return machine, next(one for one in machine.processes() if number == _number_there(one))
    family = [(one, process) for one in fleet.workers.values() for process in one.processes()]
    return next((one, process) for one, process in family if str(process.pid) == number)


def _number_there(process: psutil.Process) -> str:
    """Its number in the innermost namespace it is in."""
    status = Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8")
    return next(line.split()[-1] for line in status.splitlines() if line.startswith("NSpid:"))


def _a_process(fleet: ShopFleet, run_id: str) -> Callable[[], None]:
    _works_on(fleet, run_id)[1].send_signal(signal.SIGKILL)
    return lambda: None


def _a_machine(fleet: ShopFleet, run_id: str) -> Callable[[], None]:
    machine, _ = _works_on(fleet, run_id)
    machine.kill()
    return machine.start


def _redis(keeps_data: bool) -> Callable[[ShopFleet, str], Callable[[], None]]:
    def kill(fleet: ShopFleet, _: str) -> Callable[[], None]:
        fleet.redis.kill()
        time.sleep(5)
        fleet.redis.keeps_data = keeps_data
        return fleet.redis.start

    return kill


def _postgresql(fleet: ShopFleet, _: str) -> Callable[[], None]:
    fleet.postgresql.kill()
    time.sleep(5)
    return fleet.postgresql.start


def _daemon(fleet: ShopFleet, _: str) -> Callable[[], None]:
    fleet.control.kill()
    time.sleep(5)
    return fleet.control.start


DEATHS: Mapping[str, Callable[[ShopFleet, str], Callable[[], None]]] = {
    "a worker process": _a_process,
    "a worker machine": _a_machine,
    "Redis with its data": _redis(True),
    "Redis without its data": _redis(False),
    "PostgreSQL": _postgresql,
    "the daemon": _daemon,
}


@pytest.mark.parametrize("death", DEATHS)
def test_a_lane_goes_on_after_the_death_of(fleet: ShopFleet, death: str) -> None:
    """Killed while Amazon is being asked; back at once or after 5 s; the lane's work ends well, in the run itself or in
    the one that Dagster launches in its place."""
    lane = fleet.lanes[list(DEATHS).index(death) % len(fleet.lanes)]
    fleet.change_prices(share=0.2)
    before = fleet.last_call()
    run_id, undisturbed_s = _under_way(fleet, lane)
    bring_back = DEATHS[death](fleet, run_id)
    bring_back()
    back_at, seen = time.monotonic(), fleet.last_call()
    wait_for(lambda: fleet.calls_of(lane, seen) > 0 or _ended_well(fleet, run_id), AT_LAST_S, f"{lane} to go on")
    took_s = time.monotonic() - back_at
    tried = fleet.ended(run_id)
    asked = fleet.calls_of(lane, before)
    print(f"\n{death}: {lane} goes on after {took_s:.0f} s, in {len(tried)} run(s), {asked} calls")
    assert [] == _sent_twice(fleet)
    assert took_s <= _promised_s(undisturbed_s)


def test_lanes_go_on_while_the_object_storage_hangs(fleet: ShopFleet, tmp_path: Path) -> None:
    """For a minute, under a publisher at work: a lane's runs ask and end well meanwhile, and the first publishing after
    its return carries everything, each row once."""
    lane = fleet.lanes[0]
    run_id, undisturbed_s = _under_way(fleet, lane)
    fleet.ended(run_id)  # something to publish
    fleet.s3.pause()
    try:
        hangs = fleet.runs.submit("publish_history")
        wait_for(lambda: _publisher(fleet) != "", AT_LAST_S, "the publisher")
        paused_at = time.monotonic()
        while time.monotonic() < paused_at + STORE_AWAY_S:
            run_id, undisturbed_s = _under_way(fleet, lane)
            assert [run_id] == fleet.ended(run_id)
        assert not _ended_well(fleet, hangs)
    finally:
        fleet.s3.resume()
    back_at = time.monotonic()
    fleet.ended(fleet.runs.submit("publish_history"))
    took_s = time.monotonic() - back_at
    print(f"\nobject storage: away for {back_at - paused_at:.0f} s, all published {took_s:.0f} s after its return")
    _all_is_published_once(fleet, tmp_path)
    assert took_s <= _promised_s(undisturbed_s)


def test_a_publisher_s_machine_dies_under_it(fleet: ShopFleet, tmp_path: Path) -> None:
    """-9 of all of it before its first object is whole, and it stays off: another machine publishes, each row once."""
    run_id, undisturbed_s = _under_way(fleet, fleet.lanes[1])
    fleet.ended(run_id)
    fleet.s3.pause()
    try:
        publishing = fleet.runs.submit("publish_history")
        wait_for(lambda: _publisher(fleet) != "", AT_LAST_S, "the publisher")
        machine, _ = _at(fleet, _publisher(fleet))
        machine.kill()
    finally:
        fleet.s3.resume()
    killed_at = time.monotonic()
    tried = fleet.ended(publishing)
    took_s = time.monotonic() - killed_at
    machine.start()
    print(f"\nthe publisher: all published {took_s:.0f} s after its machine died, in {len(tried)} runs")
    assert 2 <= len(tried)
    _all_is_published_once(fleet, tmp_path)
    assert took_s <= _promised_s(undisturbed_s)


def _under_way(fleet: ShopFleet, lane: str) -> tuple[str, float]:
    """A run of this lane that asks Amazon, and how many seconds it took to come to that.

    A run that finds every answer young enough ends without asking; another is asked for then.
    """
    until = time.monotonic() + AT_LAST_S
    while time.monotonic() < until:
        before, submitted_at = fleet.last_call(), time.monotonic()
        run_id = fleet.submit(lane)

        def asks(since: int = before) -> bool:
            return fleet.calls_of(lane, since, ["sp_api"]) >= 2

        def asks_or_is_over(run_id: str = run_id, asks: Callable[[], bool] = asks) -> bool:
            return asks() or _ended_well(fleet, run_id)

        wait_for(asks_or_is_over, AT_LAST_S, f"{lane} to ask Amazon")
        if asks():
            return run_id, time.monotonic() - submitted_at
    raise TimeoutError(f"in {AT_LAST_S:g} s no run of {lane} had anything to ask")


def _promised_s(undisturbed_s: float) -> float:
    return GOES_ON_WITHIN_S * max(1.0, undisturbed_s / BEGINS_WITHIN_S)


def _publisher(fleet: ShopFleet) -> str:
    """Who has the right to publish, "" = nobody."""
    return fleet.postgresql.sql("SELECT owner FROM leases WHERE name = 'publish'", fleet.state)


def _all_is_published_once(fleet: ShopFleet, folder: Path) -> None:
    history = fleet.history(folder)
    assert (history.ended, history.ended) == (history.runs, history.different_runs)
    assert history.answers == history.different_answers
    assert 0 == history.unpublished_answers


def _ended_well(fleet: ShopFleet, run_id: str) -> bool:
    return fleet.runs.status(run_id) == dg.DagsterRunStatus.SUCCESS


def _sent_twice(fleet: ShopFleet) -> list[tuple[str, str]]:
    """Edits that a shop took although its last one of the same item had said the same."""
    last: dict[tuple[str, str], str] = {}
    twice = []
    for call in fleet.calls(api="base"):
        if call["operation"] == "items/edit" and call["http_status"] == 200:
            item = (call["account"], str(call["details"].get("item_id")))
            said = json.dumps(call["details"], sort_keys=True)
            if last.get(item) == said:
                twice.append(item)
            last[item] = said
    return twice


def test_all_lanes_work_afterwards(fleet: ShopFleet) -> None:
    """After all of these deaths, without a hand on anything: a run in each lane, to its end."""
    fleet.round()
    assert [] == _sent_twice(fleet)
