"""What a rule would make of the listings it is about, by the code that decides: the price now and then, what is left of
a sale, whether it is on show. Nothing is written.

Not for: whole files of rules, or the past (reports/what_if.py), or writing the rule (sync/people/rule_edits.py).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection

from ecauto_pipeline.domain.model import Decision, Diff, ListingFacts, ListingKey
from ecauto_pipeline.domain.selling.fees import profit_jpy
from ecauto_pipeline.domain.selling.item_rules import ItemRule, RuleLine, together
from ecauto_pipeline.state.corrections import failed_prices
from ecauto_pipeline.state.item_rules import rules_in_force, rules_of
from ecauto_pipeline.state.known_asins import KnownAsin, known_asin
from ecauto_pipeline.state.of_accounts import item_of
from ecauto_pipeline.state.price_moves import price_moves
from ecauto_pipeline.state.shop_listings import listing_facts
from ecauto_pipeline.sync.context import Tools
from ecauto_pipeline.sync.diffs.evaluate import SAID_SO, Rules, with_failed_price
from ecauto_pipeline.sync.people.rule_edits import Cells, OwnRule, Target, line_of, own_rule
from ecauto_pipeline.sync.selling_terms import TermsOfShops


@dataclass(frozen=True, slots=True)
class Sale:
    """What a customer meets, and what is left of a sale. None = unknown."""

    price_jpy: int | None
    on_show: bool | None
    profit_jpy: int | None


@dataclass(frozen=True, slots=True)
class Effect:
    """Of one listing. `now`: as the shop shows it; `then`: what the next run makes of it. `held`: only once a person
    has said yes. `reasons`: of the decisions that are no push, as codes (domain/reasons.py)."""

    key: ListingKey
    asin: str
    cost_jpy: int | None
    now: Sale
    then: Sale
    held: bool
    reasons: tuple[str, ...] = ()


def effects_of(tools: Tools, target: Target, columns: Cells) -> tuple[Effect, ...]:
    """What these columns in the line of `target` would do, one value a listing that it is about and takes part.

    Raises SettingsError for what no line may say, NotOnRecord for an unknown target.
    """
    own = own_rule(tools, target)
    return _effects(tools, target, own, line_of(own, columns))


def effects_of_unset(tools: Tools, target: Target) -> tuple[Effect, ...]:
    """What taking the line of `target` away would do."""
    return _effects(tools, target, own_rule(tools, target), None)


def _effects(tools: Tools, target: Target, own: OwnRule, line: RuleLine | None) -> tuple[Effect, ...]:
    now = tools.clock.now()
    rules, terms = Rules(tools.settings), TermsOfShops(tools.settings)
    found = []
    with tools.state.read() as connection:
        item = target if isinstance(target, str) else target.item_id
        for one in rules_of(connection, item):
            if target not in (one.asin, one.key):
                continue
            listing = _listing(tools, connection, one.key, now)
            if listing is None:
                continue
            others = rules_in_force(connection, one.lines).values()
            kept = [other for other in others if own.rule is None or other.line != own.rule.line]
            rule = together([*kept, *([line] if line is not None else [])], now)
            found.append(_effect(rules, terms, listing, rule, known_asin(connection, listing.asin), now))
    return tuple(sorted(found, key=lambda effect: effect.key))


def _listing(tools: Tools, connection: Connection, key: ListingKey, now: datetime) -> ListingFacts | None:
    """None: it takes no part."""
    shop, item = (key.account,), item_of(key)
    moves = price_moves(connection, shop, now - tools.settings.guards.move_window, SAID_SO, item)
    found = next(listing_facts(connection, shop, now, moves, item), None)
    failed = failed_prices(connection, shop, now, item).get(key)
    return with_failed_price(found, failed) if found is not None and failed is not None else found


def _effect(
    rules: Rules, terms: TermsOfShops, listing: ListingFacts, rule: ItemRule | None, known: KnownAsin | None,
    now: datetime,
) -> Effect:  # fmt: skip
    ruled = replace(listing, rule=rule)
    facts = known.facts if known is not None else None
    cost = facts.price_jpy if facts is not None else None
    price = rules.price(ruled, facts, now)
    seen, _ = rules.visibility_and_stock(ruled, known, now, "all")
    judged = (price, seen)
    price_then = price.wanted if _leads_to_it(price) else listing.shown_price_jpy
    shown_then = seen.wanted == 1 if _leads_to_it(seen) else listing.shown_visible

    def left(amount: int | None, by: ItemRule | None) -> int | None:
        if amount is None or cost is None:
            return None
        of_shop = terms.of(listing.key.account, by)
        return profit_jpy(amount, cost, of_shop.fees, of_shop.extra_cost_jpy)

    return Effect(
        listing.key,
        listing.asin,
        cost,
        Sale(listing.shown_price_jpy, listing.shown_visible, left(listing.shown_price_jpy, listing.rule)),
        Sale(price_then, shown_then, left(price_then, rule)),
        any(one.decision is Decision.HELD for one in judged),
        tuple(_reason(one) for one in judged if one.decision not in (Decision.PUSH, Decision.UNCHANGED)),
    )


def _leads_to_it(diff: Diff) -> bool:
    return diff.decision in (Decision.PUSH, Decision.HELD) and diff.wanted is not None


def _reason(diff: Diff) -> str:
    return f"{diff.decision}:{diff.reason}"
