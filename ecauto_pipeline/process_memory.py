"""What this process has freed is given back to the machine; by itself the C library keeps it, in an area a thread.

Elsewhere than under glibc nothing is done. Not for: who holds how much, and when it is done with it (each its own).
Source: mallopt(3), malloc_trim(3).
"""

from __future__ import annotations

import ctypes

M_ARENA_MAX = -8
AREAS = 1
"""Threads of one Python process take turns anyway."""


def share_one_area() -> None:
    """All threads from now on take their memory from the same area, as long as the process lives."""
    library = _glibc()
    if library is not None:
        library.mallopt(M_ARENA_MAX, AREAS)


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
