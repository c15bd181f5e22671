"""`ecauto demo`, `ecauto dev`, `ecauto emulator`: the whole thing on one machine without any credentials.

Not for: what is shown of a run (summary.py).
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import psutil
import typer

from ecauto_pipeline.cli.console import fail, say, table
from ecauto_pipeline.cli.sync import ready, run_and_show
from ecauto_pipeline.settings import load


def register(app: typer.Typer) -> None:
    app.command("demo")(demo)
    app.command("dev")(dev)
    app.command("emulator")(emulator)


def demo() -> None:
    """エミュレーター上の3ショップで、同期を1回通して実行します。 The whole line once, against the emulator."""
    settings = load()
    if settings.mode != "emulated":
        fail('the demo needs mode = "emulated"')
    say("これはデモです。Amazonにも、BASEにも、実際には接続しません。", style="bold")
    say("エミュレーター(本物と同じ厳しさのSP-APIとBASE)を起動し、3ショップ分の出品を用意します。")
    settings = ready("base", None)
    code = run_and_show(settings, "full_sync", "", {"include_price": "all"}, False)
    say()
    table(
        "次に見るもの",
        ("コマンド", "わかること"),
        (
            ("ecauto status", "鮮度・予算・保留の今の状態"),
            ("ecauto sync", "もう一度同期(新しいものは問い合わせません)"),
            ("ecauto holds list", "人の確認を待っている変更"),
            ("ecauto explain ASIN", "なぜこの価格か、なぜ非公開か"),
            ("ecauto dev", "Dagsterの画面 http://127.0.0.1:3000"),
        ),
    )
    raise typer.Exit(0 if code in (0, 1, 3) else code)


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


def dev(
    port: Annotated[int, typer.Option("--port", help="画面のポート / the UI's port")] = 3000,
) -> None:
    """エミュレーター(必要なら)とDagsterの画面を起動します。Ctrl-Cで両方終わります。 Emulator and UI together."""
    from ecauto_pipeline.cli.running import project_root

    settings = load()
    if not _is_free(port):
        fail(f"ポート {port} は別のプログラムが使っています。--port で別の番号を選んでください (the port is in use)")
    root = project_root()
    environ = {**os.environ, "DAGSTER_DISABLE_TELEMETRY": "1"}
    world = None
    if settings.own_sp_api or settings.own_base:
        from ecauto_pipeline.emulator import process

        url = process.ensure(
            settings.data_dir / "emulator",
            seed=settings.emulator.seed,
            listings=settings.emulator.listings,
            accounts=settings.emulator.accounts,
            speed=settings.emulator.speed,
        )
        world = settings.data_dir / "emulator"
        say(f"エミュレーター: {url}")
    (root / "data" / "dagster").mkdir(parents=True, exist_ok=True)
    say(f"Dagsterの画面: http://127.0.0.1:{port} (Ctrl-Cで終了)")
    command = [sys.executable, "-m", "dagster", "dev", "-w", "workspace.yaml", "-h", "127.0.0.1", "-p", str(port)]
    child = subprocess.Popen(command, cwd=root, env=environ)
    signal.signal(signal.SIGTERM, _ask_to_end)
    try:
        code = child.wait()
    except (KeyboardInterrupt, _Terminated) as asked:
        code = _end(child, tell=isinstance(asked, _Terminated))
    finally:
        if world is not None:
            process.stop(world)
    raise typer.Exit(code)


def emulator(
    port: Annotated[int, typer.Option("--port", help="0 = 空いているポート / any free one")] = 0,
    seed: Annotated[int | None, typer.Option("--seed", help="世界の種 / the world's seed")] = None,
    listings: Annotated[int | None, typer.Option("--listings", min=0, help="出品の数 / listings")] = None,
    accounts: Annotated[int | None, typer.Option("--accounts", min=1, help="ショップの数 / shops")] = None,
    speed: Annotated[float | None, typer.Option("--speed", help="SP-APIの速さの倍率 / rate multiplier")] = None,
    data: Annotated[Path | None, typer.Option("--data", help="世界の保存先 / where the world is kept")] = None,
) -> None:
    """エミュレーターだけを起動します(Ctrl-Cで終了)。 The emulator alone."""
    from ecauto_pipeline.emulator.__main__ import main as serve

    settings = load()
    world = settings.emulator
    chosen = {
        "--seed": seed if seed is not None else world.seed,
        "--listings": listings if listings is not None else world.listings,
        "--accounts": accounts if accounts is not None else world.accounts,
        "--speed": speed if speed is not None else world.speed,
    }
    folder = data or settings.data_dir / "emulator"
    arguments = ["--data", str(folder), "--port", str(port)]
    for name, value in chosen.items():
        arguments += [name, str(value)]
    raise typer.Exit(serve(arguments))
