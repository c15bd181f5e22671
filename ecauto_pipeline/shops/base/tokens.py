"""The token file of one shop: readable by the owner's older programs, replaced whole, never seen by anybody else.

The file and the write-ahead in state.db may differ after a crash; `newest` says which of the two counts. Times in the
document are naive Japanese time, as the older programs write and read them; what we do not know we carry along, and a
time that can't be one (NaN, the year 60000) is unknown, never an error.
Not for: when to refresh (oauth.py).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from ecauto_pipeline.atomic_file import PRIVATE, make_folder, remove_leftovers, replace_file
from ecauto_pipeline.clock import JST, jst
from ecauto_pipeline.errors import AccountBlocked
from ecauto_pipeline.shops.base.limits import ACCESS_TOKEN_LIFE, REFRESH_TOKEN_LIFE, SCOPES

_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
_TOO_LATE = datetime(2200, 1, 1, tzinfo=UTC)
_LARGEST_SECONDS = 1e11
"""A count of time above it is one of milliseconds, or of a finer unit: in seconds it would be the year 5138."""
_LONGEST_LIFE_S = 10 * 366 * 86_400.0


@dataclass(frozen=True, slots=True)
class Tokens:
    """One pair of tokens. `obtained_at` None = nobody knows; `replaces`: fingerprint of the refresh token before it."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    obtained_at: datetime | None
    expires_at: datetime
    scope: str = ""
    replaces: str = ""
    rest: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def refresh_expires_at(self) -> datetime | None:
        """When the refresh token dies if it is not used before."""
        return None if self.obtained_at is None else self.obtained_at + REFRESH_TOKEN_LIFE

    def usable(self, now: datetime, margin: timedelta = timedelta(0)) -> bool:
        return bool(self.access_token) and now + margin < self.expires_at


def fingerprint(refresh_token: str) -> str:
    """Says whether two refresh tokens are the same without showing either."""
    return hashlib.sha256(refresh_token.encode("utf-8")).hexdigest()[:32]


def from_document(text: str, modified_at: datetime | None = None) -> Tokens:
    """Tokens from a document, the older programs' or ours. Raises AccountBlocked when there is no refresh token in it.

    `modified_at` (the file's own time) stands in where the document has no time. Without expiry it counts as expired.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise AccountBlocked("token", "the token file is not JSON") from None
    refresh_token = _token(document.get("refresh_token")) if isinstance(document, dict) else ""
    if not refresh_token:
        raise AccountBlocked("token", "the token file has no refresh_token")
    said_at, expires_at = _moment(document.get("obtained_at")), _moment(document.get("expires_at"))
    life_s = _seconds(document.get("expires_in"))
    if expires_at is None and said_at is not None and life_s:
        expires_at = said_at + timedelta(seconds=life_s)
    known = {"access_token", "refresh_token", "obtained_at", "expires_at", "scope", "replaces"}
    return Tokens(
        access_token=_token(document.get("access_token")),
        refresh_token=refresh_token,
        obtained_at=said_at or modified_at,
        expires_at=expires_at or _LONG_AGO,
        scope=document["scope"] if isinstance(document.get("scope"), str) else "",
        replaces=str(document.get("replaces") or ""),
        rest={name: value for name, value in document.items() if name not in known},
    )


def to_document(tokens: Tokens) -> str:
    """The document of these tokens; the older programs read it as one of theirs."""
    obtained = tokens.obtained_at
    document = {
        **tokens.rest,
        "access_token": tokens.access_token,
        "refresh_token": tokens.refresh_token,
        "token_type": tokens.rest.get("token_type", "bearer"),
        "expires_in": tokens.rest.get("expires_in", int(ACCESS_TOKEN_LIFE.total_seconds())),
        "obtained_at": None if obtained is None else jst(obtained).replace(tzinfo=None).isoformat(),
        "expires_at": jst(tokens.expires_at).replace(tzinfo=None).isoformat(),
        "scope": tokens.scope,
        "replaces": tokens.replaces,
    }
    return json.dumps(document, indent=2)  # escaped: not all that other programs leave in it is UTF-8


def from_answer(answer: Mapping[str, Any], before: Tokens | None, now: datetime, scope: str = "") -> Tokens:
    """Tokens from BASE's answer to a token call. Raises AccountBlocked when it holds none.

    The answer carries no scope: what was asked for, or what the tokens before had, is kept. `obtained_at` always moves
    forward, even when the machine's clock was set back.
    """
    access, refresh = answer.get("access_token"), answer.get("refresh_token")
    if not (isinstance(access, str) and access and isinstance(refresh, str) and refresh):
        raise AccountBlocked("token", "the token answer holds no tokens")
    obtained_at = now
    if before is not None and before.obtained_at is not None and now <= before.obtained_at:
        obtained_at = before.obtained_at + timedelta(milliseconds=1)
    life = _seconds(answer.get("expires_in")) or ACCESS_TOKEN_LIFE.total_seconds()
    return Tokens(
        access_token=access,
        refresh_token=refresh,
        obtained_at=obtained_at,
        expires_at=now + timedelta(seconds=life),
        scope=str(answer.get("scope") or scope or (before.scope if before else "") or " ".join(SCOPES)),
        replaces=fingerprint(before.refresh_token) if before else "",
        rest={"token_type": str(answer.get("token_type") or "bearer"), "expires_in": int(life)},
    )


def newest(in_file: Tokens | None, ahead: Tokens | None) -> Tokens | None:
    """Which of the two counts: the one that replaced the other, else the one obtained later, else the write-ahead."""
    if in_file is None or ahead is None:
        return in_file or ahead
    if ahead.replaces == fingerprint(in_file.refresh_token):
        return ahead
    if in_file.replaces == fingerprint(ahead.refresh_token):
        return in_file
    return in_file if (in_file.obtained_at or _LONG_AGO) > (ahead.obtained_at or _LONG_AGO) else ahead


class TokenFile:
    """Reads and replaces the file. The caller holds the account's lock while writing."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> Tokens | None:
        """None when there is no file. Raises AccountBlocked when there is one that can't be used."""
        try:
            text = self.path.read_text(encoding="utf-8-sig")
            modified_at = datetime.fromtimestamp(self.path.stat().st_mtime, UTC)
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise AccountBlocked("token", f"the token file can't be read ({type(error).__name__})") from None
        return from_document(text, modified_at)

    def write(self, tokens: Tokens) -> None:
        """Mode 0600 from its first byte; a crash leaves the old file or the new one, never half of either."""
        make_folder(self.path.parent, mode=0o700)
        remove_leftovers(self.path)  # of a process that was killed; the lock is ours
        replace_file(self.path, to_document(tokens), PRIVATE)


def _token(value: object) -> str:
    """A token that can be sent in a header, "" for anything else."""
    text = value.strip() if isinstance(value, str) else ""
    return text if text.isascii() and text.isprintable() else ""


def _moment(value: object) -> datetime | None:
    """A time in ISO 8601 or as a count since 1970, of seconds or of a finer unit; None for what can't be one."""
    try:
        if isinstance(value, str) and value.strip().isdecimal():
            value = int(value)
        if isinstance(value, str):
            moment = datetime.fromisoformat(value)
            moment = (moment if moment.tzinfo else moment.replace(tzinfo=JST)).astimezone(UTC)
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            seconds = float(value)
            for _finer_unit in range(3):  # milliseconds, microseconds, nanoseconds
                seconds /= 1000 if seconds > _LARGEST_SECONDS else 1
            moment = datetime.fromtimestamp(seconds, UTC)
        else:
            return None
    except (ValueError, OverflowError, OSError):
        return None
    return moment if _LONG_AGO <= moment < _TOO_LATE else None


def _seconds(value: object) -> float:
    """A span in seconds, 0.0 for what can't be a token's life."""
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return 0.0
    return float(value) if 0 < value < _LONGEST_LIFE_S else 0.0
