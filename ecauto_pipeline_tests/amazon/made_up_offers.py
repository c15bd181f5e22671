"""getMadeUpOffers: an operation that Amazon does not have, as one file. Price and stock of up to 7 ASINs in one call.

For: the rehearsal of a new operation (test_new_operation.py). It knows neither ship times nor how many offer it.
Source: made up.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from ecauto_pipeline.amazon.answers import failed
from ecauto_pipeline.amazon.operation import Operation, Reading, ShapelessAnswer
from ecauto_pipeline.domain.model import Answer, Role, Status
from ecauto_pipeline.domain.offers.knowledge import Fact
from ecauto_pipeline.settings import Offers as OfferRule

NAME = "getMadeUpOffers"
PATH = "/made-up/2099-01-01/goods"


def _send(api: Any, asins: Sequence[str], _marketplace_id: str) -> Any:
    return api._request(PATH, params={"method": "GET", "goods": "+".join(asins)})


def _read(payload: object, asins: Sequence[str], request_id: str, _rule: OfferRule) -> Reading[Answer]:
    goods = payload.get("goods") if isinstance(payload, dict) else None
    if not isinstance(goods, dict):
        raise ShapelessAnswer
    return Reading({asin: _answer(asin, goods[asin], request_id) for asin in asins if asin in goods})


def _answer(asin: str, good: dict[str, int], request_id: str) -> Answer:
    price_jpy, sellers = good["asks"], good["sellers"]
    return Answer(
        *(asin, NAME, Status.SUCCESS),
        price_jpy=price_jpy,
        in_stock=True,
        offer_count=sellers,
        http_status=200,
        request_id=request_id,
    )


OPERATION: Operation[Answer] = Operation(
    name=NAME,
    role=Role.DETAIL,
    rate_per_s=2.0,
    burst=3,
    batch=7,
    knows=frozenset({Fact.PRICE, Fact.STOCK}),
    api="ProductsV0",
    send=_send,
    parse=_read,
    fail=partial(failed, NAME),
)
