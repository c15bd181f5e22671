"""The person's part of authorising a shop: the address to open, the code that comes back, the tokens for it.

For `ecauto auth base ACCOUNT` and for wiring an emulated shop. Not for: keeping tokens alive (shops/base/oauth.py).
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, urlsplit

from ecauto_pipeline.clock import Clock
from ecauto_pipeline.errors import AccountBlocked, SettingsError
from ecauto_pipeline.shops.base import PLATFORM
from ecauto_pipeline.shops.base.limits import SCOPES
from ecauto_pipeline.shops.base.oauth import TokenKeeper
from ecauto_pipeline.shops.base.oauth import authorization_url as url_of
from ecauto_pipeline.state import shop_accounts
from ecauto_pipeline.state.database import Database

_LOOPBACK = {"127.0.0.1", "localhost", "::1"}
_DONE = "認可コードを受け取りました。この画面は閉じてかまいません。 / The code has arrived; you may close this page."
_REFUSED = "認可されませんでした。 / Not authorised."


@dataclass(frozen=True, slots=True)
class Invitation:
    """What the shop's owner opens, and what must come back with the code."""

    url: str
    state: str = field(repr=False)


def authorization_url(endpoint: str, keeper: TokenKeeper, scope: str = " ".join(SCOPES)) -> Invitation:
    """The address at which the shop's owner says yes, with a fresh `state`."""
    application, state = keeper.application, secrets.token_urlsafe(24)
    url = url_of(endpoint, application.client_id, application.redirect_uri, state, scope)
    return Invitation(url, state)


def can_listen(redirect_uri: str) -> bool:
    """Whether the browser's way back leads to this machine, with a port of its own."""
    parts = urlsplit(redirect_uri)
    return parts.scheme == "http" and parts.hostname in _LOOPBACK and parts.port is not None


def listen_for_code(redirect_uri: str, state: str, clock: Clock, timeout_s: float = 300.0) -> str:
    """Wait on the redirect address for the browser; the code it brings.

    Raises SettingsError (not an address of this machine, port in use, nobody came), AccountBlocked (the owner said no).
    A visit without our `state` is turned away and waited on.
    """
    if not can_listen(redirect_uri):
        raise SettingsError(
            "redirect_uri is no http://127.0.0.1:PORT address; paste the code instead",
            ja="redirect_uri が http://127.0.0.1:ポート の形ではありません。コードを貼り付けてください",
        )
    parts = urlsplit(redirect_uri)
    inbox = _Inbox(parts.path or "/", state)
    try:
        server = HTTPServer((parts.hostname or "127.0.0.1", parts.port or 0), inbox.handler())
    except OSError as error:
        raise SettingsError(
            f"port {parts.port} of the redirect_uri can't be used ({error.strerror})",
            ja=f"redirect_uri のポート {parts.port} が使えません。ほかのプログラムが使っていませんか",
        ) from None
    deadline = clock.monotonic() + timeout_s
    with server:
        server.timeout = 0.2
        while not (inbox.code or inbox.refusal):
            if clock.monotonic() >= deadline:
                raise SettingsError(
                    f"nobody came to the redirect_uri within {timeout_s:.0f} s",
                    ja=f"{timeout_s:.0f}秒以内に認可の返事がありませんでした。もう一度始めてください",
                )
            server.handle_request()
    if inbox.refusal:
        raise AccountBlocked("access_denied", f"the shop's owner did not agree ({inbox.refusal})")
    return inbox.code


def code_from(text: str, state: str = "") -> str:
    """The code out of what a person pastes: the code itself, or the whole address the browser ended at.

    Raises SettingsError when there is none, or when the address carries another `state` than ours.
    """
    text = text.strip()
    if "?" not in text and "=" not in text:
        if text:
            return text
        raise SettingsError("no code given", ja="コードがありません")
    query = parse_qs(urlsplit(text).query or text)
    if state and query.get("state", [state]) != [state]:
        raise SettingsError(
            "this address belongs to another authorisation; start again",
            ja="別の認可のアドレスです。もう一度始めてください",
        )
    if not query.get("code"):
        raise SettingsError(
            f"no code in that address ({', '.join(query.get('error', ['no error either']))})",
            ja="そのアドレスにコードがありません。許可のあとに開いたページのアドレスを貼り付けてください",
        )
    return query["code"][0]


def exchange_code(keeper: TokenKeeper, code: str, account_id: str, database: Database) -> datetime | None:
    """Trade the code for tokens, keep them, close the shop's breaker. Returns when the refresh token dies.

    Raises AccountBlocked (BASE refuses the code), Transport, BudgetSpent.
    """
    tokens = keeper.exchange(code)
    with database.write() as connection:
        before = shop_accounts.load_account(connection, PLATFORM, account_id)
        shop_accounts.record_refresh_expiry(connection, PLATFORM, account_id, tokens.refresh_expires_at)
        if before.breaker == "token":
            shop_accounts.close_breaker(connection, PLATFORM, account_id)
    return tokens.refresh_expires_at


class _Inbox:
    """What the browser brought."""

    def __init__(self, path: str, state: str) -> None:
        self.path, self.state = path, state
        self.code = self.refusal = ""

    def handler(self) -> type[BaseHTTPRequestHandler]:
        inbox = self

        class Visit(BaseHTTPRequestHandler):
            timeout = 5

            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                query = parse_qs(parts.query)
                if parts.path != inbox.path or not secrets.compare_digest(
                    query.get("state", [""])[0].encode(), inbox.state.encode()
                ):
                    return self._say(404, "?")
                inbox.code = query.get("code", [""])[0]
                inbox.refusal = "" if inbox.code else query.get("error", ["no code"])[0][:50]
                return self._say(200, _DONE if inbox.code else _REFUSED)

            def _say(self, status: int, text: str) -> None:
                body = f"<!doctype html><meta charset=utf-8><p>{text}</p>".encode()
                self.send_response(status)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                """The visit's address holds the code: it is written nowhere."""

        return Visit
