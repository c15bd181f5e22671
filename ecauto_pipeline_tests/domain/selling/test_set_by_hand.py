"""Whose price it is that a shop shows."""

from __future__ import annotations

import pytest

from ecauto_pipeline.domain.selling.set_by_hand import PriceBefore, set_by_hand

OURS, REGISTER, OTHER = 2580, 2400, 1999


@pytest.mark.parametrize(
    ("before", "shown", "ours", "by_hand"),
    [
        (None, OTHER, (), False),
        (PriceBefore(None, False), OTHER, (), False),
        (PriceBefore(OURS, False), OTHER, (), True),
        (PriceBefore(OURS, False), OURS, (), False),
        (PriceBefore(REGISTER, False), OURS, (OURS,), False),
        (PriceBefore(OURS, False), REGISTER, (), False),
        (PriceBefore(OURS, False), OTHER, (OURS,), True),
        (PriceBefore(OTHER, True), OTHER, (), True),
        (PriceBefore(OTHER, True), None, (), True),
        (PriceBefore(OTHER, True), OTHER + 1, (), True),
        (PriceBefore(OTHER, True), REGISTER, (), False),
    ],
)
def test_a_price_that_is_neither_ours_nor_the_registers_is_a_persons(
    before: PriceBefore | None, shown: int | None, ours: tuple[int, ...], by_hand: bool
) -> None:
    """Seen to change, by nobody we know of; at first sight nobody saw it change."""
    assert by_hand == set_by_hand(before, shown, REGISTER, ours)
