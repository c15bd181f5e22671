"""How busy the database of state is: connections, and the named locks that are held or waited for.

PostgreSQL alone knows; of SQLite nothing is measured. Not for: what a name stands for (locks.py).
Source: PostgreSQL 15, views pg_stat_activity and pg_locks.
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
