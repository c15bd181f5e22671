"""The account of a run: where every target ended, and whether the numbers add up.

Not for: BASE or SP-API accounts (settings, state).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, fields

from ecauto_pipeline.domain.model import Decision, Diff


@dataclass(frozen=True, slots=True)
class RowCounts:
    """Counts of targets; each target ended as exactly one of the six. Adding two accounts adds each count."""

    targets: int = 0
    pushed: int = 0
    unchanged: int = 0
    held: int = 0
    blocked: int = 0
    skipped: int = 0
    failed: int = 0

    def adds_up(self) -> bool:
        """targets = pushed + unchanged + held + blocked + skipped + failed, none of them negative."""
        ends = (self.pushed, self.unchanged, self.held, self.blocked, self.skipped, self.failed)
        return min(ends) >= 0 and self.targets == sum(ends)

    def __add__(self, other: RowCounts) -> RowCounts:
        return RowCounts(*(getattr(self, field.name) + getattr(other, field.name) for field in fields(RowCounts)))


def count_rows(diffs: Iterable[Diff]) -> RowCounts:
    """The counts of one diff a target, before anything was sent: a PUSH counts as pushed."""
    counts = Counter(diff.decision for diff in diffs)
    return RowCounts(
        targets=counts.total(),
        pushed=counts[Decision.PUSH],
        unchanged=counts[Decision.UNCHANGED],
        held=counts[Decision.HELD],
        blocked=counts[Decision.BLOCKED],
        skipped=counts[Decision.SKIPPED],
    )
