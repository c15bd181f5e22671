"""What the desk loads before anybody has asked for the past."""

from __future__ import annotations

import subprocess
import sys

HEAVY = ("duckdb", "pyarrow", "pandas", "matplotlib", "sp_api", "dagster", "aiohttp")


def test_a_desk_that_nobody_has_asked_for_the_past_loads_no_database_of_it() -> None:
    """Nor Amazon's library, nor Dagster: a page imports in place what only its own question needs."""
    look = f"import sys; import ecauto_pipeline.desk.server; print([one for one in {HEAVY} if one in sys.modules])"
    told = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
    assert "[]" == told.stdout.strip()
