"""Building the Diff of one target: its fixed half once, the decision where it falls.

Not for: deciding (diffs.py, visibility.py).
"""

from __future__ import annotations

from ecauto_pipeline.domain.model import AsinFacts, Decision, Diff, Kind, ListingFacts


class DiffBuilder:
    """Diffs of one target, its fixed half filled in."""

    def __init__(self, listing: ListingFacts, facts: AsinFacts | None, kind: Kind, shown: int | None) -> None:
        self._listing, self._facts, self._kind, self._shown = listing, facts, kind, shown

    def gives(self, decision: Decision, reason: str, wanted: int | None, evidence: str = "") -> Diff:
        facts = self._facts
        return Diff(
            key=self._listing.key,
            asin=self._listing.asin,
            kind=self._kind,
            shown=self._shown,
            wanted=wanted,
            decision=decision,
            reason=reason,
            snapshot_id=facts.snapshot_id if facts else "",
            cost_jpy=facts.price_jpy if facts else None,
            evidence=evidence,
        )

    def unchanged(self, wanted: int | None) -> Diff:
        return self.gives(Decision.UNCHANGED, "", wanted)

    def skipped(self, reason: str, wanted: int | None = None) -> Diff:
        return self.gives(Decision.SKIPPED, reason, wanted)
