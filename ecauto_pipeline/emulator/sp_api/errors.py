"""Refusals in Amazon's words: status, code, message, details.

For: the bodies and headers of errors of the SP-API. Not for: when they apply.
"""

from __future__ import annotations

from typing import Any

from ecauto_pipeline.emulator.messages import Answer, json_answer

DENIED = "Access to requested resource is denied."
EXPIRED = "The access token you provided has expired."
INVALID = "The access token you provided is revoked, malformed or invalid."
MISSING = "Access token is missing in the request header."


class Refusal(Exception):
    """A call that is answered with an error as a whole."""

    def __init__(self, status: int, code: str, message: str, details: str = "") -> None:
        super().__init__(f"{status} {code}")
        self.status, self.code, self.message, self.details = status, code, message, details


def invalid_input(message: str) -> Refusal:
    return Refusal(400, "InvalidInput", message)


def errors_body(code: str, message: str, details: str = "") -> dict[str, Any]:
    return {"errors": [{"code": code, "message": message, "details": details}]}


def unauthorized(details: str) -> Answer:
    """403, with the details that tell an expired token from a wrong one."""
    return json_answer(403, errors_body("Unauthorized", DENIED, details), outcome="refused:Unauthorized")


def quota_exceeded() -> Answer:
    """429, without any hint of how long to wait."""
    body = errors_body("QuotaExceeded", "You exceeded your quota for the requested resource.")
    return json_answer(429, body, {"x-amzn-ErrorType": "TooManyRequestsException"}, outcome="throttled")


def refused(refusal: Refusal) -> Answer:
    body = errors_body(refusal.code, refusal.message, refusal.details)
    return json_answer(refusal.status, body, outcome=f"refused:{refusal.code}")
