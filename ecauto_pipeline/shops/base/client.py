"""Authenticated calls to BASE, and the only place that repeats one.

Reads are tried up to three times with a growing, jittered pause. A write is tried again only where it certainly did not
happen: nothing of it had left, or BASE refused the token or the pace. Not for: what to ask (shop.py).
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Final

from ecauto_pipeline.domain.selling.call_shares import CallKind
from ecauto_pipeline.errors import AccountBlocked, Throttled, TokenRefused, Transport
from ecauto_pipeline.shops.base.oauth import TokenKeeper
from ecauto_pipeline.shops.base.wire import BaseWire, Request

ATTEMPTS = 3
_UNDOING: Final[Mapping[CallKind, CallKind]] = {"list": "read", "edit": "undo"}
FIRST_PAUSE_S = 1.0


class BaseClient:
    """The calls of one shop. One thread at a time uses it.

    `undoing`: they take back what a run did, and may use the calls kept for that.
    """

    def __init__(
        self, wire: BaseWire, tokens: TokenKeeper, chance: random.Random | None = None, *, undoing: bool = False
    ) -> None:
        self._wire, self.tokens, self._undoing = wire, tokens, undoing
        self._chance = chance or random.Random()

    def for_undoing(self) -> BaseClient:
        """The same line to the same shop, for taking something back."""
        return BaseClient(self._wire, self.tokens, self._chance, undoing=True)

    @property
    def account_id(self) -> str:
        return self._wire.account_id

    def get(
        self, operation: str, path: str, values: Mapping[str, str | int] | None = None, kind: CallKind = "read"
    ) -> dict[str, Any]:
        """Read something. Raises the CallError family, Transport only after three tries."""
        return self._call(Request(operation, "GET", path, self._of(kind), values or {}))

    def post(self, operation: str, path: str, kind: CallKind, values: Mapping[str, str | int]) -> dict[str, Any]:
        """Change one item. Raises the CallError family; OutcomeUnknown when nobody knows whether it happened."""
        return self._call(Request(operation, "POST", path, self._of(kind), values, writes=True, rows=1))

    def series(self, kinds: Sequence[CallKind]) -> AbstractContextManager[None]:
        """Writes of these kinds follow within it, in any order, or some of them."""
        return self._wire.series([self._of(kind) for kind in kinds])

    def _of(self, kind: CallKind) -> CallKind:
        return _UNDOING.get(kind, kind) if self._undoing else kind

    def _call(self, request: Request) -> dict[str, Any]:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return self._with_token(request)
            except (Transport, Throttled) as failure:
                certain = not request.writes or isinstance(failure, Throttled) or failure.reason == "connect"
                if attempt == ATTEMPTS or not certain or failure.reason in ("token_lock", "token_key"):
                    raise
                self._wire.wait(FIRST_PAUSE_S * 2 ** (attempt - 1) * self._chance.uniform(0.5, 1.5))
        raise AssertionError("unreachable: the last attempt returns or raises")

    def _with_token(self, request: Request) -> dict[str, Any]:
        token = self.tokens.access_token()
        try:
            return self._wire.exchange(request, token)
        except TokenRefused:
            token = self.tokens.renew(refused=token)
        try:
            return self._wire.exchange(request, token)
        except TokenRefused as failure:
            raise AccountBlocked("token", f"a new token is refused, too: {failure}") from None
