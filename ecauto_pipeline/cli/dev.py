"""`ecauto dev`: emulator (where it is needed), Dagster's UI and the owner's desk together, ended together.

Not for: what the UI shows (defs/).
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import psutil
import typer

from ecauto_pipeline.cli.console import WITH_ERRORS, fail, say, told
from ecauto_pipeline.cli.dev_desk import DeskBeside, has_ended
from ecauto_pipeline.cli.interrupts import raised
from ecauto_pipeline.clock import SystemClock, jst
from ecauto_pipeline.errors import SettingsError
from ecauto_pipeline.settings import Settings, load
from ecauto_pipeline.wiring import emulated
from ecauto_pipeline.wiring.ports import is_free

COMMAND = typer.Typer(add_completion=False)
LOOK_AFTER_S = 20.0
"""How often the emulator is looked after; whatever ended it, its world is in its folder and goes on."""


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


def _end(child: subprocess.Popen[bytes], tell: bool) -> None:
    """End Dagster's servers, at first as they would themselves, then by their ids: one of them sometimes stays.

    Whoever asked for the end has it; the code they end with, 1 on a slow machine, is no failure of ours.
    """
    family = psutil.Process(child.pid).children(recursive=True) if psutil.pid_exists(child.pid) else []
    try:
        with suppress(subprocess.TimeoutExpired):
            child.wait(timeout=0 if tell else 6)  # a terminal's Ctrl-C has reached it by itself
        if child.poll() is None:
            child.send_signal(signal.SIGINT if os.name == "posix" else signal.SIGTERM)
        child.wait(timeout=20)
    except (subprocess.TimeoutExpired, KeyboardInterrupt, _Terminated):
        child.kill()
        child.wait()
    _, left = psutil.wait_procs(family, timeout=3)
    for ask in (psutil.Process.terminate, psutil.Process.kill):
        for one in left:
            with suppress(psutil.NoSuchProcess):
                ask(one)
        _, left = psutil.wait_procs(left, timeout=10)


def _answers(url: str) -> bool:
    """Whether Dagster's UI serves people there."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(f"{url}/server_info", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def _serve(child: subprocess.Popen[bytes], url: str, settings: Settings, log: Path, desk: DeskBeside | None) -> int:
    """Say the addresses once somebody answers there, then look after emulator and desk until Dagster's servers end;
    their code."""
    while not _answers(url):
        if has_ended(child, 0.3):
            said = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-1:]
            fail(
                f"Dagster's UI did not start: {' '.join(said)} ({log})",
                WITH_ERRORS,
                ja=f"Dagsterの画面が起動しませんでした。ログを見てください: {log}",
            )
    if desk is not None:
        desk.say_address()
    say(told(f"Dagsterの画面: {url} (Ctrl-Cで終了、ログ {log})", f"Dagster's UI: {url} (Ctrl-C ends it; log {log})"))
    while not has_ended(child, LOOK_AFTER_S):
        if desk is not None:
            desk.look_after()
        if settings.own_sp_api or settings.own_base:
            with suppress(SettingsError):  # said by whoever needs it
                emulated.start(settings, os.getpid())
    return child.returncode


@COMMAND.command()
def dev(
    port: Annotated[int, typer.Option("--port", help="Dagsterの画面のポート / the UI's port")] = 3000,
    no_desk: Annotated[bool, typer.Option("--no-desk", help="店主の画面は開かない / without the owner's desk")] = False,
) -> None:
    """エミュレーター(必要なら)、Dagsterの画面、店主の画面を起動します。Ctrl-Cで終わります。 Emulator, UI and desk.

    店主の画面のポートは ecauto.toml の desk.port です。 The port of the desk is desk.port in ecauto.toml.
    """
    from ecauto_pipeline.cli.dagster_run import instance, mark_dead_runs
    from ecauto_pipeline.doctor.dagster_files import project_root

    settings = load()
    if not is_free(port):
        fail(
            f"port {port} is in use by another program; choose another with --port",
            ja=f"ポート {port} は別のプログラムが使っています。--port で別の番号を選んでください",
        )
    root = project_root()
    own_world = settings.own_sp_api or settings.own_base
    if own_world:
        address = emulated.start(settings, os.getpid())
        say(told(f"エミュレーター: {address}", f"emulator: {address}"))
    today = f"{jst(SystemClock().now()):%Y%m%d}"
    log = settings.data_dir / "logs" / f"dagster_{today}.log"
    for folder in (root / "data" / "dagster", log.parent):
        folder.mkdir(parents=True, exist_ok=True)
    say(told("Dagsterの画面を起動しています...", "Dagster's UI is starting..."))
    with instance() as opened:  # before the servers: two that make Dagster's database at once break it
        dead = mark_dead_runs(opened)  # in emulated mode no sensor does it
    if dead:
        say(
            told(
                f"停電や強制終了で消えた実行 {dead}件を「失敗」にしました。次の実行が続きから始めます。",
                f"{dead} runs that died (power cut, kill) are marked failed; the next run goes on from there",
            )
        )
    command = [sys.executable, "-m", "dagster", "dev", "-w", "workspace.yaml", "-h", "127.0.0.1", "-p", str(port)]
    with log.open("ab") as output:
        child = subprocess.Popen(command, cwd=root, env=servers_environ(root, os.environ), stdout=output, stderr=output)
    signal.signal(signal.SIGTERM, _ask_to_end)
    desk = None if no_desk else DeskBeside(settings, log.with_name(f"desk-server_{today}.log"))
    try:
        with raised():
            if desk is not None:
                desk.start()
            code = _serve(child, f"http://127.0.0.1:{port}", settings, log, desk)
    except (KeyboardInterrupt, _Terminated) as asked:
        _end(child, tell=isinstance(asked, _Terminated))
        code = 0
    finally:
        if desk is not None:
            desk.end()
        if own_world:
            emulated.stop(settings)
    raise typer.Exit(code)
