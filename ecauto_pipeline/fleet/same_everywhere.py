"""What has to be the same on every machine of a fleet, and is refused at the start where it is not.

Nothing of the work may lie on one machine's disk, and no machine may go by another ecauto.toml than the rest: two
markups would send each listing to and fro. What the fleet goes by is kept in state as a digest for each table of the
file: the first machine that starts writes it, `ecauto fleet migrate` replaces it, every later start compares.
Not for: secrets (wiring/connections.py) or what may differ, which is OF_ONE_MACHINE.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection

from ecauto_pipeline.errors import SettingsError
from ecauto_pipeline.settings import Settings
from ecauto_pipeline.state.database import Database, to_json
from ecauto_pipeline.state.owner_files import keep_well, read_owner_file

SETTINGS = "ecauto.toml"
OF_ONE_MACHINE = ("paths", "state", "desk", "logs", "emulator")
"""Tables in which machines may differ: folders, addresses (with the passwords in them), the desk's port, logs."""


def refuse_local(settings: Settings) -> None:
    """Raises SettingsError, one line for each, where something that the fleet shares would lie on this machine alone.

    Opens nothing.
    """
    found = []
    if settings.state_url().startswith("sqlite"):
        found.append(
            (
                "[fleet] on: state has to be in PostgreSQL, [state] url names SQLite",
                "[fleet] on では状態を PostgreSQL に置きます。[state] url が SQLite になっています",
            )
        )
    if not settings.history.url.startswith("s3:"):
        found.append(
            (
                "[fleet] on: history has to be in object storage, [history] url is no s3://bucket/prefix",
                "[fleet] on では履歴をオブジェクトストレージに置きます。"
                "[history] url を s3://バケット/プレフィックス にしてください",
            )
        )
    if settings.mode == "live" and not settings.register_url:
        found.append(
            (
                "[fleet] on: the register has to be in PostgreSQL, [paths] master_db names a file (register import)",
                "[fleet] on では台帳を PostgreSQL に置きます。[paths] master_db がファイルです (register import)",
            )
        )
    if found:
        raise SettingsError("\n".join(en for en, _ in found), ja="\n".join(ja for _, ja in found))


def agree_on_settings(database: Database, settings: Settings, now: datetime) -> None:
    """Compare this machine's ecauto.toml with the fleet's; the first one there is becomes the fleet's.

    Raises SettingsError, which names the tables that differ.
    """
    with database.read() as connection:
        agreed = _agreed(connection)
    if agreed is None:
        with database.write() as connection:
            agreed = _agreed(connection)  # another machine may have been first
            if agreed is None:
                agreed = digests(settings)
                keep_well(connection, SETTINGS, to_json(agreed), now)
    own = digests(settings)
    differing = sorted(table for table in {*agreed, *own} if agreed.get(table) != own.get(table))
    if differing:
        named = ", ".join(f"[{table}]" for table in differing)
        raise SettingsError(
            f"this machine's ecauto.toml is not the fleet's: {named} differ; copy the fleet's file here, or, where this"
            " is the new one, run: ecauto fleet migrate",
            ja=f"この機械の ecauto.toml がフリートのものと違います: {named}。フリートのファイルをコピーするか、"
            "これが新しいものなら ecauto fleet migrate を実行してください",
        )


def settle_settings(database: Database, settings: Settings, now: datetime) -> bool:
    """This machine's ecauto.toml is the fleet's from now on; whether that is another than before."""
    own = digests(settings)
    with database.write() as connection:
        changed = _agreed(connection) != own
        keep_well(connection, SETTINGS, to_json(own), now)
    return changed


def digests(settings: Settings) -> dict[str, str]:
    """A digest of each table of ecauto.toml that has to be the same everywhere, of what differs from the defaults.

    A later version's new keys change nothing while nobody sets them.
    """
    said = settings.model_dump(mode="json", exclude_defaults=True)
    top = {name: value for name, value in said.items() if not isinstance(value, dict | list)}
    tables = {name: value for name, value in said.items() if name not in top and name not in OF_ONE_MACHINE}
    return {name: _digest(value) for name, value in {**tables, "mode": top}.items()}


def _digest(value: object) -> str:
    return hashlib.sha256(to_json(value).encode()).hexdigest()[:16]


def _agreed(connection: Connection) -> Mapping[str, str] | None:
    kept = read_owner_file(connection, SETTINGS).content
    return None if kept is None else {str(table): str(digest) for table, digest in json.loads(kept).items()}
