"""An installation as an earlier version left it, unpacked.

Not for: laws (test_upgrades.py, proofs/test_upgrades.py).
"""

from __future__ import annotations

import sqlite3
import tarfile
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb

from ecauto_pipeline_tests.pages import ROOT

_PACKED = Path(__file__).parent / "landed"
LANDED = tuple(sorted(path.name.removesuffix(".tar.xz") for path in _PACKED.glob("*.tar.xz")))
TOML = "[emulator]\nlistings = 24\naccounts = 2\nspeed = 1000.0\n"


def unpacked(version: str, folder: Path) -> Path:
    """The installation of a version in `folder`; its ecauto.toml."""
    with tarfile.open(_PACKED / f"{version}.tar.xz") as packed:
        packed.extractall(folder, filter="data")
    for name in ("workspace.yaml", "dagster.yaml"):
        (folder / name).write_bytes((ROOT / name).read_bytes())
    config = folder / "ecauto.toml"
    config.write_text(TOML, encoding="utf-8")
    return config


def answers_in_files(folder: Path) -> set[str]:
    """The names of all answers in the Parquet files."""
    files = str(folder / "data" / "history" / "snapshots" / "**" / "*.parquet")
    with duckdb.connect() as connection:
        return {row[0] for row in connection.execute(f"select snapshot_id from read_parquet('{files}')").fetchall()}


def answers_in_database(folder: Path) -> set[str]:
    """The names of all answers that history's database gives."""
    with duckdb.connect(str(folder / "data" / "history.duckdb"), read_only=True) as connection:
        return {row[0] for row in connection.execute("select snapshot_id from snapshots").fetchall()}


def answered(folder: Path) -> list[tuple[Any, ...]]:
    """What state knows of every ASIN."""
    with closing(sqlite3.connect(folder / "data" / "state.db")) as state:
        return state.execute("select asin, status, price_jpy, price_at, stock_at from asins order by asin").fetchall()
