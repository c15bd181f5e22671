"""SP-API and Login with Amazon, as strict as the papers: tokens that end, dates, one token bucket an operation.

Headers as the models declare them: the rate with 200, 400 and 404 alone, no hint with a 429. A refused request of the
wrong form has cost its slot. Not for: what a request asks (questions.py) or an answer's shape (pricing_v0.py,
pricing_2022.py).
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from proofs.independent import pricing_2022, pricing_v0
from proofs.independent.goods import MARKET, Good
from proofs.independent.loopback import Asked, Reply
from proofs.independent.questions import Question, question

TOKEN_S = 3600
DATE_MAY_BE_OFF_S = 900
"""The papers ask for x-amz-date and name no limit; this is what Amazon's other services take."""


@dataclass(frozen=True)
class Plan:
    """A usage plan: calls a second, and calls at once."""

    rate_per_s: float
    burst: float = 1.0


PLANS = {
    "getItemOffersBatch": Plan(0.1),
    "getItemOffers": Plan(0.5),
    "getCompetitivePricing": Plan(0.5),
    "getCompetitiveSummary": Plan(0.033),
    "searchCatalogItems": Plan(2.0, 2.0),
}


class Amazon:
    """Goods by ASIN. `pace`: how many times faster than the papers' rates. `now_s`: seconds since 1970."""

    def __init__(
        self, goods: dict[str, Good], secrets: dict[str, str], pace: float, now_s: Callable[[], float] = time.time
    ) -> None:
        self.goods, self.secrets, self.pace, self._now_s = goods, secrets, pace, now_s
        self.asked: list[tuple[str, tuple[str, ...], int]] = []  # operation (else the path), ASINs, HTTP status
        self.answered_s = now_s()  # when it last was asked of an article
        self._lock = threading.Lock()
        self._tokens = {name: plan.burst for name, plan in PLANS.items()}
        self._at_s = dict.fromkeys(PLANS, now_s())
        self._access: dict[str, float] = {}  # token -> when it ends

    def answer(self, one: Asked) -> Reply:
        with self._lock:
            if one.path == "/auth/o2/token":
                return self._login(one)
            asked = question(one)
            if asked is None:
                self.asked.append((one.path, (), 404))
                return _wrong(404, "NotFound", "The resource specified does not exist.")
            reply = self._guarded(asked, one)
            self.asked.append((asked.operation, asked.asins, reply.status))
            self.answered_s = self._now_s()
            return reply

    def _login(self, one: Asked) -> Reply:
        known = {
            "grant_type": "refresh_token",
            "refresh_token": self.secrets["SP_API_REFRESH_TOKEN"],
            "client_id": self.secrets["LWA_APP_ID"],
            "client_secret": self.secrets["LWA_CLIENT_SECRET"],
        }
        if one.method != "POST" or one.form != known:
            return Reply(400, {"error": "invalid_grant", "error_description": "The request has an invalid grant"})
        token = f"Atza|{uuid.uuid4().hex}"
        self._access[token] = self._now_s() + TOKEN_S
        return Reply(200, {"access_token": token, "token_type": "bearer", "expires_in": TOKEN_S})

    def _guarded(self, asked: Question, one: Asked) -> Reply:
        ends_s = self._access.get(one.headers.get("x-amz-access-token", ""))
        if ends_s is None or ends_s <= self._now_s():
            how = "has expired" if ends_s is not None else "is revoked, malformed or invalid"
            details = f"The access token you provided {how}."
            return _wrong(403, "Unauthorized", "Access to requested resource is denied.", details)
        if not self._take(asked.operation):
            reply = _wrong(429, "QuotaExceeded", "You exceeded your quota for the requested resource.")
            return Reply(429, reply.document, {**reply.headers, "x-amzn-ErrorType": "TooManyRequestsException"})
        wrong = asked.wrong or ("" if self._dated(one) else "x-amz-date")
        status, document = (400, _errors("InvalidInput", wrong)) if wrong else self._said(asked)
        rate = {"x-amzn-RateLimit-Limit": str(PLANS[asked.operation].rate_per_s * self.pace)}
        return Reply(status, document, {"x-amzn-RequestId": str(uuid.uuid4()), **rate})

    def _dated(self, one: Asked) -> bool:
        """Whether the request says when it was made, as 20190430T123600Z, and that is about now."""
        try:
            made = datetime.strptime(one.headers.get("x-amz-date", ""), "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        except ValueError:
            return False
        return abs(made.timestamp() - self._now_s()) <= DATE_MAY_BE_OFF_S

    def _take(self, operation: str) -> bool:
        now_s, plan = self._now_s(), PLANS[operation]
        gained = max(0.0, now_s - self._at_s[operation]) * plan.rate_per_s * self.pace
        self._tokens[operation] = min(plan.burst, self._tokens[operation] + gained)
        self._at_s[operation] = now_s
        if self._tokens[operation] < 1.0 - 1e-6:
            return False
        self._tokens[operation] -= 1.0
        return True

    def _said(self, asked: Question) -> tuple[int, dict[str, Any]]:
        if asked.operation == "getItemOffers":
            return pricing_v0.offers(self.goods, asked.asins[0])
        if asked.operation == "getItemOffersBatch":
            return 200, pricing_v0.batch(self.goods, asked.asins)
        if asked.operation == "getCompetitivePricing":
            return 200, pricing_v0.competitive(self.goods, asked.asins)
        if asked.operation == "getCompetitiveSummary":
            return 200, pricing_2022.summary(self.goods, asked)
        return 200, self._catalogue(asked.asins)

    def _catalogue(self, asins: tuple[str, ...]) -> dict[str, Any]:
        items = [
            {"asin": asin, "summaries": [{"marketplaceId": MARKET, "itemName": f"商品 {asin}"}]}
            for asin in asins
            if asin in self.goods
        ]
        return {"numberOfResults": len(items), "items": items}


def _errors(code: str, message: str, details: str = "") -> dict[str, Any]:
    error = {"code": code, "message": message}
    return {"errors": [{**error, "details": details} if details else error]}


def _wrong(status: int, code: str, message: str, details: str = "") -> Reply:
    return Reply(status, _errors(code, message, details), {"x-amzn-RequestId": str(uuid.uuid4())})
