"""How busy the database of state is: connections, and the named locks that are held or waited for; and whether what
goes there is encrypted.

PostgreSQL alone knows; of SQLite nothing is measured. Not for: what a name stands for (locks.py).
Source: PostgreSQL 15, views pg_stat_activity, pg_locks and pg_stat_ssl.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, text

_ACTIVITY = text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
_ALLOWED = text("SELECT setting FROM pg_settings WHERE name = 'max_connections'")
_LOCKS = text(
    "SELECT count(*) FILTER (WHERE granted), count(*) FILTER (WHERE NOT granted) FROM pg_locks"
    " WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)

_ENCRYPTED = text("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")


@dataclass(frozen=True, slots=True)
class ServerFigures:
    """At one moment: connections to this database, those the server allows in all, locks held and waited for."""

    connections: int
    connections_allowed: int
    locks_held: int
    locks_waited_for: int


def server_figures(connection: Connection) -> ServerFigures | None:
    """None on SQLite."""
    if connection.dialect.name != "postgresql":
        return None
    held, waiting = connection.execute(_LOCKS).one()
    return ServerFigures(
        int(connection.execute(_ACTIVITY).scalar_one()),
        int(connection.execute(_ALLOWED).scalar_one()),
        int(held),
        int(waiting),
    )


def is_encrypted(connection: Connection) -> bool | None:
    """Whether this very connection is, by the server's word; None on SQLite, or where it does not say."""
    if connection.dialect.name != "postgresql":
        return None
    said = connection.execute(_ENCRYPTED).scalar()
    return None if said is None else bool(said)
