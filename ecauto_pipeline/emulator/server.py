"""The emulator as a real HTTP server on loopback: uvicorn in a thread, answers delivered whole or broken.

For: `with EmulatorServer(...) as emulator` in tests, and the program in __main__.py. Not for: what is answered.
Broken deliveries need the connection itself, so the protocol class keeps a list of who is connected.
"""

from __future__ import annotations

import asyncio
import logging
import re
import socket
import struct
import threading
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from ecauto_pipeline.clock import Clock, SystemClock
from ecauto_pipeline.emulator.control import Control
from ecauto_pipeline.emulator.control_http import routes
from ecauto_pipeline.emulator.messages import Answer, Call
from ecauto_pipeline.emulator.state import Emulation

_STARTUP_S = 120.0
_LOOK_EVERY_S = 0.01


class _EndsAtOnce(uvicorn.Server):
    """uvicorn looks ten times a second whether it is to end, and then waits a tenth of a second for its clients."""

    _loop: asyncio.AbstractEventLoop | None = None

    def end(self) -> None:
        """From any thread; again and again, if need be."""
        self.should_exit = self.force_exit = True
        if self._loop is not None:
            with suppress(RuntimeError):  # it has ended
                self._loop.call_soon_threadsafe(self._asked.set)

    async def main_loop(self) -> None:
        self._asked, self._loop = asyncio.Event(), asyncio.get_running_loop()
        tick = 0
        while not await self.on_tick(tick):
            tick = (tick + 1) % 10  # of a second: the date of the answers is set at the first
            with suppress(TimeoutError):
                async with asyncio.timeout(0.1):
                    await self._asked.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        for one in sockets or []:
            one.close()
        for connection in list(self.server_state.connections):
            if connection.transport is not None:
                connection.transport.close()
        await asyncio.sleep(0)  # what was answered goes out


class EmulatorServer:
    """A running emulator: `url` for clients, `control` for the one who tests. Ends with the `with` block."""

    def __init__(
        self,
        clock: Clock | None = None,
        seed: int | None = None,
        listings: int | None = None,
        accounts: int | None = None,
        speed: float | None = None,
        data: Path | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        self._emulation = Emulation(clock or SystemClock(), seed, listings, accounts, speed, data)
        self.control = Control(self._emulation)
        self.last_request_s = time.monotonic()
        self._socket = socket.create_server((host, port))
        self.host, self.port = self._socket.getsockname()[:2]
        self.url = f"http://{self.host}:{self.port}"
        self._server = self._make_server()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> EmulatorServer:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Listen. Returns when calls are answered. Raises RuntimeError when that does not happen in two minutes."""
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._socket]}, name="emulator", daemon=True
        )
        self._thread.start()
        deadline = time.monotonic() + _STARTUP_S
        while not self._server.started:
            if time.monotonic() > deadline or not self._thread.is_alive():
                raise RuntimeError("the emulator did not start")
            time.sleep(0.002)

    def stop(self) -> None:
        """End at once, whatever hangs."""
        self._server.end()
        if self._thread is not None:
            self._thread.join(timeout=5)
        self._socket.close()
        self._emulation.close()

    def _make_server(self) -> _EndsAtOnce:
        connections: dict[Any, asyncio.Transport] = {}

        class Protocol(HttpToolsProtocol):  # in C: of a call's time half went into reading it in Python
            def connection_made(self, transport: Any) -> None:
                super().connection_made(transport)
                # asyncio does this only for sockets made with an explicit protocol; without it answers wait 40 ms
                transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                connections[transport.get_extra_info("peername")] = transport

            def connection_lost(self, exc: Exception | None) -> None:
                connections.pop(self.transport.get_extra_info("peername"), None)
                super().connection_lost(exc)

        apis = _Apis(self, connections)
        steering = Starlette(routes=[*routes(self.control), Route("/{path:path}", apis)])

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            """What is called most is not compared with every route of the control plane first."""
            await (steering if scope["path"].startswith("/emulator") else apis)(scope, receive, send)

        config = uvicorn.Config(
            _NoBrowser(app),
            http=Protocol,
            ws="none",
            loop="asyncio",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=75,
        )
        logging.getLogger("uvicorn").setLevel(logging.WARNING)
        return _EndsAtOnce(config)

    def handle(self, call: Call) -> Answer:
        """Answer one call of an emulated API."""
        self.last_request_s = time.monotonic()
        return self._emulation.handle(call)


_LOOPBACK = re.compile(r"(127\.0\.0\.1|localhost|\[::1\])(:[0-9]+)?", re.I)


class _NoBrowser:
    """Nobody but programs of this machine: a page in a browser, which may reach loopback, has nothing to say here."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = {name.lower(): value.decode("latin-1") for name, value in scope.get("headers", ())}
        if b"origin" in headers or not _LOOPBACK.fullmatch(headers.get(b"host", "")):
            refusal = PlainTextResponse("This emulator answers programs that call it by its loopback address.\n", 403)
            return await refusal(scope, receive, send)
        await self._app(scope, receive, send)


class _Apis:
    """Everything that is not the control plane: LWA, SP-API, BASE."""

    def __init__(self, server: EmulatorServer, connections: dict[Any, asyncio.Transport]) -> None:
        self._server, self._connections = server, connections

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        call = Call(
            method=scope["method"],
            path=scope["path"],
            query=scope["query_string"].decode("latin-1"),
            headers={name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]},
            body=await _read(receive),
        )
        answer = self._server.handle(call)
        transport = self._connections.get(tuple(scope["client"]))
        if transport is None:  # whoever asked was killed meanwhile
            return None
        if answer.delivery == "reset":
            return _reset(transport)
        if answer.delivery == "hang":
            await _until_gone(receive, answer.delay_s)
            return _reset(transport)
        if answer.held_by is not None:
            await self._until_removed(answer.held_by, answer.delay_s)
        elif answer.delay_s and answer.delivery == "whole":
            await asyncio.sleep(answer.delay_s)
        headers = {**answer.headers, "content-length": str(len(answer.body))}
        await send(
            {
                "type": "http.response.start",
                "status": answer.status,
                "headers": [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()],
            }
        )
        if answer.delivery == "whole":
            await send({"type": "http.response.body", "body": answer.body})
            return None
        half = answer.body[: len(answer.body) // 2]
        await send({"type": "http.response.body", "body": half, "more_body": True})
        if answer.delivery == "hang_in_body":
            await _until_gone(receive, answer.delay_s)
        transport.close()
        return None

    async def _until_removed(self, fault_id: int, seconds: float) -> None:
        """Wait until the script holds this fault no more, at most `seconds` of real time."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while any(fault["id"] == fault_id for fault in self._server.control.faults()):
                    await asyncio.sleep(_LOOK_EVERY_S)


async def _read(receive: Receive) -> bytes:
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body", False):
            return bytes(body)


async def _until_gone(receive: Receive, seconds: float) -> None:
    """Wait until the client gives up, at most `seconds` of real time."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while (await receive())["type"] != "http.disconnect":
                pass


def _reset(transport: asyncio.Transport) -> None:
    """Drop the connection so that the client sees a reset, not an orderly end."""
    connection = transport.get_extra_info("socket")
    with suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
