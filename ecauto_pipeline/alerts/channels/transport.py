"""One HTTP POST for a channel: a timeout always, no redirect followed with a secret, the answer judged.

Not for: what is posted (the module of each kind) or the APIs the shops live from (amazon/, shops/).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import requests

logging.getLogger("urllib3.connectionpool").setLevel(logging.INFO)  # its debug lines hold secret paths

TIMEOUT_S = (5.0, 10.0)
"""(connect, read): an alert may be late, it may not hold anything up."""


class Refused(Exception):
    """The channel did not take the message; both texts are safe to show once secrets are taken out."""

    def __init__(self, message: str, *, ja: str) -> None:
        super().__init__(message)
        self.ja = ja


@dataclass(frozen=True, slots=True)
class Post:
    """One request. `secrets`: texts that must never be shown."""

    url: str
    secrets: tuple[str, ...]
    json: Mapping[str, object] | None = None
    form: Mapping[str, str] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


def post(request: Post, timeout_s: tuple[float, float] = TIMEOUT_S) -> None:
    """Send it. Raises Refused on any answer but 2xx, requests.RequestException where there is none."""
    answer = requests.post(
        request.url,
        json=request.json,
        data=request.form,
        headers=dict(request.headers),
        timeout=timeout_s,
        allow_redirects=False,
    )
    if not 200 <= answer.status_code < 300:
        what = f"HTTP {answer.status_code}: {answer.text[:200].strip()}"
        raise Refused(what, ja=f"断られました（{what}）")


def address(secret_url: str, endpoint: str) -> str:
    """The secret address, or the same path at another service (`endpoint`), or the endpoint alone."""
    if not endpoint:
        return secret_url
    path = urlsplit(secret_url).path if secret_url else ""
    return endpoint.rstrip("/") + path
