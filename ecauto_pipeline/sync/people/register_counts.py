"""A person's word that a shop's register did shrink: the count that fell is the one to go by.

Not for: what a fall is (domain/selling/register_fall.py) or noticing it (sync/listings/register_watch.py).
"""

from __future__ import annotations

from ecauto_pipeline.domain.model import AccountKey
from ecauto_pipeline.domain.selling.register_fall import Fall, believed_from
from ecauto_pipeline.state import register_counts
from ecauto_pipeline.state.register_counts import Watched
from ecauto_pipeline.sync.context import Tools


def accept(tools: Tools, account: AccountKey, who: str) -> tuple[Fall, ...]:
    """Believe the newest count of this shop; the next run goes by it. What fell, () where nothing stands against it.

    A register that falls further before that run is a new fall.
    """
    with tools.state.write() as connection:
        known = register_counts.load(connection, account)
        if known is None or known.fallen is None:
            return ()
        found = known.falls(tools.settings.guards.max_register_fall)
        believed = believed_from(known.fallen, tools.clock.now())
        register_counts.save(connection, account, Watched(believed))
    for one in found:
        tools.log.info("%s: %s fell from %d to %d, accepted by %s", account, one.figure, one.before, one.now, who)
    return found
