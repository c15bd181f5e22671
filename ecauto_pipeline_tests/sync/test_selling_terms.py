"""The terms that shops sell under."""

from __future__ import annotations

from pathlib import Path

from ecauto_pipeline.domain.model import AccountKey
from ecauto_pipeline.domain.selling.item_rules import ItemRule
from ecauto_pipeline.settings import parse
from ecauto_pipeline.sync.selling_terms import TermsOfShops

SHOP, OTHER = AccountKey("base", "shop_1"), AccountKey("base", "shop_2")
ACCOUNTS = [{"id": "shop_1", "markup_ratio": 1.5}, {"id": "shop_2", "strategy": "tiered"}]


def terms_of(**document: object) -> TermsOfShops:
    return TermsOfShops(parse({"base": {"accounts": ACCOUNTS}, **document}, Path(".")))


def test_a_shop_sells_under_its_own_terms() -> None:
    """What the shop's table says goes into its terms; a shop that is not named sells under the house's."""
    terms = terms_of()
    stranger = terms.of(AccountKey("base", "gone"))
    assert (1.5, None) == (terms.of(SHOP).markup_ratio, terms.of(SHOP).strategy)
    assert (None, "tiered") == (terms.of(OTHER).markup_ratio, terms.of(OTHER).strategy)
    assert (None, None, None) == (stranger.markup_ratio, stranger.strategy, stranger.rule)


def test_terms_are_built_once() -> None:
    """A hundred thousand listings share a handful of terms: one a shop, one a shop and rule."""
    terms, rule = terms_of(), ItemRule(fixed_price_jpy=1980)
    assert terms.of(SHOP) is terms.of(SHOP)
    assert terms.of(SHOP, rule) is terms.of(SHOP, ItemRule(fixed_price_jpy=1980))
    assert terms.of(SHOP).rule is None
    assert rule == terms.of(SHOP, rule).rule
