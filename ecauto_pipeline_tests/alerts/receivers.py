"""Real servers on loopback that take what channels send: one for HTTP, one for SMTP."""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs


@dataclass
class Received:
    path: str
    headers: dict[str, str]
    body: str

    @property
    def json(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self.body)
        return document

    @property
    def form(self) -> dict[str, str]:
        return {key: values[0] for key, values in parse_qs(self.body).items()}


@dataclass
class HttpReceiver:
    url: str = ""
    status: int = 200
    answer: str = "ok"
    received: list[Received] = field(default_factory=list)


@contextmanager
def http_receiver() -> Iterator[HttpReceiver]:
    """Takes any POST or GET, keeps it, answers with `status` and `answer`."""
    receiver = HttpReceiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode("utf-8")
            receiver.received.append(Received(self.path, dict(self.headers), body))
            answer = receiver.answer.encode("utf-8")
            self.send_response(receiver.status)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        do_GET = do_POST

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver.url = f"http://127.0.0.1:{server.server_address[1]}"
    yield from _serving(server, receiver)


@dataclass
class SmtpReceiver:
    url: str = ""
    login: str = ""
    mails: list[EmailMessage] = field(default_factory=list)


@contextmanager
def smtp_receiver() -> Iterator[SmtpReceiver]:
    """Speaks enough SMTP to take a mail, with or without AUTH PLAIN."""
    receiver = SmtpReceiver()

    class Handler(socketserver.StreamRequestHandler):
        disable_nagle_algorithm = True  # several lines of one answer; each but the first would wait for 40 ms

        def say(self, text: str) -> None:
            self.wfile.write(f"{text}\r\n".encode())

        def handle(self) -> None:
            self.say("220 loopback")
            while line := self.rfile.readline().decode().strip():
                verb = line[:4].upper()
                if verb == "EHLO":
                    self.say("250-loopback")
                    self.say("250-8BITMIME")
                    self.say("250 AUTH PLAIN")
                elif verb == "AUTH":
                    receiver.login = line.split()[-1]
                    self.say("235 welcome")
                elif verb == "DATA":
                    self.say("354 go on")
                    lines = []
                    while (part := self.rfile.readline()) not in (b".\r\n", b""):
                        lines.append(part)
                    receiver.mails.append(message_from_bytes(b"".join(lines), policy=policy.default))
                    self.say("250 taken")
                elif verb == "QUIT":
                    self.say("221 bye")
                    return
                else:
                    self.say("250 fine")

    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    receiver.url = f"smtp://127.0.0.1:{server.server_address[1]}"
    yield from _serving(server, receiver)


def _serving(server: socketserver.BaseServer, receiver: object) -> Iterator[Any]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
