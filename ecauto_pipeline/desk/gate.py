"""The door of the desk: whose browser may ask, and what a browser may do with the answer.

A page on loopback is within reach of every site that is open in the same browser. So a request has to name the desk
itself (Host: no foreign name that resolves to this machine), and what changes something or opens a socket has to come
from a page of the desk (Origin). Answers forbid foreign content and foreign frames.
Not for: passwords and sessions (sessions.py) or pages (pages/).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
_SAFE = frozenset({"GET", "HEAD"})
HEADERS: Mapping[str, str] = {
    # NiceGUI compiles its templates in the browser and starts from a script in the page itself
    "Content-Security-Policy": "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; "
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
MOST_BODY_BYTES = 32 * 1024 * 1024
"""No upload is larger: 100,000 rules are 12 MB."""
MOST_MESSAGE_BYTES = 256 * 1024
"""No message of a page's socket is larger: files go by HTTP, and the longest text that one types is a search."""
TOO_BIG = 1009
"""With this a socket is closed: RFC 6455, 7.4.1."""


def hosts_of(host: str, port: int, url: str) -> frozenset[str]:
    """What the Host header may say: the address that is listened on, and the one that people are given."""
    own = LOOPBACK if host in (*LOOPBACK, "::1") else (host, *LOOPBACK)
    names = {f"{one}:{port}" for one in own}
    if url:
        names.add(urlsplit(url).netloc.lower())
    return frozenset(names)


class Gate:
    """Stands before the whole application, its sockets included."""

    def __init__(self, app: ASGIApp, hosts: Iterable[str]) -> None:
        self._app, self._hosts = app, frozenset(hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        refusal = self._refusal(scope, headers)
        if refusal:
            await _refuse(scope, receive, send, refusal)
            return
        # proxies speak for nobody here: a forwarded prefix would be printed into the page
        scope["headers"] = [(name, value) for name, value in scope["headers"] if not name.startswith(b"x-forwarded-")]

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    given[name] = value
                if "cache-control" not in given:
                    given["Cache-Control"] = "no-store"
            await send(message)

        await self._app(scope, _limited(receive, send) if scope["type"] == "websocket" else receive, answer)

    def _refusal(self, scope: Scope, headers: Headers) -> str:
        if headers.get("host", "").lower() not in self._hosts:
            return "this address is not the desk's"
        if scope["type"] == "websocket" or scope.get("method") not in _SAFE:
            origin = headers.get("origin", "")
            if _host(origin) not in self._hosts:
                return "only pages of the desk may ask this"
        elif headers.get("sec-fetch-site", "none") not in ("none", "same-origin") and (
            headers.get("sec-fetch-mode") != "navigate"
        ):
            return "only pages of the desk may ask this"  # a picture or script that a foreign page embeds
        if "transport=polling" in scope.get("query_string", b"").decode("latin-1"):
            return "sockets only"
        length = headers.get("content-length", "0")
        if "transfer-encoding" in headers or not (length.isascii() and length.isdigit()):
            return "say how long it is"  # browsers do; what comes without an end would be kept in memory
        if int(length[:20]) > MOST_BODY_BYTES:
            return "too large"
        return ""


def _limited(receive: Receive, send: Send) -> Receive:
    """What a browser says over its socket, until it says too much at once: then that socket is closed, and whoever
    listens hears that the browser has gone. Other sockets know nothing of it."""

    async def message() -> Message:
        said = await receive()
        if said["type"] == "websocket.receive" and _size_of(said) > MOST_MESSAGE_BYTES:
            await send({"type": "websocket.close", "code": TOO_BIG, "reason": "too large"})
            return {"type": "websocket.disconnect", "code": TOO_BIG}
        return said

    return message


def _size_of(message: Message) -> int:
    text, content = message.get("text"), message.get("bytes")
    if text is not None:
        return len(text) if len(text) > MOST_MESSAGE_BYTES else len(text.encode("utf-8", "surrogatepass"))
    return len(content or b"")


def _host(origin: str) -> str:
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:  # a bracket without its other half
        return ""


async def _refuse(scope: Scope, receive: Receive, send: Send, why: str) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1008, "reason": why})
        return
    await PlainTextResponse(why, 403, headers=dict(HEADERS))(scope, receive, send)
