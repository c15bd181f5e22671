"""What Amazon said of one ASIN: every shape of a pricing answer classified, in one pure and total place.

Whatever JSON comes in, exactly one Answer comes out and nothing is raised; what cannot be understood is `api_error`
(unknown), never "out of stock". Not for: finding an ASIN's part in a body (each operation's file) or the owner's rule
(domain/offers/offer_rule.py).
Source: productPricingV0.json of amzn/selling-partner-api-models at 34dc93f (2026-08); statuses beyond the model
(NoBuyableOffers, ActiveButTooSoonForProcessing, ClientError) from its sandbox data and reports of its users.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

from ecauto_pipeline.amazon.operation import Failure
from ecauto_pipeline.domain.model import Answer, Status
from ecauto_pipeline.domain.offers.offer_rule import Choice, Offer, choose
from ecauto_pipeline.domain.selling.money import yen
from ecauto_pipeline.settings import Offers as OfferRule

_OFFERS_KEPT = 20
_NEW_BUY_BOX = "1"
_ABSENT = object()


def failed(operation: str, asin: str, failure: Failure) -> Answer:
    """The answer of an ASIN that got none."""
    return Answer(
        asin,
        operation,
        Status.API_ERROR,
        failure.reason,
        http_status=failure.http_status,
        request_id=failure.request_id,
    )


def offers_answer(operation: str, asin: str, payload: object, rule: OfferRule, request_id: str = "") -> Answer:
    """The answer in the `payload` of getItemOffers, or of one item of its batch, which came with HTTP 200."""

    def unknown(reason: str) -> Answer:
        return failed(operation, asin, Failure(reason, 200, request_id))

    if not isinstance(payload, dict):
        return unknown("wrong_shape")
    about = payload.get("ASIN", asin)
    if about != asin:
        return unknown("wrong_asin")
    status = _word(payload.get("status"))
    if status not in ("success", "nobuyableoffers"):
        return unknown({"": "wrong_shape", "activebuttoosoonforprocessing": "too_soon"}.get(status, "unknown_status"))
    summary = payload.get("Summary")
    summary = summary if isinstance(summary, dict) else {}
    listed = payload.get("Offers", [] if status == "nobuyableoffers" else None)
    if not isinstance(listed, list) or not all(isinstance(offer, dict) for offer in listed):
        return unknown("wrong_shape")
    total = _count(summary.get("TotalOfferCount"))
    new = _counted_new(summary.get("NumberOfOffers"), "OfferCount", partly=total)
    if not listed:
        if total is None and status == "success":
            return unknown("wrong_shape")
        if total and new != 0:
            return unknown("offers_missing")
        reason = "no_new_offers" if total else "no_buyable_offers" if status == "nobuyableoffers" else "no_offers"
        return Answer(
            asin,
            operation,
            Status.OUT_OF_STOCK,
            reason,
            in_stock=False,
            offer_count=0,
            probe_offer_count=0,
            http_status=200,
            request_id=request_id,
        )
    if status == "nobuyableoffers":
        return unknown("contradiction")
    offers = [_offer(entry) for entry in listed]
    return _chosen(operation, asin, offers, choose(offers, rule), summary, new, request_id)


def item_error(operation: str, asin: str, status: int | None, errors: object, request_id: str = "") -> Answer:
    """The answer in the `errors` that came for one ASIN: unknown to Amazon, or an error."""
    code, message = first_error(errors)
    said = f"{code} {message}".lower()
    if status in (None, 200, 400, 404) and (
        "invalid asin" in said or code.upper() in ("INVALID_ASIN", "ASIN_NOT_FOUND")
    ):
        return Answer(
            asin,
            operation,
            Status.NOT_FOUND,
            "invalid_asin",
            in_stock=False,
            offer_count=0,
            probe_offer_count=0,
            http_status=status,
            request_id=request_id,
        )
    reason = snake(code) or (f"http_{status}" if status else "wrong_shape")
    return failed(operation, asin, Failure(reason, status, request_id))


def sweep_answer(operation: str, asin: str, item: object, request_id: str = "") -> Answer:
    """The answer in one item of getCompetitivePricing: are there new offers, and what does the Buy Box ask?

    Never a selling price. Two figures are filled for comparison: Buy Box price + shipping, and new offers.
    """

    def unknown(reason: str) -> Answer:
        return failed(operation, asin, Failure(reason, 200, request_id))

    if not isinstance(item, dict):
        return unknown("wrong_shape")
    status = _word(item.get("status"))
    if status != "success":
        return unknown({"": "wrong_shape", "clienterror": "client_error"}.get(status, "unknown_status"))
    product = item.get("Product")
    competitive = product.get("CompetitivePricing") if isinstance(product, dict) else None
    if not isinstance(competitive, dict):
        return unknown("no_competitive_pricing")
    prices, counts = competitive.get("CompetitivePrices", []), competitive.get("NumberOfOfferListings")
    if not isinstance(prices, list) or not isinstance(counts, list):
        return unknown("no_competitive_pricing" if counts is None else "wrong_shape")
    new = _counted_new(counts, "Count", partly=None)
    boxes = [entry for entry in prices if _is_new_buy_box(entry)]
    if new is None and not boxes:
        return unknown("wrong_shape")
    if not boxes and not new:
        return Answer(
            asin,
            operation,
            Status.OUT_OF_STOCK,
            "no_new_offers" if counts else "no_offers",
            in_stock=False,
            offer_count=0,
            probe_offer_count=0,
            http_status=200,
            request_id=request_id,
        )
    costs = [_cost(entry.get("Price")) for entry in boxes]
    if any(cost is None for cost in costs):
        return unknown("bad_price")
    count = max(new or 0, 1)
    return Answer(
        asin,
        operation,
        Status.SUCCESS,
        "" if boxes else "no_buy_box",
        in_stock=True,
        offer_count=count,
        probe_price_jpy=min((cost for cost in costs if cost is not None), default=None),
        probe_offer_count=count,
        http_status=200,
        request_id=request_id,
    )


def first_error(errors: object) -> tuple[str, str]:
    """Code and message of the first error in a list of errors; "" where there is none."""
    entries = errors if isinstance(errors, list) else [errors]
    for entry in entries:
        if isinstance(entry, dict):
            return str(entry.get("code") or ""), str(entry.get("message") or "")
    return "", ""


def snake(code: str) -> str:
    """QuotaExceeded -> quota_exceeded, INVALID_ASIN -> invalid_asin; at most 40 plain characters."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", code.strip())
    return re.sub(r"[^a-z0-9]+", "_", spaced.lower()).strip("_")[:40]


def _chosen(
    operation: str, asin: str, offers: list[Offer], choice: Choice, summary: dict, new: int | None, request_id: str
) -> Answer:
    """The owner's rule has spoken; FILTERED_OUT for want of any readable price is unknown instead."""
    kept = _offers_json(offers, choice)
    if choice.offer is None and all(why == "bad_price" for _, why in choice.rejected):
        return failed(operation, asin, Failure("bad_price", 200, request_id))
    offer = choice.offer
    new = len(offers) if new is None else max(new, 1)
    return Answer(
        asin,
        operation,
        choice.status,
        choice.reason,
        price_jpy=choice.price_jpy,
        in_stock=True if offer else None,
        offer_count=new,
        ship_hours_max=offer.max_hours if offer else None,
        is_prime=offer.is_prime if offer else None,
        is_fba=offer.is_fba if offer else None,
        seller_id=offer.seller_id if offer else "",
        listing_price_jpy=offer.listing_price_jpy if offer else None,
        shipping_jpy=(offer.shipping_jpy or 0) if offer else None,
        probe_price_jpy=_buy_box_jpy(summary, offers),
        probe_offer_count=new,
        http_status=200,
        request_id=request_id,
        offers_json=kept,
    )


def _offer(entry: dict) -> Offer:
    times, prime = entry.get("ShippingTime"), entry.get("PrimeInformation")
    times = times if isinstance(times, dict) else {}
    price = _money(entry.get("ListingPrice"), least=1)
    shipping = entry.get("Shipping")
    shipping_jpy = None if shipping is None else _money(shipping, least=0)
    if shipping is not None and shipping_jpy is None:
        price = None  # an unreadable cost is no cost
    return Offer(
        seller_id=_text(entry.get("SellerId")),
        condition=_text(entry.get("SubCondition")),
        listing_price_jpy=price,
        shipping_jpy=shipping_jpy,
        max_hours=_count(times.get("maximumHours")),
        availability=_text(times.get("availabilityType")),
        is_prime=isinstance(prime, dict) and prime.get("IsPrime") is True,
        is_fba=entry.get("IsFulfilledByAmazon") is True,
        is_buybox=entry.get("IsBuyBoxWinner") is True,
    )


def _buy_box_jpy(summary: dict, offers: list[Offer]) -> int | None:
    """The new Buy Box's ListingPrice + shipping: the Summary's, else the winning offer's, else None."""
    boxes = summary.get("BuyBoxPrices")
    costs = [
        _cost(box)
        for box in (boxes if isinstance(boxes, list) else [])
        if isinstance(box, dict) and _word(box.get("condition")) == "new"
    ]
    if not costs:
        costs = [
            None if offer.listing_price_jpy is None else offer.listing_price_jpy + (offer.shipping_jpy or 0)
            for offer in offers
            if offer.is_buybox and _word(offer.condition) == "new"
        ]
    return min((cost for cost in costs if cost is not None), default=None)


def _is_new_buy_box(entry: object) -> bool:
    if not isinstance(entry, dict) or _word(entry.get("condition", "new")) != "new":
        return False
    return str(entry.get("CompetitivePriceId")) == _NEW_BUY_BOX


def _cost(price: object) -> int | None:
    """ListingPrice + Shipping in yen; a missing Shipping is free, an unreadable one spoils it. LandedPrice is not it:
    points are taken off there."""
    if not isinstance(price, dict):
        return None
    listing, shipping = _money(price.get("ListingPrice"), least=1), price.get("Shipping")
    extra = 0 if shipping is None else _money(shipping, least=0)
    return None if listing is None or extra is None else listing + extra


def _money(money: object, least: int) -> int | None:
    if not isinstance(money, dict):
        return None
    return yen(money.get("Amount"), money.get("CurrencyCode"), least=least)


def _counted_new(counts: object, name: str, partly: int | None) -> int | None:
    """How many new offers a list of counts by condition tells of, None where it does not tell.

    Conditions come in either case, "Any" counts all. `partly`: the total these counts must reach before "no new ones
    among them" is believed.
    """
    if not isinstance(counts, list) or not all(isinstance(entry, dict) for entry in counts):
        return None
    new, all_told = 0, 0
    for entry in counts:
        count = _count(entry.get(name, 1 if partly is not None else _ABSENT))
        if count is None:
            return None
        condition = _word(entry.get("condition"))
        new += count if condition == "new" else 0
        all_told += count if condition != "any" else 0
    if not new and partly is not None and all_told < partly:
        return None
    return new


def _offers_json(offers: Iterable[Offer], choice: Choice) -> str:
    """The offers as judged, the chosen one first, at most 20, compact: why a price is what it is."""
    why = {id(offer): reason for offer, reason in choice.rejected}
    ordered = sorted(offers, key=lambda offer: (offer is not choice.offer, id(offer) in why))
    rows = [
        {
            "seller": offer.seller_id,
            "price": offer.listing_price_jpy,
            "shipping": offer.shipping_jpy,
            "hours": offer.max_hours,
            "availability": offer.availability,
            "prime": int(offer.is_prime),
            "fba": int(offer.is_fba),
            "buybox": int(offer.is_buybox),
            "why_not": why.get(id(offer), ""),
        }
        for offer in ordered[:_OFFERS_KEPT]
    ]
    return json.dumps(rows, ensure_ascii=True, separators=(",", ":"))


def _word(value: object) -> str:
    return value.strip().lower() if isinstance(value, str) else ""


def _text(value: object) -> str:
    """Short plain text; whatever else comes is none. Lone surrogates would not survive the database."""
    return value[:64].encode("utf-8", "replace").decode("utf-8") if isinstance(value, str) else ""


def _count(value: object) -> int | None:
    """A whole number >= 0 as JSON may write it (3, 3.0), else None."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if not 0 <= value <= 1_000_000 or value != int(value):
        return None
    return int(value)
