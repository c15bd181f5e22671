"""Machines of a fleet on one computer: each a folder, an environment and processes of its own, with a host name and
process ids of its own where the system allows (root on Linux), started, killed and watched by pid.

They share one kernel, one clock and loopback: clocks that differ and networks that split are not played.
Not for: servers that all of them use (servers.py).
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import psutil
import yaml

from proofs.fleet.servers import wait_for

ROOT = Path(__file__).absolute().parents[2]
PLATFORM = Path(__file__).with_name("platform.py")
ECAUTO = (sys.executable, "-c", "from ecauto_pipeline.cli import main; main()")
"""`ecauto`, wherever it is installed."""

ENDS_WITHIN_S = 60.0


class Machine:
    """`commands`: name -> words of each process that its platform keeps running. Nothing runs before start()."""

    def __init__(
        self, folder: Path, name: str, commands: Mapping[str, Sequence[str]], environ: Mapping[str, str]
    ) -> None:
        self.folder, self.name, self.commands = folder, name, commands
        inherited = {key: value for key, value in os.environ.items() if not key.startswith(("ECAUTO_", "DAGSTER_"))}
        self.environ = {**inherited, "PYTHONPATH": str(ROOT), **environ}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        words = [sys.executable, str(PLATFORM), json.dumps(self.commands)]
        with (self.folder / "platform.log").open("ab") as output:
            self._process = subprocess.Popen(
                [*_namespaces(self.name), *words],
                cwd=self.folder,
                env=self.environ,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def stop(self, within_s: float = ENDS_WITHIN_S) -> None:
        """Its processes are asked to end, and waited for so long, as by a person who restarts it; then killed."""
        if self._process is None or self._process.poll() is not None:
            return
        for one in self.processes():
            if str(PLATFORM) in _command(one):
                with suppress(psutil.NoSuchProcess):
                    one.send_signal(signal.SIGTERM)
        try:
            self._process.wait(within_s)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """The power cut: -9 to all of it at once."""
        if self._process is None:
            return
        family = list(self.processes())
        for one in family:
            with suppress(psutil.NoSuchProcess):
                one.kill()
        self._process.wait(ENDS_WITHIN_S)
        wait_for(lambda: not any(_lives(one) for one in family), ENDS_WITHIN_S, f"{self.name} to be off")

    def processes(self) -> Iterator[psutil.Process]:
        """Everything that runs on it, the outermost first."""
        if self._process is None or self._process.poll() is not None:
            return
        with suppress(psutil.NoSuchProcess):
            outermost = psutil.Process(self._process.pid)
            yield outermost
            yield from outermost.children(recursive=True)

    def log(self, name: str) -> str:
        """What a process of it printed so far."""
        path = self.folder / f"{name}.log"
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""


def dagster_home(folder: Path, changes: Mapping[str, object] | None = None, location: str = "") -> Path:
    """A DAGSTER_HOME with deploy/dagster.yaml, and a workspace of one module. `changes`: by dotted key."""
    folder.mkdir(parents=True, exist_ok=True)
    document = yaml.safe_load((ROOT / "deploy" / "dagster.yaml").read_text(encoding="utf-8"))
    for key, value in (changes or {}).items():
        table = document
        *path, last = key.split(".")
        for step in path:
            table = table[step]
        table[last] = value
    (folder / "dagster.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    if location:
        module = {"python_module": {"module_name": location, "location_name": location}}
        (folder / "workspace.yaml").write_text(yaml.safe_dump({"load_from": [module]}), encoding="utf-8")
    return folder


def _namespaces(name: str) -> Sequence[str]:
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        return ()
    own = ["setpriv", "--pdeathsig", "KILL", "unshare", "--pid", "--fork", "--kill-child", "--uts", "--mount-proc"]
    return [*own, "sh", "-c", 'hostname "$0" && exec "$@"', name]


def _command(process: psutil.Process) -> Sequence[str]:
    try:
        return list(process.cmdline())
    except psutil.Error:
        return ()


def _lives(process: psutil.Process) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
