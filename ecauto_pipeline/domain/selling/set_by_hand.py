"""Whether a person set the price that a shop shows: it is neither one of our edits nor the register's.

Not for: what is done about it (diffs.py).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PriceBefore:
    """The price as known before a reading (None = never read), and whether a person had set it."""

    price_jpy: int | None
    by_hand: bool


def set_by_hand(
    before: PriceBefore | None, shown_jpy: int | None, register_jpy: int | None, ours_jpy: Collection[int | None]
) -> bool:
    """Whether the price read now is a person's; what was known stands while it does not change.

    `ours_jpy`: what our edits of it since the reading before set, done or of unknown outcome. At first sight nobody
    saw it change, and it counts as nobody's.
    """
    if before is None or before.price_jpy is None:
        return before is not None and before.by_hand
    if shown_jpy is None or shown_jpy == before.price_jpy:
        return before.by_hand
    return shown_jpy not in ours_jpy and shown_jpy != register_jpy
