"""What files of the owner's said when they could last be read, and since when they can't be.

One row a file, by a name of ours; a run that meets a broken file goes by the last content that was well.
Not for: reading them (sync/) or what they mean (domain/).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, select

from ecauto_pipeline.clock import from_ms, to_ms
from ecauto_pipeline.state.schema_notes import owner_files
from ecauto_pipeline.state.upsert import upsert

BLOCKLIST, VIEWS, RULES = "blocklist", "views", "rules"
SHARED_VIEWS = "shared_views"
"""A fleet's page views, whole: of one machine's file nothing is kept."""


@dataclass(frozen=True, slots=True)
class OwnerFile:
    """`content` as it was last read without fault at `read_at`, None = never; `broken_since` None = it is well."""

    content: str | None = None
    read_at: datetime | None = None
    broken_since: datetime | None = None

    @property
    def unknown(self) -> bool:
        """It is there, can't be read, and never could be."""
        return self.content is None and self.broken_since is not None


def read_owner_file(connection: Connection, name: str) -> OwnerFile:
    """What is kept of this file."""
    row = connection.execute(select(owner_files).where(owner_files.c.name == name)).first()
    if row is None:
        return OwnerFile()
    since = row.broken_since
    return OwnerFile(
        row.content,
        None if row.read_at is None else from_ms(row.read_at),
        None if since is None else from_ms(since),
    )


def is_unknown(connection: Connection, name: str) -> bool:
    """`OwnerFile.unknown` of it, without reading what it says: this is asked before every push, of megabytes."""
    return connection.execute(_UNKNOWN, {"file": name}).first() is not None


_UNKNOWN = select(owner_files.c.name).where(
    owner_files.c.name == bindparam("file"), owner_files.c.content.is_(None), owner_files.c.broken_since.is_not(None)
)


def keep_well(connection: Connection, name: str, content: str | None, now: datetime) -> None:
    """The file can be read; `content` None: there is none, or nothing of it has to be kept."""
    read_at = None if content is None else to_ms(now)
    _set(connection, name, content=content, read_at=read_at, broken_since=None)


def note_broken(connection: Connection, name: str, now: datetime) -> datetime:
    """The file can't be read; what it said last stays. Returns since when, this time included."""
    since = read_owner_file(connection, name).broken_since
    if since is None:
        _set(connection, name, broken_since=to_ms(now))
    return since or now


def _set(connection: Connection, name: str, **values: Any) -> None:
    upsert(connection, owner_files, [{"name": name, **values}])
