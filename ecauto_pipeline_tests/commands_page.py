"""Writes docs/commands.md from the command line itself: `python -m ecauto_pipeline_tests.commands_page`.

Not for: words about a command; they are its help text in ecauto_pipeline/cli/.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import click

from ecauto_pipeline.cli.commands import NamedCommand, command_line
from ecauto_pipeline.cli.exit_codes import MEANING
from ecauto_pipeline_tests.pages import table, write

NAME = "commands.md"

HEAD = f"""# Commands

`ecauto COMMAND --help` says the same in the terminal. Commands work from any folder of the project. Every reading \
command has `--json`.

This page is generated from `ecauto_pipeline/cli/`: `python -m {__package__}.commands_page`.

## Exit codes

{table(("code", "meaning"), [(str(code), meaning) for code, meaning in MEANING.items()])}
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """One command. `options`: (names, default, help); `arguments`: (name, help)."""

    path: str
    usage: str
    help: str
    arguments: tuple[tuple[str, str], ...]
    options: tuple[tuple[str, str, str], ...]

    @property
    def option_names(self) -> list[str]:
        return [name for names, _, _ in self.options for name in names.split(", ")]


def entries() -> list[Entry]:
    """Every command of the command line, groups left out, in the order of its help."""
    return [
        entry
        for name, command in command_line().commands.items()
        for entry in _walk(_loaded(command), f"ecauto {name}")
    ]


def _loaded(command: click.Command) -> click.Command:
    return command.load() if isinstance(command, NamedCommand) else command


def _walk(command: click.Command, path: str) -> Iterator[Entry]:
    inner = getattr(command, "commands", None)
    if inner is not None:
        for name, child in inner.items():
            yield from _walk(child, f"{path} {name}")
        return
    context = click.Context(command, info_name=path)
    shown = [parameter for parameter in command.params if not getattr(parameter, "hidden", False)]
    yield Entry(
        path,
        " ".join([path, *command.collect_usage_pieces(context)]),
        " ".join((command.help or "").split()),
        tuple(
            (parameter.make_metavar(context), getattr(parameter, "help", None) or "")
            for parameter in shown
            if parameter.param_type_name == "argument"
        ),
        tuple(
            (", ".join((*parameter.opts, *parameter.secondary_opts)), _default(parameter), parameter.help or "")
            for parameter in shown
            if isinstance(parameter, click.Option) and "--help" not in parameter.opts
        ),
    )


def _default(option: click.Option) -> str:
    if option.required:
        return "must be given"
    if option.is_flag:
        return "on" if option.default is True else "off"
    return "" if option.default in (None, "", (), []) else f"`{option.default}`"


def page() -> str:
    """The whole page."""
    parts = [HEAD]
    for entry in entries():
        parts += [f"## {entry.path}", entry.help, f"    {entry.usage}"]
        rows: list[tuple[str, ...]] = [(f"`{name}`", "", text) for name, text in entry.arguments]
        rows += [(f"`{names}`", default, text) for names, default, text in entry.options]
        if rows:
            parts.append(table(("argument or option", "default", "meaning"), rows))
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"


if __name__ == "__main__":
    write(NAME, page())
