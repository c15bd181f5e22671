"""What people read about numbers of things."""

from __future__ import annotations

import pytest

from ecauto_pipeline.domain.words import changes_wait


@pytest.mark.parametrize(
    ("count", "expected"),
    [(0, "0 changes wait"), (1, "1 change waits"), (2, "2 changes wait"), (5_000, "5,000 changes wait")],
)
def test_one_change_waits_and_several_wait(count: int, expected: str) -> None:
    """Number, verb and separators go together; a thing may be called otherwise."""
    assert expected == changes_wait(count)
    assert expected.replace("change", "held change") == changes_wait(count, "held change")
