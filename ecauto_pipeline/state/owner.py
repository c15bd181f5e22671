"""Who does a piece of work: a process, named so that it can be told from every other, also after a reboot.

An owner is "host|process id|start|unique". The start is what tells a process from a later one of the same number, and
from one of another machine or container that goes by the same host name: on Linux "boot.namespace.machine+ticks", the
boot, the namespace of process ids, the machine, and the clock ticks since the boot, which no correction of the clock
moves; elsewhere the system's own time. Whoever can't look at a process never calls it gone.
Not for: claims on work (leases.py), or what follows from a process that has gone (domain/liveness.py).
"""

from __future__ import annotations

import os
import platform
import signal
import uuid
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from ecauto_pipeline.domain.liveness import Process

if TYPE_CHECKING:
    from sqlalchemy import Connection

_BOOT, _STAT = Path("/proc/sys/kernel/random/boot_id"), "/proc/{pid}/stat"
_NAMESPACE, _MACHINE = Path("/proc/self/ns/pid"), Path("/etc/machine-id")
_START_FIELD = 19
"""Of the fields behind the name in /proc/PID/stat: ticks from the boot to the start. Source: proc(5), field 22."""
_CLOCK_SLACK_S = 5.0


def new_owner() -> str:
    """A name for one worker of this process."""
    pid = os.getpid()
    return f"{platform.node()}|{pid}|{_start_of(pid)}|{uuid.uuid4().hex[:12]}"


def is_this_process(owner: str) -> bool:
    """Whether the owner is a worker of this very process."""
    return owner.rpartition("|")[0] == new_owner().rpartition("|")[0]


def process_of(owner: str) -> Process:
    """What became of the owner's process: "unknown" on another host, or where the name says too little."""
    host, pid, start, *_ = [*owner.split("|"), "", "", ""]
    if host != platform.node() or not pid.isdigit() or _is_of_another_machine(start):
        return "unknown"
    try:
        now = _start_of(int(pid))
    except psutil.NoSuchProcess:
        return "gone"
    except psutil.Error:
        return "unknown"
    if ("+" in start) != ("+" in now):  # written by a version that named starts otherwise
        return "unknown"
    return "lives" if _boot_and_ticks(start) == _boot_and_ticks(now) else "gone"


def may_be_elsewhere(connection: Connection) -> bool:
    """Whether who writes to this state may be on another machine, so that the number of a process says nothing."""
    return connection.dialect.name != "sqlite"


def place_of(owner: str) -> tuple[str, str]:
    """(host, process id) as the owner's name has them, "" where it has none."""
    host, pid, *_ = [*owner.split("|"), "", ""]
    return host, pid


def interrupt(owner: str) -> Process:
    """Ctrl-C for the owner's process. "lives": it was sent; else nothing was, as in `process_of`.

    Never to another process that has the number by now. A worker of this very process is not interrupted.
    """
    if os.name != "posix" or is_this_process(owner) or process_of(owner) != "lives":
        return "gone" if process_of(owner) == "gone" else "unknown"
    try:
        process = psutil.Process(int(place_of(owner)[1]))
        if process_of(owner) != "lives":  # looked at once more: psutil refuses a number that changed hands since here
            return "gone"
        process.send_signal(signal.SIGINT)
    except psutil.NoSuchProcess:
        return "gone"
    except psutil.Error:
        return "unknown"
    return "lives"


def process_seen(pid: int, seen_at: datetime) -> Process:
    """What became of a process of this host that is known by its number alone, and by when it was surely there."""
    try:
        began = psutil.Process(pid).create_time()
    except psutil.NoSuchProcess:
        return "gone"
    except psutil.Error:
        return "unknown"
    return "gone" if began > seen_at.timestamp() + _CLOCK_SLACK_S else "lives"


def _start_of(pid: int) -> str:
    """Raises psutil.NoSuchProcess, also for one that has ended and only waits for its parent to look."""
    process = psutil.Process(pid)
    if process.status() == psutil.STATUS_ZOMBIE:
        raise psutil.NoSuchProcess(pid)
    try:
        fields = Path(_STAT.format(pid=pid)).read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        return f"{_place()}+{fields[_START_FIELD]}"
    except (OSError, IndexError):
        return f"{process.create_time():.2f}"


def _place() -> str:
    """This boot, this namespace of process ids, this machine, as far as the system tells. Raises OSError."""
    boot = _BOOT.read_text(encoding="ascii").strip()[:8]
    namespace = os.readlink(_NAMESPACE).strip("pid:[]")
    machine = _MACHINE.read_text(encoding="ascii").strip()[:8] if _MACHINE.is_file() else ""
    return f"{boot}.{namespace}.{machine}"


def _is_of_another_machine(start: str) -> bool:
    """Whether it was another container's or machine's process though the host name is ours. What an earlier version
    wrote, a boot alone, is taken for ours: several machines never wrote so."""
    boot, namespace, machine = [*start.partition("+")[0].split("."), "", ""][:3]
    if "+" not in start or not namespace:
        return False
    try:
        our_boot, our_namespace, our_machine = _place().split(".")
    except OSError:
        return True
    if namespace != our_namespace:
        return True
    return boot != our_boot and not (machine and machine == our_machine)  # the same machine since started anew: ours


def _boot_and_ticks(start: str) -> tuple[str, str]:
    place, _, ticks = start.partition("+")
    return place.partition(".")[0], ticks
