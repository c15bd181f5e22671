"""Everything the price of one listing is decided from beside its facts: the house's rules, its shop's, its own.

Not for: working a price out (pricing.py), or gathering the terms of a shop (sync/selling_terms.py).
"""

from __future__ import annotations

from dataclasses import dataclass

from ecauto_pipeline.domain.selling.fees import NO_FEES, Fees
from ecauto_pipeline.domain.selling.item_rules import ItemRule
from ecauto_pipeline.settings import Guards, Pricing


@dataclass(frozen=True, slots=True)
class SellingTerms:
    """One set of terms, shared by every listing of a shop that no rule of its own applies to.

    `fees`: what its platform keeps of a sale. `strategy` and `markup_ratio` are the shop's own: a ratio alone means the
    simple strategy, and "tiered" said together with a ratio means the tiers. `rule`: the item's own.
    """

    pricing: Pricing
    guards: Guards
    fees: Fees = NO_FEES
    strategy: str | None = None
    markup_ratio: float | None = None
    rule: ItemRule | None = None
