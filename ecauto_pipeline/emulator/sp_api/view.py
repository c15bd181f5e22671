"""The world as one call gets to see it: now, or through the faults that bend what Amazon says.

For: operations, which ask for truths and never for the time. Not for: faults that replace or spoil answers.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from ecauto_pipeline.emulator.catalogue import Goods
from ecauto_pipeline.emulator.chance import text_key, uniform
from ecauto_pipeline.emulator.faults import Fault
from ecauto_pipeline.emulator.world import Failure, Truth, World


class View:
    """One call's eyes. `now_s` is seconds since the epoch."""

    def __init__(self, world: World, now_s: float, faults: Iterable[Fault] = ()) -> None:
        self._world = world
        self.now_s = now_s
        self._faults = tuple(faults)

    def truth(self, asin: str) -> Truth:
        """What this call is told of `asin`."""
        at_s, seen = self.now_s, None
        for fault in self._faults:
            if fault.asins and asin not in fault.asins:
                continue
            if fault.kind == "stale":
                at_s = datetime.fromisoformat(fault.as_of).timestamp() if fault.as_of else at_s - (fault.age_s or 0)
            elif fault.kind == "false_zeros" and uniform(fault.seed, text_key(asin)) < fault.share:
                seen = Truth(asin, known=True, status="NoBuyableOffers")
            elif fault.kind == "unknown_asin":
                seen = Truth(asin, known=False)
            elif fault.kind == "item_error":
                code, message = fault.code or "InternalFailure", fault.message or "We encountered an internal error."
                seen = Truth(asin, known=True, failure=Failure(fault.status or 500, code, message))
        return seen or self._world.truth(asin, at_s)

    def price_jpy(self, asin: str) -> int:
        return self._world.price_jpy(asin, self.now_s)

    def goods(self, asin: str) -> Goods:
        return self._world.goods(asin)

    def answered(self, asked: list[str]) -> list[str]:
        """The ASINs the answer will hold: those asked, unless a fault drops some or adds a stranger."""
        answered = list(asked)
        for fault in self._faults:
            if fault.kind == "missing_items":
                gone = set(fault.asins or asked[-1:])
                answered = [asin for asin in answered if asin not in gone]
            elif fault.kind == "extra_item":
                answered.append(fault.asin or self._stranger(asked))
        return answered

    def _stranger(self, asked: list[str]) -> str:
        return next(asin for asin in self._world.known_asins() if asin not in asked)
