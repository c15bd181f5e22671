"""`ecauto import-legacy FOLDER`: plans what would be written, and writes it unless it is a dry run.

The configuration goes into `ecauto.imported.toml` beside ecauto.toml: a person compares and takes it over.
Secrets go into .env and token files alone. Not for: reading, converting, writing (the modules beside this one).
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomlkit

from ecauto_pipeline.atomic_file import PRIVATE, replace_file
from ecauto_pipeline.errors import SettingsError
from ecauto_pipeline.migrate import find as finding
from ecauto_pipeline.migrate.convert import Converted, convert
from ecauto_pipeline.migrate.find import Legacy, Note
from ecauto_pipeline.migrate.write import place_token, why_not_token, with_secrets
from ecauto_pipeline.settings import parse
from ecauto_pipeline.sync.listings.blocklist import read_blocklist

FRAGMENT = "ecauto.imported.toml"
_HEAD = (
    "# Taken over from the older scripts. Compare it with ecauto.toml, then rename it or name it in ECAUTO_CONFIG.\n"
    '# mode stays "emulated" until you say "live"; first run: ecauto doctor, then ecauto sync --dry-run.\n\n'
)


@dataclass(frozen=True, slots=True)
class Step:
    """One thing done, or that would be done. `detail` holds names only, never a secret."""

    what: str
    path: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class LegacyReport:
    """`steps`: in order; `notes`: what a person should know; `next_commands`: what to run after this."""

    dry_run: bool
    found: tuple[str, ...]
    steps: tuple[Step, ...]
    notes: tuple[Note, ...]
    next_commands: tuple[str, ...]
    fragment: str


def import_legacy(folder: Path, target: Path, data_dir: Path, *, dry_run: bool) -> LegacyReport:
    """Take over what is in `folder` into `target` (where ecauto.toml stands) and `data_dir`.

    Doing it twice changes nothing more. Raises NotADirectoryError; SettingsError where their figures contradict each
    other (nothing is written then).
    """
    legacy = finding.find(folder)
    converted = convert(legacy)
    fragment = _fragment(converted)
    notes = list(converted.notes)
    steps = [
        *_configuration(target, fragment, converted, dry_run),
        *_secrets(target, converted, notes, dry_run),
        *_tokens(data_dir, converted, notes, dry_run),
        *_blocklist(data_dir, legacy, notes, dry_run),
    ]
    if converted.tokens:
        notes.append(
            Note(
                "最初の実行の前に、以前のスクリプトを止めてください。両方が使うとリフレッシュトークンが失われます",
                "stop the older scripts before the first run: a refresh token that both use dies",
            )
        )
    return LegacyReport(dry_run, tuple(legacy.found), tuple(steps), tuple(notes), _next(legacy, converted), fragment)


def _fragment(converted: Converted) -> str:
    if not converted.document:
        return ""
    document: dict[str, Any] = {"mode": "emulated", **converted.document}
    document["tiers"] = {"spend": "budget", **document.get("tiers", {})}
    try:
        parse(document, Path(), name=FRAGMENT)
    except SettingsError as error:
        raise SettingsError(
            f"the older configuration can't be taken over: {error}",
            ja="前の設定を引き継げません。値が正しくないキーがあります",
        ) from None
    return _HEAD + tomlkit.dumps(document)


def _configuration(target: Path, fragment: str, converted: Converted, dry_run: bool) -> list[Step]:
    if not fragment:
        return []
    if not dry_run:
        replace_file(target / FRAGMENT, fragment)
    return [Step("configuration", FRAGMENT, ", ".join(converted.document))]


def _secrets(target: Path, converted: Converted, notes: list[Note], dry_run: bool) -> list[Step]:
    if not converted.secrets:
        return []
    path = target / ".env"
    present = path.read_text(encoding="utf-8-sig") if path.is_file() else ""
    text, added = with_secrets(present, converted.secrets)
    kept = [name for name in converted.secrets if name not in added]
    if kept:
        notes.append(
            Note(
                f".env にすでに {', '.join(kept)} があるので、そのままにしました",
                f".env already has {', '.join(kept)}; left as they are",
            )
        )
    if not added:
        return []
    if not dry_run:
        replace_file(path, text, PRIVATE)
    return [Step("secrets", ".env", ", ".join(added))]


def _tokens(data_dir: Path, converted: Converted, notes: list[Note], dry_run: bool) -> list[Step]:
    steps = []
    for account, document in converted.tokens.items():
        path = data_dir / "tokens" / f"{account}_token.json"
        refused = why_not_token(path, document)
        if refused is not None:
            ja, en = refused
            notes.append(
                Note(f"{account} のトークンは引き継ぎません: {ja}", f"token of {account}: not taken over, {en}")
            )
            continue
        if not dry_run:
            place_token(path, document)
        steps.append(Step("token", f"tokens/{path.name}", account))
    return steps


def _blocklist(data_dir: Path, legacy: Legacy, notes: list[Note], dry_run: bool) -> list[Step]:
    path = data_dir / "blocked_asins.json"
    if legacy.blocklist is None:
        return []
    if path.exists():
        if path.resolve() != legacy.blocklist.resolve():
            notes.append(
                Note(
                    "blocked_asins.json はすでにあるので、そのままにしました",
                    "blocked_asins.json is already there; left as it is",
                )
            )
        return []
    try:
        blocked = sorted(read_blocklist(legacy.blocklist))
    except SettingsError as error:
        notes.append(Note(error.said("ja"), error.said("en")))
        return []
    if not dry_run:
        replace_file(path, json.dumps(blocked, indent=1) + "\n")
    return [Step("blocklist", path.name, f"{len(blocked)} ASINs")]


def _next(legacy: Legacy, converted: Converted) -> tuple[str, ...]:
    commands = ["ecauto doctor"]
    if legacy.cache:
        commands.append(f"ecauto cache import {shlex.quote(legacy.cache.as_posix())}")
    commands += [f"ecauto auth base {account}" for account in _without_token(converted)]
    commands.append("ecauto sync --dry-run")
    return tuple(commands)


def _without_token(converted: Converted) -> Sequence[str]:
    shops = converted.document.get("base", {}).get("accounts", [])
    return [shop["id"] for shop in shops if shop["active"] and shop["id"] not in converted.tokens]
