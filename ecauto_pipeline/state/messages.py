"""Messages that each channel gets once: kept whole before the first try, with what every channel was told of them.

A channel is owed a message, is being told (the intent, committed before the call), or was told. Not for: the texts or
the sending (alerts/), or alert rules, whose state of being told moves to and fro (notices.py).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, Row, delete, select, update

from ecauto_pipeline.clock import from_ms, to_ms
from ecauto_pipeline.state.database import to_json
from ecauto_pipeline.state.schema_notes import messages
from ecauto_pipeline.state.upsert import insert_for

Told = Literal["owed", "sending", "sent"]


@dataclass(frozen=True, slots=True)
class KeptMessage:
    """One message. `document`: title, body and what programs read; `told` by channel."""

    message_id: str
    made_at: datetime
    document: Mapping[str, Any]
    told: Mapping[str, Told]


def add(
    connection: Connection, message_id: str, document: Mapping[str, Any], channels: Sequence[str], now: datetime
) -> bool:
    """Keep a message that these channels are owed; False where there is one of this id already, which stands."""
    statement = insert_for(connection, messages).values(
        message_id=message_id,
        made_at=to_ms(now),
        document=to_json(document),
        told=to_json(dict.fromkeys(channels, "owed")),
        done_at=None if channels else to_ms(now),
    )
    return bool(connection.execute(statement.on_conflict_do_nothing(index_elements=["message_id"])).rowcount)


def open_messages(connection: Connection) -> list[KeptMessage]:
    """Those that a channel is still to be told, the oldest first."""
    query = select(messages).where(messages.c.done_at.is_(None)).order_by(messages.c.made_at, messages.c.message_id)
    return [_message(row) for row in connection.execute(query)]


def read(connection: Connection, message_id: str) -> KeptMessage | None:
    """One message as it stands."""
    row = connection.execute(select(messages).where(messages.c.message_id == message_id)).first()
    return None if row is None else _message(row)


def record(connection: Connection, message_id: str, told: Mapping[str, Told], now: datetime) -> None:
    """What its channels were told by now; it is done when each was."""
    done_at = to_ms(now) if all(state == "sent" for state in told.values()) else None
    mine = update(messages).where(messages.c.message_id == message_id)
    connection.execute(mine.values(told=to_json(dict(told)), done_at=done_at))


def forget(connection: Connection, before: datetime) -> None:
    """Drop messages made before, told or not: their news is old."""
    connection.execute(delete(messages).where(messages.c.made_at < to_ms(before)))


def _message(row: Row[Any]) -> KeptMessage:
    return KeptMessage(row.message_id, from_ms(row.made_at), json.loads(row.document), json.loads(row.told))
