"""Which ASINs the next call to the catalogue is about, and which of Amazon's refusals (HTTP 400) are an ASIN's own.

One bad ASIN fails its whole call without being named: such a call is made again in halves until it stands alone. Where
nothing at all is answered it is the call that is to blame (a marketplace, a contract that has changed): then little is
asked, and no ASIN counts as told. Not for: asking or keeping answers (catalog_refresh.py).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from ecauto_pipeline.amazon.operations.catalog_items import CatalogueAnswer

OTHERS_FIRST = 3
"""Calls refused in a row after which they are made again in halves before anything else is asked."""
MOST_IN_VAIN = 8
"""Calls refused in a row after which nothing more is asked in this run."""


class CatalogueCalls:
    """The calls of one run about what is due, in order. `given_up`: Amazon refuses whatever it is asked."""

    def __init__(self, due: Sequence[str]) -> None:
        self._due, self._start = due, 0
        self._halves: deque[Sequence[str]] = deque()
        self._in_vain = 0
        self._answered = False
        self._alone: list[CatalogueAnswer] = []  # refused by themselves while nothing had been answered

    @property
    def given_up(self) -> bool:
        return self._in_vain >= MOST_IN_VAIN

    def next(self, most: int) -> Sequence[str]:
        """What to ask about now, at most so many; empty = nothing more."""
        if self.given_up:
            return ()
        others = self._start < len(self._due)
        if self._halves and (self._answered or self._in_vain >= OTHERS_FIRST or not others):
            part = self._halves.popleft()
            if part[most:]:
                self._halves.appendleft(part[most:])
            return part[:most]
        part = self._due[self._start : self._start + most]
        self._start += len(part)
        return part

    def came(self, answers: Sequence[CatalogueAnswer]) -> list[CatalogueAnswer]:
        """What one call brought. Returns what is told for good: answers, and refusals that are the ASIN's own."""
        told = [answer for answer in answers if answer.status.authoritative]
        if told:
            self._answered, self._in_vain = True, 0
        elif answers and all(answer.http_status == 400 for answer in answers):
            self._in_vain += 1
            asins = [answer.asin for answer in answers]
            half = len(asins) // 2
            self._halves.extend(part for part in (asins[:half], asins[half:]) if half)
            self._alone += answers if not half else ()
        if self._answered:
            told, self._alone = told + self._alone, []
        return told
