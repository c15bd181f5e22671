"""Finds and reads the files of the older scripts in their folder. Total: what can't be read becomes a note.

Not for: what they mean here (convert.py). Source: the formats in use until December 2025.
"""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from dotenv import dotenv_values

from ecauto_pipeline.settings.env_lines import readable_lines

SKIPPED = frozenset({".git", ".venv", "venv", "node_modules", "__pycache__", "amazon_products", "logs"})
NAMES = (
    *("account_config.json", "pricing_strategy.yaml", "notifications.json"),
    *("blocked_asins.json", "master.db", ".env"),
)
DEEPEST = 6


@dataclass(frozen=True, slots=True)
class Note:
    """What a person should know, in Japanese and in English."""

    ja: str
    en: str


@dataclass(slots=True)
class Legacy:
    """What the folder holds. Documents hold secrets and are never shown; None = no such file."""

    folder: Path
    accounts: Mapping[str, Any] | None = field(default=None, repr=False)
    tokens: Mapping[str, str] = field(default_factory=dict, repr=False)
    pricing: Mapping[str, Any] | None = None
    notifications: Mapping[str, Any] | None = field(default=None, repr=False)
    environ: Mapping[str, str] = field(default_factory=dict, repr=False)
    blocklist: Path | None = None
    master_db: Path | None = None
    cache: Path | None = None
    cached: int = 0
    found: list[str] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)


def find(folder: Path) -> Legacy:
    """Everything of theirs in `folder`. Raises NotADirectoryError where there is no such folder."""
    if not folder.is_dir():
        raise NotADirectoryError(f"{folder} is no folder")
    legacy, paths = Legacy(folder), _paths(folder)
    for name, where in sorted(paths.items()):
        legacy.found.append(where[0].relative_to(folder).as_posix())
        if len(where) > 1:
            others = ", ".join(path.relative_to(folder).as_posix() for path in where[1:])
            legacy.notes.append(
                Note(
                    f"{name} が複数あります。使うのは {legacy.found[-1]}、使わないのは {others}",
                    f"{name}: more than one; taken is {legacy.found[-1]}, left out {others}",
                )
            )
    first = {name: where[0] for name, where in paths.items()}
    if path := first.get("account_config.json"):
        legacy.accounts = _read(legacy, path, json.loads)
        legacy.tokens = _tokens(legacy, path.parent / "tokens")
    if path := first.get("pricing_strategy.yaml"):
        legacy.pricing = _read(legacy, path, yaml.safe_load)
    if path := first.get("notifications.json"):
        legacy.notifications = _read(legacy, path, json.loads)
    if path := first.get(".env"):
        values = _read(legacy, path, lambda text: _secrets(legacy, path, text)) or {}
        legacy.environ = {name: value for name, value in values.items() if value}
    legacy.blocklist, legacy.master_db = first.get("blocked_asins.json"), first.get("master.db")
    legacy.cache = _cache(folder)
    if legacy.cache:
        legacy.cached = sum(1 for path in legacy.cache.iterdir() if path.suffix == ".json")
    return legacy


def _paths(folder: Path) -> dict[str, list[Path]]:
    """The files by name, the shallowest first."""
    found: dict[str, list[Path]] = {}
    for here, folders, files in os.walk(folder):
        depth = len(Path(here).relative_to(folder).parts)
        folders[:] = sorted(one for one in folders if one not in SKIPPED and depth < DEEPEST)
        for name in NAMES:
            if name in files:
                found.setdefault(name, []).append(Path(here) / name)
    return {name: sorted(where, key=lambda path: (len(path.parts), path.as_posix())) for name, where in found.items()}


def _cache(folder: Path) -> Path | None:
    for place in ("inventory/data/cache/amazon_products", "data/cache/amazon_products", "cache/amazon_products"):
        if (folder / place).is_dir():
            return folder / place
    return None


def _tokens(legacy: Legacy, folder: Path) -> dict[str, str]:
    """The token documents by account id, as text."""
    found = {}
    for path in sorted(folder.glob("*_token.json")) if folder.is_dir() else ():
        try:
            found[path.name.removesuffix("_token.json")] = path.read_text(encoding="utf-8-sig")
            legacy.found.append(path.relative_to(legacy.folder).as_posix())
        except (OSError, UnicodeDecodeError) as error:
            legacy.notes.append(
                Note(
                    f"{path.name} を読めません（{type(error).__name__}）",
                    f"{path.name}: can't be read ({type(error).__name__})",
                )
            )
    return found


def _secrets(legacy: Legacy, path: Path, text: str) -> Mapping[str, Any]:
    text, passed_over = readable_lines(text)
    for number in passed_over:
        legacy.notes.append(
            Note(
                f"{path.name} の{number}行目は 名前=値 の形ではないため、読み飛ばしました",
                f"{path.name}, line {number}: not NAME=value, so it is passed over",
            )
        )
    return dotenv_values(stream=io.StringIO(text))


def _read(legacy: Legacy, path: Path, parse: Callable[[str], Any]) -> Mapping[str, Any] | None:
    """The document, None with a note where it is none; a parser's message may quote a secret, so it is not shown."""
    try:
        document = parse(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        legacy.notes.append(
            Note(
                f"{path.name} を読めません（{type(error).__name__}）",
                f"{path.name}: can't be read ({type(error).__name__})",
            )
        )
        return None
    if not isinstance(document, Mapping):
        legacy.notes.append(
            Note(f"{path.name} の中身が想定した形ではありません", f"{path.name}: an object was expected")
        )
        return None
    return document
