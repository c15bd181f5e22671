"""Outside a project no command works, none says that all is well, and none leaves anything behind."""

from __future__ import annotations

import sys
from pathlib import Path

import click
import pytest

from ecauto_pipeline.cli import main
from ecauto_pipeline.cli.commands import COMMANDS, NamedCommand, command_line
from ecauto_pipeline.cli.project import FILES, make_project


def _leaves(command: click.Command, words: tuple[str, ...]) -> list[tuple[str, ...]]:
    """Every command below this one, each with as many arguments as it must be given."""
    children = getattr(command, "commands", {})
    if children:
        return [found for name, child in children.items() for found in _leaves(child, (*words, name))]
    needed = [one for one in command.params if one.param_type_name == "argument" and one.required]
    options = [
        word for one in command.params if one.required and one.opts[0].startswith("-") for word in (one.opts[0], "x")
    ]
    return [(*words, *(_any_of(one) for one in needed), *options)]


def _any_of(argument: click.Parameter) -> str:
    """A word that may stand there."""
    return str(argument.type.choices[0]) if isinstance(argument.type, click.Choice) else "x"


def _every_command() -> list[tuple[str, ...]]:
    found = []
    for name in COMMANDS:
        command = command_line().commands[name]
        assert isinstance(command, NamedCommand)
        if name != "import-legacy":  # it makes the file
            found += _leaves(command.load(), (name,))
    return found


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder without an ecauto.toml at or above it, as the current one."""
    monkeypatch.chdir(tmp_path)
    for name in ("ECAUTO_CONFIG", "ECAUTO_DATA_DIR", "DAGSTER_HOME"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def _end_of(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> object:
    for name in ("stdout", "stderr"):
        monkeypatch.setattr(sys, name, getattr(sys, name))
    monkeypatch.setattr(sys, "argv", ["ecauto", *arguments])
    with pytest.raises(SystemExit) as ending:
        main()
    return ending.value.code


@pytest.mark.parametrize("words", _every_command(), ids=" ".join)
def test_no_command_works_outside_a_project(
    nowhere: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    """One line that says where to run it, exit 2, nothing on stdout, not a file; so with a config that is not there."""
    for config in ("", str(nowhere / "moved" / "ecauto.toml")):
        if config:
            monkeypatch.setenv("ECAUTO_CONFIG", config)
        assert 2 == _end_of(monkeypatch, *words)
        said = capsys.readouterr()
        assert ("", 1) == (said.out, len(said.err.strip().splitlines()))
        assert ("ECAUTO_CONFIG", "ecauto.toml") == tuple(
            word for word in ("ECAUTO_CONFIG", "ecauto.toml") if word in said.err
        )
        assert [] == list(nowhere.iterdir())


@pytest.mark.parametrize("words", _every_command(), ids=" ".join)
def test_help_is_shown_anywhere(
    nowhere: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    """Whoever looks around first needs no project for it."""
    names = [word for word in words if word != "x" and not word.startswith("-")]
    assert 0 == _end_of(monkeypatch, *names, "--help")
    assert "--help" in capsys.readouterr().out
    assert [] == list(nowhere.iterdir())


def test_a_project_made_here_takes_nothing_away(tmp_path: Path) -> None:
    """`demo --here` writes what a project needs and leaves a file that is there as it is."""
    (tmp_path / "dagster.yaml").write_text("# mine\n", encoding="utf-8")
    assert tmp_path / "ecauto.toml" == make_project(tmp_path)
    assert {"ecauto.toml", *FILES} == {path.name for path in tmp_path.iterdir()}
    assert "# mine\n" == (tmp_path / "dagster.yaml").read_text(encoding="utf-8")
    (tmp_path / "ecauto.toml").write_text('mode = "live"\n', encoding="utf-8")
    make_project(tmp_path)
    assert 'mode = "live"\n' == (tmp_path / "ecauto.toml").read_text(encoding="utf-8")
