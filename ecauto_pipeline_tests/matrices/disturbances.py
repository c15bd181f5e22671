"""What a machine does to a run: disks, files, locks, clocks, memory, the network.

Each is a context: so it is while it lasts, and right again after it. Not for: when, to which run, and what must hold
(surroundings.py); what an API answers (faults.py).
"""

from __future__ import annotations

import os
import random
import resource
import shutil
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from ecauto_pipeline.clock import ManualClock
from ecauto_pipeline.settings import Settings
from ecauto_pipeline_tests.matrices.relay import CUT

BALLAST = "ballast"
AWAY = "away.db"
_MEGABYTE = 2**20


@dataclass(frozen=True, slots=True)
class Place:
    """Where a disturbance works: the settings of the installation, its clock, and what chooses the details. `met`: what
    it was seen to meet, of those that show it themselves; of the others a failure or a warning of the run does.
    """

    settings: Settings
    clock: ManualClock
    chance: random.Random
    met: list[str] = field(default_factory=list)

    @property
    def data(self) -> Path:
        return self.settings.data_dir


Disturbance = Callable[[Place], AbstractContextManager[object]]


@contextmanager
def disk_full(place: Place) -> Iterator[None]:
    """Nothing is left of the disk but a few kilobytes."""
    ballast = place.data / BALLAST
    with ballast.open("wb", buffering=0) as file:
        with suppress(OSError):
            while True:
                file.write(b"\0" * _MEGABYTE)
        with suppress(OSError):
            while True:
                file.write(b"\0" * 512)
        file.truncate(max(0, file.tell() - place.chance.choice([0, 4_096, 40_960, 400_000])))
    try:
        yield
    finally:
        ballast.unlink()


@contextmanager
def folder_read_only(place: Place) -> Iterator[None]:
    """What is open stays so; nothing is made, opened for writing, renamed or removed."""
    folder = str(place.data.parent)
    subprocess.run(["mount", "--bind", folder, folder], check=True)
    subprocess.run(["mount", "-o", "remount,bind,ro", folder], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def _held(path: Callable[[Place], Path]) -> Disturbance:
    @contextmanager
    def held(place: Place) -> Iterator[None]:
        connection = sqlite3.connect(path(place), isolation_level=None, timeout=30, check_same_thread=False)
        connection.execute("BEGIN EXCLUSIVE")
        try:
            yield
        finally:
            connection.close()

    return held


@contextmanager
def master_replaced(place: Place) -> Iterator[None]:
    """Another program writes the register anew and puts it in its place."""
    copy = place.settings.master_db.with_name("anew.db")
    shutil.copy(place.settings.master_db, copy)
    copy.replace(place.settings.master_db)
    for end in ("-wal", "-shm"):
        place.settings.master_db.with_name(f"{place.settings.master_db.name}{end}").unlink(missing_ok=True)
    with _opened(place.settings.master_db, place):
        yield


@contextmanager
def master_gone(place: Place) -> Iterator[None]:
    away = place.settings.master_db.with_name(AWAY)
    place.settings.master_db.replace(away)
    try:
        yield
    finally:
        away.replace(place.settings.master_db)


@contextmanager
def history_open_elsewhere(place: Place) -> Iterator[None]:
    program = "import sys, duckdb; held = duckdb.connect(sys.argv[1]); print('held', flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", program, str(place.data / "history.duckdb")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline()
        place.met.append("the database is held")
        try:
            yield
        finally:
            holder.kill()


@contextmanager
def history_torn(place: Place) -> Iterator[None]:
    database = place.data / "history.duckdb"
    if database.exists():
        content = bytearray(database.read_bytes())
        at = place.chance.randrange(len(content) // 2)
        content[at : at + 8_192] = place.chance.randbytes(min(8_192, len(content) - at))
        database.write_bytes(content[: place.chance.randint(len(content) // 2, len(content))])
        place.met.append("the database is torn")
    yield


@contextmanager
def history_deleted(place: Place) -> Iterator[None]:
    database = place.data / "history.duckdb"
    if database.exists():
        database.unlink()
        place.met.append("the database is gone")
    yield


@contextmanager
def parquet_half_written(place: Place) -> Iterator[None]:
    """As a write that died: a file of another's making, without its end."""
    files = sorted((place.data / "history").rglob("*.parquet"))
    if files:
        whole = place.chance.choice(files)
        content = whole.read_bytes()
        half = whole.with_name(f"half-{whole.name}")
        half.write_bytes(content[: place.chance.randrange(1, len(content))])
        place.met.append("the file is there")
    yield


def _clock(jump: timedelta) -> Disturbance:
    @contextmanager
    def jumped(place: Place) -> Iterator[None]:
        place.clock.set(place.clock.now() + jump)
        place.met.append("the clock is another")
        try:
            yield
        finally:
            place.clock.set(place.clock.now() - jump)

    return jumped


@contextmanager
def memory_limit(place: Place) -> Iterator[None]:
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    soft = pages * os.sysconf("SC_PAGE_SIZE") + place.chance.choice([0, 1, 4, 30]) * _MEGABYTE
    with _limit(resource.RLIMIT_AS, soft):
        yield


@contextmanager
def too_many_open_files(place: Place) -> Iterator[None]:
    with _limit(resource.RLIMIT_NOFILE, len(os.listdir("/proc/self/fd")) + place.chance.choice([-1, 0, 0, 1])):
        yield


@contextmanager
def _opened(path: Path, place: Place) -> Iterator[None]:
    """Whoever opens this database meets what was done to it. For a process that ends soon: the hook stays."""
    looking = True

    def look(event: str, arguments: tuple[Any, ...]) -> None:
        if looking and event == "sqlite3.connect" and path.name in str(arguments[0]):
            place.met.append("it was opened")

    sys.addaudithook(look)
    try:
        yield
    finally:
        looking = False


@contextmanager
def _limit(kind: int, soft: int) -> Iterator[None]:
    before = resource.getrlimit(kind)
    resource.setrlimit(kind, (soft, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(kind, before)


@contextmanager
def names_not_found(place: Place) -> Iterator[None]:
    """No name server answers: no host is found, not even by number."""
    asked = socket.getaddrinfo

    def none(*_asked: object, **_options: object) -> Any:
        place.met.append("a name was asked for")
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    socket.getaddrinfo = none
    try:
        yield
    finally:
        socket.getaddrinfo = asked


@contextmanager
def proxy_cuts(place: Place) -> Iterator[None]:
    """What lies between cuts connections, in the middle of a request or of an answer."""
    (place.data.parent / CUT).write_text(str(place.chance.randrange(1_000_000)), encoding="ascii")
    try:
        yield
    finally:
        (place.data.parent / CUT).unlink()


DISTURBANCES: dict[str, Disturbance] = {
    "disk full": disk_full,
    "folder read-only": folder_read_only,
    "master.db held": _held(lambda place: place.settings.master_db),
    "master.db replaced": master_replaced,
    "master.db gone": master_gone,
    "state.db held": _held(lambda place: place.data / "state.db"),
    "history open elsewhere": history_open_elsewhere,
    "history torn": history_torn,
    "history deleted": history_deleted,
    "parquet half written": parquet_half_written,
    "clock an hour back": _clock(-timedelta(hours=1)),
    "clock an hour on": _clock(timedelta(hours=1)),
    "clock a month back": _clock(-timedelta(days=30)),
    "clock a month on": _clock(timedelta(days=30)),
    "memory limit": memory_limit,
    "too many open files": too_many_open_files,
    "names not found": names_not_found,
    "proxy cuts": proxy_cuts,
}
OF_HISTORY = frozenset({"history open elsewhere", "history torn", "history deleted", "parquet half written"})
"""These meet a history that there is: the run before has made it. They last to the end of the run, which is where
history is written and loaded."""
MOUNTED = frozenset({"disk full"})
"""These have a small disk of their own."""


def undo(settings: Settings) -> None:
    """What a disturbance leaves whose process died in it: whoever held the machine so lets go of it."""
    data = settings.data_dir
    (data / BALLAST).unlink(missing_ok=True)
    (data.parent / CUT).unlink(missing_ok=True)
    away = settings.master_db.with_name(AWAY)
    if away.exists():
        away.replace(settings.master_db)
    if not os.access(data.parent, os.W_OK):
        subprocess.run(["umount", "--lazy", str(data.parent)], check=True)
