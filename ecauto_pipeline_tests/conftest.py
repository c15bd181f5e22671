"""What holds for every test: properties have no deadline, because a machine may be slow, and few examples
(`make proofs` tries forty times as many); Dagster forgets instances;
files that wait long for processes of their own begin first, so that the workers end together; folders of tests lie in
memory where there is room, because state.db and history wait for the disk at each commit; what is compiled is kept,
because some sixty processes load the same modules.

Not for: other fixtures (they stand in the room that uses them).
"""

from __future__ import annotations

import gc
import os
import shutil
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from ecauto_pipeline_tests.compiled_once import compile_and_load
from ecauto_pipeline_tests.examples import EXAMPLES

_ANY_MACHINE = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("any machine", _ANY_MACHINE, max_examples=EXAMPLES)
settings.register_profile("thorough", _ANY_MACHINE, max_examples=40 * EXAMPLES)  # make proofs
settings.load_profile("any machine")

sys.dont_write_bytecode = False  # compiling is a third of what loading the definitions costs
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

_MEMORY = Path("/dev/shm")
_ROOM_BYTES = 6 * 2**30
"""Free space at which the doctor and the alarms find nothing to say of a disk, and a whole run of the tests fits."""

if _MEMORY.is_dir() and os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free > _ROOM_BYTES:
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(_MEMORY))  # where pytest makes the folders of tmp_path


if signal.getsignal(signal.SIGINT) == signal.SIG_IGN and threading.current_thread() is threading.main_thread():
    # what a shell starts in the background ignores Ctrl-C, and so would every process that the tests start
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection(session: pytest.Session) -> None:
    """Where the whole is played by several workers, each has its share in compiling it."""
    worker = getattr(session.config, "workerinput", None)  # of pytest-xdist
    if worker is not None and [Path(__file__).parent] == [Path(one) for one in session.config.args]:
        compile_and_load(int(worker["workerid"].removeprefix("gw")), worker["workercount"])


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files marked `long` first; the order is the same in every worker."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


gc.disable()  # until all is collected: the modules of product and tests stay, a sixth of the time went into looking


def pytest_collection_finish() -> None:
    gc.collect()
    gc.freeze()  # no collection looks through modules again
    gc.set_threshold(
        20_000, 20, 20
    )  # the young ones are looked at every 700 objects otherwise, whatever becomes of them
    gc.enable()


def pytest_sessionfinish() -> None:
    gc.freeze()  # pytest collects five times over at its very end, when nothing that is left will be told any more


@pytest.fixture(autouse=True)
def _no_closed_instance_is_remembered() -> Iterator[None]:
    """Dagster keeps the last instance it was given for whoever loads definitions next, also when it is closed."""
    yield
    remembered = sys.modules.get("dagster._core.storage.defs_state.base")
    if remembered is not None:
        remembered._current_storage.set(None)
