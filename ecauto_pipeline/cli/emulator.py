"""`ecauto emulator`: Amazon and BASE, played, until Ctrl-C.

Not for: playing them (emulator/).
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ecauto_pipeline.settings import load

COMMAND = typer.Typer(add_completion=False)


@COMMAND.command()
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
