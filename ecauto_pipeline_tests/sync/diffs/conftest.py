"""The world in which most laws of what has changed begin. Not for: the world itself (selling.py)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ecauto_pipeline_tests.sync.diffs.selling import ITEMS, World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Four items at the right price, judged once; a minute later."""
    made = World(tmp_path)
    for item in ITEMS:
        made.list_item(item, 1300, cost_jpy=1000)
    made.decide(made.run())
    made.later(minutes=1)
    yield made
    made.state.close()
