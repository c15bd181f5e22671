"""What of the converted may be put in place: no variable that .env has, no token older than ours.

Not for: what to write (convert.py) or how a file is written whole (atomic_file.py).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from ecauto_pipeline.errors import AccountBlocked
from ecauto_pipeline.shops.base.tokens import TokenFile, from_document


def with_secrets(present: str, values: Mapping[str, str]) -> tuple[str, list[str]]:
    """The text of .env with what it lacks appended, and the names appended. A name that is there stays as it is."""
    known = {match[1] for match in re.finditer(r"(?m)^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*\S", present)}
    added = [name for name in values if name not in known]
    text = present if not present or present.endswith("\n") else present + "\n"
    return text + "".join(f"{name}={_quoted(values[name])}\n" for name in added), added


def why_not_token(path: Path, document: str) -> tuple[str, str] | None:
    """Why these tokens must not replace what is at `path`, in Japanese and in English; None where they may."""
    try:
        theirs = from_document(document)
    except AccountBlocked:
        return "リフレッシュトークンが入っていません", "no refresh token in it"
    try:
        ours = TokenFile(path).read()
    except AccountBlocked:
        return None
    if ours is None or ours.obtained_at is None:
        return None
    older = theirs.obtained_at is None or theirs.obtained_at <= ours.obtained_at
    return ("ここにあるもののほうが新しいか、同じです", "the one here is as new") if older else None


def place_token(path: Path, document: str) -> None:
    """Write the tokens. Raises AccountBlocked where `why_not_token` says that there are none."""
    TokenFile(path).write(from_document(document))


def _quoted(value: str) -> str:
    """A value that every reader of .env takes as it is."""
    plain = re.fullmatch(r"[A-Za-z0-9_.:/@%+=|,?&-]*", value)
    return value if plain else "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
