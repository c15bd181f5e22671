"""Several edits of one shop in one statement each: looked at, and ended, as journal.py does for one.

The statements are made once: making one costs more than what it does. Not for: how many edits make a group
(sync/base_updates/group_size.py), or what their intents are (journal.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import Connection, bindparam, select, update

from ecauto_pipeline.clock import to_ms
from ecauto_pipeline.domain.model import AccountKey, Kind
from ecauto_pipeline.domain.transitions import EDITS, moves_of
from ecauto_pipeline.state.journal import UNSETTLED, is_in
from ecauto_pipeline.state.of_accounts import bound_to, of_bound_account, of_bound_items
from ecauto_pipeline.state.schema_decisions import journal

_UNSETTLED_OF = select(journal.c.item_id, journal.c.kind).where(
    UNSETTLED, *of_bound_account(journal), of_bound_items(journal)
)
_WAS, _DONE = moves_of(EDITS, "confirm")
_CONFIRM = (
    update(journal)
    .where(journal.c.update_id == bindparam("of"), is_in(_WAS))
    .values(
        outcome=_DONE,
        error="",
        attempted_at=bindparam("left_at"),
        completed_at=bindparam("ended_at"),
        exported=0,
        refused=0,
    )
)


def unsettled_targets(connection: Connection, account: AccountKey, items: Sequence[str]) -> set[tuple[str, Kind]]:
    """(item_id, kind) of these items of one shop (<= 500) with an earlier edit that is still to be settled: nothing may
    be sent before it is."""
    return {(row.item_id, Kind(row.kind)) for row in connection.execute(_UNSETTLED_OF, bound_to(account, items))}


def confirm_all(connection: Connection, ended: Iterable[tuple[str, datetime, datetime]]) -> None:
    """`journal.finish` with "confirm": update_id, when the call left, when its answer came."""
    rows = [{"of": name, "left_at": to_ms(left), "ended_at": to_ms(at)} for name, left, at in ended]
    if rows:
        connection.execute(_CONFIRM, rows)
