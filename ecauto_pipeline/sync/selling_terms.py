"""The terms that each shop sells under, from ecauto.toml: built once a shop, and once a shop and rule.

Not for: what the terms mean (domain/selling).
"""

from __future__ import annotations

from ecauto_pipeline.domain.model import AccountKey
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
        self._of_item: dict[tuple[AccountKey, ItemRule], SellingTerms] = {}

    def of(self, account: AccountKey, rule: ItemRule | None = None) -> SellingTerms:
        """The terms of one shop, or of an item of it that `rule` applies to; the same object each time."""
        if rule is None:
            return self._of_shop.get(account) or self._shop(account)
        terms = self._of_item.get((account, rule))
        if terms is None:
            shop = self._of_shop.get(account) or self._shop(account)
            terms = self._of_item[account, rule] = SellingTerms(
                shop.pricing, shop.guards, shop.fees, shop.strategy, shop.markup_ratio, rule
            )
        return terms

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
