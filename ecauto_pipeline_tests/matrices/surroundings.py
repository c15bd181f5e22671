"""What the machine does to a run while an asset is at work: disks, files, locks, clocks, memory, the network.

The disturbed run is a process of its own, so that its limits are its own; the runs after it are undisturbed.
Not for: what an API answers (faults.py).
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
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from ecauto_pipeline.clock import ManualClock
from ecauto_pipeline.settings import Settings
from ecauto_pipeline.sync.line import LINE
from ecauto_pipeline_tests.matrices.faults import aftermath
from ecauto_pipeline_tests.matrices.relay import CUT, Relay
from ecauto_pipeline_tests.matrices.stage import PAUSES_S, AtAsset, Stage, one_run
from ecauto_pipeline_tests.processes import fresh

_LOCKED_S = 1.0
_DISK_BYTES = 96 * 2**20
_MEGABYTE = 2**20


@dataclass(frozen=True, slots=True)
class Place:
    """Where a disturbance works: the settings of the installation, its clock, and what chooses the details."""

    settings: Settings
    clock: ManualClock
    chance: random.Random

    @property
    def data(self) -> Path:
        return self.settings.data_dir


Disturbance = Callable[[Place], AbstractContextManager[object]]


@contextmanager
def disk_full(place: Place) -> Iterator[None]:
    """Nothing is left of the disk but a few kilobytes."""
    ballast = place.data / "ballast"
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
def disk_read_only(place: Place) -> Iterator[None]:
    subprocess.run(["mount", "-o", "remount,ro", str(place.data.parent)], check=False, capture_output=True)
    try:
        yield
    finally:
        subprocess.run(["mount", "-o", "remount,rw", str(place.data.parent)], check=True)


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
    yield


@contextmanager
def master_gone(place: Place) -> Iterator[None]:
    away = place.settings.master_db.with_name("away.db")
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
        holder.stdout.readline()
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
    yield


@contextmanager
def history_deleted(place: Place) -> Iterator[None]:
    (place.data / "history.duckdb").unlink(missing_ok=True)
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
    yield


def _clock(jump: timedelta) -> Disturbance:
    @contextmanager
    def jumped(place: Place) -> Iterator[None]:
        place.clock.set(place.clock.now() + jump)
        try:
            yield
        finally:
            place.clock.set(place.clock.now() - jump)

    return jumped


@contextmanager
def memory_limit(place: Place) -> Iterator[None]:
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    soft = pages * os.sysconf("SC_PAGE_SIZE") + place.chance.choice([0, 4, 30, 120]) * _MEGABYTE
    with _limit(resource.RLIMIT_AS, soft):
        yield


@contextmanager
def too_many_open_files(place: Place) -> Iterator[None]:
    with _limit(resource.RLIMIT_NOFILE, len(os.listdir("/proc/self/fd")) + place.chance.choice([-1, 0, 1, 3, 8])):
        yield


@contextmanager
def _limit(kind: int, soft: int) -> Iterator[None]:
    before = resource.getrlimit(kind)
    resource.setrlimit(kind, (soft, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(kind, before)


@contextmanager
def names_not_found(_place: Place) -> Iterator[None]:
    """No name server answers: no host is found, not even by number."""
    asked = socket.getaddrinfo

    def none(*_asked: object, **_options: object) -> Any:
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
    "disk read-only": disk_read_only,
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
"""These meet a history that there is: the run before has made it."""
MOUNTED = frozenset({"disk full", "disk read-only"})


Case = AtAsset


def cases(seed: int) -> list[Case]:
    """Every disturbance, by every asset of the line."""
    return [Case(kind, step.name, seed) for kind in DISTURBANCES for step in LINE]


def play(stage: Stage, case: Case) -> list[str]:
    """A disturbed run, the first of the installation or the second, then undisturbed ones; the violations."""
    chance = random.Random(f"{case.name}{case.seed}")
    with Relay(stage.emulator.url, stage.next_folder / CUT) as relay:
        document = {
            "sp_api": {"endpoint": relay.url, "lwa_endpoint": relay.url},
            "base": {"endpoint": f"{relay.url}/1"},
        }
        day = stage.begin(
            document if case.kind == "proxy cuts" else None, disk_bytes=_DISK_BYTES * (case.kind in MOUNTED)
        )
        if case.kind in OF_HISTORY or chance.random() < 0.3:
            one_run(day.settings, stage.clock)
            stage.clock.advance(PAUSES_S[0])
        stage.set_generous_rates()
        process = fresh().Process(target=disturbed, args=(day.settings, stage.clock.now(), case))
        process.start()
        process.join(300)
        found = []
        if process.exitcode is None:
            process.kill()
            process.join()
            found.append("it never ended")
        return found + aftermath(stage, day)


def disturbed(settings: Settings, now: Any, case: Case) -> None:
    """One run in this process, disturbed while the asset of the case works. Its end is its own matter."""
    place = Place(settings, ManualClock(now), random.Random(f"{case.name}{case.seed}"))

    @contextmanager
    def around(step: str) -> Iterator[None]:
        if step != case.asset:
            yield
            return
        with DISTURBANCES[case.kind](place):
            yield

    sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    with suppress(Exception):
        one_run(settings, place.clock, around, busy_s=_LOCKED_S if case.kind.endswith("held") else 60.0)
