"""The emulator as a program: it says where it is, outlives a kill with its memory, and ends when told."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from filelock import FileLock

from ecauto_pipeline.emulator.process import EmulatorFailed, ensure, stop_if_started_here
from ecauto_pipeline_tests.emulator.callers import AmazonCaller, BaseCaller

Start = Callable[..., tuple["subprocess.Popen[str]", dict[str, Any]]]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start the program on one folder; whatever still runs at the end is ended."""
    running: list[subprocess.Popen[str]] = []

    def begin(*arguments: str) -> tuple[subprocess.Popen[str], dict[str, Any]]:
        command = [sys.executable, "-m", "ecauto_pipeline.emulator", "--data", str(tmp_path), *arguments]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, encoding="utf-8")
        running.append(process)
        assert process.stdout is not None
        assert process.stdout.readline().startswith("emulator at http://127.0.0.1:")
        return process, json.loads((tmp_path / "endpoint.json").read_text(encoding="utf-8"))

    yield begin
    for process in running:
        if process.poll() is None:
            process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def test_it_says_where_it_is_and_ends_when_told(start: Start, tmp_path: Path) -> None:
    """endpoint.json is there when it listens and gone when it has ended, even with a call that hangs."""
    process, endpoint = start("--listings", "20", "--speed", "5")
    assert {"pid", "port", "url", "seed", "listings", "accounts", "speed"} == set(endpoint)
    assert (process.pid, 20, 3, 5.0) == (endpoint["pid"], endpoint["listings"], endpoint["accounts"], endpoint["speed"])
    hangs = {"kind": "timeout", "seconds": 3600}  # longer than any test may take
    httpx.post(f"{endpoint['url']}/emulator/faults", json=hangs, trust_env=False)
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(f"{endpoint['url']}/auth/o2/token", timeout=httpx.Timeout(60, read=0.1), trust_env=False)
    process.send_signal(signal.SIGTERM)
    assert 0 == process.wait()
    assert not (tmp_path / "endpoint.json").exists()


def test_a_kill_loses_nothing(start: Start) -> None:
    """Edits, tokens, windows, calls, overrides, faults and the clock's offset are there after kill -9."""
    process, endpoint = start("--listings", "20", "--seed", "5", "--speed", "1000")
    with httpx.Client(base_url=endpoint["url"], trust_env=False, timeout=60) as http:
        offset_s = _begin_an_hour(http)
        amazon = AmazonCaller(http)
        tokens = http.post("/emulator/tokens", json={"action": "issue", "account": "base_account_1"}).json()
        shop = BaseCaller(http, "base_account_1", tokens)
        item = next(item for item in shop.get("items").json()["items"] if not item["variations"])
        asin = http.get("/emulator/world/asins").json()[0]
        http.post(f"/emulator/world/asins/{asin}", json={"price_jpy": 4444})
        http.post("/emulator/faults", json={"kind": "slow", "operation": "orders", "seconds": 0.01})
        shop.post("items/edit", item_id=item["item_id"], price=7770)
        calls = http.get("/emulator/calls").json()
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    _, endpoint = start()
    assert (5, 20, 1000.0) == (endpoint["seed"], endpoint["listings"], endpoint["speed"])
    with httpx.Client(base_url=endpoint["url"], trust_env=False, timeout=60) as http:
        amazon.http = shop.http = http
        assert calls == http.get("/emulator/calls").json()
        assert 7770 == shop.get(f"items/detail/{item['item_id']}").json()["item"]["price"]
        prices = [offer["ListingPrice"]["Amount"] for offer in amazon.offers(asin).json()["payload"]["Offers"]]
        assert 4444 in prices
        (fault,) = http.get("/emulator/faults").json()
        assert "slow" == fault["kind"]
        assert offset_s == http.get("/emulator/clock").json()["offset_s"]
        stats = http.get("/emulator/stats").json()
        assert 3 == next(shop["in_hour"] for shop in stats["shops"] if shop["account"] == "base_account_1")


def _begin_an_hour(http: httpx.Client) -> float:
    """Move the emulator's clock to the beginning of its next hour, so that none begins during a test; its offset."""
    now = datetime.fromisoformat(http.get("/emulator/clock").json()["now"])
    left_s = 3600 - (now.minute * 60 + now.second)
    return float(http.post("/emulator/clock", json={"advance_s": left_s}).json()["offset_s"])


def test_one_folder_has_one_emulator(start: Start, tmp_path: Path) -> None:
    """A second one on the same folder refuses with 2 and leaves the first one's endpoint alone."""
    _, endpoint = start("--listings", "20")
    command = [sys.executable, "-m", "ecauto_pipeline.emulator", "--data", str(tmp_path)]
    second = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)
    assert 2 == second.returncode
    assert "another emulator" in second.stderr
    assert endpoint == json.loads((tmp_path / "endpoint.json").read_text(encoding="utf-8"))


def test_one_that_does_not_come_up_in_time_is_ended(tmp_path: Path) -> None:
    """It went on starting with nobody who knew of it, and was in the way of the next."""
    with pytest.raises(EmulatorFailed, match="did not start"):
        ensure(tmp_path, seed=1, listings=20, accounts=2, speed=1.0, start_s=0.0)
    alive = [one for one in psutil.Process().children() if one.status() != psutil.STATUS_ZOMBIE]
    assert [] == [one.pid for one in alive if str(tmp_path) in one.cmdline()]


def test_whoever_waits_in_vain_for_another_to_start_it_is_told_so(tmp_path: Path) -> None:
    """By the error that callers know: `ecauto dev` ended with everything under it."""
    with FileLock(tmp_path / "starting.lock"), pytest.raises(EmulatorFailed, match=r"starting\.lock"):
        ensure(tmp_path, seed=1, listings=20, accounts=2, speed=1.0, start_s=0.0)


def test_it_ends_when_idle_and_when_its_parent_has_gone(start: Start, tmp_path: Path) -> None:
    """Neither a forgotten emulator nor an orphan lives on."""
    parent = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE)
    process, _ = start("--listings", "20", "--parent-pid", str(parent.pid))
    assert process.poll() is None
    parent.communicate(b"")
    assert 0 == process.wait()
    idle, _ = start("--idle-exit-s", "0.2")
    assert 0 == idle.wait()
    assert not (tmp_path / "endpoint.json").exists()


def test_one_that_a_person_started_is_left_alone(start: Start, tmp_path: Path) -> None:
    """Whoever finds it serving uses it, and leaves it running; what was started for somebody is ended with him."""
    by_hand, endpoint = start("--listings", "20")
    assert endpoint["url"] == ensure(tmp_path, seed=1, listings=20, accounts=3, speed=1.0, parent_pid=os.getpid())
    assert not stop_if_started_here(tmp_path)
    assert by_hand.poll() is None
    by_hand.send_signal(signal.SIGTERM)
    by_hand.wait()
    ensure(tmp_path, seed=1, listings=20, accounts=3, speed=1.0, parent_pid=os.getpid())
    ours = psutil.Process(json.loads((tmp_path / "endpoint.json").read_text(encoding="utf-8"))["pid"])
    assert "--idle-exit-s" not in ours.cmdline()  # it lives as long as its parent, whether anybody calls or not
    assert stop_if_started_here(tmp_path)
    psutil.wait_procs([ours])
    assert not stop_if_started_here(tmp_path)
    by_hand, _ = start("--listings", "20")
    assert not stop_if_started_here(tmp_path)  # what is written of the one before is not said of this one
    assert by_hand.poll() is None
