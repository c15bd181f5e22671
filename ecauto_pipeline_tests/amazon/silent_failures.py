"""Every way in which the library or the line turns a failure into something that looks like an answer.

Each as a fault of the emulator, beside the word that our rows must say about it.
Source: python-amazon-sp-api 2.1.8 read and measured (docs/decisions), HTTP as it fails in practice.
"""

from __future__ import annotations

import json
from typing import Any

SILENT_FAILURES: list[tuple[dict[str, Any], str]] = [
    ({"kind": "throttle"}, "quota_exceeded"),
    ({"kind": "throttle_empty"}, "quota_exceeded"),
    ({"kind": "http_error", "status": 500}, "http_500_html"),
    ({"kind": "http_error", "status": 502}, "http_502_html"),
    ({"kind": "http_error", "status": 503}, "http_503_html"),
    ({"kind": "http_error", "status": 504}, "http_504_html"),
    ({"kind": "error_json", "status": 500, "code": "InternalFailure"}, "http_500_internal_failure"),
    ({"kind": "error_json", "status": 400, "code": "InvalidInput"}, "http_400_invalid_input"),
    ({"kind": "error_json", "status": 403, "code": "Unauthorized"}, "unauthorized"),
    ({"kind": "error_json", "status": 401, "code": "Unauthorized"}, "unauthorized"),
    ({"kind": "redirect"}, "redirect"),
    ({"kind": "truncated"}, "truncated_json"),
    ({"kind": "invalid_utf8"}, "bad_utf8"),
    ({"kind": "body", "body": "[]"}, "empty_answer"),
    ({"kind": "body", "body": "null"}, "empty_answer"),
    ({"kind": "body", "body": "{}"}, "empty_answer"),
    ({"kind": "body", "body": ""}, "empty_answer"),
    ({"kind": "body", "body": '"text"'}, "wrong_shape"),
    ({"kind": "body", "body": "17"}, "wrong_shape"),
    ({"kind": "body", "body": '[{"a": 1}]'}, "wrong_shape"),
    ({"kind": "body", "body": '{"headers": 1, "payload": {}}'}, "wrong_shape"),
    ({"kind": "body", "body": '{"responses": {}, "payload": "text"}'}, "wrong_shape"),
    ({"kind": "body", "body": '{"responses": [], "payload": [], "items": 3}'}, "empty_answer"),
    ({"kind": "body", "body": "<html>ok</html>"}, "html_answer"),
    ({"kind": "body", "body": "[" * 100_000}, "wrong_shape"),
    ({"kind": "body", "body": '{"errors": [{"code": "InternalFailure", "message": "x"}]}'}, "errors_in_answer"),
    ({"kind": "body", "body": '{"errors": {"code": "InternalFailure"}}'}, "errors_in_answer"),
    ({"kind": "body", "status": 429, "body": "{}"}, "quota_exceeded"),
    ({"kind": "body", "status": 429, "body": '{"message": "Too Many"}'}, "quota_exceeded"),
    ({"kind": "body", "status": 503, "body": ""}, "http_503"),
    ({"kind": "body", "status": 204, "body": ""}, "empty_answer"),
    ({"kind": "reset"}, "connection_reset"),
    ({"kind": "reset_after"}, "connection_reset"),
    ({"kind": "cut_in_body"}, "connection_reset"),
    ({"kind": "timeout"}, "timeout"),
    ({"kind": "timeout_in_body"}, "timeout"),
]


def fault_name(value: object) -> str:
    """A readable name of a case."""
    return json.dumps(value)[:60]


def patience_s(fault: dict[str, Any]) -> float:
    """How long a client waits in this test: not long where that is the failure, else as long as any machine needs."""
    return 0.5 if "timeout" in fault["kind"] else 30.0
