"""One time for all machines: what is written for others to judge by (leases, heartbeats) is stamped by it.

On SQLite it is this machine's clock, as it is handed in. In PostgreSQL it is corrected by as much as the server's
clock is ahead of this machine's, so that machines whose clocks differ by minutes agree on what is over.
Not for: measuring the difference (postgresql.py) or the wall clock that people go by (clock.py).
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection

AHEAD = "ecauto_server_ahead"
"""In `connection.info`: a timedelta, set when the transaction begins; absent where there is one clock."""
_NOTHING = timedelta(0)


def shared_now(connection: Connection, now: datetime) -> datetime:
    """`now` of this machine as the server's clock has it."""
    ahead: timedelta = connection.info.get(AHEAD, _NOTHING)
    return now + ahead
