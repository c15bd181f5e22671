"""What a fault makes of an answer: instead of the work, or after it was done.

For: bytes and deliveries. Not for: which call is hit (faults.py).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from ecauto_pipeline.emulator.faults import AFTER, INSTEAD, Fault
from ecauto_pipeline.emulator.messages import Answer, html_answer, json_answer
from ecauto_pipeline.emulator.sp_api import lwa

_LONG_S = 120.0
_REFUSALS = {
    403: ("Unauthorized", "Access to requested resource is denied."),
    404: ("NotFound", "The resource specified does not exist."),
    500: ("InternalFailure", "We encountered an internal error. Please try again."),
    503: ("ServiceUnavailable", "Service is temporarily unavailable. Please try again."),
}
"""What the SP-API says where it does not serve a call at all: code and message."""
_TITLES = {500: "Internal Server Error", 502: "Bad Gateway", 503: "Service Unavailable", 504: "Gateway Timeout"}


def instead_of(fault: Fault, refuse: Callable[[str], Answer]) -> Answer | None:
    """The answer of a fault that replaces the call, or None for the other kinds.

    `refuse` makes the API's own refusals: throttle, token_expired, hour_api_limit and the like.
    """
    if fault.kind not in INSTEAD:
        return None
    status = fault.status
    if fault.kind == "throttle_empty":
        answer = Answer(429)
    elif fault.kind == "http_error":
        answer = html_answer(status or 502, _TITLES.get(status or 502, "Error"), "")
    elif fault.kind == "error_json":
        error = {"code": fault.code or "InternalFailure", "message": fault.message or "error", "details": ""}
        answer = json_answer(status or 500, {"errors": [error]})
    elif fault.kind in ("role_missing", "down", "gone"):
        status = status or {"role_missing": 403, "down": 503, "gone": 404}[fault.kind]
        code, said = _REFUSALS.get(status, _REFUSALS[500])
        answer = json_answer(status, {"errors": [{"code": code, "message": said, "details": said}]})
    elif fault.kind == "secret_expired":
        answer = lwa.secret_refused()
    elif fault.kind == "redirect":
        answer = Answer(301, b"", {"location": "https://elsewhere.example.invalid/"})
    elif fault.kind == "body":
        answer = Answer(status or 200, (fault.body or "").encode("utf-8"), {"content-type": "application/json"})
    elif fault.kind == "reset":
        answer = Answer(0, delivery="reset")
    elif fault.kind == "timeout":
        answer = Answer(0, delivery="hang", delay_s=fault.seconds or _LONG_S)
    else:
        answer = refuse(fault.kind)
    answer.outcome = f"fault:{fault.kind}"
    return answer


def after(fault: Fault, answer: Answer) -> None:
    """Spoil a finished answer in place; nothing happens for kinds that act elsewhere."""
    if fault.kind not in AFTER:
        return
    if fault.kind == "slow":
        answer.delay_s += fault.seconds or 1.0
    elif fault.kind == "held":
        answer.held_by, answer.delay_s = fault.id, fault.seconds or _LONG_S
    elif fault.kind == "truncated":
        answer.body = answer.body[: len(answer.body) // 2]
    elif fault.kind == "string_body":
        answer.body = _rewritten(answer.body, _string_inside)
    elif fault.kind == "errors_dict":
        answer.body = _rewritten(answer.body, _errors_as_object)
    elif fault.kind == "invalid_utf8":
        answer.body = answer.body[:1] + b'"\xff\xfe\x80": 1, ' + answer.body[1:]
    elif fault.kind == "renamed":
        answer.body = _rewritten(answer.body, lambda content: _renamed(content, fault.names))
    elif fault.kind == "reset_after":
        answer.delivery = "reset"
    elif fault.kind == "timeout_after":
        answer.delivery, answer.delay_s = "hang", fault.seconds or _LONG_S
    elif fault.kind == "cut_in_body":
        answer.delivery = "cut"
    elif fault.kind == "timeout_in_body":
        answer.delivery, answer.delay_s = "hang_in_body", fault.seconds or _LONG_S
    answer.outcome = f"{answer.outcome}+fault:{fault.kind}"


def _rewritten(body: bytes, change: Callable[[dict[str, Any]], Any]) -> bytes:
    try:
        content = json.loads(body)
    except ValueError:  # another fault was here first: a page of a gateway, half a body
        return body
    return json.dumps(change(content) if isinstance(content, dict) else content, ensure_ascii=False).encode("utf-8")


def _string_inside(content: dict[str, Any]) -> Any:
    if "responses" in content:
        return {"responses": [{**item, "body": "Internal error"} for item in content["responses"]]}
    return {name: "Internal error" for name in content} or "Internal error"


def _errors_as_object(content: dict[str, Any]) -> Any:
    wrong = {"code": "InternalFailure", "message": "error"}
    if "responses" in content:
        return {"responses": [{**item, "body": {"errors": wrong}} for item in content["responses"]]}
    return {"errors": wrong}


def _renamed(content: Any, names: Mapping[str, str]) -> Any:
    if isinstance(content, list):
        return [_renamed(entry, names) for entry in content]
    if isinstance(content, dict):
        return {names.get(name, name): _renamed(value, names) for name, value in content.items()}
    return content
