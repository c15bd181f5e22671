"""What holds for every test: properties have no deadline, because a machine may be slow; Dagster forgets instances.

Not for: other fixtures (they stand in the room that uses them).
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")


@pytest.fixture(autouse=True)
def _no_closed_instance_is_remembered() -> Iterator[None]:
    """Dagster keeps the last instance it was given for whoever loads definitions next, also when it is closed."""
    yield
    remembered = sys.modules.get("dagster._core.storage.defs_state.base")
    if remembered is not None:
        remembered._current_storage.set(None)
