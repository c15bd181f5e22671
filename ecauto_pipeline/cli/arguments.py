"""Options that several commands have, and what `--help` says of a command's arguments.

typer 0.25 hands an argument's help to a class of click 8.5 that forgets it; here it is given back from the
annotations. Not for: the words themselves (each command).
"""

from __future__ import annotations

import inspect
from typing import Annotated, get_type_hints

import click
import typer
from typer.models import ArgumentInfo

Account = Annotated[list[str] | None, typer.Option("--account", help="このショップだけ / only this shop (repeatable)")]
Json = Annotated[bool, typer.Option("--json", help="machine-readable")]
ResultJson = Annotated[bool, typer.Option("--json", help="結果をJSONで / machine-readable")]
Platform = Annotated[str, typer.Option("--platform", help="販売先 / the platform; there is one: base")]
Partition = Annotated[str, typer.Option("--partition", help="対象の1時間 / the hour; default: this one")]


def command_line(app: typer.Typer) -> click.Command:
    """The commands of `app` with their arguments described."""
    command = typer.main.get_command(app)
    _describe(command)
    return command


def _describe(command: click.Command) -> None:
    for child in getattr(command, "commands", {}).values():
        _describe(child)
    if command.callback is None:
        return
    hints = get_type_hints(inspect.unwrap(command.callback), include_extras=True)
    for parameter in command.params:
        extras = getattr(hints.get(parameter.name or ""), "__metadata__", ())
        said = next((extra.help for extra in extras if isinstance(extra, ArgumentInfo) and extra.help), "")
        if said and parameter.param_type_name == "argument":
            parameter.help = said  # type: ignore[attr-defined]
