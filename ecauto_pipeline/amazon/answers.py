"""Answers that no payload gave: an ASIN that got none, and what Amazon's list of errors says of one ASIN.

What cannot be understood is `api_error` (unknown), never "out of stock". Not for: what offers say (offers.py) or one
operation's own shape (its file in operations/).
Source: productPricingV0.json of amzn/selling-partner-api-models at 34dc93f (2026-08).
"""

from __future__ import annotations

import re

from ecauto_pipeline.amazon.operation import Failure
from ecauto_pipeline.domain.model import Answer, Status


def failed(operation: str, asin: str, failure: Failure) -> Answer:
    """The answer of an ASIN that got none."""
    return Answer(
        asin,
        operation,
        Status.API_ERROR,
        failure.reason,
        http_status=failure.http_status,
        request_id=failure.request_id,
        of_call=failure.of_call,
        merged_into=failure.other_asin,
    )


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
