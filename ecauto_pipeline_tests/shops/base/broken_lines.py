"""A stand-in for BASE over TLS, at whose end of the line something goes wrong: for the tests of this folder.

The emulator speaks no TLS. The certificate is made anew by each test run: no private key lies in the repository.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

AFTER_THE_REQUEST = {
    "alert": b"\x15\x03\x03\x00\x02\x02\x50",  # internal_error, below the cipher
    "garble": b"\x17\x03\x03\x00\x40" + b"\x00" * 64,  # a record that somebody on the way has changed
    "end": b"",
}
"""What is sent in place of an answer once the whole request has been read, and acted on."""


@dataclass
class BrokenLine:
    """`breaks`: one of AFTER_THE_REQUEST, `redirect` (to an address that is none), `hello` (no handshake), `tunnel` (a
    proxy that opens none). `requests`: bodies that arrived whole; `connections`: how many stood."""

    url: str
    certificate: Path
    breaks: str
    requests: list[str] = field(default_factory=list)
    connections: int = 0
    over: bool = False

    def serve(self, listener: socket.socket, context: ssl.SSLContext) -> None:
        while True:
            raw, _ = listener.accept()
            with raw, suppress(OSError):
                if self.over:
                    return
                self.connections += 1
                self._serve_one(raw, context)

    def _serve_one(self, raw: socket.socket, context: ssl.SSLContext) -> None:
        raw.settimeout(10)
        if raw.recv(7, socket.MSG_PEEK) == b"CONNECT":
            while not _head_ends(raw):
                pass
            if self.breaks == "tunnel":
                raw.sendall(b"HTTP/1.1 502 Bad Gateway\r\n\r\n")
                return
            raw.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        if self.breaks == "hello":
            raw.recv(65536)
            raw.sendall(b"\x15\x03\x03\x00\x02\x02\x28")  # handshake_failure
            return
        with context.wrap_socket(raw, server_side=True) as line:
            self.requests.append(_body(line))
            if self.breaks == "redirect":
                line.sendall(b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: http://[\r\n\r\n")
                return
            with socket.socket(fileno=line.detach()) as below:
                below.sendall(AFTER_THE_REQUEST[self.breaks])


def _head_ends(raw: socket.socket) -> bool:
    """Read to the end of one line; whether it was empty."""
    line = b""
    while not line.endswith(b"\n"):
        line += raw.recv(1) or b"\n"
    return not line.strip()


def _body(line: ssl.SSLSocket) -> str:
    data = b""
    while b"\r\n\r\n" not in data:
        data += line.recv(65536)
    head, _, body = data.partition(b"\r\n\r\n")
    lengths = [part.partition(b":")[2] for part in head.lower().split(b"\r\n") if part.startswith(b"content-length:")]
    while len(body) < sum(map(int, lengths)):
        body += line.recv(65536)
    return body.decode()


@contextmanager
def broken_line(folder: Path, breaks: str) -> Iterator[BrokenLine]:
    """One that serves on loopback; `folder` gets its certificate, good for 127.0.0.1."""
    certificate, key = _make_certificate(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        broken = BrokenLine(f"https://127.0.0.1:{listener.getsockname()[1]}", certificate, breaks)
        thread = threading.Thread(target=broken.serve, args=(listener, context), daemon=True)
        thread.start()
        yield broken
        broken.over = True
        socket.create_connection(listener.getsockname()).close()
        thread.join()


def _make_certificate(folder: Path) -> tuple[Path, Path]:
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    here, today = x509.IPAddress(ipaddress.ip_address("127.0.0.1")), datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([here]), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate, private = folder / "certificate.pem", folder / "key.pem"
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return certificate, private
