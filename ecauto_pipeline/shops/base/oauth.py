"""Keeps one shop authorised: hands out an access token that works, refreshes it once for all who share its home.

Every refresh kills the refresh token that paid for it, so: one at a time, everything read again after the turn has
come, the new pair kept before it is used. Not for: where the pair is kept, and whose turn it is (token_file_home.py on
one machine), or the browser's part of the code flow (wiring/authorize.py).
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlencode

from ecauto_pipeline.clock import Clock
from ecauto_pipeline.errors import AccountBlocked, Transport
from ecauto_pipeline.shops.base.limits import REFRESH_EARLY, SCOPES
from ecauto_pipeline.shops.base.ports import TokenHome
from ecauto_pipeline.shops.base.tokens import Tokens, from_answer
from ecauto_pipeline.shops.base.wire import BaseWire, Request


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

    def __init__(self, wire: BaseWire, application: BaseApplication, home: TokenHome, clock: Clock) -> None:
        self._wire, self._application, self._home, self._clock = wire, application, home, clock
        self._tokens: Tokens | None = None
        self._mutex = threading.RLock()

    @property
    def file_problem(self) -> str:
        """Why the tokens in use stand in state alone and not in their file, "" = nothing is amiss. The file is tried
        again by the next refresh and the next run."""
        return self._home.problem

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
        with self._mutex, self._home.turn() as in_time:
            try:
                before = self._home.load()
            except AccountBlocked:
                before = None  # a broken file is what a new authorisation mends
            answer = self._ask(in_time, grant_type="authorization_code", code=code)
            self._keep(from_answer(answer, before, self._clock.now(), scope or " ".join(SCOPES)))
            assert self._tokens is not None
            return self._tokens

    def current(self) -> Tokens | None:
        """What is kept, None when this shop was never authorised. Raises AccountBlocked when it is broken."""
        return self._home.current()

    def token_days_left(self, now: datetime) -> float | None:
        """Days until the refresh token dies, negative when it has; None when that isn't known."""
        tokens = self.current()
        dies_at = tokens.refresh_expires_at if tokens else None
        return None if dies_at is None else (dies_at - now).total_seconds() / 86_400

    def _renew(self, refused: str) -> None:
        self._tokens = self._home.at_hand()
        if self._serves(self._tokens, refused):
            return
        with self._home.turn() as in_time:
            tokens = self._home.load()
            if tokens is None:
                raise AccountBlocked("token", "never authorised: run `ecauto auth base` for this account")
            self._tokens = tokens
            if self._serves(tokens, refused):
                return
            try:
                answer = self._ask(in_time, grant_type="refresh_token", refresh_token=tokens.refresh_token)
            except AccountBlocked:
                others = self._home.load()
                if others is None or others.refresh_token == tokens.refresh_token:
                    raise
                self._tokens = others  # somebody outside our turns was first, and what they were given is here
                return
            self._keep(from_answer(answer, tokens, self._clock.now()))

    def _serves(self, tokens: Tokens | None, refused: str) -> bool:
        usable = tokens is not None and tokens.usable(self._clock.now(), REFRESH_EARLY)
        return tokens is not None and usable and tokens.access_token != refused

    def _keep(self, tokens: Tokens) -> None:
        self._home.keep(tokens)
        self._tokens = tokens

    def _ask(self, in_time: Callable[[], bool], **grant: str) -> dict[str, object]:
        values = {
            **grant,
            "client_id": self._application.client_id,
            "client_secret": self._application.client_secret,
            "redirect_uri": self._application.redirect_uri,
        }
        if not in_time():  # this process slept: by now the turn may be another's, and so the refresh token
            raise Transport("token_lock", "the turn to renew is over")
        return self._wire.exchange(Request("oauth_token", "POST", "/oauth/token", "token", values))
