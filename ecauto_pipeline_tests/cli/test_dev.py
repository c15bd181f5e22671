"""What `ecauto dev` starts Dagster's servers with."""

from __future__ import annotations

from pathlib import Path

from ecauto_pipeline.cli.dev import servers_environ


def test_the_servers_live_where_dagster_yaml_is(tmp_path: Path) -> None:
    """A home of their own would be a `.tmp_dagster_home_*` in the owner's folder that a kill leaves behind."""
    environ = servers_environ(tmp_path, {"PATH": "p"})
    assert (str(tmp_path), "p") == (environ["DAGSTER_HOME"], environ["PATH"])
    assert "elsewhere" == servers_environ(tmp_path, {"DAGSTER_HOME": "elsewhere"})["DAGSTER_HOME"]


def test_the_terminal_shows_no_warnings_of_other_peoples_software(tmp_path: Path) -> None:
    """What Dagster or click will drop one day is no matter of the shop owner's; who wants it sets PYTHONWARNINGS."""
    assert "ignore" == servers_environ(tmp_path, {})["PYTHONWARNINGS"]
    assert "default" == servers_environ(tmp_path, {"PYTHONWARNINGS": "default"})["PYTHONWARNINGS"]
