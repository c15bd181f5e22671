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
    owner = fleet.postgresql.sql(f"SELECT owner FROM runs WHERE run_id = '{run_id}'", fleet.state)
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
    run_id = fleet.submit(lane)
    wait_for(lambda: fleet.calls_of(lane, before, ["sp_api"]) >= 2, 120, f"{lane} to ask Amazon")
    bring_back = DEATHS[death](fleet, run_id)
    bring_back()
    back_at, seen = time.monotonic(), fleet.last_call()
    wait_for(lambda: fleet.calls_of(lane, seen) > 0 or _ended_well(fleet, run_id), GOES_ON_WITHIN_S, f"{lane} to go on")
    took_s = time.monotonic() - back_at
    tried = fleet.ended(run_id)
    print(f"\n{death}: {lane} goes on after {took_s:.0f} s, in {len(tried)} run(s)")
    assert [] == _sent_twice(fleet)


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
