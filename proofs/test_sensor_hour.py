"""An hour run by the sensor, in real time, with more work than budget: real daemon, real runs, the documented rates.

`pytest proofs/test_sensor_hour.py -s` takes `MINUTES` (environment, default 60) and a few more; it prints what
docs/performance.md shows. The emulator enforces what Amazon's papers say and counts what it allowed.
"""

from __future__ import annotations

import itertools
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ecauto_pipeline.defs.partitions import hour_key
from ecauto_pipeline.emulator import process
from ecauto_pipeline_tests.scenarios.webserver import ROOT, Webserver, webserver

MINUTES = float(os.environ.get("MINUTES", "60"))
LISTINGS = 12_000
RATES = {"getCompetitivePricing": 0.5, "getItemOffersBatch": 0.1, "getItemOffers": 0.5}
LEAST = 0.95
pytestmark = pytest.mark.timeout((MINUTES + 30) * 60)
_WORLD: dict[str, Any] = {"seed": 1, "listings": LISTINGS, "accounts": 3, "speed": 1.0}


class Hour:
    """An installation whose first fill is done, spending its budget."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("workspace.yaml", "dagster.yaml"):
            shutil.copy(ROOT / name, folder / name)
        toml = (ROOT / "ecauto.toml").read_text(encoding="utf-8")
        toml = toml.replace("speed = 60.0", "speed = 1.0").replace("listings = 1000", f"listings = {LISTINGS}")
        assert 'spend = "budget"' in toml
        (folder / "ecauto.toml").write_text(toml, encoding="utf-8")
        self.url = process.ensure(folder / "data" / "emulator", **_WORLD)

    def control(self, path: str, body: Any = None) -> Any:
        content = None if body is None else json.dumps(body).encode("utf-8")
        request = urllib.request.Request(f"{self.url}/emulator/{path}", content, {"Content-Type": "application/json"})
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=120) as answer:
            return json.loads(answer.read())

    def calls(self, since: int, api: str) -> list[dict[str, Any]]:
        found = self.control(f"calls?api={api}&since={since}&limit=1000000")
        return list(found["calls"] if isinstance(found, dict) else found)

    def rates(self, factor: float) -> None:
        for operation, rate in RATES.items():
            self.control("rates", {"operation": operation, "rate_per_s": rate * factor, "burst": 1})

    def sync(self, *options: str) -> None:
        environ = {name: value for name, value in os.environ.items() if name != "DAGSTER_HOME"}
        environ |= {"ECAUTO_DATA_DIR": str(self.folder / "data"), "ECAUTO_CONFIG": str(self.folder / "ecauto.toml")}
        command = [str(Path(sys.executable).with_name("ecauto")), "sync", *options]
        ended = subprocess.run(command, cwd=self.folder, env=environ, check=False, stdout=subprocess.DEVNULL)
        assert ended.returncode in (0, 1)  # 1: done, with something for its owner to see to


@pytest.fixture(scope="module")
def hour(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hour]:
    """Filled twenty times as fast as Amazon allows, so that its answers are minutes old; then at its own rates."""
    made = Hour(tmp_path_factory.mktemp("hour"))
    made.rates(20.0)
    made.sync()
    made.rates(1.0)
    yield made
    process.stop(made.folder / "data" / "emulator")


def _switch_on(server: Webserver) -> None:
    place = {"repositoryLocationName": "ecauto_pipeline", "repositoryName": "__repository__"}
    sensor = "mutation($s: SensorSelector!) { startSensor(sensorSelector: $s) { __typename } }"
    schedule = "mutation($s: ScheduleSelector!) { startSchedule(scheduleSelector: $s) { __typename } }"
    assert server.ask(sensor, {"s": {**place, "sensorName": "next_slice"}})["startSensor"]["__typename"] == "Sensor"
    answer = server.ask(schedule, {"s": {**place, "scheduleName": "stock_sync_schedule"}})
    assert answer["startSchedule"]["__typename"] == "ScheduleStateResult"


def test_an_hour_run_by_the_sensor_uses_nearly_every_call(hour: Hour, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sweep and detail: at least 95% of what the rate allowed over the whole span, run starts and pushes included.

    Half of what is seen to be sold out is hidden within a minute of Amazon's first word, all within two and a half.
    """
    monkeypatch.chdir(hour.folder)
    with webserver(hour.folder) as server:
        _switch_on(server)
        server.launch("stock_sync", hour_key(datetime.now(UTC)), {"trigger": "manual", "spend": "budget"})
        _wait_for_questions(hour)
        began = _now(hour)
        deadline = time.monotonic() + MINUTES * 60
        while time.monotonic() < deadline:
            time.sleep(5)
        ended = _now(hour)
        runs = server.ask("{ runsOrError(limit: 200) { ... on Runs { results { status startTime endTime } } } }")
    lines, shares = _used(hour, began, ended)
    print("\n".join(lines))
    statuses = [run["status"] for run in runs["runsOrError"]["results"]]
    print(f"runs: {len(statuses)}, of them failed: {statuses.count('FAILURE')}")
    delays = _hiding_delays(hour, began)
    half, most = statistics.median(delays or [0.0]), max(delays, default=0.0)
    print(
        f"sold out, from the first answer to the edit: {len(delays)} items, half within {half:.0f} s, all {most:.0f} s"
    )
    assert 0 == statuses.count("FAILURE")
    assert all(share >= LEAST for share in shares)
    assert delays
    assert half <= 60
    assert most <= 150


def _now(hour: Hour) -> datetime:
    return datetime.fromisoformat(hour.control("clock")["now"])


def _wait_for_questions(hour: Hour) -> None:
    """Until both the sweep and the detail have been asked twice: a run is under way."""
    last = max((call["seq"] for call in hour.calls(0, "sp_api")), default=0)
    limit = time.monotonic() + 180
    while time.monotonic() < limit:
        made = [call["operation"] for call in hour.calls(last, "sp_api")]
        if made.count("getItemOffersBatch") >= 2 and made.count("getCompetitivePricing") >= 2:
            return
        time.sleep(1)
    raise TimeoutError("no run asked anything")


def _used(hour: Hour, began: datetime, ended: datetime) -> tuple[list[str], list[float]]:
    calls = [call for call in hour.calls(0, "sp_api") if began <= datetime.fromisoformat(call["at"]) < ended]
    seconds = (ended - began).total_seconds()
    lines = ["| operation | calls | allowed | used | refused | longest pause |", "|---|---|---|---|---|---|"]
    shares = []
    for operation, rate in RATES.items():
        mine = [call for call in calls if call["operation"] == operation]
        good = [call for call in mine if call["http_status"] == 200]
        refused = sum(call["http_status"] == 429 for call in mine)
        allowed = rate * seconds
        times = [datetime.fromisoformat(call["at"]) for call in good]
        pause = max((b - a for a, b in itertools.pairwise(times)), default=timedelta()).total_seconds()
        share = len(good) / allowed
        lines.append(f"| {operation} | {len(good)} | {allowed:.0f} | {share:.1%} | {refused} | {pause:.0f} s |")
        if operation != "getItemOffers":
            shares.append(share)
    return lines, shares


def _hiding_delays(hour: Hour, began: datetime) -> list[float]:
    """Seconds from the first answer of a detail question that said "no offers" to the edit that hid the item."""
    with duckdb.connect(str(hour.folder / "data" / "history.duckdb"), read_only=True) as connection:
        rows = connection.execute(
            """
            with hidden as (
                select asin, min(completed_at) as hid from updates
                where kind = 'visibility' and "after" = '0' and outcome = 'done' and attempted_at >= ? group by 1
            ), sold_out as (
                select h.asin, h.hid, min(s.observed_at) as said from hidden h join snapshots s on s.asin = h.asin
                where s.status = 'out_of_stock' and s.observed_at <= h.hid and s.observed_at > coalesce(
                    (select max(b.observed_at) from snapshots b where b.asin = h.asin and b.status = 'success'
                     and b.operation <> 'getCompetitivePricing' and b.observed_at < h.hid), h.hid - interval 1 day)
                group by 1, 2
            )
            select epoch(hid) - epoch(said) from sold_out where said >= ?
            """,
            [began, began],
        ).fetchall()
    return [float(row[0]) for row in rows]
