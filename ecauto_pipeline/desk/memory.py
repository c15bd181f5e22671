"""Keeps the desk small: what a look at a hundred thousand listings took is given back to the machine after it.

The C library keeps what was freed, in an area for each thread. Two areas are enough for pages, and now and then it is
told to give back what is free. Elsewhere than under glibc nothing is done. Not for: how much a page takes (views/).
Source: mallopt(3), malloc_trim(3).
"""

from __future__ import annotations

import ctypes
import threading
import time

M_ARENA_MAX = -8
ARENAS = 1
"""Threads of one Python process take turns anyway."""
EVERY_S = 2.0


def keep_small() -> None:
    """From now on, as long as the process lives. Call it before other threads begin."""
    library = _glibc()
    if library is None:
        return
    library.mallopt(M_ARENA_MAX, ARENAS)

    def again_and_again() -> None:
        while True:
            time.sleep(EVERY_S)
            give_back()

    threading.Thread(target=again_and_again, name="give memory back", daemon=True).start()


def give_back() -> bool:
    """Give the machine what is free; whether there was anything."""
    library = _glibc()
    return library is not None and library.malloc_trim(0) == 1


def _glibc() -> ctypes.CDLL | None:
    try:
        library = ctypes.CDLL(None)
    except (OSError, TypeError):  # Windows has no such thing
        return None
    return library if hasattr(library, "malloc_trim") and hasattr(library, "mallopt") else None
