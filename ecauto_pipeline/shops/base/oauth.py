"""Keeps one shop authorised: hands out an access token that works, refreshes it once for all processes.

Every refresh kills the refresh token that paid for it, so: one lock a shop, everything read again after taking it, the
new pair in state.db before the file is replaced. Not for: the browser's part of the code flow (wiring/authorize.py).
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from urllib.parse import urlencode

from filelock import FileLock, Timeout

from ecauto_pipeline.clock import Clock
from ecauto_pipeline.errors import AccountBlocked, Transport
from ecauto_pipeline.shops.base.limits import REFRESH_EARLY, SCOPES
from ecauto_pipeline.shops.base.ports import WriteAhead
from ecauto_pipeline.shops.base.tokens import (
    TokenFile,
    Tokens,
    from_answer,
    from_document,
    newest,
    to_document,
)
from ecauto_pipeline.shops.base.wire import BaseWire, Request

LOCK_TIMEOUT_S = 120.0


@dataclass(frozen=True, slots=True)
class BaseApplication:
    """The application registered with BASE for one shop. The secrets never show."""

    client_id: str = field(repr=False)
    client_secret: str = field(repr=False)
    redirect_uri: str


def authorization_url(endpoint: str, client_id: str, redirect_uri: str, state: str, scope: str = "") -> str:
    """Where the shop's owner says yes; `scope` space separated, all that this program uses by default."""
    query = {
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": redirect_uri,
        "scope": scope or " ".join(SCOPES),
        "state": state,
    }
    return f"{endpoint.rstrip('/')}/oauth/authorize?{urlencode(query)}"


class TokenKeeper:
    """The tokens of one shop. Safe to share between threads and processes."""

    def __init__(
        self, wire: BaseWire, application: BaseApplication, path: Path, write_ahead: WriteAhead, clock: Clock
    ) -> None:
        self._wire, self._application, self._clock = wire, application, clock
        self._file, self._write_ahead = TokenFile(path), write_ahead
        self._lock_path = path.with_name(path.name + ".lock")
        self._tokens: Tokens | None = None
        self._mutex = threading.RLock()
        self.file_problem = ""
        """Why the token file does not hold the tokens in use, "" = it does. They are in state, the file is tried again
        by the next refresh and the next run."""

    @property
    def application(self) -> BaseApplication:
        return self._application

    def access_token(self) -> str:
        """One that is good for 5 minutes at least. Raises AccountBlocked (ask a person), Transport, BudgetSpent."""
        with self._mutex:
            if self._tokens is None or not self._tokens.usable(self._clock.now(), REFRESH_EARLY):
                self._renew(refused="")
            assert self._tokens is not None
            return self._tokens.access_token

    def renew(self, refused: str) -> str:
        """Another access token than the one that BASE refused, refreshed here or by whoever was first."""
        with self._mutex:
            self._renew(refused)
            assert self._tokens is not None
            return self._tokens.access_token

    def exchange(self, code: str, scope: str = "") -> Tokens:
        """Trade the code of an authorisation for tokens and keep them. Raises AccountBlocked, Transport."""
        with self._mutex, self._locked():
            try:
                before = self._load()
            except AccountBlocked:
                before = None  # a broken file is what a new authorisation mends
            answer = self._ask(grant_type="authorization_code", code=code)
            self._keep(from_answer(answer, before, self._clock.now(), scope or " ".join(SCOPES)))
            assert self._tokens is not None
            return self._tokens

    def current(self) -> Tokens | None:
        """What is on the disk, None when this shop was never authorised. Raises AccountBlocked when it is broken."""
        return newest(self._file.read(), self._ahead())

    def token_days_left(self, now: datetime) -> float | None:
        """Days until the refresh token dies, negative when it has; None when that isn't known."""
        tokens = self.current()
        dies_at = tokens.refresh_expires_at if tokens else None
        return None if dies_at is None else (dies_at - now).total_seconds() / 86_400

    def _renew(self, refused: str) -> None:
        with self._locked():
            tokens = self._load()
            if tokens is None:
                raise AccountBlocked("token", "never authorised: run `ecauto auth base` for this account")
            self._tokens = tokens
            now = self._clock.now()
            if tokens.usable(now, REFRESH_EARLY) and tokens.access_token != refused:
                return
            answer = self._ask(grant_type="refresh_token", refresh_token=tokens.refresh_token)
            self._keep(from_answer(answer, tokens, self._clock.now()))

    def _load(self) -> Tokens | None:
        """The newest tokens; a file that a crash left behind is healed. The lock is held."""
        ahead = self._ahead()
        try:
            in_file = self._file.read()
        except AccountBlocked:
            if ahead is None:
                raise
            in_file = None
        tokens = newest(in_file, ahead)
        if tokens is not None and (in_file is None or tokens.refresh_token != in_file.refresh_token):
            self._write_file(tokens)
        return tokens

    def _ahead(self) -> Tokens | None:
        document = self._write_ahead.load(self._wire.account_id)
        return None if document is None else from_document(document)

    def _write_file(self, tokens: Tokens) -> None:
        """State holds them already: a scanner, a sync client or a lost permission must not stop the shop."""
        try:
            self._file.write(tokens)
        except OSError as error:
            self.file_problem = f"{self._file.path.name}: {type(error).__name__}"
        else:
            self.file_problem = ""

    def _keep(self, tokens: Tokens) -> None:
        assert tokens.obtained_at is not None
        try:
            self._write_ahead.save(self._wire.account_id, to_document(tokens), tokens.obtained_at)
        finally:  # the pair before is dead: where state can't be written the file is all there is
            self._write_file(tokens)
        self._tokens = tokens

    def _ask(self, **grant: str) -> dict[str, object]:
        values = {
            **grant,
            "client_id": self._application.client_id,
            "client_secret": self._application.client_secret,
            "redirect_uri": self._application.redirect_uri,
        }
        return self._wire.exchange(Request("oauth_token", "POST", "/oauth/token", "token", values))

    @contextmanager
    def _locked(self) -> Iterator[None]:
        lock = FileLock(self._lock_path, timeout=LOCK_TIMEOUT_S, mode=0o600)
        try:
            self._lock_path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            lock.acquire()
        except Timeout:
            raise Transport("token_lock", "another process holds the token's lock") from None
        except OSError as error:
            text = f"{self._lock_path.name} can't be made or locked ({type(error).__name__})"
            raise AccountBlocked("token", text) from None
        try:
            yield
        finally:
            lock.release()
