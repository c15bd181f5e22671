"""How much of SQLite's file each connection of a process keeps in memory.

Not for: opening connections, or what is done by them (database.py).
"""

from __future__ import annotations

import sqlite3
import threading

CACHE_KB = 16_384
"""Of the connection that works alone most of the time: with four times as much it was not quicker at 100,000
listings."""
OTHER_CACHES_KB = 1_024
"""Of each other connection at most: a run has one a shop that it reads or pushes to at the same time. (One limit for
all of a process, SQLite's soft_heap_limit, left none to whoever came last, and none to master.db either.)"""


class Caches:
    """The first connection that is open keeps much (a pool hands the same one to whoever works alone), each other
    little."""

    def __init__(self, most_kb: int) -> None:
        self._most_kb, self._lock = most_kb, threading.Lock()
        self._large: sqlite3.Connection | None = None

    def of(self, connection: sqlite3.Connection) -> int:
        """KB of one that is opened now."""
        with self._lock:
            if self._large is None:
                self._large = connection
                return self._most_kb
        return min(OTHER_CACHES_KB, self._most_kb)

    def closed(self, connection: sqlite3.Connection, _record: object) -> None:
        """Where it was the large one, the next that opens is."""
        with self._lock:
            if self._large is connection:
                self._large = None
