"""getItemOffers: the offers of one ASIN; a second look (confirm).

Source: productPricingV0.json of amzn/selling-partner-api-models at 34dc93f (2026-08): rate 0.5/s, burst 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from ecauto_pipeline.amazon.answers import failed, item_error
from ecauto_pipeline.amazon.offer_shapes import odd_offers
from ecauto_pipeline.amazon.offers import KNOWN, offers_answer
from ecauto_pipeline.amazon.operation import Operation, Reading, ShapelessAnswer
from ecauto_pipeline.domain.model import Answer, Role
from ecauto_pipeline.settings import Offers as OfferRule

NAME = "getItemOffers"


def _send(api: Any, asins: Sequence[str], marketplace_id: str) -> Any:
    return api.get_item_offers(asins[0], "New", "Consumer", MarketplaceId=marketplace_id)


def _read(payload: object, asins: Sequence[str], request_id: str, rule: OfferRule) -> Reading[Answer]:
    if not isinstance(payload, dict):
        raise ShapelessAnswer("wrong_shape")
    if not payload:
        raise ShapelessAnswer("empty_answer")
    return Reading({asin: offers_answer(NAME, asin, payload, rule, request_id) for asin in asins[:1]})


def _refused(asin: str, status: int, errors: object, request_id: str) -> Answer | None:
    answer = item_error(NAME, asin, status, errors, request_id)
    return answer if answer.status.authoritative else None


OPERATION: Operation[Answer] = Operation(
    name=NAME,
    role=Role.CONFIRM,
    rate_per_s=0.5,
    burst=1,
    batch=1,
    knows=KNOWN,
    api="ProductsV0",
    send=_send,
    parse=_read,
    fail=partial(failed, NAME),
    refused=_refused,
    odd=lambda payload, asins: {asin: odd_offers(payload) for asin in asins[:1]},
)
