"""The owner's list of ASINs that must never be public: a JSON list, or an object whose values are lists.

An absent file is an empty list. A broken one, or one that has vanished, is neither empty nor the end of a run: the last
list that could be read holds; where none ever could be, nothing is known. Not for: what being on it means
(domain/selling/visibility.py).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ecauto_pipeline.errors import SettingsError
from ecauto_pipeline.state.owner_files import BLOCKLIST, keep_well, note_broken, read_owner_file
from ecauto_pipeline.sync.context import Tools
from ecauto_pipeline.sync.file_trouble import FileTrouble

_SHAPE_JA, _SHAPE_EN = 'ASINを並べたJSONの配列（["B000000000"]）', 'a JSON list of ASINs (["B000000000"])'


@dataclass(frozen=True, slots=True)
class Blocklist:
    """What holds in this run. `asins` None: not known, no list could ever be read; `trouble` None: the file is well."""

    asins: frozenset[str] | None
    trouble: FileTrouble | None = None


def current_blocklist(tools: Tools) -> Blocklist:
    """Read the file and keep what it says; where it can't be read, what it said last."""
    path, now = tools.settings.blocklist, tools.clock.now()
    with tools.state.read() as connection:
        known = read_owner_file(connection, BLOCKLIST)
    last = None if known.content is None else frozenset(known.content.split())
    try:
        asins = read_blocklist(path)
        if last and not asins and not path.exists():
            raise _wrong(path, "なくなっています（空にするには [] と書きます）", "is gone (to empty the list write [])")
    except SettingsError as error:
        with tools.state.write() as connection:
            since = note_broken(connection, BLOCKLIST, now)
        tools.log.warning("%s", error)
        held = None if last is None else len(last)
        return Blocklist(last, FileTrouble(path.name, error.said("ja"), error.said("en"), since, held))
    content = " ".join(sorted(asins)) if path.exists() else None
    if known.broken_since is not None or content != known.content:
        with tools.state.write() as connection:
            keep_well(connection, BLOCKLIST, content, now)
    return Blocklist(asins)


def read_blocklist(path: Path) -> frozenset[str]:
    """The ASINs, in capitals. Entries are ASINs or objects with an `asin`. Raises SettingsError."""
    try:
        document = json.loads(path.read_bytes().decode("utf-8-sig"))
    except FileNotFoundError:
        return frozenset()
    except UnicodeDecodeError:
        raise _wrong(path, "文字コードがUTF-8ではありません", "is not in UTF-8") from None
    except (OSError, ValueError, RecursionError) as error:
        name = type(error).__name__
        raise _wrong(path, f"出品禁止リストを読めません（{name}）", f"the blocklist can't be read ({name})") from None
    lists = [document] if isinstance(document, list) else _lists(document)
    if lists is None:
        raise _wrong(path, f"出品禁止リストは{_SHAPE_JA}です", f"a blocklist is {_SHAPE_EN}, or an object with one")
    return frozenset(_asin(entry, path) for entries in lists for entry in entries)


def _lists(document: Any) -> list[list[Any]] | None:
    found = [value for value in document.values() if isinstance(value, list)] if isinstance(document, dict) else []
    return found or None


def _asin(entry: Any, path: Path) -> str:
    text = entry.get("asin") if isinstance(entry, dict) else entry
    if not isinstance(text, str) or len(text.split()) != 1:
        shown = str(entry)[:40]
        raise _wrong(
            path,
            f"出品禁止リストにASINでないものがあります: {shown}",
            f"an entry of the blocklist is an ASIN or has one, this is neither: {shown}",
        )
    return text.strip().upper()


def _wrong(path: Path, ja: str, en: str) -> SettingsError:
    return SettingsError(f"{path.name}: {en}", ja=f"{path.name}: {ja}")
