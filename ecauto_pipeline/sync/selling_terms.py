"""The terms that each shop sells under, from ecauto.toml: built once a shop, and once a shop and rule.

Not for: what the terms mean (domain/selling).
"""

from __future__ import annotations

from dataclasses import replace

from ecauto_pipeline.domain.model import AccountKey
from ecauto_pipeline.domain.selling.floor import Floor
from ecauto_pipeline.domain.selling.item_rules import ItemRule
from ecauto_pipeline.domain.selling.terms import SellingTerms
from ecauto_pipeline.settings import Settings
from ecauto_pipeline.shops.platforms import fees_of, shop_accounts


class TermsOfShops:
    """The terms under one set of settings. A shop that ecauto.toml does not name sells under the house's."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._named = shop_accounts(settings)
        self._of_shop: dict[AccountKey, SellingTerms] = {}
        self._of_items: dict[AccountKey, dict[ItemRule, SellingTerms]] = {}
        self._floors: dict[tuple[AccountKey, int], Floor] = {}

    def of(self, account: AccountKey, rule: ItemRule | None = None) -> SellingTerms:
        """The terms of one shop, or of an item of it that `rule` applies to; the same object each time."""
        if rule is None:
            return self._of_shop.get(account) or self._shop(account)
        of_items = self._of_items.get(account)
        if of_items is None:
            of_items = self._of_items[account] = {}
        terms = of_items.get(rule)
        if terms is None:
            shop = self._of_shop.get(account) or self._shop(account)
            terms = of_items[rule] = shop.of_item(rule, self._floor(account, shop, rule))
        return terms

    def _floor(self, account: AccountKey, shop: SellingTerms, rule: ItemRule) -> Floor:
        """One for all items of a shop with the same extra cost."""
        extra = rule.extra_cost_jpy
        if extra is None:
            return shop.base_floor
        found = self._floors.get((account, extra))
        if found is None:
            found = self._floors[account, extra] = replace(shop, rule=rule).base_floor
        return found

    def _shop(self, account: AccountKey) -> SellingTerms:
        named = self._named.get(account)
        terms = self._of_shop[account] = SellingTerms(
            pricing=self._settings.pricing,
            guards=self._settings.guards,
            fees=fees_of(self._settings, account),
            strategy=named.strategy if named else None,
            markup_ratio=named.markup_ratio if named else None,
        )
        return terms
