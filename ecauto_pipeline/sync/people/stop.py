"""A person stops all pushing at once, in runs under way too, and lets it go on.

Every edit looks before it is sent (sync/base_updates/shop_worker.py); hides are edits as well. What a person takes back
(rollback.py) still leaves. Not for: how a stop is kept (state/stops.py).
"""

from __future__ import annotations

from collections.abc import Sequence

from ecauto_pipeline.domain.model import AccountKey
from ecauto_pipeline.state import stops
from ecauto_pipeline.state.stops import Stop
from ecauto_pipeline.sync.context import Tools


def stop_pushing(tools: Tools, accounts: Sequence[AccountKey], who: str) -> tuple[Stop, ...]:
    """Nothing more is sent to these shops (() = every one) once this returns, but for the call each has under way.

    What stands now, older stops included.
    """
    with tools.state.write() as connection:
        stops.put(connection, accounts, tools.clock.now(), who)
        found = stops.standing(connection)
    for one in found:
        tools.log.warning("pushing stopped: %s, since %s, by %s", one.account or "every shop", one.since, one.who)
    return found


def resume_pushing(
    tools: Tools, accounts: Sequence[AccountKey], known: Sequence[AccountKey], who: str
) -> tuple[Stop, ...]:
    """Edits leave again from the next run on: what waited is judged anew. The stops that end, () where none stood.

    `known`: every shop there is, for where all are stopped and only `accounts` go on.
    """
    with tools.state.write() as connection:
        ended = stops.lift(connection, accounts, known)
    for one in ended:
        tools.log.warning("pushing goes on: %s, said %s", one.account or "every shop", who)
    return ended
