"""A fleet's tokens, on SQLite (on PostgreSQL: proofs/fleet/test_tokens.py)."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from ecauto_pipeline.clock import ManualClock
from ecauto_pipeline.emulator.server import EmulatorServer
from ecauto_pipeline.errors import SettingsError
from ecauto_pipeline.fleet.seal import new_key, seal_of
from ecauto_pipeline.shops.base.tokens import Tokens
from ecauto_pipeline_tests.fleet.token_laws import LAWS, Fleet, all_secrets
from ecauto_pipeline_tests.shops.base.shops_at_hand import NOON


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[EmulatorServer, ManualClock]]:
    clock = ManualClock(NOON)
    with EmulatorServer(clock=clock, seed=1, listings=20, accounts=1) as emulator:
        yield emulator, clock


@pytest.fixture
def fleet(server: tuple[EmulatorServer, ManualClock], tmp_path: Path) -> Iterator[Fleet]:
    emulator, clock = server
    clock.set(NOON)
    emulator.control.reset(seed=1)
    fleet = Fleet(emulator, clock, tmp_path, f"sqlite:///{tmp_path / 'state.db'}")
    yield fleet
    fleet.close()


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
def test_a_law_of_tokens_holds_on_sqlite(law: Callable[[Fleet], None], fleet: Fleet) -> None:
    """Each is stated where it stands."""
    law(fleet)


def test_state_shows_no_token_and_no_key(fleet: Fleet) -> None:
    """In none of its files, and in no row of it."""
    secrets = all_secrets(fleet)
    fleet.close()
    with closing(sqlite3.connect(fleet.folder / "state.db")) as database:
        dump = "\n".join(database.iterdump())
    dump += "".join(path.read_bytes().decode("latin-1") for path in fleet.folder.rglob("*") if path.is_file())
    assert "sealed:" in dump
    assert [] == [secret for secret in secrets if secret in dump]


def test_a_pair_that_state_does_not_take_waits_sealed_on_its_machine(fleet: Fleet) -> None:
    """State refuses for a minute: the pair that was bought is in a sealed file, and in state as soon as it can be."""
    fleet.authorise()
    home = fleet.home("a")
    fleet.databases[-1].close()
    bought = Tokens("access-two", "refresh-two", NOON + timedelta(hours=1), NOON + timedelta(hours=2))
    with home.turn():
        home.load()
        with closing(sqlite3.connect(fleet.folder / "state.db")) as table:
            table.execute("ALTER TABLE oauth RENAME TO elsewhere")
            with pytest.raises(OperationalError):
                home.keep(bought)
            table.execute("ALTER TABLE elsewhere RENAME TO oauth")
    rescued = fleet.folder / "a" / "token.sealed"
    assert "refresh-two" not in rescued.read_text(encoding="utf-8")
    assert 0o600 == rescued.stat().st_mode & 0o777
    again = fleet.machine("a")
    assert "access-two" == again.keeper.access_token()
    assert not rescued.exists()
    found = fleet.home("b").current()
    assert found is not None
    assert "refresh-two" == found.refresh_token


@pytest.mark.parametrize(
    ("environ", "named"),
    [
        ({}, "KEY"),
        ({"KEY": "  "}, "KEY"),
        ({"KEY": "too-short-to-be-one"}, "KEY"),
        ({"KEY": "A" * 43 + "=", "OLD": "x" * 44}, "OLD"),
    ],
    ids=["none", "blank", "no key", "old one is no key"],
)
def test_a_missing_or_malformed_key_is_one_line_that_names_its_variable(environ: dict[str, str], named: str) -> None:
    """And never shows what the variable holds."""
    with pytest.raises(SettingsError, match=named) as told:
        seal_of(environ, "KEY", "OLD")
    shown = f"{told.value} {told.value.ja}"
    assert "\n" not in shown
    assert [] == [value for value in environ.values() if value.strip() and value in shown]


def test_old_keys_open_and_the_newest_seals() -> None:
    """Several old ones, separated by commas or blanks."""
    old, older, newest = new_key(), new_key(), new_key()
    sealed = [seal_of({"KEY": key}, "KEY", "OLD").close("name", "text") for key in (old, older)]
    seal = seal_of({"KEY": newest, "OLD": f"{old}, {older}"}, "KEY", "OLD")
    assert ["text", "text"] == [seal.open("name", one) for one in sealed]
    assert seal_of({"KEY": newest}, "KEY", "OLD").is_newest("name", seal.close("name", "text"))
