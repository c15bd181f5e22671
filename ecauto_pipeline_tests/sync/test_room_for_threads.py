"""Threads begin where there is memory for them, and are not begun where there is none."""

from __future__ import annotations

import sys
import threading
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from ecauto_pipeline.sync.room_for_threads import look_for_room
from ecauto_pipeline_tests.processes import fresh


def _without_memory(parent: Connection) -> None:
    import resource  # not on Windows

    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize(), resource.RLIM_INFINITY))
    try:
        look_for_room(2)
        said = "there is room"
    except MemoryError as error:
        said = str(error)
    resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    parent.send(said)


@pytest.mark.skipif(sys.platform != "linux", reason="the limit is Linux's")
def test_without_memory_no_thread_is_begun() -> None:
    """A run that has none ends with words, and can be taken up: Python would wait for its first thread for ever."""
    ours, theirs = fresh().Pipe()
    process = fresh().Process(target=_without_memory, args=(theirs,))
    process.start()
    theirs.close()
    assert ours.recv().startswith("no memory is left for 2 threads")
    process.join()


def test_with_memory_nothing_is_said() -> None:
    """It only looks: as many threads run afterwards as did before."""
    before = threading.active_count()
    look_for_room(0)
    look_for_room(8)
    assert before == threading.active_count()
