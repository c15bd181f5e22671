"""The section of a run's record that the judging steps write: what was decided, by shop, kind and reason.

Not for: the other sections (sections.py) or deciding (sync/diffs/).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from ecauto_pipeline.domain.selling.row_counts import RowCounts

NO_CALLS = frozenset(("hour_api_limit", "day_api_limit", "hour_reserve", "day_reserve"))
"""The calls to a shop are used up, but for those that are kept."""
MASS_HOLDS = ("held:mass_hide", "held:mass_delist", "held:account_fall")


@dataclass(frozen=True, slots=True)
class DiffReport:
    """What one judging step decided. In the accounts a PUSH counts as pushed: it is about to be.

    `reasons`: how many targets by "decision:reason". `waiting`: rows that would change in shops that can't be written
    to; `out_of_calls`: those of them whose shop has no calls left, by shop. `holds_new` / `holds_kept` /
    `holds_settled`: held rows first seen, seen again, no longer wanted.
    `unconfirmed`: listings on show that Amazon has not confirmed for too long, None where nobody looked; the worst of
    them as (shop, item, ASIN, hours, reason). `by_hand`: listings whose price a person set, None where nobody looked.
    `judged`: how many listings were looked at again; of all others what was decided of them last stands, and is counted
    here with the rest.
    """

    account: RowCounts = field(default_factory=RowCounts)
    by_account: Mapping[str, RowCounts] = field(default_factory=dict)
    by_kind: Mapping[str, RowCounts] = field(default_factory=dict)
    reasons: Mapping[str, int] = field(default_factory=dict)
    waiting: int = 0
    holds_new: int = 0
    holds_kept: int = 0
    holds_settled: int = 0
    unconfirmed: int | None = None
    unconfirmed_worst: tuple[tuple[str, str, str, float, str], ...] = ()
    hides_unconfirmed: bool = False
    by_hand: int | None = None
    judged: int | None = None
    out_of_calls: Mapping[str, int] = field(default_factory=dict)

    @property
    def to_push(self) -> int:
        return self.account.pushed

    @property
    def guard_stopped(self) -> int:
        """Rows that a guard of a whole account holds back."""
        return sum(self.reasons.get(reason, 0) for reason in MASS_HOLDS)

    def __add__(self, other: DiffReport) -> DiffReport:
        return DiffReport(
            self.account + other.account,
            _added(self.by_account, other.by_account),
            _added(self.by_kind, other.by_kind),
            dict(sorted((Counter(self.reasons) + Counter(other.reasons)).items())),
            self.waiting + other.waiting,
            self.holds_new + other.holds_new,
            self.holds_kept + other.holds_kept,
            self.holds_settled + other.holds_settled,
            other.unconfirmed if self.unconfirmed is None else self.unconfirmed,
            self.unconfirmed_worst or other.unconfirmed_worst,
            self.hides_unconfirmed or other.hides_unconfirmed,
            other.by_hand if self.by_hand is None else self.by_hand,
            other.judged if self.judged is None else self.judged + (other.judged or 0),
            dict(sorted((Counter(self.out_of_calls) + Counter(other.out_of_calls)).items())),
        )


def _added(mine: Mapping[str, RowCounts], others: Mapping[str, RowCounts]) -> dict[str, RowCounts]:
    names = sorted({*mine, *others})
    return {name: mine.get(name, RowCounts()) + others.get(name, RowCounts()) for name in names}
