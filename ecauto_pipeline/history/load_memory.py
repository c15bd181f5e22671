"""What DuckDB may hold while it loads: little, for a run loads what it leaves beside all that it has in memory itself,
and more where that proves too little, so that no row is too wide to come in.

Not for: how many rows are taken in at once (loading.py), or what it may hold otherwise (database.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TypeVar

import duckdb

from ecauto_pipeline.history.errors import HistoryError

T = TypeVar("T")
LOAD_MB = 40
"""To begin with."""
MOST_LOAD_MB = 512
"""What does not fit then never will."""
_TOO_SMALL = ("failed to pin block", "failed to allocate", "could not allocate", "out of memory")


class MemoryTooSmall(HistoryError):
    """DuckDB had not the memory to load what there is: do it again with more, on a new connection."""


def with_enough_memory(work: Callable[[int], T], first_mb: int = LOAD_MB) -> T:
    """What `work` comes to with so many MB, or twice as many for as long as it raises MemoryTooSmall."""
    most_mb = first_mb
    while True:
        try:
            return work(most_mb)
        except MemoryTooSmall:
            if most_mb * 2 > MOST_LOAD_MB:
                raise
        most_mb *= 2


@contextmanager
def held_to(connection: duckdb.DuckDBPyConnection, most_mb: int) -> Iterator[None]:
    """DuckDB loads in the block with so much. Raises MemoryTooSmall; the connection is of no use then: a commit that
    failed for want of memory leaves in it what is neither there nor gone, which must not reach the file at its end."""
    connection.execute(f"SET memory_limit = '{int(most_mb)}MB'")
    # what it looks through to see whether a dictionary pays is in no limit: 50 MB for 100,000 rows as they are
    connection.execute("SET disabled_compression_methods = 'dictionary'")
    try:
        yield
    except duckdb.Error as error:
        if not is_too_small(error):
            raise
        with suppress(duckdb.Error):  # it broke already
            connection.execute("PRAGMA disable_checkpoint_on_shutdown")
        raise MemoryTooSmall(
            f"{most_mb} MB are too little for DuckDB to load the history",
            ja=f"{most_mb} MB では DuckDB に履歴を読み込めません",
        ) from error


def is_too_small(error: duckdb.Error) -> bool:
    """Whether DuckDB had not the memory that it needed: in a commit it says so as of any error of a transaction."""
    return isinstance(error, duckdb.OutOfMemoryException) or any(sign in str(error).lower() for sign in _TOO_SMALL)
