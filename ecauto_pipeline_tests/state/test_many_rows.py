"""Many rows at once in SQLite; the laws are those of many_rows.py."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ecauto_pipeline.state.database import Database
from ecauto_pipeline_tests.state import many_rows


@pytest.mark.parametrize("law", many_rows.LAWS, ids=lambda law: law.__name__)
def test_many_rows_at_once(tmp_path: Path, law: Callable[[Database], None]) -> None:
    """The law's own docstring says what."""
    database = Database(f"sqlite:///{tmp_path / 'state.db'}")
    law(database)
    database.close()
