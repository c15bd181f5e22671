"""Many rows at once in PostgreSQL, as one text and one array; the laws are those of many_rows.py."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ecauto_pipeline.state.database import Database
from ecauto_pipeline_tests.state import many_rows


@pytest.mark.parametrize("law", many_rows.LAWS, ids=lambda law: law.__name__)
def test_many_rows_at_once(state_url: str, law: Callable[[Database], None]) -> None:
    """The law's own docstring says what."""
    database = Database(state_url)
    law(database)
    database.close()
