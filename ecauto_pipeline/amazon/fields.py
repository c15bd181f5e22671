"""The fields of a pricing answer, read one by one: money, counts, words. Total: what cannot be read is None or "".

Not for: what an answer as a whole means (answers.py, offers.py, each operation's file).
Source: productPricingV0.json of amzn/selling-partner-api-models at 34dc93f (2026-08).
"""

from __future__ import annotations

import re
from typing import TypeGuard

from ecauto_pipeline.domain.selling.money import yen

_ABSENT = object()
_ASIN = re.compile(r"[A-Z0-9]{10}")


def is_asin(value: object) -> TypeGuard[str]:
    """Whether this has the form of an ASIN."""
    return isinstance(value, str) and _ASIN.fullmatch(value) is not None


def cost_jpy(price: object) -> int | None:
    """ListingPrice + Shipping in yen; a missing Shipping is free, an unreadable one spoils it. LandedPrice is not it:
    points are taken off there."""
    if not isinstance(price, dict):
        return None
    listing, shipping = money_jpy(price.get("ListingPrice"), least=1), price.get("Shipping")
    extra = 0 if shipping is None else money_jpy(shipping, least=0)
    return None if listing is None or extra is None else listing + extra


def money_jpy(money: object, least: int) -> int | None:
    """Whole yen from `least` up, None for anything else."""
    if not isinstance(money, dict):
        return None
    return yen(money.get("Amount"), money.get("CurrencyCode"), least=least)


def new_offers(counts: object, name: str, partly: int | None) -> int | None:
    """How many new offers a list of counts by condition tells of, None where it does not tell.

    Conditions come in either case, "Any" counts all. `partly`: the total these counts must reach before "no new ones
    among them" is believed.
    """
    if not isinstance(counts, list) or not all(isinstance(entry, dict) for entry in counts):
        return None
    new, all_told = 0, 0
    for entry in counts:
        count = whole_number(entry.get(name, 1 if partly is not None else _ABSENT))
        if count is None:
            return None
        condition = lower_word(entry.get("condition"))
        if not condition:
            return None
        new += count if condition == "new" else 0
        all_told += count if condition != "any" else 0
    if not new and partly is not None and all_told < partly:
        return None
    return new


def not_unit(entry: object) -> str:
    """Why the price in this entry is none that a consumer pays for one piece; "" where it is one.

    `business_offer`: for business customers; `quantity_price`: from a quantity of two up. An entry without these fields
    is a consumer's unit price; what stands in them and can't be read is none.
    Source: offerType (B2C | B2B), quantityTier, quantityDiscountType of productPricingV0.json at 34dc93f (2026-08).
    """
    if not isinstance(entry, dict):
        return ""
    if lower_word(entry.get("offerType", "B2C")) != "b2c":
        return "business_offer"
    tier = entry.get("quantityTier")
    return "quantity_price" if tier is not None and whole_number(tier) not in (0, 1) else ""


def lower_word(value: object) -> str:
    """A word that is compared without its case; whatever else comes is ""."""
    return value.strip().lower() if isinstance(value, str) else ""


def short_text(value: object) -> str:
    """Short plain text; whatever else comes is none. Lone surrogates would not survive the database."""
    return value[:64].encode("utf-8", "replace").decode("utf-8") if isinstance(value, str) else ""


def whole_number(value: object) -> int | None:
    """A whole number >= 0 as JSON may write it (3, 3.0), else None."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if not 0 <= value <= 1_000_000 or value != int(value):
        return None
    return int(value)
