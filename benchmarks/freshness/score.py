"""What one play of a policy comes to.

Not for: how it is counted (replay.py).
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Score:
    """Wrong orders per 100,000 SKU-days; ages in hours of the last check of any kind; use a day at full scale."""

    gone: float = 0.0
    below: float = 0.0
    mean_age_h: dict[str, float] = field(default_factory=dict)
    p95_age_h: dict[str, float] = field(default_factory=dict)
    oldest_h: float = 0.0
    detail_calls: float = 0.0
    sweep_calls: float = 0.0
    pushes: float = 0.0
    runs: float = 0.0
    sweep_used: float = 0.0
    detail_used: float = 0.0

    @property
    def wrong(self) -> float:
        return self.gone + self.below
