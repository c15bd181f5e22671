"""A fleet's machines go by one ecauto.toml, and keep nothing of the work on a disk of their own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ecauto_pipeline.errors import SettingsError
from ecauto_pipeline.fleet.same_everywhere import agree_on_settings, digests, refuse_local, settle_settings
from ecauto_pipeline.settings import Settings, parse
from ecauto_pipeline.state.database import Database
from ecauto_pipeline.wiring.open import open_tools

NOW = datetime(2026, 11, 26, 3, tzinfo=UTC)
ON: Mapping[str, Any] = {"fleet": {"on": True}}
POSTGRESQL = {"url": "postgresql+psycopg://ecauto@127.0.0.1:9/ecauto"}


@pytest.fixture
def state(tmp_path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path / 'state.db'}")
    yield database
    database.close()


def _settings(folder: Path, **tables: Any) -> Settings:
    return parse({**ON, "state": POSTGRESQL, "history": {"url": "s3://bucket/history"}, **tables}, folder)


def test_state_on_a_machine_s_own_disk_is_refused(tmp_path: Path) -> None:
    """Before anything is opened or made, by whoever opens the tools, reading commands included."""
    with (
        pytest.raises(SettingsError, match=r"state has to be in PostgreSQL"),
        open_tools(parse(ON, tmp_path), offline=True),
    ):
        raise AssertionError("opened")
    assert [] == list(tmp_path.iterdir())


@pytest.mark.parametrize("url", ["", "file:///srv/history"])
def test_history_on_a_machine_s_own_disk_is_refused(tmp_path: Path, url: str) -> None:
    """Two machines would keep half of what happened each."""
    with pytest.raises(SettingsError, match=r"history has to be in object storage"):
        refuse_local(_settings(tmp_path, history={"url": url}))


def test_a_register_on_a_machine_s_own_disk_is_refused_in_live_mode(tmp_path: Path) -> None:
    """Two registers would drift apart; an emulated world brings its own."""
    with pytest.raises(SettingsError, match=r"register has to be in PostgreSQL"):
        refuse_local(_settings(tmp_path, mode="live"))
    refuse_local(_settings(tmp_path, mode="live", paths={"master_db": POSTGRESQL["url"]}))


def test_a_fleet_s_own_addresses_are_taken(tmp_path: Path) -> None:
    """PostgreSQL for state: nothing to refuse; and one machine is asked nothing."""
    refuse_local(_settings(tmp_path))


def test_the_first_machine_s_file_is_the_fleet_s(state: Database, tmp_path: Path) -> None:
    """The same policy is welcome from any folder; another markup is refused by name, without its value."""
    agree_on_settings(state, _settings(tmp_path / "one", pricing={"markup_ratio": 1.4}), NOW)
    agree_on_settings(state, _settings(tmp_path / "two", pricing={"markup_ratio": 1.4}), NOW)
    with pytest.raises(SettingsError, match=r"not the fleet's: \[pricing\] differ"):
        agree_on_settings(state, _settings(tmp_path, pricing={"markup_ratio": 1.5}), NOW)
    with pytest.raises(SettingsError, match=r"\[pricing\], \[ttl\] differ"):
        agree_on_settings(state, _settings(tmp_path, ttl={"stock": "2h"}), NOW)


def test_a_person_settles_a_new_file(state: Database, tmp_path: Path) -> None:
    """From then on it is the one, and the old one is refused."""
    old, new = _settings(tmp_path), _settings(tmp_path, pricing={"markup_ratio": 1.5})
    agree_on_settings(state, old, NOW)
    assert settle_settings(state, new, NOW)
    assert not settle_settings(state, new, NOW)
    agree_on_settings(state, new, NOW)
    with pytest.raises(SettingsError):
        agree_on_settings(state, old, NOW)


def test_what_is_one_machine_s_own_may_differ(state: Database, tmp_path: Path) -> None:
    """Folders, the desk's port, logs, and the address that PostgreSQL has there; no password is kept."""
    agree_on_settings(state, _settings(tmp_path), NOW)
    url = "postgresql+psycopg://ecauto:geheim@db/ecauto"
    other = _settings(tmp_path, state={"url": url}, paths={"data": "elsewhere"}, desk={"port": 4001})
    agree_on_settings(state, other, NOW)
    assert "geheim" not in str(digests(other))


def test_a_default_that_is_written_out_is_no_difference(tmp_path: Path) -> None:
    """Nor is a key that only a later version knows, while nobody sets it."""
    assert digests(_settings(tmp_path)) == digests(_settings(tmp_path, pricing={"markup_ratio": 1.3}))
