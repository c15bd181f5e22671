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
    simple strategy, and "tiered" said together with a ratio means the tiers. `rule`: the item's own. `base_floor`: what
    the rest comes to without the item's own floor. Raises ValueError where fees and least profit together leave nothing
    of a price.
    """

    pricing: Pricing
    guards: Guards
    fees: Fees = NO_FEES
    strategy: str | None = None
    markup_ratio: float | None = None
    rule: ItemRule | None = None
    base_floor: Floor = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        rule, pricing = self.rule, self.pricing
        own = rule.extra_cost_jpy if rule is not None else None
        extra = pricing.extra_cost_jpy if own is None else own
        profits = (pricing.min_profit_jpy, pricing.min_profit_ratio)
        object.__setattr__(self, "base_floor", Floor(self.guards.min_markup_ratio, self.fees, extra, *profits))

    def of_item(self, rule: ItemRule, base_floor: Floor) -> SellingTerms:
        """These terms of a shop for an item that `rule` applies to; `base_floor`: that of the shop's items with the
        same extra cost. A run makes a hundred thousand: field by field it takes two fifths of the time."""
        item, put = object.__new__(SellingTerms), object.__setattr__
        put(item, "pricing", self.pricing)
        put(item, "guards", self.guards)
        put(item, "fees", self.fees)
        put(item, "strategy", self.strategy)
        put(item, "markup_ratio", self.markup_ratio)
        put(item, "rule", rule)
        put(item, "base_floor", base_floor)
        return item

    @property
    def extra_cost_jpy(self) -> int:
        """What a sale costs besides the goods: the item's own figure, else the house's."""
        own = self.rule.extra_cost_jpy if self.rule else None
        return self.pricing.extra_cost_jpy if own is None else own

    def floor_parts(self, cost_jpy: int) -> tuple[tuple[str, int], ...]:
        """(name, least price by it) of each of the three that the floor is the highest of."""
        own = self.rule.min_price_jpy if self.rule else None
        return (*self.base_floor.parts(cost_jpy), ("item_floor", own or 0))

    def breaks_floor_by(self, price_jpy: int, cost_jpy: int) -> str:
        """Which of the three this price is below, the first by name; "" = it is not below the floor."""
        broken = self.base_floor.broken_by(price_jpy, cost_jpy)
        if broken or self.rule is None:
            return broken
        own = self.rule.min_price_jpy
        return "item_floor" if own is not None and price_jpy < own else ""
