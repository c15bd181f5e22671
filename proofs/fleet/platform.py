"""What runs a machine's processes and starts them again when they end, as systemd, Docker or Kubernetes would.

`python platform.py COMMANDS`, a JSON object of name -> list of words; each prints to NAME.log in the current folder.
SIGTERM is passed on and waited for. It is the first process of a machine that has namespaces of its own, so it also
takes in the processes that their parents left. Not for: machines (machines.py).
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

AGAIN_AFTER_S = 1.0


def main(commands: Mapping[str, Sequence[str]]) -> int:
    ending: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: ending.append(number))
    signal.signal(signal.SIGINT, lambda number, _: ending.append(number))
    running = {name: _start(name, command) for name, command in commands.items()}
    while not ending:
        time.sleep(0.2)
        _take_in({process.pid for process in running.values()})
        for name in [name for name, process in running.items() if process.poll() is not None]:
            time.sleep(AGAIN_AFTER_S)
            running[name] = _start(name, commands[name])
    for process in running.values():
        process.send_signal(signal.SIGTERM)
    for process in running.values():
        process.wait()
    return 0


def _start(name: str, command: Sequence[str]) -> subprocess.Popen[bytes]:
    with Path(f"{name}.log").open("ab") as output:
        output.write(f"--- started at {time.time():.1f}\n".encode())
        return subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, start_new_session=True)


def _take_in(own: set[int]) -> None:
    """Read the end of processes that were left to us; our own are waited for by who started them."""
    while True:
        try:
            ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return
        if ended is None or ended.si_pid in own:
            return
        os.waitpid(ended.si_pid, 0)


if __name__ == "__main__":
    sys.exit(main(json.loads(sys.argv[1])))
