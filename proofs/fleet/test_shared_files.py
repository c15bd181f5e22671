"""The owner's files of a fleet on PostgreSQL: rules, blocklist and views by the laws of SQLite's tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ecauto_pipeline_tests.sync.listings.shared_file_laws import LAWS, Machines


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
def test_a_law_of_shared_files_holds_on_postgresql(
    law: Callable[[Machines], None], state_url: str, tmp_path: Path
) -> None:
    """The same functions as on SQLite."""
    law(Machines(tmp_path, state_url))
