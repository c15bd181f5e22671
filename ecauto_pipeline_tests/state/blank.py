"""A state.db in which nothing was ever written, as a copy of one that this process has made: two thirds of what opening
a new one takes is making its tables.

Not for: what opening makes of a file (state/test_migrations.py), or another place than a file.
"""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

from ecauto_pipeline.state.database import Database


def blank_state(path: Path) -> Database:
    """The state of `path`, which is opened as it stands where it is there."""
    if not path.exists():
        put_blank_state(path)
    return Database(f"sqlite:///{path.as_posix()}")


def put_blank_state(path: Path) -> None:
    """In `path`, for whoever opens it; its folder is made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(_made())
    path.chmod(0o600)  # as it is made


@cache
def _made() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "state.db"
        Database(f"sqlite:///{made.as_posix()}").close()
        return made.read_bytes()
