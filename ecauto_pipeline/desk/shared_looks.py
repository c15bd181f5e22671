"""A costly look that several visitors ask for at once is taken once: whoever waits gets the answer of a look that began
after his question, never an older one. So what somebody has just done is always seen, and memory holds one look.

Not for: keeping answers (nothing is kept for later).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

T = TypeVar("T")


class SharedLooks:
    """One look at a time, of whatever kind. Safe to share between threads."""

    def __init__(self) -> None:
        self._working, self._counting = threading.Lock(), threading.Lock()
        self._asked = 0
        self._last: tuple[Hashable, int, Any] | None = None
        self.waiting = 0  # how many have asked and have no answer yet

    def take(self, kind: Hashable, look: Callable[[], T]) -> T:
        """What `look` says, or what another look of this `kind` said that began after this call."""
        with self._counting:
            self._asked += 1
            mine = self._asked
            self.waiting += 1
        try:
            with self._working:
                last = self._last
                if last is not None and last[0] == kind and last[1] >= mine:
                    shared: T = last[2]
                    return shared
                with self._counting:
                    begun = self._asked
                found = look()
                self._last = kind, begun, found
                return found
        finally:
            with self._counting:
                self.waiting -= 1
                if not self.waiting:
                    self._last = None
