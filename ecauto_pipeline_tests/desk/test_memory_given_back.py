"""What a look took is given back to the machine."""

from __future__ import annotations

import platform
import threading

import psutil
import pytest

from ecauto_pipeline.desk.memory import keep_small


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the C library keeps memory otherwise there")
def test_what_was_freed_goes_back_to_the_machine_again_and_again() -> None:
    """A thread does it as long as it is wanted, and ends when it is not."""
    ended = threading.Event()
    thread = keep_small(0.01, ended)
    assert thread is not None
    used = psutil.Process().memory_info().rss
    taken = ["x" * 400 for _ in range(200_000)]  # far below what the library asks of the machine in one piece
    del taken
    ended.wait(0.5)
    left = psutil.Process().memory_info().rss
    ended.set()
    thread.join(timeout=30)
    assert not thread.is_alive()
    assert left - used < 40 * 2**20, "less than half of what was taken stays"
