"""One of our goods as it stands now: its names and pages, each listing with price and what a sale leaves, its rules.

From state.db and master.db alone. Not for: the past (item_series.py, explain/) or changing a rule
(sync/people/rule_edits.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ecauto_pipeline.amazon.goods_page import goods_page
from ecauto_pipeline.domain.model import ListingKey
from ecauto_pipeline.domain.selling.fees import profit_jpy
from ecauto_pipeline.domain.selling.item_rules import ItemRule
from ecauto_pipeline.errors import NotOnRecord
from ecauto_pipeline.shops.platforms import customer_page, item_page
from ecauto_pipeline.state.item_rules import RulesAsTheyStand, rules_of
from ecauto_pipeline.state.known_asins import known_asin
from ecauto_pipeline.state.listing_lookup import KnownListing, listings_about
from ecauto_pipeline.sync.context import Tools
from ecauto_pipeline.sync.people.goods import known_titles
from ecauto_pipeline.sync.people.rule_edits import own_rule
from ecauto_pipeline.sync.selling_terms import TermsOfShops


@dataclass(frozen=True, slots=True)
class ListingNow:
    """One listing. `page`: its page in the shop's administration, `sold_at`: what customers see, "" where there is
    none, or nobody knows it. `rule`: what all rules together say of it, None = nothing; `own`: what the line about it
    alone says, as written, with its note."""

    known: KnownListing
    shop: str
    page: str
    sold_at: str
    profit_jpy: int | None
    rule: ItemRule | None
    lines: tuple[int, ...]
    own: dict[str, str]
    note: str

    @property
    def key(self) -> ListingKey:
        return self.known.key


@dataclass(frozen=True, slots=True)
class ItemNow:
    """`asin` "" where nobody can place the item; `status`: what Amazon said last, "" = nothing yet; `cost_at`: when its
    price was last confirmed. `own`, `note`: of the line about the ASIN alone."""

    named: str
    asin: str
    title: str | None
    status: str
    cost_jpy: int | None
    cost_at: datetime | None
    listings: tuple[ListingNow, ...]
    own: dict[str, str]
    note: str

    @property
    def amazon(self) -> str:
        """Its page at Amazon, "" where nobody can place it."""
        return goods_page(self.asin)


def item_now(tools: Tools, named: str, shop: str = "") -> ItemNow:
    """What is known of an item id (with every other listing of its ASIN) or an ASIN. Raises NotOnRecord.

    `shop`: the account whose item is meant, where shops have items of one id; its listing comes first.
    """
    now, terms = tools.clock.now(), TermsOfShops(tools.settings)
    with tools.state.read() as connection:
        found = listings_about(connection, named)
        meant = [one for one in found if one.key.account_id == shop] or found
        asin = next((one.asin for one in meant if one.asin), "")
        if asin and asin != named:
            found = listings_about(connection, asin)
        if not found:
            raise NotOnRecord(f"no item is known as {named}", ja=f"{named} という商品はありません")
        known = known_asin(connection, asin) if asin else None
        said = RulesAsTheyStand(connection, now)
        rules = {
            one.key: (one.lines, said.of(one.text)) for name in {asin, named} - {""}
            for one in rules_of(connection, name)
        }  # fmt: skip
    cost = known.facts.price_jpy if known is not None else None
    listings = []
    for one in sorted(found, key=lambda each: (each.key.account_id != shop, each.key)):
        lines, rule = rules.get(one.key, ((), None))
        rule = None if rule is None or rule.unknown else rule
        own = own_rule(tools, one.key)
        of_shop = terms.of(one.key.account, rule)
        price = one.shown_price_jpy
        left = None if price is None or cost is None else profit_jpy(price, cost, of_shop.fees, of_shop.extra_cost_jpy)
        listings.append(
            ListingNow(
                one,
                tools.name_of(one.key.account),
                item_page(one.key),
                customer_page(tools.settings, one.key),
                *(left, rule, lines, own.cells, own.note),
            )
        )
    of_asin = own_rule(tools, asin) if asin else None
    return ItemNow(
        named,
        asin,
        known_titles(tools, [asin])[asin] if asin else "",
        str(known.facts.status or "") if known is not None else "",
        cost,
        known.facts.price_at if known is not None else None,
        tuple(listings),
        of_asin.cells if of_asin is not None else {},
        of_asin.note if of_asin is not None else "",
    )
