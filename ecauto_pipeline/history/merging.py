"""Rows of files into a table, one row a key: which of two that have the same key stands.

Where the table says what a later word is (`Table.settled`: an update first `unknown`, then settled), the later word
stands, in whatever order the files come: two publishers, a compaction or a rebuild can't bring back what was settled
since. Else the row loaded later stands. Not for: which files are loaded (loading.py).
"""

from __future__ import annotations

from datetime import timedelta

import duckdb

from ecauto_pipeline.history.database import column_list, later_first, quoted
from ecauto_pipeline.history.tables import Table

SAME_KEY_WITHIN = timedelta(days=7)
"""How far apart in the table's own time two rows of one key may lie and still be recognised while loading: it lets
the search for them skip the years before. `verify` looks at all of them."""


INCOMING = "incoming"
"""The table of the rows that are taken in: open it with rows_as before the transaction."""


def merge(connection: duckdb.DuckDBPyConnection, table: Table) -> None:
    """Take in what INCOMING holds, with its `loaded_file` and `load_position`; call inside a transaction."""
    key, time = quoted(table.key), quoted(table.time)
    oldest, nulls = connection.execute(
        f"SELECT CAST(epoch_us(min({time})) AS BIGINT), count(*) - count({time}) FROM {INCOMING}"
    ).fetchall()[0]
    bound = ""
    if oldest is not None and not nulls:
        since = oldest - int(SAME_KEY_WITHIN.total_seconds()) * 1_000_000
        bound = f"AND (t.{time} IS NULL OR t.{time} >= make_timestamptz({since}))"
    name, source = f"{quoted(table.name)} AS t", INCOMING
    if table.settled:
        source = _not_outdated(connection, table, name, bound)
    connection.execute(f"DELETE FROM {name} WHERE t.{key} IN (SELECT {key} FROM {source}) {bound}")
    connection.execute(
        f"INSERT INTO {quoted(table.name)} ({column_list(table)}, loaded_file) "
        f"SELECT {column_list(table)}, loaded_file FROM {source} "
        f"QUALIFY row_number() OVER (PARTITION BY {key} ORDER BY {later_first(table, 'load_position')}) = 1 "
        f"ORDER BY {time}, {key}"
    )
    connection.execute("DROP TABLE IF EXISTS not_outdated")


def _not_outdated(connection: duckdb.DuckDBPyConnection, table: Table, name: str, bound: str) -> str:
    """The incoming rows without those of which the table holds a later word."""
    key, settled = quoted(table.key), quoted(table.settled)
    connection.execute(
        f"CREATE OR REPLACE TEMP TABLE not_outdated AS SELECT * FROM {INCOMING} AS i WHERE NOT EXISTS "
        f"(SELECT 1 FROM {name} WHERE t.{key} = i.{key} AND t.{settled} > coalesce(i.{settled}, "
        f"TIMESTAMPTZ '0001-01-01 00:00:00+00') {bound})"
    )
    return "not_outdated"
