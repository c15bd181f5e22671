"""Where the tokens of a shop live in a fleet: in state, sealed, whoever renews them; no machine has a file of them.

One renewal at a time for a shop over all machines (state/turns.py). The pair that a renewal bought is written before it
is used, and written again until state takes it; where it does not, it lies sealed on this machine until it does.
Not for: when to refresh (shops/base/oauth.py), or moving tokens in and out (moving.py).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from ecauto_pipeline.atomic_file import PRIVATE, replace_file
from ecauto_pipeline.clock import Clock
from ecauto_pipeline.errors import Transport
from ecauto_pipeline.fleet.seal import Seal, SealBroken, is_sealed
from ecauto_pipeline.shops.base.tokens import Tokens, from_document, newest, to_document
from ecauto_pipeline.state.database import UNUSABLE, Database
from ecauto_pipeline.state.oauth import TokenWriteAhead
from ecauto_pipeline.state.turns import TurnTaken, turn

SAFE_S = 20.0
"""So long after its turn began a renewal may be sent."""
PATIENCE_S = 60.0
"""So long a pair that state does not take is offered again; longer than PostgreSQL takes to come back."""
AGAIN_S = 1.0


class SealedTokenHome:
    """The tokens of one shop in the row of its account."""

    def __init__(
        self,
        database: Database,
        platform: str,
        account_id: str,
        seal: Seal,
        clock: Clock,
        *,
        call_s: float,
        rescue: Path,
        wait: Callable[[float], None],
    ) -> None:
        """`call_s`: the longest that one call for tokens takes; `rescue`: where a pair goes that state does not take.

        `wait` is how this process waits for its turn, and is what ends the waiting.
        """
        self._database, self._rows, self._account_id = database, TokenWriteAhead(database, platform), account_id
        self._name, self._seal, self._clock, self._wait = seal_name(platform, account_id), seal, clock, wait
        self._life_s, self._rescue = SAFE_S + 2 * call_s + PATIENCE_S, rescue
        self._loaded: str | None = None
        self.problem = ""

    @contextmanager
    def turn(self) -> Iterator[Callable[[], bool]]:
        """Raises Transport `token_lock` where another machine does not give it back."""
        name, life = f"tokens {self._name}", self._life_s
        timing = {"life_s": life, "safe_s": SAFE_S, "patience_s": life + SAFE_S}
        try:
            with turn(self._database, self._clock, name, wait=self._wait, **timing) as held:
                yield held.still_mine
        except TurnTaken:
            raise Transport("token_lock", "another machine is renewing these tokens") from None

    def current(self) -> Tokens | None:
        """Raises Transport `token_key` where this machine has no key for them."""
        return newest(self._rescued(), self._open(self._rows.load(self._account_id)))

    def at_hand(self) -> Tokens | None:
        """As they stand, but for a pair that this machine still has to write."""
        return None if self._rescue.exists() else self.current()

    def load(self) -> Tokens | None:
        """The same, after what this machine could not write has been written."""
        rescued = self._rescued()
        self._loaded = self._rows.load(self._account_id)
        tokens = newest(rescued, self._open(self._loaded))
        if rescued is not None:
            if tokens is rescued:
                self._write(rescued)
            self._rescue.unlink(missing_ok=True)
        return tokens

    def keep(self, tokens: Tokens) -> None:
        """Offered until state takes it. Where it does not, a sealed file of this machine has it, and this raises."""
        deadline = self._clock.monotonic() + PATIENCE_S
        while True:
            try:
                self._write(tokens)
                return
            except UNUSABLE:
                if self._clock.monotonic() >= deadline:
                    self._save_for_later(tokens)
                    raise
            self._clock.sleep(AGAIN_S)  # asked to end or not: the pair before is dead, this one is all there is

    def take_in(self, tokens: Tokens, instead_of: str | None) -> bool:
        """These tokens, from elsewhere, where `instead_of` stands in state (None: nothing), else False. The turn is in
        hand."""
        sealed = self._seal.close(self._name, to_document(tokens))
        return self._rows.swap(self._account_id, instead_of, sealed, self._when(tokens))

    def _when(self, tokens: Tokens) -> datetime:
        return tokens.obtained_at or self._clock.now()

    def _write(self, tokens: Tokens) -> None:
        """Written where what was loaded still stands, else where it replaces what stands by now (another key's seal
        over the same pair, or our own from a commit whose answer was lost)."""
        sealed = self._seal.close(self._name, to_document(tokens))
        while not self._rows.swap(self._account_id, self._loaded, sealed, self._when(tokens)):
            self._loaded = self._rows.load(self._account_id)
            try:
                stands = self._open(self._loaded)
            except Transport:  # sealed meanwhile by a key that is not here: the pair that ours has replaced
                continue
            if newest(stands, tokens) is not tokens:
                return
        self._loaded = sealed

    def _open(self, document: str | None) -> Tokens | None:
        if document is None:
            return None
        try:
            if not is_sealed(document):
                raise SealBroken("not sealed yet: ecauto keys seal", ja="まだ封印されていません: ecauto keys seal")
            return from_document(self._seal.open(self._name, document))
        except SealBroken as error:
            raise Transport("token_key", str(error), ja=error.ja) from None

    def _rescued(self) -> Tokens | None:
        try:
            return self._open(self._rescue.read_text(encoding="ascii"))
        except (FileNotFoundError, UnicodeError):
            return None

    def _save_for_later(self, tokens: Tokens) -> None:
        replace_file(self._rescue, self._seal.close(self._name, to_document(tokens)), PRIVATE)
        logging.getLogger("ecauto_pipeline").error("%s: state does not take the new tokens", self._name)


def seal_name(platform: str, account_id: str) -> str:
    """What the seal of this account's tokens names."""
    return f"{platform}:{account_id}"
