"""getCompetitivePricing: has anything changed? Buy Box price and offer counts of up to 20 ASINs in one call (sweep).

No ship times, no Prime: it never yields a selling price. ASINs go comma-separated, ItemType is case-sensitive. An item
without its CompetitivePricing block is unknown, not out of stock.
Source: productPricingV0.json of amzn/selling-partner-api-models at 34dc93f (2026-08): rate 0.5/s, burst 1, 20 ASINs;
`ClientError` from amzn/selling-partner-api-docs #295, the absent block from amzn/selling-partner-api-models #2910.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ecauto_pipeline.amazon.answers import failed, sweep_answer
from ecauto_pipeline.amazon.operation import Failure, Operation, Reading, ShapelessAnswer
from ecauto_pipeline.domain.model import Answer
from ecauto_pipeline.domain.offers.learning import SWEEP
from ecauto_pipeline.settings import OperationLimits

RATE_PER_S, BURST, BATCH = 0.5, 1, 20


def competitive_pricing(limits: OperationLimits | None = None) -> Operation[Answer]:
    """The operation under the owner's limits."""
    operation: Operation[Answer] = Operation(
        name=SWEEP,
        api="products",
        rate_per_s=RATE_PER_S,
        burst=BURST,
        batch=BATCH,
        send=_send,
        read=_read,
        fail=lambda asin, failure: failed(SWEEP, asin, failure),
    )
    return operation.limited(limits)


def _send(api: Any, asins: Sequence[str], marketplace_id: str) -> Any:
    return api.get_competitive_pricing_for_asins(list(asins), MarketplaceId=marketplace_id)


def _read(payload: object, asins: Sequence[str], request_id: str) -> Reading[Answer]:
    if not isinstance(payload, list):
        raise ShapelessAnswer("wrong_shape" if payload else "empty_answer")
    if not payload:
        raise ShapelessAnswer("empty_answer")
    asked, strangers = set(asins), []
    found: dict[str, Answer] = {}
    for item in payload:
        asin = item.get("ASIN") if isinstance(item, dict) else None
        if not isinstance(asin, str) or asin not in asked:
            strangers.append(asin if isinstance(asin, str) else "")
            continue
        answer = sweep_answer(SWEEP, asin, item, request_id)
        if asin in found and found[asin] != answer:
            answer = failed(SWEEP, asin, Failure("answered_twice", 200, request_id))
        found[asin] = answer
    if not found:
        raise ShapelessAnswer("wrong_shape")
    return Reading(found, tuple(strangers))
