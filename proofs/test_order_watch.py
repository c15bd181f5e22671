"""Orders told in real time: a real daemon, real runs, real customers' orders over minutes, a real receiver; and a
teller killed (-9) in mid-call.

`pytest proofs/test_order_watch.py -s` takes `MINUTES` (environment, default 12) and a few more, and prints how long
each order took to be told.
"""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ecauto_pipeline.alerts.orders import tell_orders
from ecauto_pipeline.defs.partitions import hour_key
from ecauto_pipeline.emulator import process
from ecauto_pipeline.settings import load
from ecauto_pipeline.wiring.open import open_tools
from ecauto_pipeline_tests.alerts.receivers import HttpReceiver, http_receiver
from ecauto_pipeline_tests.scenarios.webserver import ROOT, Webserver, webserver
from ecauto_pipeline_tests.sync.orders.order_bench import order_bench

MINUTES = float(os.environ.get("MINUTES", "12"))
ORDERS = 24
WITHIN_S = 180.0
SHARE = 0.95
SHOPS = ("base_account_1", "base_account_2")
_PLACE = {"repositoryLocationName": "ecauto_pipeline", "repositoryName": "__repository__"}


def _control(url: str, path: str, body: Any = None) -> Any:
    content = None if body is None else json.dumps(body).encode("utf-8")
    request = urllib.request.Request(f"{url}/emulator/{path}", content, {"Content-Type": "application/json"})
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=60) as answer:
        return json.loads(answer.read())


def _switch_on(server: Webserver, sensor: str) -> None:
    mutation = "mutation($s: SensorSelector!) { startSensor(sensorSelector: $s) { __typename } }"
    answer = server.ask(mutation, {"s": {**_PLACE, "sensorName": sensor}})
    assert "Sensor" == answer["startSensor"]["__typename"]


def _told(hook: HttpReceiver, heard: dict[str, datetime], stop: threading.Event) -> None:
    """When each item was first told of; a wait in real time."""
    read = 0
    while not stop.wait(0.2):
        now = datetime.now(UTC)
        for one in hook.received[read:]:
            read += 1
            for row in one.json.get("orders", ()):
                heard.setdefault(row["item_id"], now)


def test_an_order_is_told_within_three_minutes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the customer's order to the receiver's message: 95% within three minutes, each told once, while a sync works
    beside it."""
    monkeypatch.chdir(tmp_path)
    with http_receiver() as hook:
        text = (ROOT / "ecauto.toml").read_text(encoding="utf-8")
        text += f'\n[[alerts.channels]]\nkind = "webhook"\nendpoint = "{hook.url}"\n'
        (tmp_path / "ecauto.toml").write_text(text, encoding="utf-8")
        world = load(tmp_path / "ecauto.toml", {}).emulator
        url = process.ensure(
            tmp_path / "data" / "emulator",
            **{"listings": world.listings, "accounts": world.accounts, "seed": world.seed},
            speed=world.speed,
        )
        heard: dict[str, datetime] = {}
        stop = threading.Event()
        listener = threading.Thread(target=_told, args=(hook, heard, stop))
        listener.start()
        try:
            with webserver(tmp_path) as server:
                first = server.launch("stock_sync", hour_key(datetime.now(UTC)))
                assert "SUCCESS" == server.wait_for_run(first, 600)
                _switch_on(server, "new_orders")
                time.sleep(30)  # the watch begins with its first look
                placed = _place_orders(url)
                server.launch("stock_sync", hour_key(datetime.now(UTC)))
                last = max(placed.values())
                while datetime.now(UTC) < last + timedelta(seconds=WITHIN_S + 60) and len(heard) < len(placed):
                    time.sleep(1)
        finally:
            stop.set()
            listener.join()
            process.stop(tmp_path / "data" / "emulator")
        times = Counter(row["item_id"] for one in hook.received for row in one.json.get("orders", ()))
    took = sorted((heard[item] - at).total_seconds() for item, at in placed.items() if item in heard)
    within = sum(seconds <= WITHIN_S for seconds in took) / len(placed)
    print(f"{len(placed)} orders, told {len(took)}: {', '.join(f'{seconds:.0f}' for seconds in took)} s")
    print(f"within {WITHIN_S:.0f} s: {within:.0%}; messages: {len(hook.received)}")
    assert within >= SHARE
    assert {1} == set(times.values())


def _place_orders(url: str) -> dict[str, datetime]:
    """Customers order different goods at times of their own; item -> when."""
    chance = random.Random(16)
    goods = [
        (shop, item["item_id"])
        for shop in SHOPS
        for item in _control(url, f"world/items?account={shop}")
        if item["visible"] and item["stock"]
    ]
    now = datetime.now(UTC).replace(microsecond=0)
    placed = {}
    for shop, item_id in chance.sample(goods, ORDERS):
        at = now + timedelta(seconds=round(chance.uniform(5, MINUTES * 60)))
        _control(url, "orders", {"account": shop, "item_id": item_id, "at": at.isoformat()})
        placed[str(item_id)] = at
    return placed


TELL = """
from ecauto_pipeline.alerts.orders import tell_orders
from ecauto_pipeline.settings import load
from ecauto_pipeline.wiring.open import open_tools
with open_tools(load(), offline=True) as tools:
    tell_orders(tools)
"""


@contextmanager
def _silent_server() -> Iterator[tuple[str, threading.Event]]:
    """Takes a message and never answers; the event: one has come."""
    arrived = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def take() -> None:
            connection, _ = server.accept()
            connection.recv(100)
            arrived.set()
            connection.recv(1_000_000)

        threading.Thread(target=take, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}", arrived


def test_a_teller_killed_in_mid_call_is_followed_by_one_message_that_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """kill -9 while the channel has the message and has not answered: the next teller, at once, for the first is gone,
    sends it once more and marked; and then never again."""
    with order_bench(tmp_path) as bench, http_receiver() as hook, _silent_server() as (silent, arrived):
        bench.sell(bench.goods()["item_id"])
        bench.watch()
        config = tmp_path / "ecauto.toml"
        monkeypatch.setenv("ECAUTO_CONFIG", str(config))
        monkeypatch.delenv("ECAUTO_DATA_DIR", raising=False)
        channel = '[[alerts.channels]]\nkind = "webhook"\nendpoint = "{}"\n'
        config.write_text(channel.format(silent), encoding="utf-8")
        teller = subprocess.Popen([sys.executable, "-c", TELL], env={**os.environ, "PYTHONPATH": str(ROOT)})
        assert arrived.wait(60)
        teller.send_signal(signal.SIGKILL)
        teller.wait()
        config.write_text(channel.format(hook.url), encoding="utf-8")
        sent = []
        for _ in range(2):
            with open_tools(load(), offline=True) as tools:
                sent.append(tell_orders(tools).sent)
        assert [1, 0] == sent
        assert [True] == [one.json["again"] for one in hook.received]
