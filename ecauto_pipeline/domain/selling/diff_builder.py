"""Building the Diff of one target: its fixed half once, the decision where it falls.

Not for: deciding (diffs.py, visibility.py).
"""

from __future__ import annotations

import json
from typing import Any

from ecauto_pipeline.domain.model import AsinFacts, Decision, Diff, Kind, ListingFacts, Status
from ecauto_pipeline.domain.selling.fees import profit_jpy
from ecauto_pipeline.domain.selling.item_rules import ItemRule
from ecauto_pipeline.domain.selling.terms import SellingTerms


class DiffBuilder:
    """Diffs of one target, its fixed half filled in."""

    def __init__(
        self,
        listing: ListingFacts,
        facts: AsinFacts | None,
        kind: Kind,
        shown: int | None,
        terms: SellingTerms,
        sells_at_jpy: int | None = None,
    ) -> None:
        """`sells_at_jpy`: the price on show once this run's pushes are done; of a price diff it is the one wanted."""
        self._listing, self._facts, self._kind, self._shown, self._terms = listing, facts, kind, shown, terms
        self._sells_at_jpy = sells_at_jpy

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
            evidence=_with_rules(evidence, self._listing.rule) if decision is not Decision.UNCHANGED else evidence,
            profit_jpy=None if decision is Decision.UNCHANGED else self._profit(wanted),
        )

    def _profit(self, wanted: int | None) -> int | None:
        """What is left of a sale at the price this leads to; None while price or cost is unknown or doubted."""
        return profit_at(wanted if self._kind is Kind.PRICE else self._sells_at_jpy, self._facts, self._terms)

    def unchanged(self, wanted: int | None) -> Diff:
        return self.gives(Decision.UNCHANGED, "", wanted)

    def skipped(self, reason: str, wanted: int | None = None) -> Diff:
        return self.gives(Decision.SKIPPED, reason, wanted)


def profit_at(price_jpy: int | None, facts: AsinFacts | None, terms: SellingTerms) -> int | None:
    """What is left of a sale at this price, whole yen; None while price or cost is unknown or doubted."""
    cost = None if facts is None else known_cost_jpy(facts.status, facts.doubt, facts.price_jpy)
    if price_jpy is None or cost is None:
        return None
    return profit_jpy(price_jpy, cost, terms.fees, terms.extra_cost_jpy)


def known_cost_jpy(status: str | None, doubt: str, price_jpy: int | None) -> int | None:
    """What goods cost at Amazon, for telling a profit; None while that is unknown, or a jump of it is in doubt."""
    if status != Status.SUCCESS or doubt == "jump" or price_jpy is None or price_jpy <= 0:
        return None
    return price_jpy


def _with_rules(evidence: str, rule: ItemRule | None) -> str:
    """The evidence, and which lines of the owner's rules had a say: `rules`, by question (item_rules.QUESTIONS)."""
    lines = rule.answers() if rule is not None and not rule.unknown else {}
    if not lines:
        return evidence
    document: dict[str, Any] = json.loads(evidence) if evidence else {}
    return json.dumps({**document, "rules": lines}, ensure_ascii=False)
