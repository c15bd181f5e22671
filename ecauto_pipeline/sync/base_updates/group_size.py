"""How many edits of one shop have their intents written at once: few commits, and no look long before its edit.

A group begins with one edit and grows while its calls are quick; what has not left LONGEST_S after the last look is
looked at again. So a slow shop's edits go one by one, and a run that dies leaves the intents of a second at most to be
read back. Not for: writing them (intents.py).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Sequence

from ecauto_pipeline.state.decisions import Decided

MOST = 32
LONGEST_S = 1.0
GROWTH = 4
MOST_REHEARSED = 200
"""Of a dry run, in which no call follows."""


class GroupSize:
    """The size of one shop's next group, learnt from the last one. `most`: 1 = each edit by itself."""

    def __init__(self, most: int = MOST) -> None:
        self._most, self.now = most, 1

    def learn(self, calls: int, seconds: float) -> None:
        """A group made so many calls in this time."""
        fit = self._most if seconds <= 0 else int(calls * LONGEST_S / seconds)
        self.now = max(1, min(self._most, self.now * GROWTH, fit))


def next_group(waiting: deque[Decided], size: int) -> list[Decided]:
    """Takes off the next rows, at most `size`, none of a listing that is among them: what became of the one before
    decides about the other (a price, and showing the item again)."""
    taken: list[Decided] = []
    listings: set[Hashable] = set()
    while waiting and len(taken) < size and waiting[0].diff.key not in listings:
        listings.add(waiting[0].diff.key)
        taken.append(waiting.popleft())
    return taken


def put_back(waiting: deque[Decided], rows: Sequence[Decided]) -> None:
    """These have not left: they come first again, in their order."""
    waiting.extendleft(reversed(rows))
