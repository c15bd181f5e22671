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
        self._built: dict[tuple[AccountKey, ItemRule | None], SellingTerms] = {}

    def of(self, account: AccountKey, rule: ItemRule | None = None) -> SellingTerms:
        """The terms of one shop, or of an item of it that `rule` applies to; the same object each time."""
        terms = self._built.get((account, rule))
        if terms is None:
            terms = self._built[account, rule] = self._build(account, rule)
        return terms

    def _build(self, account: AccountKey, rule: ItemRule | None) -> SellingTerms:
        named = self._named.get(account)
        return SellingTerms(
            pricing=self._settings.pricing,
            guards=self._settings.guards,
            fees=fees_of(self._settings, account),
            strategy=named.strategy if named else None,
            markup_ratio=named.markup_ratio if named else None,
            rule=rule,
        )
