"""Listings and facts to judge: a healthy pair, and anything at all for hypothesis."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from ecauto_pipeline.domain.model import AsinFacts, Decision, Diff, Kind, ListingFacts, ListingKey, Status
from ecauto_pipeline.domain.selling.diffs import IncludePrice, price_diff, stock_diff
from ecauto_pipeline.domain.selling.item_rules import ItemRule
from ecauto_pipeline.domain.selling.terms import SellingTerms
from ecauto_pipeline.domain.selling.visibility import visibility_diff
from ecauto_pipeline.settings import Guards, Offers, PriceTier, Pricing, Ttl

NOW = datetime(2026, 6, 1, 3, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
KEY = ListingKey("base", "shop_1", "1001")
PRICING, GUARDS, TTL, OFFERS = Pricing(), Guards(), Ttl(), Offers()
TERMS = SellingTerms(PRICING, GUARDS)


def a_listing(**changes: Any) -> ListingFacts:
    """A public listing at 2,580 yen with one piece in stock."""
    healthy: dict[str, Any] = {
        "key": KEY,
        "asin": "B000000001",
        "shown_price_jpy": 2580,
        "shown_visible": True,
        "shown_stock": 1,
        "register_visible": True,
        "read_at": NOW,
    }
    return ListingFacts(**{**healthy, **changes})


def a_rule(**said: Any) -> ItemRule:
    """A rule that says this and nothing else (hypothesis fills whatever cells of a tuple it isn't told)."""
    return ItemRule(**said)


def some_facts(**changes: Any) -> AsinFacts:
    """In stock for 1,984 yen, confirmed ten minutes ago: wants 2,580 yen."""
    fresh: dict[str, Any] = {
        "asin": "B000000001",
        "status": Status.SUCCESS,
        "price_jpy": 1984,
        "in_stock": True,
        "price_at": NOW - timedelta(minutes=10),
        "stock_at": NOW - timedelta(minutes=10),
        "snapshot_id": "snapshot-1",
    }
    return AsinFacts(**{**fresh, **changes})


def absent(status: Status = Status.OUT_OF_STOCK, **changes: Any) -> AsinFacts:
    """Amazon answered ten minutes ago that there is nothing to buy."""
    return some_facts(**{"status": status, "in_stock": False, **changes})


def price_of(
    listing: ListingFacts,
    facts: AsinFacts | None,
    include: IncludePrice = "all",
    *,
    pricing: Pricing = PRICING,
    guards: Guards = GUARDS,
) -> Diff:
    return price_diff(listing, facts, NOW, SellingTerms(pricing, guards), TTL, include)


def visibility_of(
    listing: ListingFacts,
    facts: AsinFacts | None,
    include: IncludePrice = "all",
    *,
    max_age: timedelta = HOUR,
    offers: Offers = OFFERS,
    guards: Guards = GUARDS,
    pricing: Pricing = PRICING,
) -> Diff:
    terms = SellingTerms(pricing, guards)
    verdict = price_diff(listing, facts, NOW, terms, TTL)
    return visibility_diff(listing, facts, verdict, NOW, max_age, offers, terms, include)


def stock_of(listing: ListingFacts, facts: AsinFacts | None, include: IncludePrice = "all") -> Diff:
    price = price_diff(listing, facts, NOW, TERMS, TTL)
    shown = visibility_of(listing, facts, include)
    return stock_diff(listing, facts, shown, NOW, HOUR, TERMS, price, include)


def told(diff: Diff) -> tuple[Decision, str, int | None]:
    """What a diff says: decision, reason, wanted."""
    return diff.decision, diff.reason, diff.wanted


def a_diff(number: int, kind: Kind, shown: int | None, wanted: int | None, **changes: Any) -> Diff:
    """A push about the listing with this number."""
    fields: dict[str, Any] = {
        "key": ListingKey("base", "shop_1", f"{number:05d}"),
        "asin": f"B{number:09d}",
        "kind": kind,
        "shown": shown,
        "wanted": wanted,
        "decision": Decision.PUSH,
        "reason": "out_of_stock",
    }
    return Diff(**{**fields, **changes})


def hides(count: int, first: int = 0, reason: str = "out_of_stock") -> list[Diff]:
    return [a_diff(number, Kind.VISIBILITY, 1, 0, reason=reason) for number in range(first, first + count)]


stamps = st.none() | st.integers(-3 * 86400, 3600).map(lambda seconds: NOW + timedelta(seconds=seconds))
amounts = st.none() | st.integers(-10, 200_000)
wild_facts = st.none() | st.builds(
    AsinFacts,
    asin=st.just("B000000001"),
    status=st.none() | st.sampled_from(Status),
    price_jpy=amounts,
    in_stock=st.none() | st.booleans(),
    price_at=stamps,
    stock_at=stamps,
    filtered_since=stamps,
    filtered_count=st.integers(0, 4),
    doubt=st.sampled_from(["", "zero", "jump"]),
    snapshot_id=st.just("snapshot-1"),
)
wild_listing = st.builds(
    a_listing,
    shown_price_jpy=amounts,
    shown_visible=st.none() | st.booleans(),
    shown_stock=st.none() | st.integers(0, 3),
    has_variations=st.booleans(),
    hidden_by=st.sampled_from(["", "ours", "owner_scripts", "person", "blocklist", "shop"]),
    blocked_by_list=st.booleans(),
    uneditable=st.sampled_from(["", "bad_stock"]),
)
# Near the everyday, where pushes happen: laws about pushes must not be empty ones.
lively_facts = st.builds(
    some_facts,
    price_jpy=st.integers(400, 4000),
    status=st.sampled_from([*[Status.SUCCESS] * 5, Status.OUT_OF_STOCK, Status.FILTERED_OUT]),
    price_at=st.integers(0, 90_000).map(lambda seconds: NOW - timedelta(seconds=seconds)),
    stock_at=st.integers(0, 4000).map(lambda seconds: NOW - timedelta(seconds=seconds)),
    filtered_since=st.just(NOW - 3 * HOUR),
    filtered_count=st.integers(0, 4),
    doubt=st.sampled_from([*[""] * 8, "zero", "jump"]),
)
lively_listing = st.builds(
    a_listing,
    shown_price_jpy=st.integers(400, 5000),
    shown_visible=st.booleans(),
    shown_stock=st.integers(0, 1),
    hidden_by=st.sampled_from(["ours", "owner_scripts", "ours", "person"]),
)
any_facts = st.integers(0, 9).flatmap(lambda die: wild_facts if die > 7 else lively_facts)
any_listing = st.integers(0, 9).flatmap(lambda die: wild_listing if die > 7 else lively_listing)
any_pricing = st.builds(
    Pricing,
    strategy=st.sampled_from(["simple", "tiered"]),
    markup_ratio=st.sampled_from([0.9, 1.049, 1.21, 1.25, 1.3, 1.3, 1.333, 1.5, 2.01]),
    round_to_jpy=st.sampled_from([1, 10, 50, 100, 980]),
    min_diff_jpy=st.sampled_from([0, 1, 100]),
    min_diff_ratio=st.sampled_from([0.0, 0.03]),
    tiers=st.sampled_from(
        [
            PRICING.tiers,
            (PriceTier(max_price_jpy=3000, markup_ratio=1.4), PriceTier(max_price_jpy=9000, markup_ratio=1.3)),
        ]
    ),
)
any_guards = st.builds(
    Guards,
    min_price_jpy=st.integers(1, 700),
    max_price_jpy=st.integers(2000, 200_000),
    min_markup_ratio=st.sampled_from([1.0, 1.05, 1.2]),
    max_markup_ratio=st.sampled_from([1.26, 1.5, 2.0]),
    max_move_ratio=st.sampled_from([0.1, 0.5, 1000.0, 1000.0]),
)
