"""Tokens of both APIs: issued, looked up, expired, revoked, and dead once rotated.

For: LWA and BASE alike. Not for: what a refusal is called (sp_api.lwa, base_api.oauth).
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

from ecauto_pipeline.emulator.store import Store


@dataclass(frozen=True, slots=True)
class Token:
    """One token: `kind` is access, refresh or code. `dead`: used up, rotated away or revoked."""

    text: str = field(repr=False)
    kind: str
    api: str
    account: str
    scope: frozenset[str]
    expires_s: float
    dead: bool


class TokenBook:
    """All tokens ever issued in this world."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def issue(self, kind: str, api: str, account: str, expires_s: float, scope: str = "", prefix: str = "") -> str:
        """A new token, good until `expires_s` (seconds since the epoch)."""
        text = prefix + secrets.token_hex(20)
        self._store.write(
            "INSERT INTO tokens (token, kind, api, account, scope, expires) VALUES (?, ?, ?, ?, ?, ?)",
            (text, kind, api, account, scope, expires_s),
        )
        return text

    def find(self, text: str, kind: str, api: str) -> Token | None:
        row = self._store.row("SELECT * FROM tokens WHERE token = ? AND kind = ? AND api = ?", (text, kind, api))
        if row is None:
            return None
        scope = frozenset(row["scope"].split())
        return Token(text, kind, api, row["account"], scope, row["expires"], bool(row["dead"]))

    def kill(self, text: str) -> None:
        self._store.write("UPDATE tokens SET dead = 1 WHERE token = ?", (text,))

    def expire(self, api: str | None, account: str | None, kind: str, now_s: float) -> int:
        """End the life of matching tokens now. Returns how many."""
        return self._store.write(
            "UPDATE tokens SET expires = ? WHERE kind = ? AND dead = 0 AND expires > ?"
            " AND (? IS NULL OR api = ?) AND (? IS NULL OR account = ?)",
            (now_s, kind, now_s, api, api, account, account),
        )

    def revoke(self, api: str | None, account: str | None, kind: str) -> int:
        """Kill matching tokens. Returns how many."""
        return self._store.write(
            "UPDATE tokens SET dead = 1 WHERE kind = ? AND dead = 0"
            " AND (? IS NULL OR api = ?) AND (? IS NULL OR account = ?)",
            (kind, api, api, account, account),
        )
