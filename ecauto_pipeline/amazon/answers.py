"""What every operation that answers ASIN by ASIN shares: which item of a body is about which ASIN, an ASIN that got no
answer, and what Amazon's list of errors says of one.

What cannot be understood is `api_error` (unknown), never "out of stock". Not for: what offers say (offers.py) or one
operation's own shape (its file in operations/).
Source: productPricingV0.json of amzn/selling-partner-api-models at 34dc93f (2026-08).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from ecauto_pipeline.amazon.operation import Failure, Reading, ShapelessAnswer
from ecauto_pipeline.domain.model import Answer, Status
from ecauto_pipeline.domain.operation_health import MOST_OF_A_CALL, OF_SHAPES

_MANY: Final = 10  # items of a call from which on a reason that most of them share is the call's


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


def responses_of(payload: object) -> list[Any]:
    """The items of a batch's answer. Raises ShapelessAnswer where there are none."""
    responses = payload.get("responses") if isinstance(payload, dict) else None
    if not isinstance(responses, list):
        raise ShapelessAnswer("wrong_shape")
    if not responses:
        raise ShapelessAnswer("empty_answer")
    return responses


def matched(
    operation: str,
    items: Iterable[Any],
    asins: Sequence[str],
    request_id: str,
    about: Callable[[Any], object],
    read: Callable[[str, Any], Answer],
) -> Reading[Answer]:
    """The items' answers by ASIN; two different ones for one ASIN are none.

    `about`: the ASIN that an item speaks of, anything else where it does not say; `read`: its answer.
    Raises ShapelessAnswer where no item is about an ASIN that was asked.
    """
    asked, strangers = set(asins), []
    found: dict[str, Answer] = {}
    for item in items:
        asin = about(item)
        if not isinstance(asin, str) or asin not in asked:
            strangers.append(asin if isinstance(asin, str) else "")
            continue
        answer = read(asin, item)
        if asin in found and found[asin] != answer:
            answer = failed(operation, asin, Failure("answered_twice", 200, request_id))
        found[asin] = answer
    if not found:
        raise ShapelessAnswer("wrong_shape")
    return Reading(_of_the_call(found), tuple(strangers))


def _of_the_call(found: Mapping[str, Answer]) -> Mapping[str, Answer]:
    """The same, with the call to blame where most of many items can't be read for one and the same reason: a shape that
    has changed says nothing of any ASIN, and none is asked later for it, or given up."""
    reasons = Counter(answer.reason for answer in found.values() if answer.reason in OF_SHAPES)
    for reason, count in reasons.most_common(1):
        if len(found) >= _MANY and count >= MOST_OF_A_CALL * len(found):
            return {
                asin: replace(answer, of_call=True) if answer.reason == reason else answer
                for asin, answer in found.items()
            }
    return found


def item_status(item: dict[str, Any]) -> int | None:
    """The HTTP status that one item of a batch carries, None where it carries none."""
    status = item.get("status")
    code = status.get("statusCode") if isinstance(status, dict) else None
    return code if isinstance(code, int) and not isinstance(code, bool) and 100 <= code <= 599 else None


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
