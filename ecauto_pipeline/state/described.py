"""What state.db looks like, for those who show or check it: columns of a table, what is missing, whether it is sound.

Nothing is created or changed by looking. Not for: opening it for work (database.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, create_engine, inspect, make_url
from sqlalchemy.exc import SQLAlchemyError

from ecauto_pipeline.errors import EcautoError
from ecauto_pipeline.state.every_table import every_table
from ecauto_pipeline.state.sqlite_file import COMPILED, DRIVER


class StateUnreadable(EcautoError):
    """state.db is there and can't be read; a person restores it or moves it away. The message is one word."""


@contextmanager
def looking_at(url: str) -> Iterator[Connection]:
    """A connection to look around with; a table that is missing stays missing. Raises StateUnreadable."""
    try:
        engine = _engine(url)
        try:
            with engine.connect() as connection:
                yield connection
        finally:
            engine.dispose()
    except SQLAlchemyError as error:
        raise StateUnreadable(type(error).__name__) from error


def _engine(url: str) -> Engine:
    """One that finds what was compiled for another look of this process: the doctor alone takes a dozen."""
    address = make_url(url)
    if address.drivername != "sqlite":
        return create_engine(address)
    return create_engine(address.set(drivername=DRIVER), execution_options={"compiled_cache": COMPILED})


def columns_of(table: str) -> list[tuple[str, str]]:
    """(name, SQL type) of each column of a table, in order. Raises KeyError for a table that there is not."""
    return [(column.name, str(column.type)) for column in every_table.tables[table].columns]


def damage(connection: Connection) -> str:
    """What SQLite finds wrong with the file, in its words; "" where it is sound (or another kind of database)."""
    if connection.dialect.name != "sqlite":
        return ""
    verdict = str(connection.exec_driver_sql("PRAGMA quick_check(1)").scalar())
    return "" if verdict == "ok" else verdict


def missing_tables(connection: Connection) -> list[str]:
    """Tables that the next run will make."""
    if connection.dialect.name != "sqlite":
        return sorted(set(every_table.tables) - set(inspect(connection).get_table_names()))
    there = connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table'").scalars()
    return sorted(set(every_table.tables) - set(there))
