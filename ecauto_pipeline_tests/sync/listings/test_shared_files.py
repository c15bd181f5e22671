"""The owner's files of a fleet, on SQLite (on PostgreSQL: proofs/fleet/test_shared_files.py)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ecauto_pipeline_tests.sync.listings.shared_file_laws import LAWS, Machines


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
def test_a_law_of_shared_files_holds_on_sqlite(law: Callable[[Machines], None], tmp_path: Path) -> None:
    """Each is stated where it stands."""
    law(Machines(tmp_path, f"sqlite:///{tmp_path / 'state.db'}"))
