"""What a source can know at all: a declaration beside each operation, and the answer without what goes beyond it.

What a source can't know is unknown, never free, never zero, never "out of stock".
Not for: what an answer that may be known changes (learning.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import replace
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from ecauto_pipeline.domain.model import Answer


class Fact(StrEnum):
    """One kind of thing that an operation's answers may say."""

    PRICE = "price"
    STOCK = "stock"
    OFFERS = "offers"
    DELIVERY = "delivery"
    BUY_BOX = "buy_box"
    TEXT = "text"


_FIELDS: Mapping[Fact, Mapping[str, Any]] = MappingProxyType(
    {
        Fact.PRICE: {"price_jpy": None, "listing_price_jpy": None, "shipping_jpy": None},
        Fact.STOCK: {"in_stock": None},
        Fact.OFFERS: {"offer_count": None, "seller_id": "", "offers_json": "", "seen": ()},
        Fact.DELIVERY: {"ship_hours_max": None, "is_prime": None, "is_fba": None},
        Fact.BUY_BOX: {"probe_price_jpy": None, "probe_offer_count": None},
        Fact.TEXT: {},
    }
)
"""The fields of Answer that carry each fact, with their value for "unknown"."""


def within(answer: Answer, knows: Set[Fact]) -> Answer:
    """The answer without what its source can't know."""
    unknown = {name: value for fact, fields in _FIELDS.items() if fact not in knows for name, value in fields.items()}
    if all(getattr(answer, name) == value for name, value in unknown.items()):
        return answer
    return replace(answer, **unknown)
