"""Whether there is memory for threads to begin with.

For: whoever is about to start threads. Python waits for ever for a thread that got its stack and then no memory to say
that it has begun, so that a run which ran out of memory there would hang instead of failing. Not for: starting them.
"""

from __future__ import annotations

import mmap

_A_THREAD = 12 * 2**20
"""Bytes of address space: the stack of a thread (8 MiB on Linux) and what it needs to say that it has begun."""


def look_for_room(threads: int) -> None:
    """Nothing where so many threads can begin. Raises MemoryError: the run ends, and is taken up when there is room."""
    if threads < 1:
        return
    try:
        mmap.mmap(-1, threads * _A_THREAD).close()
    except (OSError, MemoryError) as error:
        raise MemoryError(f"no memory is left for {threads} threads ({error})") from None
