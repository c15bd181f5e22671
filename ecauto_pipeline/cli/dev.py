"""`ecauto dev`: emulator (where it is needed) and Dagster's UI together, ended together.

Not for: what the UI shows (defs/).
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import psutil
import typer

from ecauto_pipeline.cli.console import fail, say
from ecauto_pipeline.cli.interrupts import raised
from ecauto_pipeline.settings import load

COMMAND = typer.Typer(add_completion=False)


def servers_environ(root: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """What Dagster's servers are started with; what is set already wins.

    Their home is the folder of dagster.yaml: without one they make a temporary home and leave it when they are killed.
    Other people's warnings about their own software are no news for the shop owner.
    """
    ours = {"DAGSTER_HOME": str(root), "DAGSTER_DISABLE_TELEMETRY": "1", "PYTHONWARNINGS": "ignore"}
    return ours | dict(environ)


class _Terminated(BaseException):
    """SIGTERM: a service manager, or a person with `kill`, wants us and our servers to end."""


def _ask_to_end(_number: int, _frame: object) -> None:
    raise _Terminated


def _end(child: subprocess.Popen[bytes], tell: bool) -> int:
    """End Dagster's servers, at first as they would themselves, then by their ids: one of them sometimes stays."""
    family = psutil.Process(child.pid).children(recursive=True) if psutil.pid_exists(child.pid) else []
    try:
        with suppress(subprocess.TimeoutExpired):
            child.wait(timeout=0 if tell else 6)  # a terminal's Ctrl-C has reached it by itself
        if child.poll() is None:
            child.send_signal(signal.SIGINT if os.name == "posix" else signal.SIGTERM)
        code = child.wait(timeout=20)
    except (subprocess.TimeoutExpired, KeyboardInterrupt, _Terminated):
        child.kill()
        child.wait()
        code = 0
    _, left = psutil.wait_procs(family, timeout=3)
    for ask in (psutil.Process.terminate, psutil.Process.kill):
        for one in left:
            with suppress(psutil.NoSuchProcess):
                ask(one)
        _, left = psutil.wait_procs(left, timeout=10)
    return 0 if code in (0, 130, -2) else code


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        if os.name == "posix":  # elsewhere it would let us share a port that is taken
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


@COMMAND.command()
def dev(
    port: Annotated[int, typer.Option("--port", help="画面のポート / the UI's port")] = 3000,
) -> None:
    """エミュレーター(必要なら)とDagsterの画面を起動します。Ctrl-Cで両方終わります。 Emulator and UI together."""
    from ecauto_pipeline.cli.dagster_run import project_root

    settings = load()
    if not _is_free(port):
        fail(f"ポート {port} は別のプログラムが使っています。--port で別の番号を選んでください (the port is in use)")
    root = project_root()
    world = None
    if settings.own_sp_api or settings.own_base:
        from ecauto_pipeline.emulator import process
        from ecauto_pipeline.wiring import emulated

        say(f"エミュレーター: {emulated.start(settings)}")
        world = settings.data_dir / "emulator"
    (root / "data" / "dagster").mkdir(parents=True, exist_ok=True)
    say(f"Dagsterの画面: http://127.0.0.1:{port} (Ctrl-Cで終了)")
    command = [sys.executable, "-m", "dagster", "dev", "-w", "workspace.yaml", "-h", "127.0.0.1", "-p", str(port)]
    child = subprocess.Popen(command, cwd=root, env=servers_environ(root, os.environ))
    signal.signal(signal.SIGTERM, _ask_to_end)
    try:
        with raised():
            code = child.wait()
    except (KeyboardInterrupt, _Terminated) as asked:
        code = _end(child, tell=isinstance(asked, _Terminated))
    finally:
        if world is not None:
            process.stop(world)
    raise typer.Exit(code)
