"""What the offers of one ASIN should look like, as getItemOffers and its batch both give them, and where they do not.

For: counting what is odd, and telling whether an offer can be read surely. Not for: what offers say (offers.py).
Source: productPricingV0.json of amzn/selling-partner-api-models at 34dc93f (2026-08); statuses beyond the model from
its sandbox data and reports of its users.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from ecauto_pipeline.amazon.fields import lower_word, whole_number
from ecauto_pipeline.amazon.shapes import Document, Expected, at, money, oddities
from ecauto_pipeline.settings import Offers as OfferRule

_STATUSES = ("success", "nobuyableoffers", "activebuttoosoonforprocessing", "noofferduetomissingshippingcharge")
_AVAILABILITY = ("now", "future_without_date", "future_with_date")
_CONDITIONS = (
    *("new", "mint", "very good", "very_good", "good", "acceptable", "poor", "club", "oem", "warranty"),
    *("refurbished warranty", "refurbished_warranty", "refurbished", "open box", "open_box", "other"),
    *("like new", "like_new", "used", "collectible", "any"),
)
_TIMES = ("minimumHours", "maximumHours", "availabilityType", "availableDate")
_OFFER = Document(
    (
        Expected("SubCondition", "text", words=_CONDITIONS),
        Expected("IsFulfilledByAmazon", "bool"),
        Expected("ListingPrice", "object"),
        Expected("Shipping", "object"),
        Expected("ShippingTime", "object", closed=_TIMES),
        Expected("ShippingTime.maximumHours", "number", required=False),
        Expected("ShippingTime.availabilityType", "text", required=False, words=_AVAILABILITY),
        Expected("PrimeInformation", "object", required=False),
        Expected("PrimeInformation.IsPrime", "bool"),
        Expected("offerType", "text", required=False, words=("b2c", "b2b")),
        Expected("quantityTier", "number", required=False),
    )
)
"""OfferDetail as far as the owner's rule goes by it, with what its model calls required."""
_SELLER = Document((Expected("SellerId", "text", required=False, form=re.compile(r"A[A-Z0-9]{9,15}")),))
_RATING = (
    Expected(
        "SellerFeedbackRating", "object", required=False, closed=("FeedbackCount", "SellerPositiveFeedbackRating")
    ),
    Expected("SellerFeedbackRating.FeedbackCount", "number"),
    Expected("SellerFeedbackRating.SellerPositiveFeedbackRating", "number", required=False),
)
"""SellerFeedbackType: counted where it is odd; it makes no offer unreadable for an owner who asks for no rating."""
_RATED = Document(_RATING)
_JUDGED_ELSEWHERE = frozenset(
    {"missing ListingPrice", "ListingPrice is null", "Shipping is null", "ShippingTime is null"}
)
"""A price that is none spoils an offer by itself; null is Amazon's word for "not known"."""
EXPECTED = Document(
    (
        Expected("status", "text", words=_STATUSES),
        Expected("ASIN", "text", required=False),
        Expected("Summary", "object"),
        Expected("Summary.TotalOfferCount", "number"),
        Expected(
            "Summary.NumberOfOffers", "list", required=False, closed=("condition", "fulfillmentChannel", "OfferCount")
        ),
        Expected("Summary.NumberOfOffers.OfferCount", "number", required=False),
        Expected("Summary.NumberOfOffers.condition", "text", required=False, words=_CONDITIONS),
        Expected("Summary.LowestPrices", "list", required=False),
        Expected("Summary.BuyBoxPrices", "list", required=False),
        Expected("Summary.BuyBoxPrices.condition", "text", words=_CONDITIONS),
        *money("Summary.BuyBoxPrices.ListingPrice"),
        *money("Summary.BuyBoxPrices.Shipping"),
        Expected("Offers", "list", required=False),
        *at("Offers", (*_OFFER.fields, *money("ListingPrice")[1:], *money("Shipping")[1:], *_SELLER.fields, *_RATING)),
    )
)
"""GetOffersResult as far as it is read, with what its model calls required."""
_ALL_THERE: Final[Mapping[str, frozenset[str]]] = {
    "ShippingTime": frozenset({"maximumHours", "availabilityType"}),
    "SellerFeedbackRating": frozenset({"FeedbackCount", "SellerPositiveFeedbackRating"}),
}
"""Objects of an offer in which a field more is none of those that are read, where these are there."""


def odd_offers(payload: object) -> frozenset[str]:
    """Where the payload that `offers_answer` reads is not of the documented shape."""
    found = oddities(payload, EXPECTED)
    if not isinstance(payload, dict):
        return found
    summary, listed = payload.get("Summary"), payload.get("Offers")
    if lower_word(payload.get("status")) == "success" and listed is None:
        found = frozenset(one for one in found if not one.startswith("Offers is called")) | {"missing Offers"}
    total = whole_number(summary.get("TotalOfferCount")) if isinstance(summary, dict) else None
    if isinstance(listed, list) and total is not None and len(listed) > total:
        found |= {"more Offers than TotalOfferCount"}
    return found


def unreadable(entry: dict[str, Any], rule: OfferRule) -> bool:
    """Whether a fact that the owner's rule goes by may stand here in a form that nobody knows (a field renamed, another
    type, a new word): what is then absent is not surely so. A ship time is not given only where nothing undocumented
    stands in its place."""
    odd = oddities(entry, _OFFER) - _JUDGED_ELSEWHERE
    if rule.sellers_only or rule.sellers_never or rule.amazon_only:
        odd |= oddities(entry, _SELLER)
    if rule.min_rating_percent or rule.min_rating_count:
        odd |= oddities(entry, _RATED)
    for name, needed in _ALL_THERE.items():
        inner = entry.get(name)
        if isinstance(inner, dict) and needed <= inner.keys():
            odd = frozenset(one for one in odd if not one.startswith(f"new field {name}."))
    times = entry.get("ShippingTime")
    hours = times.get("maximumHours") if isinstance(times, dict) else None
    return bool(odd) or (hours is not None and whole_number(hours) is None)
