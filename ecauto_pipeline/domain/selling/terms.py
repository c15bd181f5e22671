"""Everything the price of one listing is decided from beside its facts: the house's rules, its shop's, its own.

Not for: working a price out (pricing.py), or gathering the terms of a shop (sync/selling_terms.py).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ecauto_pipeline.domain.selling.fees import NO_FEES, Fees
from ecauto_pipeline.domain.selling.floor import Floor
from ecauto_pipeline.domain.selling.item_rules import ItemRule
from ecauto_pipeline.settings import Guards, Pricing


@dataclass(frozen=True, slots=True)
class SellingTerms:
    """One set of terms, shared by every listing of a shop that no rule of its own applies to.

    `fees`: what its platform keeps of a sale. `strategy` and `markup_ratio` are the shop's own: a ratio alone means the
    simple strategy, and "tiered" said together with a ratio means the tiers. `rule`: the item's own. `floor` follows
    from the rest. Raises ValueError where fees and least profit together leave nothing of a price.
    """

    pricing: Pricing
    guards: Guards
    fees: Fees = NO_FEES
    strategy: str | None = None
    markup_ratio: float | None = None
    rule: ItemRule | None = None
    floor: Floor = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        own = self.rule.min_price_jpy if self.rule else None
        floor = Floor(
            *(self.guards.min_markup_ratio, self.fees, self.extra_cost_jpy),
            *(self.pricing.min_profit_jpy, self.pricing.min_profit_ratio, own or 0),
        )
        object.__setattr__(self, "floor", floor)

    @property
    def extra_cost_jpy(self) -> int:
        """What a sale costs besides the goods: the item's own figure, else the house's."""
        own = self.rule.extra_cost_jpy if self.rule else None
        return self.pricing.extra_cost_jpy if own is None else own
