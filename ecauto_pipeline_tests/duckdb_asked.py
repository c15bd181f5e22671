"""What a person gets who opens a database of DuckDB and asks: of the file, as it is then.

One DuckDB of this process opens them all, each anew: to begin one takes ten times as long as to open a file in it.
Not for: questions of the product (history/questions.py), or writing.
"""

from __future__ import annotations

import functools
import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb

_ONE_BY_ONE = threading.Lock()


def asked_of(path: Path, query: str, values: Sequence[object] = ()) -> tuple[list[str], list[tuple[Any, ...]]]:
    """The names of the columns, and the rows."""
    name = str(path).replace("'", "''")
    with _ONE_BY_ONE:
        duck = _duck(os.getpid())
        try:
            duck.execute(f"ATTACH '{name}' AS asked (READ_ONLY)")
            found = duck.execute("USE asked").execute(query, list(values) or None)
            answer = [column[0] for column in found.description or ()], found.fetchall()
            duck.execute("USE memory").execute("DETACH asked")
        except BaseException:  # what is damaged may have broken more than itself
            duck.close()
            _duck.cache_clear()
            raise
    return answer


@functools.cache
def _duck(pid: int) -> duckdb.DuckDBPyConnection:
    """Of this process, and none of the one it was forked from."""
    return duckdb.connect(config={"threads": 1})
