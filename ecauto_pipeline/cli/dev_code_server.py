"""Dagster's code server of `ecauto dev`: our definitions in a process of its own; daemon and web server are told where.

`dagster dev` would put a proxy before it, which takes a quarter of what an idle installation takes. It is there
to load changed code without a restart, which nobody does who keeps a shop
(docs/decisions/no-proxy-before-the-code-server.md). Not for: daemon and web server (dev_dagster.py).
Source: dagster/_cli/{proxy_server_manager,api}.py and dagster/_grpc/server_watcher.py 1.13.27.
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ecauto_pipeline.cli.console import say, told
from ecauto_pipeline.cli.dagster_child import Child
from ecauto_pipeline.clock import Clock, SystemClock
from ecauto_pipeline.wiring.ports import free_port

AGAIN_AFTER_S = 30.0
"""A code server that has ended is not started again sooner after its last start: each takes seconds of processor."""

Begin = Callable[[Sequence[str]], Child]
"""Starts `python -m` with these words."""


@dataclass(frozen=True, slots=True)
class ServedModule:
    """The module of a workspace.yaml as Dagster reads it: its location's name, the options of `dagster api grpc` that
    name it, and what stands beside the server's address in a workspace."""

    location: str
    options: tuple[str, ...]
    metadata: Mapping[str, Any]


class CodeServer:
    """`dagster api grpc` over the module of workspace.yaml, on a socket that only this user reaches.

    `folder`: of its socket, and of the workspace that leads to it.
    """

    def __init__(self, served: ServedModule, folder: Path, begin: Begin, log: Path, clock: Clock | None = None) -> None:
        self._begin, self._log, self._clock = begin, log, clock or SystemClock()
        self._address = _address(folder)
        quietly = ("--lazy-load-user-code", "--log-level", "warning", "--inject-env-vars-from-instance")
        self._words = (*quietly, "--location-name", served.location, *served.options)
        self.workspace = folder / "workspace.yaml"
        entry = {**self._address, "location_name": served.location, "additional_metadata": served.metadata}
        self.workspace.write_text(json.dumps({"load_from": [{"grpc_server": entry}]}), encoding="utf-8")
        self.child: Child | None = None
        self._began = 0.0

    def start(self) -> None:
        """Start it; returns at once."""
        where = [word for name, value in self._address.items() for word in (f"--{name}", str(value))]
        self.child = self._begin(("dagster", "api", "grpc", *where, *self._words))
        self._began = self._clock.monotonic()

    def wait_until_it_listens(self) -> bool:
        """Its definitions are loaded then; False where it ended before."""
        while not self._listens():
            if self.child is None or self.child.has_ended(0.1):
                return False
        return True

    def look_after(self) -> None:
        """Start it again if it has ended, and say so. Daemon and web server find the new one by themselves."""
        over = self.child is not None and self.child.has_ended()
        if not over or self._clock.monotonic() - self._began < AGAIN_AFTER_S:
            return
        self.start()
        say(
            told(
                f"Dagsterのコードサーバーが終了していたので、起動し直しました。ログ: {self._log}",
                f"Dagster's code server had ended and was started again; its log: {self._log}",
            ),
            style="yellow",
        )

    def _listens(self) -> bool:
        path = self._address.get("socket")
        place = path or (self._address["host"], self._address["port"])
        with socket.socket(socket.AF_UNIX if path else socket.AF_INET) as probe:
            return probe.connect_ex(place) == 0


def module_of(workspace: Path) -> ServedModule | None:
    """The one Python module of workspace.yaml, None where something else stands there, or more."""
    from dagster._core.remote_origin import ManagedGrpcPythonEnvCodeLocationOrigin
    from dagster._core.workspace.load_target import WorkspaceFileTarget

    try:
        origins = WorkspaceFileTarget([str(workspace)]).create_origins()
    except Exception:  # `dagster dev` says what is wrong with it
        return None
    if len(origins) != 1 or not isinstance(origins[0], ManagedGrpcPythonEnvCodeLocationOrigin):
        return None
    target = origins[0].loadable_target_origin
    if target.executable_path is not None:
        return None
    return ServedModule(origins[0].location_name, tuple(target.get_cli_args()), target.as_dict)


def _address(folder: Path) -> dict[str, Any]:
    """A socket in that folder; where the system has none, a free port on loopback."""
    if os.name == "posix":
        return {"socket": str(folder / "code")}
    return {"host": "127.0.0.1", "port": free_port()}
