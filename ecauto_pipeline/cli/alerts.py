"""`ecauto alerts test`: one trial message through each channel.

Not for: when an alert is raised (alerts/).
"""

from __future__ import annotations

import typer

from ecauto_pipeline.alerts.announce import try_channels
from ecauto_pipeline.cli.console import FINE, WITH_ERRORS, say, table
from ecauto_pipeline.settings import load
from ecauto_pipeline.wiring.open import open_tools

COMMAND = typer.Typer(help="通知", no_args_is_help=True, add_completion=False)


@COMMAND.callback()
def _alerts() -> None:
    """通知 / alerts."""


@COMMAND.command("test")
def alerts_test() -> None:
    """設定したすべての通知先に、試しのお知らせを1通ずつ送ります。 One trial message through each channel."""
    with open_tools(load(), offline=True) as tools:
        results = try_channels(tools)
    if not results:
        say("通知先が設定されていません([[alerts.channels]])。", style="yellow")
        raise typer.Exit(WITH_ERRORS)
    table("通知の試験", ("通知先", "結果", "理由"), [(r.channel, "OK" if r.ok else "失敗", r.error) for r in results])
    raise typer.Exit(FINE if all(result.ok for result in results) else WITH_ERRORS)
