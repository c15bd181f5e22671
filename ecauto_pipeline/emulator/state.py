"""One emulated world, whole: its parts put together, and what happens to a call from its arrival to its answer.

For: the only place that knows all parts. Not for: HTTP (server.py) or the control plane's words (control.py).
Every entry takes the one lock, so requests, control and restarts see a world at rest.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ecauto_pipeline.clock import Clock
from ecauto_pipeline.emulator import fault_effects
from ecauto_pipeline.emulator.base_api.api import BaseApi
from ecauto_pipeline.emulator.base_api.limits import ShopLimits
from ecauto_pipeline.emulator.call_log import CallLog
from ecauto_pipeline.emulator.credentials import base_account_id
from ecauto_pipeline.emulator.demo import Demo
from ecauto_pipeline.emulator.faults import Fault, FaultBook
from ecauto_pipeline.emulator.messages import Answer, Call, Seen
from ecauto_pipeline.emulator.shop_world import Item, ShopWorld
from ecauto_pipeline.emulator.sp_api import lwa
from ecauto_pipeline.emulator.sp_api.api import SpApi
from ecauto_pipeline.emulator.sp_api.throttle import Throttle
from ecauto_pipeline.emulator.store import Store
from ecauto_pipeline.emulator.tokens import TokenBook
from ecauto_pipeline.emulator.world import World
from ecauto_pipeline.emulator.world_time import WorldTime

LWA_PATH = "/auth/o2/token"
DEFAULTS = {"seed": 1, "listings": 1000, "accounts": 3, "speed": 1.0}


class Emulation:
    """A world with its APIs. `data` None keeps it in memory; a folder makes it survive a kill.

    A size or seed left None is what the folder holds, else the default; one that differs from the folder's begins a
    new world there. `speed` alone never does.
    """

    def __init__(
        self,
        clock: Clock,
        seed: int | None = None,
        listings: int | None = None,
        accounts: int | None = None,
        speed: float | None = None,
        data: Path | None = None,
    ) -> None:
        self.lock = threading.RLock()
        if data is not None:
            data.mkdir(parents=True, exist_ok=True)
        self.store = Store(None if data is None else data / "emulator.db")
        held = self.store.setting("shape")
        shape = {"seed": seed, "listings": listings, "accounts": accounts}
        wanted: dict[str, Any] = {
            name: (held or DEFAULTS)[name] if value is None else value for name, value in shape.items()
        }
        self.time = WorldTime(clock, self.store.setting("offset_s", 0.0))
        if speed is None:
            speed = self.store.setting("speed", DEFAULTS["speed"])
        if wanted == held:
            self._assemble(wanted, speed)
        else:
            self.reset(**wanted, speed=speed)

    def reset(self, seed: int, listings: int, accounts: int, speed: float) -> None:
        """Begin a new world; nothing of the old one stays, but the clock's offset. Raises ValueError on odd sizes."""
        if listings < 1 or accounts < 1 or speed <= 0:
            raise ValueError("a world needs at least one listing, one account and a speed above 0")
        with self.lock:
            self.store.clear()
            shape = {"seed": seed, "listings": listings, "accounts": accounts}
            self.store.set_setting("shape", shape)
            self.store.set_setting("born_s", self.time.seconds())
            self.store.set_setting("offset_s", self.time.offset_s)
            self._assemble(shape, speed)
            sold_out: list[tuple[Item, int]] = []
            self.shops.put(_stocked(self.demo, sold_out))
            self.shops.put(self.demo.strays())
            self.shops.add_sales(self.demo.sales(sold_out))
            self.store.commit()

    def handle(self, call: Call) -> Answer:
        """Answer one call of an emulated API, and note it."""
        with self.lock:
            try:
                self.shops.arrive(self.time.seconds())
                answer, seen = self._answer(call)
                self.calls.record(self.time.now().isoformat(), call, seen, answer)
                return answer
            finally:
                self.store.commit()

    def _answer(self, call: Call) -> tuple[Answer, Seen]:
        now = self.time.now()
        if call.path == LWA_PATH:
            seen = Seen("lwa", "token", lwa.account_of(call))
            hits = self._strike(seen, now)
            answer = _instead(hits, seen, self.sp_api)
            if answer is None:
                answer = lwa.token(call, self.tokens, set(self.store.setting("revoked_lwa", [])), now.timestamp())
            self.sp_api.stamp(answer)
        elif call.path.startswith("/1/"):
            seen = self.base_api.see(call)
            hits = self._strike(seen, now)
            answer = _instead(hits, seen, self.base_api) or self.base_api.handle(call, seen, hits, now)
        else:
            seen = self.sp_api.see(call)
            hits = self._strike(seen, now)
            answer = _instead(hits, seen, self.sp_api)
            if answer is None:
                answer = self.sp_api.handle(call, seen, hits, now.timestamp())
            self.sp_api.stamp(answer)
        for fault in hits:
            fault_effects.after(fault, answer)
        return answer, seen

    def _strike(self, seen: Seen, now: Any) -> list[Fault]:
        hits = self.faults.strike(seen, now)
        if hits:
            self.save_faults()
        return hits

    def save_faults(self) -> None:
        """Keep the script and its counts with the world."""
        self.store.set_setting("faults", self.faults.listed())

    def close(self) -> None:
        with self.lock:
            self.store.close()

    def _assemble(self, shape: dict[str, int], speed: float) -> None:
        self.shape, self.speed = shape, speed
        self.store.set_setting("speed", speed)
        listings, accounts = shape["listings"], shape["accounts"]
        self.accounts = tuple(base_account_id(n + 1) for n in range(accounts))
        self.world = World(shape["seed"], Demo.asin_count(listings, accounts), self.store)
        self.demo = Demo(self.world, listings, accounts, self.store.setting("born_s"))
        self.shops = ShopWorld(self.store)
        self.tokens = TokenBook(self.store)
        self.throttle = Throttle(self.store, speed)
        self.limits = ShopLimits(self.store)
        self.calls = CallLog(self.store)
        self.faults = FaultBook(self.store.setting("faults", []))
        self.sp_api = SpApi(self.world, self.tokens, self.throttle)
        self.base_api = BaseApi(self.accounts, self.shops, self.tokens, self.limits)
        self.store.commit()


def _stocked(demo: Demo, sold_out: list[tuple[Item, int]]) -> Iterator[Item]:
    """The seeded items one by one, so that a large world is never held whole; notes the sold ones as they pass."""
    for plan in demo.plans():
        if plan.item is not None:
            if plan.sold_at is not None:
                sold_out.append((plan.item, plan.sold_at))
            yield plan.item


def _instead(hits: list[Fault], seen: Seen, api: SpApi | BaseApi) -> Answer | None:
    for fault in hits:
        answer = fault_effects.instead_of(fault, lambda kind: api.refuse(kind, seen))
        if answer is not None:
            return answer
    return None
