"""master.db taken away for a while: of what may go wrong with one file, the one thing that still ends a run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def taken_away(register: Path) -> Iterator[None]:
    """A folder lies in its place, so that an emulated installation makes no new one either."""
    aside = register.with_name(f"{register.name}.aside")
    register.parent.mkdir(parents=True, exist_ok=True)
    if register.exists():
        register.rename(aside)
    register.mkdir()
    try:
        yield
    finally:
        register.rmdir()
        if aside.exists():
            aside.rename(register)
