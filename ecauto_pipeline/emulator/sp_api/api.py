"""The Selling Partner API as one thing to call: token, usage plan, then the operation.

For: the order in which Amazon refuses. Not for: sockets, the log, or whether a fault strikes (state.py decides).
"""

from __future__ import annotations

import json
import math
import re
import uuid
from collections.abc import Iterable
from types import ModuleType

from ecauto_pipeline.emulator.faults import Fault
from ecauto_pipeline.emulator.messages import Answer, Call, Seen, json_answer
from ecauto_pipeline.emulator.sp_api import (
    catalog_items,
    competitive_pricing,
    competitive_summary,
    item_offers,
    item_offers_batch,
)
from ecauto_pipeline.emulator.sp_api.errors import (
    EXPIRED,
    INVALID,
    MISSING,
    Refusal,
    errors_body,
    quota_exceeded,
    refused,
    unauthorized,
)
from ecauto_pipeline.emulator.sp_api.throttle import Throttle
from ecauto_pipeline.emulator.sp_api.view import View
from ecauto_pipeline.emulator.tokens import Token, TokenBook
from ecauto_pipeline.emulator.world import World

API = "sp_api"
_OPERATIONS: tuple[ModuleType, ...] = (
    *(item_offers_batch, item_offers, competitive_pricing),
    *(competitive_summary, catalog_items),
)
_RATE_SHOWN_ON = (200, 400, 404)
_FAMILY = re.compile(r"/(pricing|catalog)/(v0|\d{4}-\d{2}-\d{2})/")


class SpApi:
    def __init__(self, world: World, tokens: TokenBook, throttle: Throttle) -> None:
        self._world, self._tokens, self._throttle = world, tokens, throttle

    def see(self, call: Call) -> Seen:
        """What the call is about, before anything is decided."""
        operation = _operation(call)
        token = self._token(call)
        return Seen(
            api=API,
            operation=operation.OPERATION if operation else "unknown",
            account=token.account if token else None,
            asins=operation.asins_of(call) if operation else (),
            family=_family(call),
            details={"params": call.query_first()} if call.query else {},
        )

    def handle(self, call: Call, seen: Seen, faults: Iterable[Fault], now_s: float) -> Answer:
        """Answer one call."""
        operation = _operation(call)
        token = self._token(call)
        if token is None:
            given = call.headers.get("x-amz-access-token")
            return self._finish(unauthorized(INVALID if given else MISSING), seen)
        if token.dead:
            return self._finish(unauthorized(INVALID), seen)
        if token.expires_s <= now_s:
            return self._finish(unauthorized(EXPIRED), seen)
        if operation is None:
            return self._finish(json_answer(404, errors_body("NotFound", "no such resource"), outcome="refused"), seen)
        share = math.prod(fault.share for fault in faults if fault.kind == "rate_cut")
        if not self._throttle.take(token.account, operation.OPERATION, now_s, share):
            return self._finish(quota_exceeded(), seen)
        try:
            body = operation.answer(call, View(self._world, now_s, faults))
            answer = json_answer(200, body)
        except Refusal as refusal:
            answer = refused(refusal)
        if answer.status in _RATE_SHOWN_ON:
            rate_per_s, _ = self._throttle.plan(token.account, operation.OPERATION)
            answer.headers["x-amzn-RateLimit-Limit"] = f"{round(rate_per_s * share, 6):g}"
        return self._finish(answer, seen)

    def refuse(self, kind: str, seen: Seen) -> Answer:
        """The API's own refusal of this kind, when a fault asks for it."""
        answer = unauthorized(EXPIRED) if kind == "token_expired" else quota_exceeded()
        return self._finish(answer, seen)

    def stamp(self, answer: Answer) -> Answer:
        """Give an answer the request id that every answer of Amazon's carries."""
        if answer.request_id is None:
            answer.request_id = str(uuid.uuid4())
            answer.headers["x-amzn-RequestId"] = answer.request_id
        return answer

    def _finish(self, answer: Answer, seen: Seen) -> Answer:
        if answer.status >= 400 and answer.body:
            seen.details["error"] = json.loads(answer.body)["errors"][0]["code"]
        return self.stamp(answer)

    def _token(self, call: Call) -> Token | None:
        text = call.headers.get("x-amz-access-token")
        return self._tokens.find(text, "access", API) if text else None


def _operation(call: Call) -> ModuleType | None:
    for operation in _OPERATIONS:
        if call.method == operation.METHOD and operation.PATH.fullmatch(call.path):
            return operation
    return None


def _family(call: Call) -> str:
    """The API that a path belongs to with its version, such as `pricing/v0`; operations of one fail together."""
    found = _FAMILY.search(call.path)
    return f"{found[1]}/{found[2]}" if found else ""
