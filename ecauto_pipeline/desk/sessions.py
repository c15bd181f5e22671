"""Passwords and sessions of the desk: who may come in where `[desk] password_env` names a password.

The password itself is kept as a scrypt hash with a salt of this process; a session is a signed cookie that is good for
12 hours and for this process alone. After failures the next try waits, longer each time, for everybody who comes from
that address, and a little for all. Not for: the form and the cookie (login.py), or hosts and origins (gate.py).
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass

from itsdangerous import BadSignature, TimestampSigner

from ecauto_pipeline.clock import Clock
from ecauto_pipeline.errors import SettingsError
from ecauto_pipeline.settings import Desk

LIFE_S = 12 * 3600
LEAST_CHARACTERS = 12
FREE_TRIES = 5
"""So many wrong passwords from one address cost nothing."""
LONGEST_WAIT_S = 60.0
"""Behind a proxy all come from one address: the owner is not kept out for long."""
_ADDRESSES = 1000
"""Addresses remembered; the one that failed longest ago is forgotten first."""
_SCRYPT: Mapping[str, int] = {"n": 2**14, "r": 8, "p": 1}
_EVERYWHERE = ("0.0.0.0", "::")
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def password_of(desk: Desk, environ: Mapping[str, str]) -> str:
    """The password in force, "" where none is asked for. Raises SettingsError where one is missing or too weak."""
    given = environ.get(desk.password_env, "").strip() if desk.password_env else ""
    if desk.password_env and not given:
        raise SettingsError(
            f"[desk] password_env: {desk.password_env} is empty; put the password into .env",
            ja=f"[desk] password_env: {desk.password_env} が空です。.env にパスワードを書いてください",
        )
    if given and len(given) < LEAST_CHARACTERS:
        raise SettingsError(
            f"[desk] password_env: the password needs {LEAST_CHARACTERS} characters or more",
            ja=f"[desk] password_env: パスワードは{LEAST_CHARACTERS}文字以上にしてください",
        )
    if desk.host not in _LOOPBACK and not given:
        raise SettingsError(
            f"[desk] host {desk.host} is open to others: name a password with [desk] password_env",
            ja=f"[desk] host {desk.host} はほかの人からも開けます。[desk] password_env でパスワードを決めてください",
        )
    if desk.host in _EVERYWHERE and not desk.url:
        raise SettingsError(
            f"[desk] host {desk.host} needs [desk] url: the address that people open",
            ja=f"[desk] host {desk.host} には [desk] url（開くときのアドレス）が必要です",
        )
    return given


@dataclass(slots=True)
class _Failures:
    count: int = 0
    free_at_s: float = 0.0


class Sessions:
    """Those of one desk. Without a password everybody is in. Safe to share between threads."""

    def __init__(self, password: str, clock: Clock) -> None:
        self._clock, self._lock = clock, threading.Lock()
        self._salt, self._asked = secrets.token_bytes(16), bool(password)
        self._hash = self._derived(password) if password else b""  # a desk that asks for none begins sooner
        self._signer = TimestampSigner(secrets.token_bytes(32), digest_method=hashlib.sha256)
        self._failures: OrderedDict[str, _Failures] = OrderedDict()
        self._ended: set[str] = set()

    @property
    def password_asked(self) -> bool:
        return self._asked

    def wait_s(self, address: str) -> float:
        """How long until somebody at this address may try again."""
        with self._lock:
            known = self._failures.get(address)
            return max(0.0, known.free_at_s - self._clock.monotonic()) if known else 0.0

    def enter(self, password: str, address: str) -> str | None:
        """A new session's cookie, None for a wrong password or one that comes too early. Takes a moment: scrypt."""
        if self.wait_s(address) > 0:
            return None
        right = self._asked and hmac.compare_digest(self._derived(password), self._hash)
        with self._lock:
            if right:
                self._failures.pop(address, None)
                return self._signed(secrets.token_urlsafe(16))
            known = self._failures.setdefault(address, _Failures())
            self._failures.move_to_end(address)
            while len(self._failures) > _ADDRESSES:
                self._failures.popitem(last=False)
            known.count += 1
            beyond = known.count - FREE_TRIES
            wait = min(LONGEST_WAIT_S, 2.0**beyond) if beyond >= 0 else 0.0
            known.free_at_s = self._clock.monotonic() + wait
        return None

    def is_in(self, cookie: str) -> bool:
        """Whether the cookie is a session that still lives, or nobody has to be in."""
        if not self._asked:
            return True
        name = self._name(cookie)
        return name is not None and name not in self._ended

    def leave(self, cookie: str) -> None:
        """End a session before its time."""
        name = self._name(cookie)
        if name is not None:
            self._ended.add(name)

    def _signed(self, name: str) -> str:
        return self._signer.sign(f"{name}|{self._clock.now().timestamp():.0f}").decode("ascii")

    def _name(self, cookie: str) -> str | None:
        """The session that this process signed and whose time is not over."""
        try:
            text = self._signer.unsign(cookie).decode("ascii")
        except BadSignature:
            return None
        name, _, since = text.partition("|")
        return name if self._clock.now().timestamp() - float(since) < LIFE_S else None

    def _derived(self, password: str) -> bytes:
        return hashlib.scrypt(password.encode("utf-8"), salt=self._salt, **_SCRYPT)
