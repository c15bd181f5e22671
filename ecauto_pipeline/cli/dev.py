"""`ecauto dev`: emulator (where it is needed), Dagster's UI and the owner's desk together, ended together.

Not for: what the UI shows (defs/).
"""

from __future__ import annotations

import os
import signal
import urllib.request
from contextlib import suppress
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from ecauto_pipeline.cli.console import WITH_ERRORS, fail, say, told
from ecauto_pipeline.cli.dagster_child import load_once
from ecauto_pipeline.cli.dev_code_server import ServedModule
from ecauto_pipeline.cli.dev_dagster import DagsterServers
from ecauto_pipeline.cli.dev_desk import DeskBeside
from ecauto_pipeline.cli.dev_first_look import FirstLook
from ecauto_pipeline.cli.interrupts import Terminated, raised
from ecauto_pipeline.clock import SystemClock, jst
from ecauto_pipeline.errors import SettingsError
from ecauto_pipeline.settings import Settings, load
from ecauto_pipeline.wiring import emulated
from ecauto_pipeline.wiring.ports import is_free

COMMAND = typer.Typer(add_completion=False)
LOOK_AFTER_S = 5.0
"""How often what runs beside is looked after. Whatever ended the emulator, its world is in its folder and goes on."""


def _ask_to_end(_number: int, _frame: object) -> None:
    raise Terminated


def _answers(url: str) -> bool:
    """Whether Dagster's UI serves people there."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(f"{url}/server_info", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def _did_not_start(log: Path) -> NoReturn:
    said = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-1:]
    fail(
        f"Dagster's UI did not start: {' '.join(said)} ({log})",
        WITH_ERRORS,
        ja=f"Dagsterの画面が起動しませんでした。ログを見てください: {log}",
    )


def _served(look: FirstLook, log: Path) -> ServedModule | None:
    """What workspace.yaml serves; what else was found is said."""
    try:
        dead, served = look.found()
    except EOFError:
        _did_not_start(log)
    if dead:
        say(
            told(
                f"停電や強制終了で消えた実行 {dead}件を「失敗」にしました。次の実行が続きから始めます。",
                f"{dead} runs that died (power cut, kill) are marked failed; the next run goes on from there",
            )
        )
    return served


def _serve(
    servers: DagsterServers, served: ServedModule | None, url: str, settings: Settings, desk: DeskBeside | None
) -> int:
    """Say the addresses once somebody answers there, then look after emulator, code server and desk until Dagster's
    daemon and web server end; their code."""
    if not servers.start(served):
        _did_not_start(servers.log)
    while not _answers(url):
        if servers.have_ended(0.3):
            _did_not_start(servers.log)
    if desk is not None:
        desk.say_address()
    log = servers.log
    say(told(f"Dagsterの画面: {url} (Ctrl-Cで終了、ログ {log})", f"Dagster's UI: {url} (Ctrl-C ends it; log {log})"))
    while not servers.have_ended(LOOK_AFTER_S):
        servers.look_after()
        if desk is not None:
            desk.look_after()
        if settings.own_sp_api or settings.own_base:
            with suppress(SettingsError):  # said by whoever needs it
                emulated.start(settings, os.getpid())
    return servers.returncode


@COMMAND.command()
def dev(
    port: Annotated[int, typer.Option("--port", help="Dagsterの画面のポート / the UI's port")] = 3000,
    no_desk: Annotated[bool, typer.Option("--no-desk", help="店主の画面は開かない / without the owner's desk")] = False,
) -> None:
    """エミュレーター(必要なら)、Dagsterの画面、店主の画面を起動します。Ctrl-Cで終わります。 Emulator, UI and desk.

    店主の画面のポートは ecauto.toml の desk.port です。 The port of the desk is desk.port in ecauto.toml.
    """
    from ecauto_pipeline.doctor.dagster_files import project_root

    settings = load()
    if not is_free(port):
        fail(
            f"port {port} is in use by another program; choose another with --port",
            ja=f"ポート {port} は別のプログラムが使っています。--port で別の番号を選んでください",
        )
    root = project_root()
    # what others warn of in their own software is no news for the shop owner; not what they leave behind, either
    os.environ.setdefault("PYTHONWARNINGS", "ignore")
    today = f"{jst(SystemClock().now()):%Y%m%d}"
    log = settings.data_dir / "logs" / f"dagster_{today}.log"
    for folder in (root / "data" / "dagster", log.parent):
        folder.mkdir(parents=True, exist_ok=True)
    load_once()
    own_world = settings.own_sp_api or settings.own_base
    if own_world:
        address = emulated.start(settings, os.getpid())
        say(told(f"エミュレーター: {address}", f"emulator: {address}"))
    look = FirstLook(root / "workspace.yaml", os.environ, log)
    say(told("Dagsterの画面を起動しています...", "Dagster's UI is starting..."))
    servers = DagsterServers(root, port, log)
    signal.signal(signal.SIGTERM, _ask_to_end)
    desk = None if no_desk else DeskBeside(settings, log.with_name(f"desk-server_{today}.log"))
    try:
        with raised():
            if desk is not None:
                desk.start()
            code = _serve(servers, _served(look, log), f"http://127.0.0.1:{port}", settings, desk)
    except (KeyboardInterrupt, Terminated) as asked:
        servers.end(tell=isinstance(asked, Terminated))
        code = 0
    finally:
        servers.end(tell=True)  # where one of them ended by itself, or never served
        if desk is not None:
            desk.end()
        if own_world:
            emulated.stop(settings)
    raise typer.Exit(code)
