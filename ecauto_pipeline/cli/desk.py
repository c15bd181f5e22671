"""`ecauto desk`: the shop owner's page alone; `ecauto dev` serves it too.

Not for: what the pages show (desk/).
"""

from __future__ import annotations

from typing import Annotated

import typer

from ecauto_pipeline.cli.console import fail, say, told
from ecauto_pipeline.settings import load

COMMAND = typer.Typer(add_completion=False)


@COMMAND.command()
def desk(
    port: Annotated[int, typer.Option("--port", help="画面のポート / its port; 0 = the one of ecauto.toml", min=0)] = 0,
    parent_pid: Annotated[int, typer.Option("--parent-pid", hidden=True)] = 0,
) -> None:
    """店主の画面を開きます (http://127.0.0.1:3001、Ctrl-Cで終了)。 The shop owner's page."""
    from ecauto_pipeline.desk.office import Office
    from ecauto_pipeline.desk.server import serve
    from ecauto_pipeline.wiring.ports import is_free

    settings = load()
    chosen = port or settings.desk.port
    if not is_free(chosen):
        fail(
            f"port {chosen} is in use by another program; choose another with --port",
            ja=f"ポート {chosen} は別のプログラムが使っています。--port で別の番号を選んでください",
        )
    office = Office(port=chosen)
    say(told(f"店主の画面: {office.address} (Ctrl-Cで終了)", f"the owner's desk: {office.address} (Ctrl-C ends it)"))
    try:
        serve(office, parent_pid)
    finally:
        office.close()
