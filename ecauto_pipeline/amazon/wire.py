"""The line under the library: one HTTP exchange, its true outcome known before the library sees anything.

The library takes a 429 without errors, an HTML 502, torn JSON, a redirect, `[]` or `null` for an empty success and
forgets the status code; here each becomes an error with its own word. Only a 2xx JSON object passes.
Not for: tokens, retries, or what a good body means.
"""

from __future__ import annotations

import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

import httpx

from ecauto_pipeline.amazon.answers import first_error, snake
from ecauto_pipeline.errors import CallError, Throttled, TokenRefused, Transport

SSL_CONTEXT = ssl.create_default_context()  # made once: a fresh one costs 40 ms
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}
_KEEP_ALIVE_S = 60.0


@dataclass(frozen=True, slots=True)
class Exchange:
    """What came back over HTTP. `rate_per_s`: the rate it advertised; `*_s`: when (monotonic)."""

    http_status: int | None = None
    request_id: str = ""
    rate_per_s: float | None = None
    errors: object = None
    sent_s: float = 0.0
    received_s: float = 0.0


class Parsed:
    """A good answer as the library wants to see one: status, headers, JSON (read once)."""

    __slots__ = ("_document", "headers", "status_code")

    def __init__(self, status_code: int, headers: httpx.Headers, document: dict[str, Any]) -> None:
        self.status_code, self.headers, self._document = status_code, headers, document

    def json(self) -> dict[str, Any]:
        return self._document


class Wire:
    """One pool of connections. `lwa`: answers of Login with Amazon pass with any status, as long as they are JSON.

    Safe to share between threads; `last` is each thread's own.
    """

    def __init__(self, endpoint: str, timeout_s: float, monotonic: Callable[[], float], *, lwa: bool = False) -> None:
        self._lwa, self._monotonic = lwa, monotonic
        self._here = threading.local()
        self._client = httpx.Client(
            timeout=timeout_s,
            verify=SSL_CONTEXT,
            follow_redirects=False,
            trust_env=urlsplit(endpoint).hostname not in _LOOPBACK,
            limits=httpx.Limits(keepalive_expiry=_KEEP_ALIVE_S),
        )

    def __repr__(self) -> str:
        return f"Wire(lwa={self._lwa})"

    @property
    def last(self) -> Exchange:
        """The exchange this thread had last; empty when no answer came."""
        return getattr(self._here, "last", Exchange())

    def forget(self) -> None:
        """Clear `last` before something that may never reach the line."""
        self._here.last = Exchange()

    def close(self) -> None:
        self._client.close()

    def request(
        self,
        method: str,
        url: str,
        *,
        params: Any = None,
        data: Any = None,
        content: Any = None,
        headers: Any = None,
    ) -> Parsed:
        """Send and judge. Raises the CallError family. The library's own Host header is dropped: it assumes https."""
        self._here.last = Exchange()
        sent = {name: value for name, value in dict(headers or {}).items() if name.lower() != "host"}
        sent_s = self._monotonic()
        try:
            response = self._client.request(
                method, url, params=params, data=data, content=content, headers=sent, follow_redirects=False
            )
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError, ValueError) as failure:
            # `from None`: the exception's request holds the access token
            raise Transport(self._word(_why(failure))) from None
        seen = Exchange(
            response.status_code,
            _plain(response.headers.get("x-amzn-RequestId")),
            _rate(response.headers.get("x-amzn-RateLimit-Limit")),
            sent_s=sent_s,
            received_s=self._monotonic(),
        )
        self._here.last = seen
        document = self._judged(response, seen)
        return Parsed(response.status_code, response.headers, document)

    def _judged(self, response: httpx.Response, seen: Exchange) -> dict[str, Any]:
        status, (document, trouble) = response.status_code, _json(response.content)
        if self._lwa:
            return self._lwa_answer(document, trouble, seen)
        if status == 429:
            raise _failure(Throttled, "quota_exceeded", seen)
        if 300 <= status < 400 or status < 200:
            raise _failure(Transport, "redirect" if status >= 300 else f"http_{status}", seen)
        errors = document.get("errors") if isinstance(document, dict) else None
        if status >= 400:
            code = snake(first_error(errors)[0])
            self._here.last = replace(seen, errors=errors)
            if status in (401, 403):
                raise _failure(TokenRefused, _denied(status, errors), seen)
            if trouble == "html":
                raise _failure(Transport, f"http_{status}_html", seen)
            reason = f"http_{status}_{code}" if code else f"http_{status}"
            raise _failure(Transport if status >= 500 or not errors else CallError, reason, seen)
        if isinstance(document, dict) and not trouble:
            if errors:
                raise _failure(Transport, "errors_in_answer", seen)
            return document or _raise(_failure(Transport, "empty_answer", seen))
        word = {"": "wrong_shape", "html": "html_answer", "empty": "empty_answer"}.get(trouble, trouble)
        raise _failure(Transport, "empty_answer" if not trouble and not document else word, seen)

    def _lwa_answer(self, document: object, trouble: str, seen: Exchange) -> dict[str, Any]:
        status = seen.http_status or 0
        if isinstance(document, dict) and not trouble:
            if status == 200 and isinstance(document.get("access_token"), str):
                return document
            error = document.get("error")
            if 400 <= status < 500 and status != 429 and isinstance(error, str):
                raise _failure(TokenRefused, f"lwa_{snake(error)}", seen)
        raise _failure(Transport, f"lwa_http_{status}{'_html' if trouble == 'html' else ''}", seen)

    def _word(self, word: str) -> str:
        return f"lwa_{word}" if self._lwa else word


def _raise(error: CallError) -> Any:
    raise error


def _failure(kind: type[CallError], reason: str, seen: Exchange) -> CallError:
    return kind(reason, http_status=seen.http_status, request_id=seen.request_id)


def _json(content: bytes) -> tuple[object, str]:
    """The document, and what is wrong: "" | empty | html | bad_utf8 | truncated_json | wrong_shape."""
    stripped = content.strip()
    if not stripped:
        return None, "empty"
    if stripped.startswith(b"<"):
        return None, "html"
    try:
        return json.loads(stripped.decode("utf-8-sig")), ""
    except UnicodeDecodeError:
        return None, "bad_utf8"
    except json.JSONDecodeError:
        return None, "truncated_json"
    except (ValueError, RecursionError):
        return None, "wrong_shape"


def _denied(status: int, errors: object) -> str:
    """What a 401 or 403 is about. Amazon's code is the same for all of them; message and details tell them apart."""
    code, message = first_error(errors)
    entry = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else {}
    told = f"{message} {entry.get('details') or ''}".lower()
    if "token" in told:
        return "token_expired" if "expired" in told else "unauthorized"
    if status == 403 and "denied" in told:
        return "role_missing"
    return snake(code) or f"http_{status}"


def _why(failure: Exception) -> str:
    """One word for an exchange without an answer, by the kinds of exception alone: httpx wraps what it met."""
    if isinstance(failure, httpx.TimeoutException):
        return "timeout"
    if isinstance(failure, httpx.ProxyError):
        return "proxy_refused"
    met = list(_causes(failure))
    if any(isinstance(one, socket.gaierror) for one in met):
        return "name_not_resolved"
    if any(isinstance(one, ssl.SSLError) for one in met) and isinstance(failure, httpx.ConnectError | ssl.SSLError):
        return "tls_failed"
    if isinstance(failure, httpx.ConnectError):
        return "connection_failed"
    if isinstance(failure, httpx.DecodingError):
        return "bad_encoding"
    if isinstance(failure, httpx.NetworkError | httpx.RemoteProtocolError | OSError):
        return "connection_reset"
    return "bad_request" if isinstance(failure, httpx.InvalidURL | ValueError) else "connection_reset"


def _causes(failure: BaseException | None) -> Iterator[BaseException]:
    """The exception and what brought it about, outermost first."""
    seen: set[int] = set()
    while failure is not None and id(failure) not in seen:
        seen.add(id(failure))
        yield failure
        failure = failure.__cause__ or failure.__context__


def _plain(text: str | None) -> str:
    return text[:128] if text and text.isascii() and text.isprintable() else ""


def _rate(text: str | None) -> float | None:
    try:
        rate = float(text) if text else 0.0
    except ValueError:
        return None
    return rate if 0 < rate < 10_000 else None
