"""What holds for every test: properties have no deadline, because a machine may be slow; Dagster forgets instances;
files that wait long for processes of their own begin first, so that the workers end together.

Not for: other fixtures (they stand in the room that uses them).
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files marked `long` first; the order is the same in every worker."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


@pytest.fixture(autouse=True)
def _no_closed_instance_is_remembered() -> Iterator[None]:
    """Dagster keeps the last instance it was given for whoever loads definitions next, also when it is closed."""
    yield
    remembered = sys.modules.get("dagster._core.storage.defs_state.base")
    if remembered is not None:
        remembered._current_storage.set(None)
