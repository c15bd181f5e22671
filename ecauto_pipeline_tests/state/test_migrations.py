"""The tables of state change by numbered steps, and a program opens only what it knows."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import create_mock_engine, make_url
from sqlalchemy.schema import ExecutableDDLElement

from ecauto_pipeline.errors import SettingsError
from ecauto_pipeline.state import migrations
from ecauto_pipeline.state.database import Database
from ecauto_pipeline.state.every_table import every_table


def _version(path: Path) -> int:
    with closing(sqlite3.connect(path)) as state:
        return int(state.execute("PRAGMA user_version").fetchone()[0])


def _set_version(path: Path, version: int) -> None:
    with closing(sqlite3.connect(path)) as state:
        state.execute(f"PRAGMA user_version = {version}")


def test_changed_tables_have_a_number_of_their_own() -> None:
    """PostgreSQL gains what is new at a step that a person takes: without a number nobody would know that there is one.
    Where this fails, add a Migration with the shape it names."""
    assert migrations.MIGRATIONS[-1].shape == migrations.shape_of_tables()
    assert list(range(1, migrations.VERSION + 1)) == [one.number for one in migrations.MIGRATIONS]


@pytest.mark.parametrize("before", [None, 0])
def test_state_db_is_brought_to_this_version_by_opening_it(tmp_path: Path, before: int | None) -> None:
    """A new one, and one of the time before there were numbers, whatever this process has opened already."""
    path = tmp_path / "state.db"
    if before is not None:
        Database(f"sqlite:///{path}").close()
        _set_version(path, before)
    Database(f"sqlite:///{path}").close()
    assert migrations.VERSION == _version(path)


def test_a_state_db_of_a_later_program_is_left_alone(tmp_path: Path) -> None:
    """One line that says what to do; what this program does not know it would not keep."""
    path = tmp_path / "state.db"
    Database(f"sqlite:///{path}").close()
    _set_version(path, migrations.VERSION + 1)
    with pytest.raises(SettingsError, match="a newer program wrote it") as raised:
        Database(f"sqlite:///{path}")
    assert "\n" not in raised.value.said("ja")
    assert migrations.VERSION + 1 == _version(path)


def test_postgresql_has_the_key_alone_to_find_a_listing_by() -> None:
    """Before it has looked through a table it takes any index that begins with the shop for as good as the key: writing
    down what was decided of 100,000 listings then went through all of them for each, until the connection was lost."""
    made: list[str] = []
    dialect = make_url("postgresql://").get_dialect()()

    def note(statement: ExecutableDDLElement, *_: object, **_named: object) -> None:
        made.append(str(statement.compile(dialect=dialect)))

    every_table.create_all(create_mock_engine("postgresql://", note), checkfirst=False)
    by_shop = [one for one in made if "INDEX" in one and " ON listings (platform, account_id" in one]
    assert by_shop
    assert [] == [one for one in by_shop if " WHERE " not in one]
    alone = ("_unjudged", "_until", "ix_listings_counted", "ix_asins_change_number")
    assert [] == [one for one in made if any(name in one for name in alone) and "INDEX" in one]
