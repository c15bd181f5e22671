"""The project a command works on: it has to be there, for a command elsewhere would find nothing and call it well.

Not for: what is in ecauto.toml (settings/) or where Dagster's home is (dagster_run.py).
"""

from __future__ import annotations

import functools
from pathlib import Path

import click

from ecauto_pipeline.errors import SettingsError
from ecauto_pipeline.settings import config_path

ANYWHERE = frozenset({"demo", "import-legacy"})
"""Commands that may make the project (`demo --here` alone of the demo's ways: it asks for itself)."""

FILES = ("dagster.yaml", "workspace.yaml")
"""What Dagster needs beside ecauto.toml."""


def need_project() -> Path:
    """The ecauto.toml in force. Raises SettingsError, in one line, where there is none at or above this folder."""
    config = config_path()
    if config is None:
        raise SettingsError(
            "no ecauto.toml here or above: run this in the project's folder, or let ECAUTO_CONFIG name the file",
            ja="ecauto.toml がこのフォルダーにも上にもありません。プロジェクトのフォルダーで実行するか、"
            "ECAUTO_CONFIG にファイルを指定してください",
        )
    if not config.is_file():
        raise SettingsError(
            f"{config}: no such file (ECAUTO_CONFIG names it)",
            ja=f"{config} がありません（ECAUTO_CONFIG で指定されています）",
        )
    return config


def in_a_project(command: click.Command) -> None:
    """Let this command, and every command below it, refuse to work outside a project; its help is shown anywhere."""
    for child in getattr(command, "commands", {}).values():
        in_a_project(child)
    work = command.callback
    if work is None or getattr(command, "commands", None):
        return

    @functools.wraps(work)
    def checked(*arguments: object, **options: object) -> object:
        need_project()
        return work(*arguments, **options)

    command.callback = checked


def make_project(folder: Path) -> Path:
    """A project for the emulator in this folder: ecauto.toml and Dagster's two files. What is there stays as it is."""
    source = Path(__file__).absolute().parents[2]
    texts = {name: (source / name).read_text(encoding="utf-8") for name in FILES if (source / name).is_file()}
    for name, text in {**texts, "ecauto.toml": 'mode = "emulated"\n'}.items():
        if not (folder / name).exists():
            (folder / name).write_text(text, encoding="utf-8")
    return folder / "ecauto.toml"
