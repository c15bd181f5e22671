"""The owner's files of a fleet: blocklist, rules per item and page views lie in state, where every machine finds them.

What lies under their names on a machine is a copy, made anew from state when a run opens; one that a person changed
there is kept beside it. A file that nobody has put into state stops a live run: on a machine that merely lacks it,
"no file" must not mean "nothing is forbidden". On one machine the files are the owner's own and nothing here is used.
Not for: what the files say (blocklist.py, item_rules.py, stale_asins/views.py).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from ecauto_pipeline.atomic_file import rename, replace_file
from ecauto_pipeline.clock import Clock
from ecauto_pipeline.domain.selling.rules_file import COLUMNS
from ecauto_pipeline.domain.spreadsheets import decode
from ecauto_pipeline.errors import SettingsError
from ecauto_pipeline.settings import Settings
from ecauto_pipeline.state.database import Database
from ecauto_pipeline.state.owner_files import BLOCKLIST, RULES, SHARED_VIEWS, keep_well, read_owner_file
from ecauto_pipeline.sync.listings.blocklist import read_blocklist
from ecauto_pipeline.sync.listings.rules_history import BOM

NAMES: Mapping[str, str] = {"blocklist": BLOCKLIST, "rules": RULES, "views": SHARED_VIEWS}
"""What a person calls each, and its row in state. Rules are judged on their way there (people/rules.py)."""


def bring_files(settings: Settings, database: Database, *, needed: bool) -> None:
    """This machine's copies are what state says. `needed`: raises SettingsError for one that was never put there."""
    for name in NAMES:
        with database.read() as connection:
            content = read_owner_file(connection, NAMES[name]).content
        if content is None and needed:
            raise SettingsError(
                f"this fleet has no {name} yet; run: ecauto fleet put {name} FILE (none at all: --none)",
                ja=f"フリートに {name} がまだありません。次: ecauto fleet put {name} FILE（何もなければ --none）",
            )
        if content is not None:
            bring_file(settings, name, content)


def bring_file(settings: Settings, name: str, content: str) -> None:
    """The copy of one, where it is another; what a person wrote there stands beside it as `.replaced`."""
    path, text = path_of(settings, name), _as_file(name, content)
    if _said(path) == text:
        return
    if path.is_file():
        rename(path, path.with_name(path.name + ".replaced"))
    if text is not None:
        replace_file(path, text)


def put_file(settings: Settings, database: Database, clock: Clock, name: str, file: Path | None) -> int:
    """A blocklist or page views for all machines, `file` None = there are none; how many entries or lines.

    Raises SettingsError for a file that is none of its kind.
    """
    content = ""
    if file is not None:
        if not file.is_file():
            raise SettingsError(f"{file}: no such file", ja=f"{file} がありません")
        try:
            content = " ".join(sorted(read_blocklist(file))) if name == "blocklist" else decode(file.read_bytes())
        except UnicodeError:
            ja = f"{file.name} の文字コードがUTF-8でもShift_JISでもありません"
            raise SettingsError(f"{file.name} is in neither UTF-8 nor Shift_JIS", ja=ja) from None
    with database.write() as connection:
        keep_well(connection, NAMES[name], content, clock.now())
    return len(content.split() if name == "blocklist" else content.splitlines())


def path_of(settings: Settings, name: str) -> Path:
    return {"blocklist": settings.blocklist, "rules": settings.rules, "views": settings.views}[name]


def _as_file(name: str, content: str) -> str | None:
    """The file that says it; None = there is none."""
    if name == "blocklist":
        return json.dumps(content.split(), indent=0) + "\n"
    if name == "rules":
        return BOM + (content or ",".join(COLUMNS) + "\r\n")
    return content or None


def _said(path: Path) -> str | None:
    try:
        return path.read_bytes().decode("utf-8")
    except (FileNotFoundError, UnicodeError):
        return None
