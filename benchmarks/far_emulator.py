"""The emulator as a process of its own, for measurements that must not share its processor time or memory.

Not for: tests (they use EmulatorServer in their own process).
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

PRICE_AND_STOCK = ("getCompetitivePricing", "getItemOffersBatch", "getItemOffers", "getCompetitiveSummary")


class FarEmulator:
    """`with FarEmulator(folder, listings) as emulator:` emulator.url for clients, `say` for the control plane."""

    def __init__(self, folder: Path, listings: int, seed: int = 7, accounts: int = 1) -> None:
        self._folder, self._listings, self._seed, self._accounts = folder, listings, seed, accounts
        self.url = ""

    def __enter__(self) -> FarEmulator:
        self._folder.mkdir(parents=True, exist_ok=True)
        options = ["--data", str(self._folder), "--listings", str(self._listings)]
        options += ["--accounts", str(self._accounts), "--seed", str(self._seed)]
        options += ["--speed", "1", "--idle-exit-s", "900"]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "ecauto_pipeline.emulator", *options], stdout=subprocess.DEVNULL
        )
        endpoint, deadline = self._folder / "endpoint.json", time.monotonic() + 120
        while not endpoint.exists():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit("the emulator did not start")
            time.sleep(0.05)
        self.url = json.loads(endpoint.read_text(encoding="utf-8"))["url"]
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(30)

    def ask(self, path: str) -> Any:
        """GET of the control plane."""
        with urllib.request.urlopen(f"{self.url}/emulator/{path}", timeout=60) as answer:
            return json.load(answer)

    def say(self, path: str, **content: Any) -> Any:
        """POST to the control plane."""
        request = urllib.request.Request(
            f"{self.url}/emulator/{path}",
            json.dumps(content).encode("utf-8"),
            {"Content-Type": "application/json"},
            method="POST",
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def rates(self, rate_per_s: float, burst: int = 1, *operations: str) -> None:
        """The usage plans of these operations (without: of all that ask about price and stock)."""
        for operation in operations or PRICE_AND_STOCK:
            self.say("rates", operation=operation, rate_per_s=rate_per_s, burst=burst)

    def calls(self, since: int) -> list[dict[str, Any]]:
        """The SP-API calls seen after that number, oldest first."""
        return [call for call in self.ask(f"calls?since={since}&api=sp_api")]

    def last_call(self) -> int:
        return max((call["seq"] for call in self.ask("calls")), default=0)
