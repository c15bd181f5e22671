"""The laws of the register on SQLite (on PostgreSQL: proofs/fleet/test_register.py)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ecauto_pipeline.register.master import Register
from ecauto_pipeline_tests.register.register_laws import LAWS, LISTINGS, PRODUCTS


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
def test_a_law_of_the_register_holds_on_sqlite(law: Callable[[Register], None], tmp_path: Path) -> None:
    """Each is stated where it stands."""
    law(Register.create(tmp_path / "master.db", PRODUCTS, LISTINGS))
