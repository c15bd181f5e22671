"""Who does a piece of work: a process, named so that it can be told from every other, also after a reboot.

An owner is "host|process id|start|unique". The start is what tells a process from a later one of the same number:
on Linux the boot and the clock ticks since it, which no correction of the clock moves; elsewhere the system's own time.
Not for: claims on work (leases.py), or what follows from a process that has gone (domain/liveness.py).
"""

from __future__ import annotations

import os
import platform
import signal
import uuid
from datetime import datetime
from pathlib import Path

import psutil

from ecauto_pipeline.domain.liveness import Process

_BOOT, _STAT = Path("/proc/sys/kernel/random/boot_id"), "/proc/{pid}/stat"
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
    if host != platform.node() or not pid.isdigit():
        return "unknown"
    try:
        now = _start_of(int(pid))
    except psutil.NoSuchProcess:
        return "gone"
    except psutil.Error:
        return "unknown"
    if ("+" in start) != ("+" in now):  # written by a version that named starts otherwise
        return "unknown"
    return "lives" if start == now else "gone"


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
        return f"{_BOOT.read_text(encoding='ascii').strip()[:8]}+{fields[_START_FIELD]}"
    except (OSError, IndexError):
        return f"{process.create_time():.2f}"
