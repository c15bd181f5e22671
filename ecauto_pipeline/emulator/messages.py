"""What goes in and out of an emulated API: a parsed call and the answer to deliver.

For: the APIs and the server between them. Not for: sockets (server.py) or faults' choice (faults.py).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import parse_qsl

Delivery = Literal["whole", "reset", "hang", "hang_in_body", "cut"]


@dataclass(frozen=True, slots=True)
class Call:
    """One HTTP request, read to its end. Header names are lower case."""

    method: str
    path: str
    query: str
    headers: dict[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    @property
    def media_type(self) -> str:
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    def query_values(self) -> dict[str, list[str]]:
        """Every value of every query parameter, in order."""
        values: dict[str, list[str]] = {}
        for name, value in parse_qsl(self.query, keep_blank_values=True):
            values.setdefault(name, []).append(value)
        return values

    def query_first(self) -> dict[str, str]:
        return {name: values[0] for name, values in self.query_values().items()}

    def form(self) -> dict[str, str]:
        """The form fields of the body; empty when the body is not form-encoded."""
        if self.media_type != "application/x-www-form-urlencoded":
            return {}
        return dict(parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True))


@dataclass(slots=True)
class Answer:
    """What will be sent, how, and what the call log says of it."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    outcome: str = "ok"
    request_id: str | None = None
    delivery: Delivery = "whole"
    delay_s: float = 0.0
    held_by: int | None = None  # the fault whose removal sends it, `delay_s` at most


@dataclass(slots=True)
class Seen:
    """What was understood of a call: the key faults match on and the log shows. Never a secret."""

    api: str
    operation: str
    account: str | None = None
    asins: tuple[str, ...] = ()
    item_id: int | None = None
    details: dict[str, Any] = field(default_factory=dict)
    family: str = ""


def json_answer(status: int, content: Any, headers: dict[str, str] | None = None, outcome: str = "ok") -> Answer:
    """An answer with a JSON body, in UTF-8."""
    body = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode("utf-8")
    return Answer(status, body, {"content-type": "application/json", **(headers or {})}, outcome)


def html_answer(status: int, title: str, outcome: str) -> Answer:
    """What a gateway in front of the API says when it speaks for itself."""
    page = f"<html><head><title>{title}</title></head><body><h1>{status} {title}</h1></body></html>"
    return Answer(status, page.encode("utf-8"), {"content-type": "text/html; charset=utf-8"}, outcome)
