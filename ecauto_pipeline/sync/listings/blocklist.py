"""The owner's list of ASINs that must never be public: a JSON list, or an object whose values are lists.

An absent file is an empty list; a broken one stops the run, since "empty" would put forbidden goods on show.
Not for: what being on it means (domain/selling/visibility.py).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ecauto_pipeline.errors import SettingsError


def read_blocklist(path: Path) -> frozenset[str]:
    """The ASINs, in capitals. Entries are ASINs or objects with an `asin`. Raises SettingsError."""
    try:
        document = json.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        return frozenset()
    except (OSError, ValueError) as error:
        raise SettingsError(
            f"{path.name}: the blocklist can't be read ({type(error).__name__})",
            ja=f"{path.name}: 出品禁止リストを読めません（{type(error).__name__}）",
        ) from None
    lists = [document] if isinstance(document, list) else _lists(document)
    if lists is None:
        raise SettingsError(
            f"{path.name}: a blocklist is a JSON list, or an object with one",
            ja=f"{path.name}: 出品禁止リストはJSONの配列、または配列を持つオブジェクトです",
        )
    return frozenset(_asin(entry, path) for entries in lists for entry in entries)


def _lists(document: Any) -> list[list[Any]] | None:
    found = [value for value in document.values() if isinstance(value, list)] if isinstance(document, dict) else []
    return found or None


def _asin(entry: Any, path: Path) -> str:
    text = entry.get("asin") if isinstance(entry, dict) else entry
    if not isinstance(text, str) or not text.strip():
        raise SettingsError(
            f"{path.name}: an entry of the blocklist is an ASIN or has one, this is neither: {entry!r}",
            ja=f"{path.name}: 出品禁止リストにASINでないものがあります: {entry!r}",
        )
    return text.strip().upper()
