"""A database that can't be read any more: set aside, and built anew from Parquet.

The new one grows under another name and takes its place when it is whole, so that a reader never meets half a history.
Not for: deciding that a file is damaged (database.py) or who may work on it (store.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from ecauto_pipeline.atomic_file import rename
from ecauto_pipeline.history.damage import Damage
from ecauto_pipeline.history.database import DatabaseTorn, database, ensure_schema
from ecauto_pipeline.history.load_memory import held_to, with_enough_memory
from ecauto_pipeline.history.loading import Loaded, load_all
from ecauto_pipeline.history.rescue import all_set_aside, rescue


@dataclass(frozen=True, slots=True)
class Built:
    """What was loaded; `interrupted`: an earlier building had been cut short and was thrown away."""

    loaded: Loaded
    interrupted: bool


def set_aside(path: Path, now: datetime) -> Path:
    """Rename the database and its write-ahead log to `<name>.torn-<time>`; returns the new path.

    The log goes first: left behind, it would be replayed into the next database of that name.
    """
    stamp = f"{now.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    aside = path.with_name(f"{path.name}.torn-{stamp}")
    number = 1
    while aside.exists():
        number += 1
        aside = path.with_name(f"{path.name}.torn-{stamp}-{number}")
    if _log(path).exists():
        rename(_log(path), _log(aside))
    rename(path, aside)
    return aside


def build(directory: Path, path: Path, now: datetime) -> Built:
    """Load every Parquet file into a new database and put it at `path`. Raises DiskFull; `path` is then untouched.

    Rows of damaged files are taken from the database that goes, as far as it has them.
    """
    growing = path.with_name(path.name + ".new")
    interrupted = growing.exists()
    loaded = Loaded()

    def grow(most_mb: int) -> None:
        _drop(growing)
        loaded.files = loaded.rows = 0
        with database(growing) as connection:
            ensure_schema(connection)
            load_all(connection, directory, now, loaded, most_mb)
            if path.exists() and (loaded.damage.files or all_set_aside(directory)):
                loaded.damage = _rescued_from(path, directory, loaded.damage)
                again = load_all(connection, directory, now, most_mb=most_mb)
                loaded.files, loaded.rows = loaded.files + again.files, loaded.rows + again.rows
            with held_to(connection, most_mb):
                connection.execute("CHECKPOINT")

    try:
        with_enough_memory(grow)
    except Exception:
        _drop(growing)
        raise
    _log(path).unlink(missing_ok=True)
    rename(growing, path)
    return Built(loaded, interrupted)


def _rescued_from(path: Path, directory: Path, damage: Damage) -> Damage:
    try:
        with database(path, read_only=True) as connection:
            return rescue(connection, directory, damage)
    except (DatabaseTorn, duckdb.CatalogException):
        return damage  # it has nothing to give


def _drop(path: Path) -> None:
    for file in (_log(path), path):
        file.unlink(missing_ok=True)


def _log(path: Path) -> Path:
    return path.with_name(path.name + ".wal")
