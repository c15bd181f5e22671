"""Laws of upgrades: what any version left is opened and keeps all it knew; a later one's is refused in one line."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from ecauto_pipeline.errors import SettingsError
from ecauto_pipeline.settings import load
from ecauto_pipeline.state.migrations import VERSION
from ecauto_pipeline.wiring.open import open_tools
from ecauto_pipeline_tests.upgrades.folders import LANDED, answered, answers_in_database, answers_in_files, unpacked


@pytest.mark.parametrize("version", LANDED)
def test_a_folder_of_every_version_opens_and_keeps_what_it_knew(tmp_path: Path, version: str) -> None:
    """State is brought to this version's tables with every fact in it, history answers with every row."""
    settings = load(unpacked(version, tmp_path), {})
    knew, wrote = answered(tmp_path), answers_in_files(tmp_path)
    assert knew
    with open_tools(settings, offline=True) as tools:
        assert not tools.history.load().set_aside
    with closing(sqlite3.connect(tmp_path / "data" / "state.db")) as state:
        assert [(VERSION,)] == state.execute("PRAGMA user_version").fetchall()
    assert knew == answered(tmp_path)
    assert wrote <= answers_in_database(tmp_path)


def test_a_folder_of_a_later_version_is_refused_in_one_line(tmp_path: Path) -> None:
    """Nothing is opened or changed; the line says which version wrote it."""
    settings = load(unpacked(LANDED[0], tmp_path), {})
    with open_tools(settings, offline=True):
        pass
    state = tmp_path / "data" / "state.db"
    with closing(sqlite3.connect(state)) as connection:
        connection.execute(f"PRAGMA user_version = {VERSION + 1}")
        connection.commit()
    before = state.read_bytes()
    with pytest.raises(SettingsError, match="a newer program wrote it") as refused, open_tools(settings, offline=True):
        pass
    assert 1 == len(str(refused.value).splitlines())
    assert refused.value.ja
    assert before == state.read_bytes()
