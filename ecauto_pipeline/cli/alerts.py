"""`ecauto alerts test`: one trial message through each channel.

Not for: when an alert is raised (alerts/).
"""

from __future__ import annotations

import typer

from ecauto_pipeline.alerts.announce import try_channels
from ecauto_pipeline.cli.console import FINE, WITH_ERRORS, language, say, table, told
from ecauto_pipeline.settings import load
from ecauto_pipeline.wiring.open import open_tools

COMMAND = typer.Typer(help="通知。 Alerts.", no_args_is_help=True, add_completion=False)


@COMMAND.callback()
def _alerts() -> None:
    """通知。 Alerts."""


@COMMAND.command("test")
def alerts_test() -> None:
    """設定したすべての通知先に、試しのお知らせを1通ずつ送ります。 One trial message through each channel."""
    with open_tools(load(), offline=True) as tools:
        results = try_channels(tools)
    if not results:
        none = told("通知先が設定されていません", "no channel is configured")
        say(f"{none} ([[alerts.channels]])", style="yellow")
        raise typer.Exit(WITH_ERRORS)
    columns = (told("通知先", "channel"), told("結果", "outcome"), told("理由", "why"))
    rows = [(one.channel, "OK" if one.ok else told("失敗", "failed"), one.said(language())) for one in results]
    table(told("通知の試験", "test of the channels"), columns, rows)
    raise typer.Exit(FINE if all(result.ok for result in results) else WITH_ERRORS)
