"""Asks for the password before anything of the desk is given away, its sockets included.

A form of plain HTML, for nothing of the pages is to be loaded by whoever is not in. A socket is cut when the session
it came with is over.
Not for: what a session is (sessions.py), or hosts and origins (gate.py, which stands before this).
"""

from __future__ import annotations

import asyncio
import logging
from html import escape
from urllib.parse import quote, urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection, Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ecauto_pipeline.desk.metrics_answer import has_token
from ecauto_pipeline.desk.sessions import LIFE_S, Sessions

COOKIE = "ecauto_desk"
OPEN = frozenset({"/desk.css", "/favicon.ico"})
"""What everybody may have: it says nothing of the shop."""
MOST_FORM_BYTES = 4096
_LOG = logging.getLogger("ecauto_pipeline")
_ATTEMPTS_AT_ONCE = 2

_FORM = """<!doctype html><html lang="{lang}"><head><meta charset="utf-8"><title>ecauto</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">
<link rel="stylesheet" href="/desk.css"></head><body class="desk-login"><main><h1>ecauto</h1>
<form method="post" action="/login?next={next}"><label for="password">{label}</label>
<input id="password" name="password" type="password" autocomplete="current-password" required autofocus>
<p role="alert">{said}</p><button type="submit">{button}</button></form></main></body></html>"""


class Login:
    """Stands between the gate and the pages."""

    def __init__(self, app: ASGIApp, sessions: Sessions, language: str, secure: bool, metrics_token: str = "") -> None:
        """`secure`: people come by https, so the cookie travels by https alone. `metrics_token`: of Prometheus."""
        self._metrics_token = metrics_token
        self._app, self._sessions, self._secure = app, sessions, secure
        self._english = language == "en"
        self._trying = asyncio.Semaphore(_ATTEMPTS_AT_ONCE)  # a scrypt takes 16 MB

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket") or not self._sessions.password_asked:
            await self._app(scope, receive, send)
            return
        cookie = HTTPConnection(scope).cookies.get(COOKIE, "")
        path = scope["path"]
        if scope["type"] == "websocket":
            await self._socket(cookie, scope, receive, send)
        elif path == "/login":
            await (await self._login(Request(scope, receive)))(scope, receive, send)
        elif path in OPEN or has_token(scope, self._metrics_token):
            await self._app(scope, receive, send)
        elif not self._sessions.is_in(cookie):
            await self._outside(scope)(scope, receive, send)
        elif path == "/logout" and scope["method"] == "POST":
            self._sessions.leave(cookie)
            gone = RedirectResponse("/login", 303)
            gone.delete_cookie(COOKIE)
            await gone(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _socket(self, cookie: str, scope: Scope, receive: Receive, send: Send) -> None:
        if not self._sessions.is_in(cookie):
            await receive()
            await send({"type": "websocket.close", "code": 1008, "reason": "no session"})
            return

        async def heard() -> Message:
            message = await receive()
            over = message["type"] == "websocket.receive" and not self._sessions.is_in(cookie)
            return {"type": "websocket.disconnect", "code": 1008} if over else message

        await self._app(scope, heard, send)

    def _outside(self, scope: Scope) -> Response:
        wants_page = scope["method"] == "GET" and "text/html" in HTTPConnection(scope).headers.get("accept", "")
        if not wants_page:
            return PlainTextResponse("log in first", 401)
        asked = scope["path"] + (f"?{scope['query_string'].decode('latin-1')}" if scope["query_string"] else "")
        return RedirectResponse(f"/login?next={quote(asked)}", 303)

    async def _login(self, request: Request) -> Response:
        onward = _own_path(request.query_params.get("next", "/"))
        if request.method != "POST":
            return self._form(onward, "", 200)
        if int(request.headers.get("content-length") or 0) > MOST_FORM_BYTES:
            return PlainTextResponse("too large", 413)
        address = request.client.host if request.client else ""
        form = await request.form(max_files=0, max_fields=4)
        wait = self._sessions.wait_s(address)
        if wait > 0:
            late = (f"too many tries; wait {wait:.0f} s", f"回数が多すぎます。{wait:.0f}秒待ってください")
            return self._form(onward, late[not self._english], 429)
        async with self._trying:
            cookie = await run_in_threadpool(self._sessions.enter, str(form.get("password", "")), address)
        if cookie is None:
            _LOG.warning("desk: a wrong password from %s", address)
            return self._form(onward, "wrong password" if self._english else "パスワードが違います", 403)
        _LOG.info("desk: somebody at %s logged in", address)
        entered = RedirectResponse(onward, 303)
        entered.set_cookie(COOKIE, cookie, max_age=LIFE_S, httponly=True, samesite="lax", secure=self._secure)
        return entered

    def _form(self, onward: str, said: str, code: int) -> Response:
        words = ("Password", "Log in") if self._english else ("パスワード", "ログイン")
        text = _FORM.format(
            lang="en" if self._english else "ja", next=quote(onward), label=words[0], button=words[1], said=escape(said)
        )
        return HTMLResponse(text, code)


def _own_path(asked: str) -> str:
    """An address of the desk itself, never one elsewhere."""
    try:
        parts = urlsplit(asked)
    except ValueError:  # a bracket without its other half
        return "/"
    local = asked.startswith("/") and not asked.startswith(("//", "/\\")) and not parts.netloc and not parts.scheme
    return asked if local and asked.isprintable() and "\\" not in asked else "/"
