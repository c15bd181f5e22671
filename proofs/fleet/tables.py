"""A state of PostgreSQL's with its tables, as `ecauto fleet migrate` makes them.

Not for: the servers (servers.py).
"""

from __future__ import annotations

from ecauto_pipeline.state import locks, migrations
from ecauto_pipeline.state.database import Database


def migrated(url: str) -> str:
    """The same URL, once the tables are there."""
    database = Database(url, unmigrated=True)
    with database.write(locks.schema()) as connection:
        migrations.migrate_postgresql(connection)
    database.close()
    return url
