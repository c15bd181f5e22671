"""A command that ends when whoever started it is gone, however that came about: `ends_with.py PID COMMAND ...`.

SIGINT and SIGTERM are passed on; the exit code is the command's. Not for: what the command does.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time

import psutil

_PATIENCE_S = 8.0


def main(owner: int, command: list[str]) -> int:
    child = subprocess.Popen(command, start_new_session=True)
    asked: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, _: asked.append(number))
    while child.poll() is None and not asked and psutil.pid_exists(owner):
        time.sleep(0.2)
    family = psutil.Process(child.pid).children(recursive=True) if child.poll() is None else []
    with contextlib.suppress(ProcessLookupError):
        if child.poll() is None:
            os.killpg(child.pid, signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(_PATIENCE_S)
        os.killpg(child.pid, signal.SIGKILL)
    for one in family:  # some lead groups of their own
        with contextlib.suppress(psutil.NoSuchProcess):
            one.kill()
    return child.wait()


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2:]))
