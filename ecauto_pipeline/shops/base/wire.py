"""One exchange with BASE: reserve, send, judge the answer, write it down. Nothing is repeated here.

GETs carry no body and no Content-Type (BASE refuses them), POSTs are form-encoded. Redirects are not followed. A write
whose answer never came, or is none, ends as OutcomeUnknown; Transport only where surely nothing of it had left.
Not for: tokens (oauth.py), repetition (client.py), what a refusal means (refusals.py).
Source: which error means what: requests 2.34 adapters.py, urllib3 2.8 connectionpool.py and connection.py.
"""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    MaxRetryError,
    NewConnectionError,
    ProxyError,
    SSLError,
)

from ecauto_pipeline.clock import Clock
from ecauto_pipeline.domain.selling.call_shares import CallKind
from ecauto_pipeline.errors import BudgetSpent, CallError, OutcomeUnknown, Stopped, Throttled, TokenRefused, Transport
from ecauto_pipeline.shops.base.ports import Budget, Ledger
from ecauto_pipeline.shops.base.refusals import refusal, token_refusal, window_over

CONNECT_TIMEOUT_S = 10.0
_SECRET_FIELDS = ("code", "refresh_token", "client_secret")
_NO_TUNNEL = "Tunnel connection failed"  # http.client: the proxy did not open the way
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}


@dataclass(frozen=True, slots=True)
class Request:
    """One call. `rows`: items it is about, for the records; `writes`: its outcome matters even without an answer."""

    operation: str
    method: Literal["GET", "POST"]
    path: str
    kind: CallKind
    values: Mapping[str, str | int]
    writes: bool = False
    rows: int | None = None


class BaseWire:
    """The line to BASE for one shop. One thread at a time uses it."""

    def __init__(
        self,
        account_id: str,
        endpoint: str,
        clock: Clock,
        budget: Budget,
        ledger: Ledger,
        *,
        timeout_s: float = 30.0,
        stop: threading.Event | None = None,
        may_send: Callable[[], None] = lambda: None,
    ) -> None:
        """`may_send` is called right before a call leaves, and raises where it must not."""
        self.account_id = account_id
        self.endpoint = endpoint.rstrip("/")
        self._clock, self._budget, self._ledger = clock, budget, ledger
        self._timeout = (min(CONNECT_TIMEOUT_S, timeout_s), timeout_s)
        self._stop, self._may_send = stop, may_send
        self._session = requests.Session()
        self._session.headers["Accept"] = "application/json"
        self._session.headers["User-Agent"] = "ecauto-pipeline"
        # The environment's proxies are honoured, but never on the way to this machine itself.
        self._session.trust_env = urlsplit(self.endpoint).hostname not in _LOOPBACK

    def close(self) -> None:
        self._session.close()

    def wait(self, seconds: float) -> None:
        """Raises Stopped when somebody asked us to end."""
        if seconds > 0 and self._clock.sleep(seconds, self._stop):
            raise Stopped("asked to end")

    @contextmanager
    def series(self, kinds: Sequence[CallKind]) -> Iterator[None]:
        """Calls of these kinds follow within it, or some of them: counted together, written down together."""
        with self._budget.ahead(kinds), self._ledger.held():
            yield

    def exchange(self, request: Request, access_token: str | None = None) -> dict[str, Any]:
        """The answer's JSON object. Raises the CallError family; `access_token` None for token calls."""
        self.wait(self._budget.reserve(request.kind))
        self._may_send()
        started_at, started = self._clock.now(), self._clock.monotonic()
        status: list[int] = []
        error: CallError | None = None
        rows = request.rows
        try:
            response = self._send(request, access_token)
            status.append(response.status_code)
            document = self._judge(request, response, access_token)
            rows = _rows(document) if rows is None else rows
            return document
        except BudgetSpent as over:
            span: Literal["hour", "day"] = "day" if over.reason == "day_api_limit" else "hour"
            over.until = self._budget.exhausted(span, started_at)
            error = over
            raise
        except CallError as failure:
            error = failure
            raise
        finally:
            self._ledger.record(
                api="base",
                operation=request.operation,
                account=self.account_id,
                started_at=started_at,
                duration_ms=round((self._clock.monotonic() - started) * 1000),
                items=rows,
                http_status=status[0] if status else None,
                outcome=_outcome(error),
                error=error.reason if error else "",
            )

    def _send(self, request: Request, access_token: str | None) -> requests.Response:
        values = dict(request.values) or None
        posted = request.method == "POST"
        try:
            return self._session.request(
                request.method,
                self.endpoint + request.path,
                params=None if posted else values,
                data=values if posted else None,
                auth=_bearer(access_token),
                timeout=self._timeout,
                allow_redirects=False,
            )
        except (requests.RequestException, HTTPError, OSError, ValueError) as failure:  # ValueError: odd redirects
            raise _no_answer(request, failure) from None

    def _judge(self, request: Request, response: requests.Response, access_token: str | None) -> dict[str, Any]:
        status = response.status_code
        document = _object(response.content)
        if document is not None and isinstance(document.get("error"), str):
            error, description = document["error"], str(document.get("error_description") or "")
            description = _scrubbed(description, request, access_token)
            if window_over(error):
                raise BudgetSpent(error, self._clock.now(), error, http_status=status)
            if status < 500:
                judged = (
                    token_refusal(error, description, status)
                    if request.kind == "token"
                    else refusal(request.operation, error, description, status)
                )
                raise judged
        if document is not None and status == 200 and "error" not in document:
            return document
        if status == 429:
            raise Throttled("http_429", http_status=status)
        content = response.headers.get("content-type", "").partition(";")[0]
        reason = "shapeless" if status == 200 else f"http_{status}"
        text = f"HTTP {status}, {content or 'no content type'}, {len(response.content)} bytes"
        raise (OutcomeUnknown if request.writes else Transport)(reason, text, http_status=status)


def _bearer(access_token: str | None) -> Callable[[requests.PreparedRequest], requests.PreparedRequest]:
    def sign(prepared: requests.PreparedRequest) -> requests.PreparedRequest:
        if access_token is not None:
            prepared.headers["Authorization"] = f"Bearer {access_token}"
        return prepared

    return sign  # also keeps a .netrc of the machine out of it


def _no_answer(request: Request, failure: Exception) -> CallError:
    """Its text names the kind of failure only: a request's own text may hold a secret."""
    if _never_left(failure):
        return Transport("connect", f"no connection ({type(failure).__name__})")
    reason = "timeout" if isinstance(failure, requests.Timeout) or "timed out" in str(failure).lower() else "reset"
    return (OutcomeUnknown if request.writes else Transport)(reason, f"no answer ({type(failure).__name__})")


def _never_left(failure: Exception) -> bool:
    """Whether surely nothing of the request was written; False where it may have been.

    The kind alone does not tell: SSLError is a failed handshake and an answer that broke on the way, and ProxyError is
    also what becomes of an answer that broke behind a proxy. What they hold tells, where it can only come before.
    """
    if isinstance(failure, (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema)):
        return True
    tried = failure.args[0] if failure.args else None
    met: object = tried.reason if isinstance(tried, MaxRetryError) else None
    if isinstance(met, ProxyError):
        met = met.original_error
    if isinstance(met, SSLError):
        met = met.args[0] if met.args else None
    if isinstance(met, (NewConnectionError, ConnectTimeoutError, ssl.SSLCertVerificationError)):
        return True
    return isinstance(met, OSError) and str(met).startswith(_NO_TUNNEL)


def _object(content: bytes) -> dict[str, Any] | None:
    try:
        document = json.loads(content.decode("utf-8"))
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def _scrubbed(text: str, request: Request, access_token: str | None) -> str:
    """BASE's words without any secret of ours, should it ever quote one."""
    hidden = [access_token or "", *(str(request.values.get(name, "")) for name in _SECRET_FIELDS)]
    for secret in filter(None, hidden):
        text = text.replace(secret, "***")
    return text


def _rows(document: Mapping[str, Any]) -> int | None:
    for name in ("items", "orders"):
        if isinstance(document.get(name), list):
            return len(document[name])
    return None


def _outcome(error: CallError | None) -> str:
    if error is None:
        return "ok"
    if isinstance(error, OutcomeUnknown):
        return "unknown"
    return "failed" if isinstance(error, (Transport, Throttled, TokenRefused)) else "refused"
