"""The world that runs are played in: an emulator of its own process, and installations of the program beside it.

A world is built once and copied for each installation, so that every program begins with the same shops. Rates and
limits are raised out of the way: what is measured is the program, not Amazon's patience. Not for: figures (figures.py).
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from benchmarks.before import clean_environ
from benchmarks.far_emulator import PRICE_AND_STOCK, FarEmulator
from benchmarks.runs.figures import RunCost
from ecauto_pipeline.clock import SystemClock
from ecauto_pipeline.emulator.credentials import base_account_id, base_app
from ecauto_pipeline.emulator.state import Emulation
from ecauto_pipeline.register.master import Register

HERE = Path(__file__).resolve().parent
PROGRAM = HERE.parents[1]
SEED = 7
RATE, BURST = 500.0, 50
NO_LIMIT = 10_000_000
CONFIG: dict[str, Any] = {"include_price": "all", "spend": "due", "slice_minutes": 600.0}
"""What a run may do: as `ecauto sync`, with time for all that it finds."""
DEARER = 1.15
"""What a changed price is of the one before: enough to be sent, too little to be doubted or held."""


def build(folder: Path, listings: int, shops: int, seed: int = SEED) -> None:
    """An emulated world of this size and the register that belongs to it, in `folder`."""
    world = Emulation(SystemClock(), seed, listings, shops, 1.0, folder / "emulator")
    products, rows = world.demo.products(), (plan.row for plan in world.demo.plans())
    Register.create(folder / "master.db", products, rows)
    world.close()


def partition() -> str:
    """The key of this hour, as any version of the program writes it."""
    return datetime.now(UTC).astimezone(timezone(timedelta(hours=9))).strftime("%Y-%m-%d-%H:00")


def environ_of(program: Path, project: Path) -> dict[str, str]:
    """What a run is played with: as here, without anybody's settings. Compiled code is kept, as in an installation:
    Dagster's own was compiled by whoever installed it, and the program is not to be compiled by every run instead."""
    kept = clean_environ()
    kept.pop("PYTHONDONTWRITEBYTECODE", None)
    return kept | {"PYTHONPATH": str(program), "DAGSTER_HOME": str(project)}


def play(program: Path, module: str, job: str, project: Path, config: dict[str, Any]) -> RunCost:
    """One run by a process of its own, with the program of this checkout. Raises SystemExit with what it said."""
    told, said = project / "told.json", project / "said.txt"
    command = [sys.executable, str(HERE / "one_run.py"), module, job, partition(), json.dumps(config), str(told)]
    environ = environ_of(program, project)
    with said.open("wb") as out:
        played = subprocess.Popen(command, cwd=project, env=environ, stdout=out, stderr=subprocess.STDOUT)
        try:
            _, status, used = os.wait4(played.pid, 0)
        except BaseException:  # told to end: no run goes on behind whoever asked for it
            played.kill()
            raise
    played.returncode = os.waitstatus_to_exitcode(status)
    if played.returncode:
        words = said.read_text(encoding="utf-8", errors="replace")[-4000:]
        raise SystemExit(f"a run ended with {played.returncode}: {words or 'it said nothing'}")
    seen = json.loads(told.read_text(encoding="utf-8"))
    if not Path(seen["program"]).is_relative_to(program.resolve()):
        raise SystemExit(f"what was measured is {seen['program']}")
    return RunCost(used.ru_utime + used.ru_stime, seen["wall_s"], seen["peak_mb"], seen["stages"])


def play_empty(folder: Path) -> RunCost:
    """A run of seven assets that do nothing, in a new project with Dagster's own storage."""
    folder.mkdir(parents=True)
    shutil.copyfile(HERE / "empty_project.py", folder / "empty_project.py")
    (folder / "dagster.yaml").write_text("telemetry:\n  enabled: false\n", encoding="utf-8")
    return play(folder, "empty_project", "everything", folder, {})


class Installation:
    """One program's folder, with an emulator for it alone: `with Installation(...) as one: one.run()`."""

    def __init__(self, folder: Path, program: Path, world: Path, listings: int, shops: int, seed: int = SEED) -> None:
        self.folder, self.program, self.listings, self._shops = folder, program, listings, shops
        (folder / "data").mkdir(parents=True)
        shutil.copytree(world / "emulator", folder / "emulator")
        shutil.copyfile(world / "master.db", folder / "data" / "master.db")
        shutil.copyfile(program / "dagster.yaml", folder / "dagster.yaml")
        self._emulator = FarEmulator(folder / "emulator", listings, seed, accounts=shops)

    def __enter__(self) -> Installation:
        self._emulator.__enter__()
        self._emulator.rates(2 * RATE, 2 * BURST)
        self._emulator.say("base_limits", per_hour=NO_LIMIT, per_day=NO_LIMIT)
        tokens = self.folder / "data" / "tokens"
        tokens.mkdir()
        for account in self._accounts():
            issued = self._emulator.say("tokens", action="issue", account=account)
            (tokens / f"{account}.json").write_text(json.dumps(issued), encoding="utf-8")
        (self.folder / "ecauto.toml").write_text(self._toml(), encoding="utf-8")
        return self

    def __exit__(self, *error: object) -> None:
        self._emulator.__exit__(*error)

    def run(self, **config: Any) -> RunCost:
        """One run of full_sync."""
        before = self._done()
        cost = play(self.program, "ecauto_pipeline.definitions", "full_sync", self.folder, CONFIG | config)
        edits, calls = (now - then for now, then in zip(self._done(), before, strict=True))
        return RunCost(cost.cpu_s, cost.wall_s, cost.peak_mb, cost.stages, edits, calls)

    def know(self) -> None:
        """State knows what the register believes, as if it had just been asked for."""
        command = [sys.executable, str(HERE / "known.py"), str(self.folder / "ecauto.toml")]
        environ = {**os.environ, "PYTHONPATH": str(self.program)}
        subprocess.run(command, cwd=self.folder, env=environ, check=True, stdout=subprocess.DEVNULL)

    def change(self, count: int) -> int:
        """Amazon asks more for so many goods on sale, and they are due; how many there were."""
        yesterday = int((datetime.now(UTC) - timedelta(hours=25)).timestamp() * 1000)
        with closing(sqlite3.connect(self.folder / "data" / "state.db")) as state:
            chosen = state.execute(
                "SELECT asin, price_jpy FROM asins WHERE status = 'success' AND doubt = '' AND asin IN"
                " (SELECT asin FROM listings WHERE shown_visible = 1 AND present = 1 AND listed = 1"
                " GROUP BY asin HAVING count(*) = 1) AND price_jpy BETWEEN 1000 AND 20000 ORDER BY asin LIMIT ?",
                (count,),
            ).fetchall()
            state.executemany("UPDATE asins SET stock_at = ? WHERE asin = ?", [(yesterday, one) for one, _ in chosen])
            state.commit()
        for asin, price_jpy in chosen:
            offer = {"seller_id": "A1", "price_jpy": int(price_jpy * DEARER)}
            self._emulator.say(f"world/asins/{asin}", offers=[offer])
        return len(chosen)

    def _done(self) -> tuple[int, int]:
        """Edits that the shops carried out, and calls that Amazon answered or refused."""
        stats = self._emulator.ask("stats")
        edits = sum(
            count
            for shop in stats["shops"]
            for name, outcomes in shop["operations"].items()
            if name.startswith("items/edit")
            for count in outcomes.values()
        )
        return edits, sum(bucket["calls"] for bucket in stats["buckets"])

    def _accounts(self) -> list[str]:
        return [base_account_id(number) for number in range(1, self._shops + 1)]

    def _toml(self) -> str:
        url = self._emulator.url
        parts = [f'[sp_api]\nendpoint = "{url}"\nlwa_endpoint = "{url}"\n[base]\nendpoint = "{url}/1"']
        parts += [f"[base.limits]\nper_hour = {NO_LIMIT}\nper_day = {NO_LIMIT}"]
        parts += [f"[sp_api.limits.{name}]\nrate_per_s = {RATE}\nburst = {BURST}" for name in PRICE_AND_STOCK]
        for account in self._accounts():
            token, back = f"data/tokens/{account}.json", base_app(account).redirect_uri
            parts.append(f'[[base.accounts]]\nid = "{account}"\ntoken_file = "{token}"\nredirect_uri = "{back}"')
        return "\n".join(parts) + "\n"
