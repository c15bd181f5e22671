"""Pushing in other processes against the emulator: begun, killed, counted by the emulator's own list of calls.

Amazon stands still: every ASIN's facts are written once, so that each (item, kind, value) is one diff and may be
edited once. Not for: laws (the tests and proofs that use it).
"""

from __future__ import annotations

import os
import random
import signal
import threading
from collections import Counter
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select

from ecauto_pipeline.clock import to_ms
from ecauto_pipeline.emulator.server import EmulatorServer
from ecauto_pipeline.settings import load
from ecauto_pipeline.state.database import Database
from ecauto_pipeline.state.schema import asins
from ecauto_pipeline.state.schema_decisions import diffs, journal
from ecauto_pipeline_tests.processes import fresh
from ecauto_pipeline_tests.scenarios.pusher import push_what_is_told
from ecauto_pipeline_tests.scenarios.shop_day import ShopDay

_KINDS = {"price": "price", "visible": "visibility", "stock": "stock"}


class Pushing:
    """One installation whose runs take place in processes of their own."""

    def __init__(self, folder: Path, emulator: EmulatorServer, seed: int) -> None:
        self.control, self.chance = emulator.control, random.Random(seed)
        self.day = ShopDay(folder, emulator)
        self.control.set_base_limits(per_hour=90_000)
        self.file = folder / "ecauto.toml"
        self.file.write_text(self._toml(emulator.url), encoding="utf-8")
        self.settings = load(self.file, {})
        self._state_facts()
        self._runs = 0

    def _toml(self, url: str) -> str:
        shops = "".join(
            f'[[base.accounts]]\nid = "{shop.id}"\nactive = {str(shop.active).lower()}\n'
            f'redirect_uri = "{shop.redirect_uri}"\n'
            for shop in self.day.settings.base.accounts
        )
        return (
            f'[sp_api]\nendpoint = "{url}"\nlwa_endpoint = "{url}"\n[base]\nendpoint = "{url}/1"\n'
            "[base.limits]\nper_hour = 90000\n"
            "[guards]\nmax_move_ratio = 1000.0\nmax_hide_share = 1.0\nmin_price_jpy = 1\n"
            f"{shops}"
        )

    def _state_facts(self) -> None:
        """Every ASIN of the register in stock at a price of its own; one in ten has no offer."""
        now = to_ms(self.day.clock.now())
        names = sorted({row["asin"] for row in self.day.register("select asin from products")})
        rows = []
        for name in names:
            gone = self.chance.random() < 0.1
            cost = self.chance.randrange(500, 20_000)
            status = "out_of_stock" if gone else "success"
            stamps = {"price_at": None if gone else now, "stock_at": now, "snapshot_id": f"s-{name}"}
            price = None if gone else cost
            rows.append({"asin": name, "status": status, "price_jpy": price, "in_stock": int(not gone), **stamps})
        database = Database(self.settings.state_url())
        with database.write() as connection:
            connection.execute(insert(asins), rows)
        database.close()

    def worker(self) -> Worker:
        return Worker(self.file)

    def next_run(self) -> str:
        self._runs += 1
        return f"run-{self._runs}"

    def edits_made(self) -> Counter[tuple[str, str, str]]:
        """(item, kind, value) of every edit that the emulator carried out."""
        made: Counter[tuple[str, str, str]] = Counter()
        for call in self.day.edits():
            if call["http_status"] == 200 or (call["http_status"] is None and call["outcome"] == "ok"):
                item, fields = str(call["details"]["item_id"]), call["details"]["fields"]
                made.update((item, _KINDS[name], str(fields[name])) for name in fields if name in _KINDS)
        return made

    def calls_seen(self) -> int:
        return len(self.day.edits())

    def rows(self, table: Any) -> list[dict[str, Any]]:
        database = Database(self.settings.state_url())
        with database.read() as connection:
            found = [dict(row) for row in connection.execute(select(table)).mappings()]
        database.close()
        return found

    def verify(self) -> None:
        """No edit twice, none forgotten (the last run found nothing left to push), the journal complete."""
        made = self.edits_made()
        assert [] == [(edit, count) for edit, count in made.items() if count > 1]
        rows = self.rows(journal)
        assert {"done"} >= {row["outcome"] for row in rows if row["outcome"] != "failed"}
        done = Counter((row["item_id"], row["kind"], str(row["after"])) for row in rows if row["outcome"] == "done")
        assert made == done
        assert [] == [
            row["diff_id"] for row in self.rows(diffs) if row["decision"] == "push" and row["state"] == "open"
        ]


class Worker:
    """A process that runs what it is told, one run at a time."""

    def __init__(self, file: Path) -> None:
        self._told, theirs = fresh().Pipe()
        self._process = fresh().Process(target=push_what_is_told, args=(theirs, file), daemon=True)
        self._process.start()
        theirs.close()

    def begin(self, run_id: str) -> int:
        """Start a run; returns the process that does it."""
        self._told.send(run_id)
        word, pid = self._told.recv()
        assert "pid" == word
        return int(pid)

    def ended(self) -> int:
        """Wait for the end of the run; its exit code (-9: killed)."""
        word, code = self._told.recv()
        assert "ended" == word
        return int(code)

    def kill_after_edits(self, pushing: Pushing, edits: int) -> int:
        """Begin a run and kill -9 it a moment after the emulator has seen so many more edits; the exit code.

        The moment is random: in the call, in the writing of its outcome, in the intent of the next one.
        """
        aim = pushing.calls_seen() + edits
        pid = self.begin(pushing.next_run())
        over = threading.Event()

        def watch() -> None:
            while pushing.calls_seen() < aim:
                if over.wait(0.002):
                    return
            over.wait(pushing.chance.uniform(0, 0.03))
            _kill(pid)

        watcher = threading.Thread(target=watch)
        watcher.start()
        code = self.ended()
        over.set()
        watcher.join()
        return code

    def close(self) -> None:
        self._told.close()
        self._process.join()


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
