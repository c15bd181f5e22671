"""What was freed is given back to the machine."""

from __future__ import annotations

import platform

import psutil
import pytest

from ecauto_pipeline.process_memory import give_back

MB = 2**20


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the C library keeps memory otherwise there")
def test_what_was_freed_goes_back_to_the_machine() -> None:
    """Also where something that is still in use lies behind it: by itself the C library would keep all of it."""
    process = psutil.Process()
    taken = [bytearray(5_000) for _ in range(20_000)]
    kept = taken[::1_000]
    del taken
    freed = process.memory_info().rss
    assert give_back()
    assert process.memory_info().rss < freed - 50 * MB
    assert 20 == len(kept)
