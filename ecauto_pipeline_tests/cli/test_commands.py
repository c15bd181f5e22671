"""The list of commands, and what a command has loaded before it does anything."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ecauto_pipeline.cli.commands import COMMANDS, NamedCommand, command_line

SLOW = {"sp_api", "pyarrow", "duckdb", "pandas", "dagster", "matplotlib", "apprise", "requests", "httpx"}
_PROGRAM = """
import sys
from ecauto_pipeline.cli import main
sys.argv = ["ecauto", *sys.argv[1:]]
try:
    main()
finally:
    print(*{name.split(".")[0] for name in sys.modules}, file=sys.stderr)
"""


def _loaded_by(folder: Path, *arguments: str) -> set[str]:
    """The top packages that are loaded when the command has ended."""
    (folder / "ecauto.toml").write_text("", encoding="utf-8")
    ended = subprocess.run(
        [sys.executable, "-c", _PROGRAM, *arguments], cwd=folder, capture_output=True, encoding="utf-8", check=True
    )
    return set(ended.stderr.split())


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_is_listed_with_the_first_line_of_its_help(name: str) -> None:
    """The list stands apart from the commands, so that showing it imports none of them; it says the same as they."""
    named = command_line().commands[name]
    assert isinstance(named, NamedCommand)
    first = (named.load().help or "").split("\n\n")[0]
    assert COMMANDS[name] == " ".join(first.split())


def test_the_help_imports_no_command(tmp_path: Path) -> None:
    """`ecauto --help` answers at once: neither libraries that take a second to load, nor the settings' model."""
    assert set() == _loaded_by(tmp_path, "--help") & (SLOW | {"pydantic", "sqlalchemy", "numpy", "dotenv"})


@pytest.mark.parametrize("command", ["status", "holds list", "capacity", "validate --dry-run"])
def test_a_question_about_now_loads_what_state_db_needs_and_no_more(tmp_path: Path, command: str) -> None:
    """What is asked of state.db alone waits neither for Amazon's library, nor for DuckDB, Parquet, Dagster or HTTP."""
    assert set() == _loaded_by(tmp_path, *command.split()) & SLOW
