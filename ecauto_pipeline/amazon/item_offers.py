"""getItemOffers: the offers of one ASIN; the second opinion (confirm).

Source: productPricingV0.json of amzn/selling-partner-api-models at 34dc93f (2026-08): rate 0.5/s, burst 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ecauto_pipeline.amazon.answers import failed, item_error, offers_answer
from ecauto_pipeline.amazon.operation import Operation, Reading, ShapelessAnswer
from ecauto_pipeline.domain.model import Answer
from ecauto_pipeline.domain.offers.learning import CONFIRM
from ecauto_pipeline.settings import Offers as OfferRule
from ecauto_pipeline.settings import OperationLimits

RATE_PER_S, BURST, BATCH = 0.5, 1, 1


def item_offers(rule: OfferRule, limits: OperationLimits | None = None) -> Operation[Answer]:
    """The operation under the owner's offer rule and limits."""

    def read(payload: object, asins: Sequence[str], request_id: str) -> Reading[Answer]:
        if not isinstance(payload, dict):
            raise ShapelessAnswer("wrong_shape")
        if not payload:
            raise ShapelessAnswer("empty_answer")
        return Reading({asin: offers_answer(CONFIRM, asin, payload, rule, request_id) for asin in asins[:1]})

    operation: Operation[Answer] = Operation(
        name=CONFIRM,
        api="products",
        rate_per_s=RATE_PER_S,
        burst=BURST,
        batch=BATCH,
        send=_send,
        read=read,
        fail=lambda asin, failure: failed(CONFIRM, asin, failure),
        refused=_refused,
    )
    return operation.limited(limits)


def _send(api: Any, asins: Sequence[str], marketplace_id: str) -> Any:
    return api.get_item_offers(asins[0], "New", "Consumer", MarketplaceId=marketplace_id)


def _refused(asin: str, status: int, errors: object, request_id: str) -> Answer | None:
    answer = item_error(CONFIRM, asin, status, errors, request_id)
    return answer if answer.status.authoritative else None
